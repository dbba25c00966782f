"""Training of the translator of dates, and what is measured of it.

Two ways of training differ in one thing: which character each step of the decoder is given as
the one before. Teacher forcing (Williams & Zipser 1989) gives the right one; free running gives
the one that the model itself wrote. Both are scored both ways after every epoch.

A share of the texts looks like dates and is none; the right answer to these is to write nothing.
Every epoch draws new texts; all its chance comes from (seed, epoch).
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.checkpoints import translator
from seqdemo.data import dates, not_dates
from seqdemo.data.examples import pad
from seqdemo.errors import TrainingError
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig
from seqdemo.training import devices, engine, events, schedule
from seqdemo.training.config import PRECISIONS, check_seed, require, require_one_of
from seqdemo.training.events import OnEvent, ignore
from seqdemo.training.precision import Trial
from seqdemo.training.scores import accuracy_interval

WAYS = ("teacher", "own")
"""Which character the decoder is given in training: the right one, or its own."""
_WAY_WORDS = {"teacher": "teacher forcing", "own": "free running"}
LENGTHS = tuple((low, low + 9) for low in range(1, dates.MAX_CHARACTERS, 10))
"""Spans of input length, both ends included, for accuracy by length."""
_VALIDATION_N, _TEST_N, _OTHER_N, _KIND_N, _FORM_N, _LENGTH_N, _BEAM_N = 1_000, 5_000, 2_000, 1_000, 300, 500, 500
_BEAM_WIDTH = 5
_MARKED = 0.01
"""Share of the days given to dates that may be marked as doubtful, so that much of what is no date is."""
_WARMUP_SHARE = 0.05


@dataclass(frozen=True, kw_only=True)
class DatesConfig:
    """Settings of one training run.

    Attributes:
        epochs: Draws of `texts` texts.
        texts: Texts drawn for each epoch.
        batch_size: Texts in one update.
        learning_rate: Highest rate of Adam (Kingma & Ba 2015); it rises over the first
            twentieth of all updates and falls to 0 along a cosine.
        clip_norm: Longest gradient allowed, in its L2 norm.
        way: `teacher` (forcing) or `own` (free running).
        filler_share: Share of texts with words around the date.
        typo_share: Share with one misspelt word.
        time_share: Share with a time of day beside the date.
        other_share: Share that is no date; the three before are of the dates.
        seed: Start of all chance.
        precision: `fp32`, `bf16` autocast, or `auto`: bf16 where it works here and is clearly faster.
    """

    epochs: int = 14
    texts: int = 19_200
    batch_size: int = 64
    learning_rate: float = 2e-3
    clip_norm: float = 1.0
    way: Literal["teacher", "own"] = "teacher"
    filler_share: float = 0.3
    typo_share: float = 0.15
    time_share: float = 0.15
    other_share: float = 0.25
    seed: int = 1
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    def __post_init__(self) -> None:
        """Refuses what cannot be run."""
        require(self, "at least 1", lambda value: value >= 1, "epochs", "texts", "batch_size")
        require(self, "above 0", lambda value: value > 0, "learning_rate", "clip_norm")
        shares = ("filler_share", "typo_share", "time_share", "other_share")
        require(self, "from 0 to 1", lambda value: 0 <= value <= 1, *shares)
        require_one_of(self, way=WAYS, precision=PRECISIONS)
        check_seed(self.seed)


@dataclass(frozen=True)
class Batch:
    """Texts and answers of one length each.

    Attributes:
        ids: Characters of the texts, int64 (B, T), padded with 0 on the right.
        lengths: Real characters of each row, int64 (B,).
        answers: Characters of the answers, filled up with the end, int64 (B, 11).
        rows: Where each row stands in what was drawn, int64 (B,).
    """

    ids: Tensor
    lengths: Tensor
    answers: Tensor
    rows: npt.NDArray[np.int64]


def batches(
    written: Sequence[dates.Written],
    batch_size: int,
    rng: np.random.Generator | None = None,
    device: torch.device | None = None,
) -> list[Batch]:
    """Padded batches of texts of similar length, on the CPU by default, in random order where there is a generator."""
    device = device or torch.device("cpu")
    order = np.argsort([len(one.text) for one in written], kind="stable")
    made = []
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        texts = pad([dates.INPUTS.encode(written[row].text) for row in rows], rows, rows)
        answers = np.full((len(rows), dates.MAX_STEPS), dates.END_ID, dtype=np.int64)
        for row, index in enumerate(rows):
            answer = dates.OUTPUTS.encode(written[index].iso)
            answers[row, : len(answer)] = answer
        ids, lengths, right = (devices.send(array, device) for array in (texts.ids, texts.lengths, answers))
        made.append(Batch(ids, lengths, right, rows))
    return made if rng is None else [made[index] for index in rng.permutation(len(made))]


class DatesLearner(engine.Learner[Batch]):
    """A translator of dates."""

    task = "dates"
    model: Seq2Seq

    def __init__(self, model: Seq2Seq, config: DatesConfig) -> None:
        """Keeps what a run needs, and draws the validation texts.

        Args:
            model: A freshly built model, on its device.
            config: The settings.
        """
        self.model, self._config = model, config
        self.label = f"Dates {'with' if model.config.attention else 'without'} attention, {_WAY_WORDS[config.way]}"
        self.settings = {"attention": model.config.attention, **dataclasses.asdict(config)}
        drawn = dates.draw(np.random.default_rng((config.seed, 0)), _VALIDATION_N, "validation")
        self._validation = batches(drawn, 250, device=self.device)
        self.plan = engine.Plan(
            epochs=config.epochs,
            updates=config.epochs * math.ceil(config.texts / config.batch_size),
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            schedule=schedule.warmed_up(schedule.cosine, _WARMUP_SHARE),
            clip_norm=config.clip_norm,
            seed=config.seed,
            precision=config.precision,
        )

    def about(self) -> dict[str, Any]:
        """Which of the four translators it is."""
        return {"attention": self.model.config.attention, "way": self._config.way}

    def trial(self) -> Trial:
        """A pass over validation texts."""
        batch = self._validation[0]

        def loss(rows: int, steps: int) -> Tensor:
            lengths, answers = batch.lengths[:rows].clip(max=steps), batch.answers[:rows]
            cut = Batch(batch.ids[:rows, :steps], lengths, answers, batch.rows[:rows])
            return _loss(self.model, cut, own=self._config.way == "own")

        rows = min(self._config.batch_size, len(batch.ids))
        return Trial(model=self.model, rows=rows, steps=batch.ids.shape[1], loss=loss)

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam."""
        fused = devices.has_fused_optimisers(self.device)
        return torch.optim.Adam(self.trained, lr=self._config.learning_rate, fused=fused)

    def batches(self, epoch: int) -> list[Batch]:
        """New texts, of which a share is no date."""
        config = self._config
        rng = np.random.default_rng((config.seed, epoch + 1))
        others = round(config.other_share * config.texts)
        written = dates.draw(
            rng,
            config.texts - others,
            "train",
            filler_share=config.filler_share,
            typo_share=config.typo_share,
            time_share=config.time_share,
        )
        return batches(written + not_dates.draw(rng, others, "train"), config.batch_size, rng, self.device)

    def losses(self, batch: Batch) -> Iterator[Tensor]:
        """Cross-entropy in nats a character."""
        yield _loss(self.model, batch, own=self._config.way == "own")

    @torch.inference_mode()
    def measure(self, model: Seq2Seq, epoch: int) -> dict[str, Any]:  # noqa: ARG002 (alike in every epoch)
        """Loss with the right characters given and with the model's own, and the share of answers exactly right."""
        validation = self._validation
        n = sum(len(batch.ids) for batch in validation)
        forced = sum(_loss(model, batch, own=False).item() * len(batch.ids) for batch in validation) / n
        free = sum(_loss(model, batch, own=True).item() * len(batch.ids) for batch in validation) / n
        right = sum(int((found == batch.answers.cpu()).all(1).sum()) for found, _, batch in _answers(model, validation))
        return {
            "way": self._config.way,
            "validation_loss": forced,
            "validation_loss_own_nats": free,
            "validation_accuracy": right / n,
        }

    def score(self, measured: Mapping[str, Any]) -> list[float]:
        """Exact answers; of epochs with equally many, the surest."""
        return [measured["validation_accuracy"], -measured["validation_loss"]]


