"""A language model: its checkpoint folder (`package`), and what it says and writes.

The folder has the same files as a classifier's, without a card; `config.json` has `"kind": "language model"`, so that
neither is taken for the other.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from seqdemo.checkpoints import package
from seqdemo.data import words_not_shown
from seqdemo.errors import ConfigError, TextError
from seqdemo.models import language, registry, writing
from seqdemo.text import MAX_CHARACTERS, PAD_ID, UNKNOWN_ID, Reading, Vocabulary, require_text, require_words
from seqdemo.trace import Trace

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel

KIND = "language model"
MAX_CONTEXT = 2_000
"""Words of a text that are read before the next one is said: of a longer text the last."""


@dataclass(frozen=True)
class Word:
    """A word that a model says, or would have said.

    Attributes:
        text: As the vocabulary has it; a word of a text as it was read, known or not.
        probability: P(word | what is read), before temperature and cuts; of an unknown word that of `<unk>`.
        rank: Its place among all words of the vocabulary, 1 for the likeliest.
    """

    text: str
    probability: float
    rank: int

    @property
    def bits(self) -> float:
        """Its surprise: the bits that it takes to tell the word to who holds it so likely."""
        return -math.log2(self.probability)


@dataclass(frozen=True, kw_only=True, eq=False)
class LanguageModel:
    """A trained language model with its vocabulary; never written to.

    Attributes:
        name: The name in the registry of the classifier whose layers it has.
        model: The module: CPU, fp32, evaluation mode, weights frozen.
        vocabulary: The words that it knows.
        metrics: What `metrics.json` holds: perplexities, cost.
        sha256: Of `model.safetensors`.

    What it says of a text it says of the text's last `MAX_CONTEXT` words. A text begins after the end of another one,
    as in training.
    """

    name: str
    model: language.LanguageModel
    vocabulary: Vocabulary
    metrics: Mapping[str, Any]
    sha256: str

    def read(self, text: str) -> Reading:
        """The words of a text that are read, all of them where they are at most `MAX_CONTEXT`.

        Raises:
            TextError: It is no text.
        """
        require_text(text)
        return last_words(self.vocabulary.read(text, max_tokens=MAX_CHARACTERS))

    def next_words(self, text: str, n: int = 10, *, unfiltered: bool = False) -> list[Word]:
        """The likeliest next words.

        Args:
            text: What stands before; may be empty.
            n: How many at most.
            unfiltered: Whether slurs and sexual words are among them.

        Returns:
            The likeliest first; what their probabilities lack of 1 is that of all other words.

        Raises:
            TextError: It is no text.
            ConfigError: The model reads both sides, and has no next word; or `n` is below 1.
        """
        chances, _ = writing.read_on(self.one_way, after_the_end_of_a_text(self.read(text).ids))
        return self.likeliest(chances, n, unfiltered=unfiltered)

    def hidden_words(self, text: str, place: int, n: int = 10, *, unfiltered: bool = False) -> list[Word]:
        """What a model that reads both sides would put in the place of a word.

        Args:
            text: With at least one word; `MAX_TOKENS` of them are read around the place where there are more.
            place: Index of the word among those that are read, from 0.
            n: As for `next_words`.
            unfiltered: As for `next_words`.

        Raises:
            TextError: The text holds no word, or none at that place.
            ConfigError: The model reads in one direction; or `n` is below 1.
        """
        ids = self.read(text).ids
        if not 0 <= place < len(ids):
            raise TextError(f"The text has {len(ids)} words, so that no word {place} can be hidden.")
        return self.likeliest(self.hidden_chances(ids, place), n, unfiltered=unfiltered)

    def hidden_chances(self, ids: npt.NDArray[np.int64], place: int) -> writing.Chances:
        """The chances of all words in the place of one.

        Args:
            ids: Vocabulary indices, int64 (n,); of more than `MAX_TOKENS` those around the place are read.
            place: Index of the word that is hidden.

        Raises:
            ConfigError: The model reads in one direction.
        """
        if not isinstance(self.model, language.MaskedLanguageModel):
            raise ConfigError(f"A hidden word is asked of a model that reads both sides; {self._label} reads on.")
        most = self.model.config.max_tokens
        first = max(0, min(place - most // 2, len(ids) - most))
        return writing.hidden_chances(self.model, ids[first : first + most], place - first)

    def generate(
        self,
        text: str = "",
        *,
        n_words: int = 40,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        seed: int | None = None,
        unfiltered: bool = False,
    ) -> Iterator[Word]:
        """Writes on, word by word.

        Args:
            text: What stands before; may be empty.
            n_words: How many words to write.
            temperature: As for `writing.Sampling`.
            top_k: As for `writing.Sampling`.
            top_p: As for `writing.Sampling`.
            seed: The same seed and settings give the same words; None draws anew each time.
            unfiltered: Whether slurs and sexual words may be written.

        Returns:
            The words as they come; never the end of the text, and no unknown word.

        Raises:
            TextError: It is no text.
            ConfigError: The model reads both sides and cannot write; or a setting is out of bounds.
        """
        sampling = writing.Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
        self.one_way  # noqa: B018 (asked now, not at the first word)
        if type(n_words) is not int or n_words < 0:
            raise ConfigError(f"n_words is a whole number from 0 on; got {n_words!r}.")
        written = self.write(after_the_end_of_a_text(self.read(text).ids), sampling, seed, unfiltered=unfiltered)
        return (word for word, _ in itertools.islice(written, n_words))

    def write(
        self,
        ids: npt.NDArray[np.int64],
        sampling: writing.Sampling,
        seed: int | None,
        *,
        state: Any = None,
        unfiltered: bool = False,
    ) -> Iterator[tuple[Word, writing.Chances]]:
        """Writes on without an end.

        Args:
            ids: What is read first, vocabulary indices, at least one, int64 (n,).
            sampling: How words are drawn.
            seed: As for `generate`.
            state: As for `writing.read_on`, after what stands before these.
            unfiltered: As for `generate`.

        Yields:
            The word, and the chances of all words that it was drawn from, before temperature and cuts.
        """
        rng = np.random.default_rng(seed)
        while True:
            chances, state = writing.read_on(self.one_way, ids, state)
            drawn = writing.draw(self.drawn_with(chances, sampling, unfiltered=unfiltered), rng)
            yield self.word(chances, drawn), chances
            ids = np.array([drawn])

    def drawn_with(
        self, chances: writing.Chances, sampling: writing.Sampling, *, unfiltered: bool = False
    ) -> writing.Chances:
        """The chances that words are drawn with; 0 of those that are cut or never written."""
        allowed = chances.copy()
        allowed[self.left_out(unfiltered=unfiltered)] = 0.0
        return sampling.drawn_with(allowed)

    def surprise(self, text: str) -> list[Word]:
        """How likely each word of a text was, given those before it.

        Raises:
            TextError: The text holds no word.
            ConfigError: The model reads both sides.
        """
        reading = self._with_words(text)
        p, ranks, _ = writing.chances_in_text(self.one_way, after_the_end_of_a_text(reading.ids))
        return [Word(token.text, float(p[k]), int(ranks[k])) for k, token in enumerate(reading.tokens)]

    def perplexity(self, texts: Iterable[str]) -> float:
        """Perplexity: exp of the mean surprise in nats over all words of some texts, each read by itself.

        Args:
            texts: At least one, each with at least one word.

        Raises:
            TextError: There is no text, or one holds no word.
            ConfigError: The model reads both sides.
        """
        texts = [texts] if isinstance(texts, str) else texts
        found = [
            writing.chances_in_text(self.one_way, after_the_end_of_a_text(self._with_words(text).ids))[0]
            for text in texts
        ]
        if not found:
            raise TextError("Perplexity is that of texts; none was given.")
        return writing.perplexity(np.concatenate(found))

    def trace(self, text: str) -> Trace:
        """Records every step on one text by the from-scratch equations.

        Returns:
            Words and signals, `word_probability` among them; a language model has no verdict, so `probability` is NaN.

        Raises:
            TextError: The text holds no word.
            ConfigError: The model reads both sides.
        """
        reading, model = self._with_words(text), self.one_way
        ids = after_the_end_of_a_text(reading.ids)
        with torch.inference_mode():
            recorded = model.record(torch.from_numpy(ids))
        signals = {name: signal[:, 1:].float().contiguous().numpy() for name, signal in recorded.items()}
        signals["word_probability"] = writing.chances_in_text(model, ids)[0].astype(np.float32)
        return Trace(tuple(token.text for token in reading.tokens), math.nan, signals)

    @functools.cached_property
    def _not_shown(self) -> npt.NDArray[np.int64]:
        found = words_not_shown.words()
        return np.array([k for k, word in enumerate(self.vocabulary.words) if word in found], dtype=np.int64)

    def left_out(self, *, unfiltered: bool = False) -> npt.NDArray[np.int64]:
        """Indices of what is never written or offered: the end of a text, the unknown word, words that are not shown.

        Args:
            unfiltered: Whether slurs and sexual words are.
        """
        always = np.array([PAD_ID, UNKNOWN_ID], dtype=np.int64)
        return always if unfiltered else np.concatenate([always, self._not_shown])

    @property
    def _label(self) -> str:
        return f"the language model of the {registry.spec(self.name).label}"

    @property
    def one_way(self) -> language.RecurrentLanguageModel:
        """The module of a model that reads in one direction, and so has a next word.

        Raises:
            ConfigError: It reads both sides.
        """
        if not isinstance(self.model, language.RecurrentLanguageModel):
            raise ConfigError(
                f"{self._label[0].upper()}{self._label[1:]} reads both sides of a word: it has no next one. Ask "
                "hidden_words, or a model of a recurrent cell."
            )
        return self.model

    def _with_words(self, text: str) -> Reading:
        reading = self.read(text)
        require_words(reading)
        return reading

    def likeliest(self, chances: writing.Chances, n: int, *, unfiltered: bool = False) -> list[Word]:
        """The likeliest words that may be shown, in their order.

        Raises:
            ConfigError: `n` is below 1.
        """
        if type(n) is not int or n < 1:
            raise ConfigError(f"n is a whole number from 1 on; got {n!r}.")
        shown = chances.copy()
        shown[self.left_out(unfiltered=unfiltered)] = -1.0
        first = np.argpartition(-shown, min(n, len(shown) - 1))[:n]
        order = first[np.lexsort((first, -shown[first]))]
        return [self.word(chances, k) for k in order.tolist() if shown[k] >= 0]

    def word(self, chances: writing.Chances, index: int) -> Word:
        """A word of the vocabulary with its chance and rank among these."""
        p = float(chances[index])
        return Word(self.vocabulary.words[index], p, 1 + int((chances > p).sum()))


def save(
    folder: pathlib.Path,
    *,
    name: str,
    model: language.LanguageModel,
    vocabulary: Vocabulary,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    training: Mapping[str, Any],
) -> None:
    """Writes a language model; a previous one stays whole until the new one is."""
    config = {"kind": KIND, "model": name, "architecture": dataclasses.asdict(model.config)}
    package.write(
        folder, model=model, config=config, metrics=metrics, history=history, training=training, vocabulary=vocabulary
    )


def load(folder: str | os.PathLike[str], *, max_parameters: int = package.MAX_PARAMETERS) -> LanguageModel:
    """Reads and checks a language model.

    Args:
        folder: A folder that `save` wrote.
        max_parameters: Numbers of the largest model that is wanted.

    Returns:
        The language model, on the CPU, in fp32, its weights frozen.

    Raises:
        CheckpointMissingError: The folder or a file in it is not there.
        CheckpointCorruptError: A file's contents are not what they should be, or it is no language model.
    """
    found = package.read(pathlib.Path(folder), kind=KIND)
    name, shape = found.shape()
    vocabulary = found.vocabulary(shape.vocab_size)
    model = found.module(shape, lambda: registry.build_language_model(name, shape), max_parameters=max_parameters)
    # The same numbers, a word's vector down a column: the chances of all words at one place take a quarter of the time.
    table = model.body.embedding.weight
    table.data = table.data.T.contiguous().T
    return LanguageModel(
        name=name,
        model=model,
        vocabulary=vocabulary,
        metrics=found.metrics,
        sha256=found.sha256,
    )


def sizes(given: LanguageModel, name: str) -> dict[str, int]:
    """The entries of a classifier's config that its language model fixes.

    Raises:
        ConfigError: The classifier cannot start from this language model.
    """
    if given.name != name:
        raise ConfigError(f"{name} starts from its own language model; this one is of {given.name}.")
    return {entry: getattr(given.model.config, entry) for entry in registry.spec(name).family.given}


@torch.no_grad()
def start_from(model: SequenceModel, given: LanguageModel, *, words_only: bool = False) -> None:
    """Copies word vectors, and layers unless words alone are wanted, into a classifier of the same sizes.

    Its head stays as it is.
    """
    wanted = model.state_dict()
    left = tuple(key for key in wanted if key.startswith("head.") or (words_only and key != "embedding.weight"))
    taken = {key: tensor for key, tensor in given.model.body.state_dict().items() if key in wanted and key not in left}
    model.load_state_dict({**wanted, **taken})
    model.embedding.weight[PAD_ID].zero_()  # its row stood for the end of a text


def last_words(found: Reading) -> Reading:
    """What is read before the next word is said: the last `MAX_CONTEXT` words of a text that was read whole."""
    last = slice(-MAX_CONTEXT, None)
    return dataclasses.replace(found, tokens=found.tokens[last], ids=found.ids[last])


def after_the_end_of_a_text(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The words of a text as a model reads them that was trained on text after text: behind the end of another one."""
    return np.concatenate([np.array([PAD_ID], dtype=np.int64), ids])
