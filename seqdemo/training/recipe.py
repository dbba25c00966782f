"""All models within minutes on a machine that is lent: what is worth most first, and nothing finished is ever lost.

Needs torch, NumPy and safetensors, a pack (`data.packed`) and no network. Each part measures how fast it is before it
begins, and plans a whole course of the rate for its share of the time; it keeps a state about every minute, and its
checkpoint stands in its folder as soon as it is finished. `recipe.json` holds the parts and their settings.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import pathlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from seqdemo.checkpoints import folder, language_model
from seqdemo.data.corpus import Corpus
from seqdemo.data.examples import Examples
from seqdemo.data.packed import Pack
from seqdemo.errors import CheckpointError, ConfigError, TrainingError
from seqdemo.models import registry
from seqdemo.training import devices, engine, events, pretrain, sentiment
from seqdemo.training.config import PretrainingConfig, TrainingConfig
from seqdemo.training.control import Control, Reason
from seqdemo.training.gathered import Gathered

SETTINGS = pathlib.Path(__file__).with_name("recipe.json")
RESERVE_S = 20.0
"""Kept for the last files; a twentieth of the time where that is less."""
_SECONDS_BETWEEN_STATES = 45.0
_SECONDS_BETWEEN_LINES = 2.0
_REHEARSED = 10
"""Updates by which a part learns how fast it is."""
_MARGIN = 0.9
"""Share of a part's time that is planned for; the rest is for writing, and for speed that changes."""
_NEARLY = 0.9
"""Share of its updates from which a run that time has ended counts as finished: its rate is hardly above 0."""
_PEAK_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""bf16 without sparsity, by what the maker's data sheet says of the card."""
TINY: Mapping[str, Mapping[str, Any]] = {
    "language": {"batch_size": 4, "window": 16, "n_frequent": 64, "n_sampled": 32},
    "reviews": {"batch_size": 8},
    "recurrent": {"d_embed": 16, "d_hidden": 16},
    "transformer": {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 32},
}
"""Sizes by which a processor goes the same way in seconds."""
_TINY_VALIDATION = 4_000

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing to train.

    Attributes:
        name: Of the part and of its folder.
        learns: A `language`, from `reviews`, or nothing: the `mean` of other parts' weights.
        model: Its name in the registry.
        preset: Of the model.
        start: The parts that it starts from.
        share: Of the time.
        settings: Those that differ from the defaults.
    """

    name: str
    learns: Literal["language", "reviews", "mean"]
    model: str
    preset: str | None = None
    start: Sequence[str] = ()
    share: float
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is told of a part at the end.

    Attributes:
        name: Of the part.
        state: `finished`, `taken over`, `out of time`, or why it is not there.
        updates: Made.
        tokens_per_s: Words read a second.
        peak_share: Of what the card can compute in bf16, by formula; None where that is not known.
        validation: What was reached.
        seconds: Spent.
    """

    name: str
    state: str
    updates: int = 0
    tokens_per_s: float = 0.0
    peak_share: float | None = None
    validation: str = ""
    seconds: float = 0.0


class Deadline(Control):
    """Ends a run at a point in time, whatever it has computed before."""

    def __init__(self, at: float) -> None:
        """Keeps the time, as `time.monotonic` tells it."""
        super().__init__()
        self._at = at

    def reason_to_end(self, seconds: float) -> Reason | None:
        """`time` once it has come."""
        return "time" if time.monotonic() > self._at else super().reason_to_end(seconds)


def parts() -> list[Part]:
    """What the recipe holds, worth most first."""
    return [Part(**entry) for entry in json.loads(SETTINGS.read_text(encoding="utf-8"))["parts"]]


def chosen(names: Sequence[str]) -> list[Part]:
    """The parts of these names, in the recipe's order; all without any.

    Raises:
        ConfigError: There is none of that name.
    """
    found = parts()
    if unknown := [name for name in names if name not in {part.name for part in found}]:
        known = ", ".join(part.name for part in found)
        raise ConfigError(f"The recipe has no part {unknown[0]!r}; it has {known}.")
    return [part for part in found if not names or part.name in names]


def by_value(wanted: Sequence[Part]) -> list[Part]:
    """Classifiers before the language models and single runs that they came from: who uses a model needs these."""
    used = {name for part in wanted for name in part.start}
    return sorted(wanted, key=lambda part: part.name in used)