def train(
    *,
    out: pathlib.Path,
    config: DatesConfig,
    attention: bool = True,
    both_ways: bool | None = None,
    device: torch.device | None = None,
    resume: bool = False,
    on_event: OnEvent = ignore,
) -> translator.Translator:
    """Trains a translator and writes its checkpoint, with all that is measured of it.

    Args:
        out: The checkpoint folder; a previous one stays whole until the new one is.
        config: The settings of the run.
        attention: Whether the decoder looks at every state of the encoder.
        both_ways: Whether to train once more the other way, for its curve alone; by default
            with attention only.
        device: Where to compute; the CPU by default.
        resume: Whether to go on where an interrupted run stopped.
        on_event: Called with the run's events.

    Returns:
        The checkpoint as written, read back.

    Raises:
        TrainingError: The run cannot go on; a previous checkpoint is untouched.
    """
    device = device or torch.device("cpu")
    shape = Seq2SeqConfig(n_inputs=len(dates.INPUTS), n_outputs=len(dates.OUTPUTS), attention=attention)
    state_files = {way: out.with_name(f".{out.name}.{way}.state.safetensors") for way in WAYS}

    def learn(settings: DatesConfig) -> tuple[Seq2Seq, engine.Progress]:
        file = state_files[settings.way]
        return fit(shape, settings, device=device, state_file=file, resume=resume, on_event=on_event)

    model, progress = learn(config)
    history = engine.as_shipped(progress.history)
    metrics: dict[str, Any] = {
        "validation_accuracy": progress.best["validation_accuracy"],
        "validation_n": _VALIDATION_N,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **progress.facts(devices.name_of(device), config.seed),
    }
    settings = dataclasses.asdict(config)
    # Saved before what follows, so that a failure loses no training, and what is measured is what is shipped.
    translator.save(out, model=model, metrics=metrics, history=history, training=settings)
    if attention if both_ways is None else both_ways:
        other = dataclasses.replace(config, way="own" if config.way == "teacher" else "teacher")
        history += engine.as_shipped(learn(other)[1].history)
    on_event(events.Testing())
    metrics = {**measure(translator.load(out).model, seed=config.seed), **metrics}
    translator.save(out, model=model, metrics=metrics, history=history, training=settings)
    for file in state_files.values():
        file.unlink(missing_ok=True)
    on_event(
        events.Done(
            reason="finished",
            epochs=config.epochs,
            best_epoch=progress.best_epoch,
            folder=str(out),
            metrics=metrics,
        )
    )
    return translator.load(out)


