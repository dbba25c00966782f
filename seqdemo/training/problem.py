"""What a run trains on: the sequences of its task, divided into training, validation and test, and what guessing gets.

Plain arrays, no torch. All chance comes from the seed, the purpose and the epoch.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqdemo.data import examples, grammar, imdb, own_csv, own_words, synthetic
from seqdemo.data.examples import Examples
from seqdemo.data.imdb import Reviews
from seqdemo.data.tasks import ADDING_BASELINE_MSE, MADE_UP, Answer, Batch, Task
from seqdemo.errors import DataError
from seqdemo.text import MAX_TOKENS, NEWEST_TOKENS, Vocabulary
from seqdemo.training.settings import IMDB_VOCABULARY, OWN_WORDS, UPDATES_PER_EPOCH, RunSettings

N_VALIDATION = 512
N_TEST = 1_000
N_PROBE = 16
_SEQUENCES_AT_ONCE = 256
_UNKNOWN_SHARE = 0.02
"""Share of words of small text sets that training shows as the unknown word, so that it means something later."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One task, ready to be trained on.

    Attributes:
        answer: What is asked.
        n_outputs: Numbers that the head gives.
        n_rows: Rows of the embedding table; 0 where inputs are numbers.
        classes: Names of the classes; empty where the answer is a number.
        uncounted: A class whose steps do not count in the accuracy.
        vocabulary: The words, for tasks on texts.
        epoch: `(epoch)` → its training batches, the same ones for the same number.
        training_n: Sequences in one epoch.
        validation: Batches that choose the best epoch.
        test: Batches that are looked at once, at the end.
        test_texts: The texts in the order of the test batches' rows, for tasks on texts.
        probe: The batch on which gradients are measured after every epoch; all its sequences are of one length.
        guess_accuracy: Accuracy on the test sequences of always giving the best single answer.
        guess_loss: Mean loss of the best single answer.
        bag_of_words: Test accuracy of counting words without their order (naive Bayes); None where there are none.
        ceiling: Accuracy that nothing can surpass, since that many labels are right.
        foretells: Whether the answer at each step is the next word.
        known_losses: What who knows less or more than a model comes to, in words → the mean loss, in nats.
        note: What was understood of a visitor's own file, in sentences.
    """

    answer: Answer
    n_outputs: int
    n_rows: int
    classes: tuple[str, ...]
    uncounted: int | None = None
    vocabulary: Vocabulary | None = None
    epoch: Callable[[int], list[Batch]]
    training_n: int
    validation: Sequence[Batch]
    test: Sequence[Batch]
    test_texts: Sequence[str] | None = None
    probe: Batch
    guess_accuracy: float
    guess_loss: float
    bag_of_words: float | None = None
    ceiling: float = 1.0
    foretells: bool = False
    known_losses: Mapping[str, float] = dataclasses.field(default_factory=dict)
    note: str = ""


def prepare(
    settings: RunSettings,
    *,
    csv: pathlib.Path | None = None,
    positive: str | None = None,
    data: str | None = None,
    on_progress: imdb.OnProgress | None = None,
) -> Problem:
    """Reads or draws what a run needs.

    Args:
        settings: Of the run.
        csv: The visitor's file, for the tasks `own` and `own_words`.
        positive: Which of its two labels is the positive one, where someone said so.
        data: A local folder of the film reviews, for the task `imdb`; `SEQDEMO_IMDB` or the Hub by default.
        on_progress: Told how far a download of the film reviews has come.

    Returns:
        The problem.

    Raises:
        DataError: The reviews or the file cannot be used.
    """
    if settings.task in MADE_UP:
        return _made_up(MADE_UP[settings.task], settings)
    if settings.task == "synthetic":
        return _synthetic(settings)
    if settings.task == "imdb":
        return _film_reviews(settings, data, on_progress)
    if csv is None:
        raise DataError(f"The task {settings.task} needs a file: name one with --csv.")
    try:
        content = csv.read_bytes()
    except OSError as error:
        raise DataError(f"{csv.name} cannot be read: {error.strerror}.") from error
    if settings.task == OWN_WORDS:
        return _own_words(settings, own_words.parse(content))
    return _own(settings, own_csv.parse(content, csv.name, positive=positive))


def _made_up(task: Task, settings: RunSettings) -> Problem:
    def chance(purpose: int, epoch: int = 0) -> np.random.Generator:
        return np.random.default_rng((settings.seed, purpose, epoch, settings.length))

    def epoch_batches(epoch: int) -> list[Batch]:
        rng = chance(0, epoch)
        return [task.draw(rng, settings.batch_size, settings.length) for _ in range(UPDATES_PER_EPOCH)]

    def held_out(purpose: int, n: int) -> list[Batch]:
        rng = chance(purpose)
        sizes = [min(_SEQUENCES_AT_ONCE, n - start) for start in range(0, n, _SEQUENCES_AT_ONCE)]
        return [task.draw(rng, size, settings.length) for size in sizes]

    problem = Problem(
        answer=task.answer,
        n_outputs=task.n_classes,
        n_rows=task.vocab_size,
        classes=_CLASS_NAMES[task.name],
        uncounted=task.uncounted,
        epoch=epoch_batches,
        training_n=UPDATES_PER_EPOCH * settings.batch_size,
        validation=held_out(1, N_VALIDATION),
        test=held_out(2, N_TEST),
        probe=task.draw(chance(3), N_PROBE, settings.length),
        guess_accuracy=task.chance,
        guess_loss=ADDING_BASELINE_MSE if task.answer == "number" else math.log(task.n_classes),
    )
    return _foretelling(problem, settings.length) if task.foretells else problem


def _foretelling(problem: Problem, length: int) -> Problem:
    """With what is known of the next word from the grammar."""
    known = grammar.known(length)
    return dataclasses.replace(
        problem,
        foretells=True,
        guess_accuracy=known.commonest,
        guess_loss=known.unigram,
        ceiling=known.ceiling,
        known_losses={"counting pairs": known.bigram, "the grammar itself": known.grammar},
    )


_CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "adding": (),
    "first_token": ("1 first", "2 first"),
    "temporal_order": ("XX", "XY", "YX", "YY"),
    "parity": ("even", "odd"),
    "copy": ("nothing asked", "1", "2", "3", "4"),
    "next_word": grammar.WORDS,
}


def _synthetic(settings: RunSettings) -> Problem:
    config = synthetic.SyntheticConfig(
        n=settings.samples,
        distance=settings.distance,
        negation=settings.negation,
        noise=settings.noise,
        seed=settings.seed,
    )
    reviews = synthetic.reviews(config)
    rows = np.arange(len(reviews), dtype=np.int64)  # the reviews come in random order
    n = len(rows) // 10
    return _on_texts(
        settings,
        reviews,
        parts=(rows[2 * n :], rows[:n], rows[n : 2 * n]),
        classes=("negative", "positive"),
        vocabulary=synthetic.vocabulary(),
        max_tokens=MAX_TOKENS,
        ceiling=1 - settings.noise,
    )


def _film_reviews(settings: RunSettings, data: str | None, on_progress: imdb.OnProgress | None) -> Problem:
    reviews = imdb.load("train", data, on_progress)
    if settings.samples < len(reviews):
        reviews = reviews.pick(np.linspace(0, len(reviews) - 1, settings.samples).astype(np.int64))
    # The published test split is for the shipped checkpoints; here both held-out parts are blocks of the training
    # split, which share no film with the rest.
    rest, validation = imdb.split_validation(reviews.labels)
    training, test = imdb.split_validation(reviews.labels[rest])
    return _on_texts(
        settings,
        reviews,
        parts=(rest[training], validation, rest[test]),
        classes=("negative", "positive"),
        max_tokens=settings.length,
    )


def _own(settings: RunSettings, found: own_csv.LabelledTexts) -> Problem:
    parts = own_csv.split(found.labels)
    problem = _on_texts(settings, found.reviews, parts=parts, classes=found.classes, max_tokens=settings.length)
    return dataclasses.replace(problem, note=found.summary())


def _own_words(settings: RunSettings, found: own_words.OwnWords) -> Problem:
    streams = own_words.split(found)
    vocabulary = streams.vocabulary
    length = min(settings.length, len(streams.validation) - 1, len(streams.test) - 1)
    unigram, bigram = own_words.counted_losses(streams)

    def pieces(stream: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> Batch:
        ids = stream[starts[:, None] + np.arange(length + 1)]
        return Batch(inputs=ids[:, :-1], lengths=np.full(len(ids), length), targets=ids[:, 1:])

    def epoch_batches(epoch: int) -> list[Batch]:
        rng = np.random.default_rng((settings.seed, 0, epoch))
        last = len(streams.training) - length
        return [pieces(streams.training, rng.integers(0, last, settings.batch_size)) for _ in range(UPDATES_PER_EPOCH)]

    def held_out(stream: npt.NDArray[np.int64], n: int) -> list[Batch]:
        starts = np.arange(0, len(stream) - length, length)[:n]
        return [
            pieces(stream, starts[at : at + _SEQUENCES_AT_ONCE]) for at in range(0, len(starts), _SEQUENCES_AT_ONCE)
        ]

    commonest = np.bincount(streams.training).argmax()
    return Problem(
        answer="class at every step",
        n_outputs=len(vocabulary),
        n_rows=len(vocabulary),
        classes=vocabulary.words,
        vocabulary=vocabulary,
        epoch=epoch_batches,
        training_n=UPDATES_PER_EPOCH * settings.batch_size,
        validation=held_out(streams.validation, N_VALIDATION),
        test=held_out(streams.test, N_TEST),
        probe=pieces(
            streams.validation, np.linspace(0, len(streams.validation) - length - 1, N_PROBE).astype(np.int64)
        ),
        guess_accuracy=float((streams.test[1:] == commonest).mean()),
        guess_loss=unigram,
        foretells=True,
        known_losses={"counting pairs": bigram},
        note=found.summary(),
    )


def _on_texts(
    settings: RunSettings,
    reviews: Reviews,
    *,
    parts: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    classes: tuple[str, ...],
    max_tokens: int,
    vocabulary: Vocabulary | None = None,
    ceiling: float = 1.0,
) -> Problem:
    training_rows, _, test_rows = parts
    # Made-up reviews bring their own words, in which nobody writes numbers and signs.
    version = NEWEST_TOKENS if vocabulary is None else vocabulary.version
    tokens = examples.tokenize_all(reviews, version=version)
    if vocabulary is None:
        learned_from = (tokens[row] for row in training_rows)
        vocabulary = Vocabulary.build(learned_from, size=IMDB_VOCABULARY, version=version)
    encoded = examples.encode(tokens, reviews.labels, vocabulary)
    training, validation, test = (encoded.pick(rows) for rows in parts)

    def epoch_batches(epoch: int) -> list[Batch]:
        views = examples.epoch_views(
            training,
            batch_size=settings.batch_size,
            rng=np.random.default_rng((settings.seed, epoch)),
            word_dropout=0.0 if settings.task == "imdb" else _UNKNOWN_SHARE,
            max_tokens=max_tokens,
        )
        return _batches(views)

    tested = examples.evaluation_views(test, max_tokens=max_tokens)
    shares = np.bincount(test.labels, minlength=len(classes)) / len(test)
    seen = shares[shares > 0]
    return Problem(
        answer="yes or no" if len(classes) == 2 else "class",
        n_outputs=1 if len(classes) == 2 else len(classes),
        n_rows=len(vocabulary),
        classes=classes,
        vocabulary=vocabulary,
        epoch=epoch_batches,
        training_n=len(training),
        validation=_batches(examples.evaluation_views(validation, max_tokens=max_tokens)),
        test=_batches(tested),
        test_texts=[reviews.texts[test_rows[row]] for rows in tested.batches for row in rows],
        probe=_probe(validation, max_tokens),
        guess_accuracy=float(shares.max()),
        guess_loss=float(-(seen * np.log(seen)).sum()),
        bag_of_words=_naive_bayes_accuracy(training, test, len(vocabulary), len(classes)),
        ceiling=ceiling,
    )


def _batches(views: examples.Views) -> list[Batch]:
    return [Batch(inputs=batch.ids, lengths=batch.lengths, targets=batch.labels) for batch in views.padded()]


def _probe(validation: Examples, max_tokens: int) -> Batch:
    """Texts of one length, the most frequent one; where they are too few, longer ones without some of their middle."""
    lengths = np.array([min(len(ids), max_tokens) for ids in validation.ids])
    usual = int(np.bincount(lengths).argmax())
    rows = np.flatnonzero(lengths >= usual)
    rows = rows[np.argsort(lengths[rows], kind="stable")][:N_PROBE]
    return _batches(examples.evaluation_views(validation.pick(rows), max_tokens=usual))[0]


def _naive_bayes_accuracy(training: Examples, test: Examples, n_words: int, n_classes: int) -> float:
    """Accuracy of multinomial naive Bayes on word counts, with one added to each count."""

    def counts(ids: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        return np.bincount(np.concatenate(ids), minlength=n_words)

    log_share = np.empty((n_classes, n_words))
    for label in range(n_classes):
        of_class = counts([ids for ids, own in zip(training.ids, training.labels, strict=True) if own == label]) + 1
        log_share[label] = np.log(of_class / of_class.sum())
    prior = np.log(np.bincount(training.labels, minlength=n_classes) + 1)
    answers = [int((log_share[:, ids].sum(1) + prior).argmax()) for ids in test.ids]
    return float((np.array(answers) == test.labels).mean())