@dataclass
class Recipe:
    """One call of the recipe.

    Attributes:
        pack: What is learned from.
        out: Where checkpoints and states go; what is there already is gone on with.
        ends: When it must be over, as `time.monotonic` tells it.
        device: Where to compute.
        is_tiny: Whether models and batches are very small.
        say: Called with each line to show.
        rows: One for each part so far.
    """

    pack: Pack
    out: pathlib.Path
    ends: float
    device: torch.device
    is_tiny: bool = False
    say: Say = print
    rows: list[Row] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.ends - time.monotonic()

    def go(self, wanted: Sequence[Part]) -> list[Row]:
        """Trains the parts one after the other, and says at the end what became of each.

        Args:
            wanted: In their order.

        Returns:
            One row for each.
        """
        for k, part in enumerate(wanted):
            shares = sum(later.share for later in wanted[k:] if not self.is_finished(later.name))
            budget = self.left * part.share / shares if shares else self.left
            row = self._one(part, budget)
            self.rows.append(row)
            self.say(f"{part.name}: {row.state}. {row.validation}")
        for line in table(self.rows):
            self.say(line)
        return self.rows

    def take_over(self, source: pathlib.Path, wanted: Sequence[Part]) -> None:
        """Copies finished checkpoints and states of an earlier call.

        Raises:
            ConfigError: One of them was made from another pack.
        """
        for part in wanted:
            finished, state = source / part.name, source / _state_name(part.name)
            if (finished / "config.json").is_file():
                self._check_pack(_read(finished / "config.json").get("training", {}), finished)
                shutil.copytree(finished, self.out / part.name, dirs_exist_ok=True)
            elif state.is_file() and (plan := source / _plan_name(part.name)).is_file():
                self._check_pack(_read(plan), plan)
                for path in (state, plan):
                    shutil.copyfile(path, self.out / path.name)

    def _check_pack(self, entries: Mapping[str, Any], path: pathlib.Path) -> None:
        if entries.get("pack") != self.pack.sha256:
            raise ConfigError(f"{path} was made from another pack; go on with that one, or into another folder.")

    def is_finished(self, name: str) -> bool:
        """Whether a part's checkpoint is there; one from another pack is refused.

        Raises:
            ConfigError: It was made from another pack.
        """
        path = self.out / name / "config.json"
        if not path.is_file():
            return False
        self._check_pack(_read(path).get("training", {}), path)
        return True

    def _one(self, part: Part, budget: float) -> Row:
        if self.is_finished(part.name):
            return Row(name=part.name, state="taken over")
        if missing := [name for name in part.start if not self.is_finished(name)]:
            return Row(name=part.name, state=f"left out, since {missing[0]} is not finished")
        if budget <= 0:
            return Row(name=part.name, state="left out, for want of time")
        try:
            with engine.failures_told(events.ignore):
                if part.learns == "mean":
                    return self._mean(part)
                return (self._language if part.learns == "language" else self._reviews)(part, budget)
        except (TrainingError, CheckpointError) as error:
            return Row(name=part.name, state=f"failed: {error}")

    # --- language ---

    def _language(self, part: Part, budget: float) -> Row:
        started = time.monotonic()
        corpus = self._corpus
        sizes = self._sizes(part.model) or pretrain.sizes(part.model)
        shape = registry.make_config(
            part.model,
            preset=part.preset,
            **{**sizes, **pretrain.NO_DROPOUT},
            vocab_size=len(corpus.vocabulary),
        )
        config = PretrainingConfig(**{**part.settings, **(TINY["language"] if self.is_tiny else {})})
        torch.manual_seed(config.seed)
        model = registry.build_language_model(part.model, shape)
        if part.start:
            pretrain.take(model, self.out / part.start[0], corpus.vocabulary.words)
        model.to(self.device)
        label = registry.spec(part.model).label

        def learner(settings: PretrainingConfig, updates_an_epoch: int | None = None) -> pretrain.LanguageLearner:
            return pretrain.learner(model, corpus, settings, label, updates_an_epoch=updates_an_epoch)

        plan = self._stored_plan(part)
        if plan is None:
            trial = learner(config)
            update_s, measure_s = engine.Run(trial).rehearse(range(_REHEARSED))
            left = _MARGIN * (budget - (time.monotonic() - started))
            an_epoch = max(1, math.ceil(max(min(_SECONDS_BETWEEN_STATES, left / 3), 10 * measure_s) / update_s))
            updates = max(1, math.floor((left - measure_s) / (update_s + measure_s / an_epoch)))
            plan = self._store_plan(
                part, epochs=updates / trial.updates_a_pass, updates_an_epoch=an_epoch, report_every=_often(update_s)
            )
        config = dataclasses.replace(config, epochs=plan["epochs"])
        planned = learner(config, plan["updates_an_epoch"])
        run, ended = self._run(part, planned, plan)
        tokens = planned.plan.batch_size * config.window * max(1, planned.n_directions)
        row = functools.partial(
            self._row, part, run, started=started, tokens=tokens, flops=_flops(model, config, planned.n_directions)
        )
        if not ended:
            return row(state="out of time")
        last = run.progress.history[-1]["validation_perplexity"]
        language_model.save(
            self.out / part.name,
            name=part.model,
            model=model.to("cpu"),
            vocabulary=corpus.vocabulary,
            metrics=self._metrics(run, model)
            | {"validation_perplexity": last, "validation_tokens": planned.n_validation},
            history=engine.as_shipped(run.progress.history),
            training={**dataclasses.asdict(config), "pack": self.pack.sha256},
        )
        self._forget(part)
        return row(state="finished", validation=f"Validation perplexity {last:.1f}.")

    @functools.cached_property
    def _corpus(self) -> Corpus:
        pack = self.pack
        training = np.concatenate([pack.training.stream(), pack.unlabelled.stream()])
        return Corpus(pack.vocabulary, training, pack.validation.stream()[: _TINY_VALIDATION if self.is_tiny else None])

    # --- reviews ---

    def _reviews(self, part: Part, budget: float) -> Row:
        started = time.monotonic()
        given = language_model.load(self.out / part.start[0])
        config = TrainingConfig(**{**part.settings, **(TINY["reviews"] if self.is_tiny else {})})
        torch.manual_seed(config.seed)
        shape = registry.make_config(
            part.model,
            preset=part.preset,
            **language_model.sizes(given, part.model),
            vocab_size=len(given.vocabulary),
        )
        model = registry.build(part.model, shape)
        language_model.start_from(model, given, words_only=config.start == "words")
        model.to(self.device)
        learner = functools.partial(PackedReviews, model, self.pack, label=registry.spec(part.model).label)
        plan = self._stored_plan(part)
        if plan is None:
            trial = learner(config, 1.0)
            batches = trial.batches(config.epochs - 1)  # whole texts, as most epochs have them
            some = [batches[k] for k in np.linspace(0, len(batches) - 1, min(_REHEARSED, len(batches))).astype(int)]
            update_s, measure_s = engine.Run(trial).rehearse(some)
            left = _MARGIN * (budget - (time.monotonic() - started))
            least = 2 * config.batch_size / len(self.pack.training)
            plan = self._store_plan(
                part,
                epochs=max(1, min(config.epochs, math.floor(left / (update_s * len(batches) + measure_s)))),
                share=min(1.0, max((left - measure_s) / (update_s * len(batches)), least)),
                report_every=_often(update_s),
            )
        config = dataclasses.replace(config, epochs=plan["epochs"])
        planned = learner(config, plan["share"])
        run, ended = self._run(part, planned, plan)
        row = functools.partial(
            self._row, part, run, started=started, tokens=planned.tokens_an_update, flops=_flops(model, None, 1)
        )
        if not ended:
            return row(state="out of time")
        told = {"pretrained_on": {"perplexity": given.metrics.get("validation_perplexity"), "sha256": given.sha256}}
        return row(
            state="finished",
            validation=self._finish(part, model, config, self._metrics(run, model) | told, run.progress.history),
        )

    def _mean(self, part: Part) -> Row:
        """The mean of the weights of several fine-tunings (Wortsman et al. 2022)."""
        found = [folder.load(self.out / name) for name in part.start]
        states = [each.model.state_dict() for each in found]
        model = registry.build(part.model, found[0].model.config)
        model.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
        config = TrainingConfig(**{name: found[0].config["training"][name] for name in _fields(TrainingConfig)})
        kept = ("parameters", "epochs", "best_epoch", "device", "precision", "seed", "commit", "torch", "pretrained_on")
        told = {name: found[0].metrics[name] for name in kept}
        told |= {"seconds": sum(each.metrics["seconds"] for each in found), "averaged": list(part.start)}
        said = self._finish(part, model.to(self.device), config, told, found[0].history)
        return Row(name=part.name, state="finished", validation=said)

    def _finish(
        self,
        part: Part,
        model: registry.SequenceModel,
        config: TrainingConfig,
        told: Mapping[str, Any],
        history: Sequence[Mapping[str, Any]],
    ) -> str:
        """Writes a classifier; returns what it reaches."""
        pack = self.pack
        validation, short = pack.validation.examples(), pack.short.examples()
        reached = sentiment.evaluate(model, validation, device=self.device)["accuracy"]
        metrics = {**told, "validation_accuracy": reached, "validation_n": len(validation)}
        folder.save(
            self.out / part.name,
            name=part.model,
            model=model,
            vocabulary=pack.vocabulary,
            metrics=metrics,
            history=engine.as_shipped(history),
            training={**dataclasses.asdict(config), "preset": part.preset, "pack": pack.sha256},
        )
        self._forget(part)
        if not len(short):
            return f"Validation accuracy {reached:.2%}."
        on_short = sentiment.evaluate(model, short, device=self.device)["accuracy"]
        return f"Validation accuracy {reached:.2%}, on short opinions {on_short:.1%}."

    # --- what both have ---

    def _run(self, part: Part, learner: engine.Learner[Any], plan: Mapping[str, Any]) -> tuple[engine.Run[Any], bool]:
        """Trains; returns whether it came to its end."""
        learner.plan = dataclasses.replace(learner.plan, report_every=plan["report_every"])
        state_file = self.out / _state_name(part.name)
        listen = Lines(part.name, self.say)
        run = engine.Run(learner, control=Deadline(self.ends), on_event=listen, state_file=state_file)
        has_ended = run.go(resume=True) != "time"
        return run, has_ended or (run.progress.epoch > 0 and run.progress.update >= _NEARLY * learner.plan.updates)

    def _row(
        self,
        part: Part,
        run: engine.Run[Any],
        *,
        state: str,
        started: float,
        tokens: float,
        flops: float,
        validation: str = "",
    ) -> Row:
        progress = run.progress
        speed = tokens * progress.update / max(progress.seconds, 1e-9)
        name = devices.name_of(self.device)
        peak = next((peak for card, peak in _PEAK_FLOPS.items() if card in name), None)
        return Row(
            name=part.name,
            state=state,
            updates=progress.update,
            tokens_per_s=speed,
            peak_share=None if peak is None else speed * flops / peak,
            validation=validation,
            seconds=time.monotonic() - started,
        )

    def _metrics(self, run: engine.Run[Any], model: torch.nn.Module) -> dict[str, Any]:
        facts = run.progress.facts(devices.name_of(self.device), run.learner.plan.seed)
        return {"parameters": sum(parameter.numel() for parameter in model.parameters()), **facts}

    def _sizes(self, model: str) -> Mapping[str, Any]:
        return TINY[registry.spec(model).family.name] if self.is_tiny else {}

    def _stored_plan(self, part: Part) -> dict[str, Any] | None:
        path = self.out / _plan_name(part.name)
        if not path.is_file():
            return None
        plan = _read(path)
        self._check_pack(plan, path)
        return plan

    def _store_plan(self, part: Part, **plan: Any) -> dict[str, Any]:
        whole = {"pack": self.pack.sha256, **plan}
        path = self.out / _plan_name(part.name)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(whole), encoding="utf-8")
        partial.replace(path)
        return whole

    def _forget(self, part: Part) -> None:
        for name in (_state_name(part.name), _plan_name(part.name)):
            (self.out / name).unlink(missing_ok=True)