def fit(
    shape: Seq2SeqConfig,
    config: DatesConfig,
    *,
    device: torch.device | None = None,
    state_file: pathlib.Path | None = None,
    resume: bool = False,
    on_event: OnEvent = ignore,
) -> tuple[Seq2Seq, engine.Progress]:
    """Trains one model one way.

    Args:
        shape: The shape of the model.
        config: The settings.
        device: Where to compute; the CPU by default.
        state_file: Where the state is kept after each epoch.
        resume: Whether to go on from it if it is there.
        on_event: Called with the run's events.

    Returns:
        The model with the weights of its best epoch, on the CPU, and the progress with its history.

    Raises:
        TrainingError: As `engine.Run.go` raises it, or the weights cannot be stored.
    """
    torch.manual_seed(config.seed)
    model = Seq2Seq(shape).to(device or torch.device("cpu"))
    run = engine.Run(DatesLearner(model, config), state_file=state_file, on_event=on_event)
    with engine.failures_told(on_event):
        run.go(resume=resume)
    if not all(torch.isfinite(tensor.half()).all() for tensor in model.state_dict().values()):
        raise TrainingError("Weights grew beyond what can be stored. A smaller --learning-rate keeps them in bounds.")
    return model.cpu(), run.progress


def _loss(model: Seq2Seq, batch: Batch, *, own: bool) -> Tensor:
    """Cross-entropy of the right characters up to the end, in nats a character."""
    logits = model(batch.ids, batch.lengths, batch.answers, own=own)
    ended = (batch.answers == dates.END_ID).cumsum(1) > 1
    return F.cross_entropy(logits.flatten(0, 1).float(), batch.answers.masked_fill(ended, -100).flatten())


def _answers(model: Seq2Seq, made: Sequence[Batch]) -> Iterator[tuple[Tensor, Tensor, Batch]]:
    """Of each batch: the characters of the greedy answers, P(answer), and the batch; on the CPU."""
    for batch in made:
        found, log_probability = model.greedy(batch.ids, batch.lengths, dates.MAX_STEPS)
        yield found.cpu(), log_probability.exp().cpu(), batch