class PackedReviews(sentiment.SentimentLearner):
    """A classifier that learns from a pack; the next epoch's batches are put together while one is trained.

    Attributes:
        tokens_an_update: Words that an update reads on average.
    """

    def __init__(
        self, model: registry.SequenceModel, pack: Pack, config: TrainingConfig, share: float, *, label: str = ""
    ) -> None:
        """Keeps what a run needs.

        Args:
            model: A freshly built model, on its device.
            pack: Training and validation reviews, and opinions.
            config: The settings.
            share: Of the training reviews that is learned from, where there is no time for all.
            label: The model's name as people read it.
        """
        training = pack.training.examples(pack.sentence_ends)
        if share < 1:
            kept = np.random.default_rng(config.seed).permutation(len(training))[: math.ceil(share * len(training))]
            training = training.pick(np.sort(kept))
        n_beside = round(config.opinion_share * len(training)) if pack.opinions else 0
        self._opinions = [texts.examples() for texts in pack.opinions]
        self._n_beside = min(n_beside, *(len(texts) for texts in self._opinions)) if n_beside else 0
        beside = sentiment.Beside(self._n_beside, self._next_opinions) if self._n_beside else None
        super().__init__(model, training, pack.validation.examples(), config, label=label, beside=beside)
        self._epoch = 0
        self._pool = ThreadPoolExecutor(1)
        self._ready: tuple[int, Future[Gathered]] | None = None
        self.tokens_an_update = 0.0

    def batches(self, epoch: int) -> Gathered:
        """As a `SentimentLearner` has them."""
        found = self._ready[1].result() if self._ready and self._ready[0] == epoch else self._make(epoch)
        if epoch + 1 < self.plan.epochs:
            self._ready = (epoch + 1, self._pool.submit(self._make, epoch + 1))
        self.tokens_an_update = found.n_words / len(found)
        return found

    def _make(self, epoch: int) -> Gathered:
        self._epoch = epoch
        return super().batches(epoch)

    def _next_opinions(self, rng: np.random.Generator) -> Examples:  # noqa: ARG002 (they were drawn for the pack)
        texts = self._opinions[self._epoch % len(self._opinions)]
        return texts.pick(np.arange(self._n_beside, dtype=np.int64))