def measure(model: Seq2Seq, *, seed: int = 1) -> dict[str, Any]:
    """What `metrics.json` says of a translator: everything on days that training never saw.

    Args:
        model: On the CPU.
        seed: Of the texts drawn.

    Returns:
        `test_accuracy` (exact answers, greedy, trained ways of writing) with its 95 % interval
        and n; the same under `typos`, `times` (a time of day beside the date, written in ways never
        trained on), `beam`, `held_out` (ways of writing never trained on); `forms` and `lengths`
        one by one; and `doubt`, see `_doubt`.
    """

    def rng(part: int) -> np.random.Generator:
        return np.random.default_rng((seed, 1_000_000 + part))

    test = dates.draw(rng(0), _TEST_N, "test")
    answered = _score(model, test)
    found = _share(answered.right)
    forms = [
        {"form": form, "example": dates.example(form), "held_out": form in dates.HELD_OUT, **_share(right)}
        for part, form in enumerate([*dates.TRAINED, *dates.HELD_OUT])
        for right in [_score(model, dates.draw(rng(10 + part), _FORM_N, "test", forms=[form], filler_share=0.0)).right]
    ]
    lengths = [
        {"from": low, "to": high, **_share(right)}
        for part, (low, high) in enumerate(LENGTHS)
        if high > 10  # no date is shorter than 6 characters, and few have 10
        for right in [_score(model, dates.draw_of_length(rng(100 + part), _LENGTH_N, "test", low, high)).right]
    ]
    return {
        "test_accuracy": found["accuracy"],
        "test_interval": found["interval"],
        "test_n": found["n"],
        "typos": _share(_score(model, dates.draw(rng(1), _OTHER_N, "test", typo_share=1.0)).right),
        "times": _share(_score(model, dates.draw(rng(5), _OTHER_N, "test", time_share=1.0, held_out_times=True)).right),
        "beam": {"width": _BEAM_WIDTH, **_share(_beam_right(model, test[:_BEAM_N]))},
        "held_out": _share(_score(model, dates.draw(rng(2), _TEST_N, "test", forms=dates.HELD_OUT)).right),
        "forms": forms,
        "lengths": lengths,
        "trained_characters": dates.TRAINED_CHARACTERS,
        "doubt": _doubt(model, answered, rng),
    }


def _doubt(model: Seq2Seq, test: _Answered, rng: Callable[[int], np.random.Generator]) -> dict[str, Any]:
    """When an answer is doubtful, and how often that errs.

    An answer is doubtful where it is no day of the calendar or its probability is below a
    threshold: the one that `_MARKED` of the days given to dates of validation days lie below, for
    which nothing needs to be known of what is no date.

    Args:
        model: On the CPU.
        test: What it answered to the dates of the test.
        rng: Gives a generator for each part.

    Returns:
        `threshold`; which share of the test's dates is marked (`dates_marked`) and of those not
        marked is right (`sure_right`); and under `kinds` which share of each kind of
        `not_dates.KINDS`, held-out stock, gets a wrong day that is not marked; each with its
        interval and n. What is meant by a month in another language may be read rightly.
    """
    held = _score(model, dates.draw(rng(3), _TEST_N, "validation", typo_share=0.1, time_share=0.1))
    threshold = (
        math.floor(100 * float(np.quantile(held.probability[held.day], _MARKED))) / 100 if held.day.any() else 0.0
    )
    sure = test.day & (test.probability >= threshold)
    kinds = []
    for part, kind in enumerate(not_dates.KINDS):
        texts = not_dates.draw(rng(200 + part), _KIND_N, "test", kinds=[kind], held_out=True)
        found = _score(model, texts)
        meant = np.array([one.meant for one in texts]) == found.text
        wrong = found.day & ~meant & (found.probability >= threshold)
        kinds.append({"kind": kind, "example": texts[0].text, **_share(wrong, "passed")})
    return {
        "threshold": threshold,
        "dates_marked": _share(~sure, "share"),
        "sure_right": _share(test.right[sure], "share"),
        "kinds": kinds,
    }


class _Answered(NamedTuple):
    """Greedy answers to texts, in the order of the texts.

    Attributes:
        text: The answers.
        right: Which are exactly right.
        day: Which are a day of the calendar.
        probability: P(answer) of each.
    """

    text: npt.NDArray[np.str_]
    right: npt.NDArray[np.bool_]
    day: npt.NDArray[np.bool_]
    probability: npt.NDArray[np.float64]


def _score(model: Seq2Seq, written: Sequence[dates.Written]) -> _Answered:
    text, probability = np.empty(len(written), dtype=f"U{dates.MAX_STEPS}"), np.empty(len(written))
    for found, sure, batch in _answers(model, batches(written, 250)):
        text[batch.rows] = [dates.OUTPUTS.decode(ids) for ids in found.tolist()]
        probability[batch.rows] = sure.double().numpy()
    right = text == np.array([one.iso for one in written])
    return _Answered(text, right, np.array([dates.is_day(one) for one in text.tolist()]), probability)


def _beam_right(model: Seq2Seq, written: Sequence[dates.Written]) -> npt.NDArray[np.bool_]:
    best = (
        model.beam(torch.from_numpy(dates.INPUTS.encode(one.text)), _BEAM_WIDTH, dates.MAX_STEPS)[0] for one in written
    )
    return np.array([dates.OUTPUTS.decode(found.ids) == one.iso for found, one in zip(best, written, strict=True)])


def _share(which: npt.NDArray[np.bool_], name: str = "accuracy") -> dict[str, Any]:
    share = float(which.mean()) if len(which) else 0.0
    low, high = accuracy_interval(share, max(1, len(which)))
    return {name: round(share, 5), "interval": [round(low, 5), round(high, 5)], "n": len(which)}