class Lines:
    """Shows a run as a line every two seconds."""

    def __init__(self, name: str, say: Say) -> None:
        """Keeps what is shown before each line."""
        self._name, self._say, self._last = name, say, -math.inf

    def __call__(self, event: events.Event) -> None:
        """Shows one event."""
        match event:
            case events.Start():
                size = f"{event.parameters:,} parameters, {event.updates:,} updates of {event.batch_size}"
                self._say(f"{self._name}: {size} on {event.device}, in {event.precision}.")
            case events.Precision():
                self._say(f"{self._name}: {event.says}")
            case events.Step() if time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
                self._last = time.monotonic()
                self._say(
                    f"{self._name}: update {event.update:,} of {event.updates:,}, loss {event.loss:.3f}, "
                    f"{event.seconds_left:.0f} s left"
                )
            case events.Epoch():
                shown = {name: value for name, value in event.more.items() if name.startswith("validation_")}
                figures = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in shown.items())
                self._say(f"{self._name}: epoch {event.epoch}, training loss {event.train_loss:.3f}, {figures}")


def table(rows: Sequence[Row]) -> list[str]:
    """What became of each part, in lines of a table."""
    lines = [f"{'part':16} {'updates':>8} {'words/s':>11} {'of peak':>8} {'seconds':>8}  result"]
    for row in rows:
        peak = "" if row.peak_share is None else f"{row.peak_share:.1%}"
        numbers = f"{row.updates:8,} {row.tokens_per_s:11,.0f} {peak:>8} {row.seconds:8.1f}"
        lines.append(f"{row.name:16} {numbers}  {row.state}. {row.validation}".rstrip())
    return lines


def _flops(model: torch.nn.Module, config: PretrainingConfig | None, n_directions: int) -> float:
    """Operations that training takes for a word read: 6 for each weight, attention and softmax beside it."""
    tables = ("embedding.weight", "encoder.embedding.weight")
    weights = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad and name not in tables}
    flops = 6.0 * sum(weights.values())
    shape: Any = model.config
    if hasattr(shape, "d_model") and config is not None:
        flops += 12 * shape.n_layers * shape.d_model * config.window
    if config is not None:
        width = getattr(shape, "d_model", None) or shape.d_embed
        flops += 6 * shape.vocab_size * width * (config.masked_share if hasattr(shape, "d_model") else n_directions)
    return flops


def _often(update_s: float) -> int:
    """Updates between two reports, so that there is one for each line to show."""
    return max(1, math.ceil(_SECONDS_BETWEEN_LINES / 2 / update_s))


def _fields(config: Any) -> list[str]:
    return [entry.name for entry in dataclasses.fields(config)]


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path} does not hold what it should.")
    return found


def _state_name(part: str) -> str:
    return f".{part}.state.safetensors"


def _plan_name(part: str) -> str:
    return f".{part}.plan.json"
