"""Language modelling on unlabelled reviews, from which the classifiers start.

Recurrent models learn to say the next word; a BiLSTM's second direction the word before; the
Transformer says words hidden from it. Truncated backpropagation through time reads the corpus in
`batch_size` lanes and carries the state along. A twentieth of a pass over the corpus is an epoch of the run.
"""

from __future__ import annotations

import abc
import dataclasses
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.checkpoints import language_model
from seqdemo.data import corpus as corpora
from seqdemo.errors import ConfigError, DataError, TrainingError
from seqdemo.models import registry
from seqdemo.models.language import (
    LanguageModel,
    MaskedLanguageModel,
    RecurrentLanguageModel,
    candidate_loss,
    hide_words,
)
from seqdemo.text import NEWEST_TOKENS
from seqdemo.training import devices, engine, events, ranks, schedule
from seqdemo.training.config import PretrainingConfig
from seqdemo.training.precision import Trial

_CHECKS_A_PASS = 20
_CHECKS_BETWEEN_VALIDATIONS = 10
"""The validation texts are read twice a pass; more would cost more than it shows."""
_LOWEST_RATE = 0.02
_NO_WORD = -100
"""Stands where there is nothing to guess."""
_DEVIATIONS = 6
"""So many standard deviations above their mean there is place for hidden words; chance hardly ever hides more."""

SIZES: Mapping[str, int] = {"d_embed": 192, "d_hidden": 384}
"""Of the recurrent language models, and so of the classifiers that start from them."""
NO_DROPOUT: Mapping[str, Any] = {"embed_dropout": 0.0, "dropout": 0.0}


def pretrain(
    name: str,
    *,
    out: pathlib.Path,
    config: PretrainingConfig,
    preset: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    start: pathlib.Path | None = None,
    data: str | None = None,
    device: torch.device | None = None,
    tokens: int = NEWEST_TOKENS,
    resume: bool = False,
    on_event: events.OnEvent = events.ignore,
) -> None:
    """Learns a language model and writes its checkpoint.

    Args:
        name: The classifier's name in the registry.
        out: The checkpoint folder.
        config: The settings.
        preset: One of the model's presets; its first by default.
        overrides: Entries of the model's config that differ.
        start: A language model of the same kind to go on from, or that of a recurrent model whose words
            this one starts from. A BiLSTM takes an LSTM's forward direction too, leaves both as they
            are, and learns the backward one.
        data: A local folder of the data set; `SEQDEMO_IMDB` or the Hub by default.
        device: Where to compute; found by itself.
        tokens: Version of the rules for tokens.
        resume: Whether to go on where an interrupted run stopped.
        on_event: Called with the run's events.

    Raises:
        DataError: The reviews cannot be read, or hold too few words.
        TrainingError: The loss is no number, a file does not fit the run, or bf16 is asked for and does not work.
    """
    device = device or devices.find()
    out.parent.mkdir(parents=True, exist_ok=True)
    corpus = corpora.load(data, cache=out.parent, version=tokens)
    torch.manual_seed(config.seed)
    entries = {**sizes(name), **NO_DROPOUT, **(overrides or {})}
    shape = registry.make_config(name, preset=preset, **entries, vocab_size=len(corpus.vocabulary))
    model = registry.build_language_model(name, shape)
    if start is not None:
        take(model, start, corpus.vocabulary.words)
    model.to(device)
    label = registry.spec(name).label
    learns = learner(model, corpus, config, label)
    state_file = out.with_name(f".{out.name}.state.safetensors")
    run = engine.Run(learns, on_event=on_event, state_file=state_file)
    with engine.failures_told(on_event):
        run.go(resume=resume)
    if ranks.rank():
        return
    model.to("cpu")
    metrics = {
        "validation_perplexity": run.progress.history[-1]["validation_perplexity"],
        "validation_tokens": learns.n_validation,
        "unigram_perplexity": round(unigram_perplexity(corpus), 2),
        "bigram_perplexity": round(bigram_perplexity(corpus), 2),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **run.progress.facts(devices.name_of(device), config.seed),
    }
    language_model.save(
        out,
        name=name,
        model=model,
        vocabulary=corpus.vocabulary,
        metrics=metrics,
        history=engine.as_shipped(run.progress.history),
        training=dataclasses.asdict(config),
    )
    state_file.unlink(missing_ok=True)
    n_epochs = run.progress.epoch
    on_event(events.Done(reason="finished", epochs=n_epochs, best_epoch=n_epochs, folder=str(out), metrics=metrics))


def sizes(name: str) -> Mapping[str, Any]:
    """The entries of a language model's config where they are not its preset's."""
    return SIZES if registry.spec(name).has_states else {}


def learner(
    model: LanguageModel,
    corpus: corpora.Corpus,
    config: PretrainingConfig,
    label: str = "",
    *,
    updates_an_epoch: int | None = None,
) -> LanguageLearner:
    """What makes a language model learn.

    Args:
        model: A freshly built model, on its device.
        corpus: What it learns from and is measured on.
        config: The settings.
        label: The classifier's name as people read it.
        updates_an_epoch: Between two checks; a twentieth of a pass by default.
    """
    kind = NextWordLearner if model.says_next_word else HiddenWordLearner
    return kind(model, corpus, config, label, updates_an_epoch=updates_an_epoch)


class LanguageLearner(engine.Learner[int]):
    """A language model that learns from a corpus; a batch is the number of an update.

    Attributes:
        n_validation: Words that it is measured on.
        updates_a_pass: Over the whole corpus.
        n_directions: In which a word is guessed.
    """

    model: LanguageModel
    task = "language"
    n_validation: int
    n_directions = 1

    def __init__(
        self,
        model: LanguageModel,
        corpus: corpora.Corpus,
        config: PretrainingConfig,
        label: str = "",
        *,
        updates_an_epoch: int | None = None,
    ) -> None:
        """Keeps what a run needs; see `learner` for the arguments."""
        self.model, self.settings, self._config, self.label = model, dataclasses.asdict(config), config, label
        self._n_rows, self.updates_a_pass = self._lay_out(corpus)
        self._updates_an_epoch = updates_an_epoch or max(1, self.updates_a_pass // _CHECKS_A_PASS)
        self._checks_between = 1 if updates_an_epoch else _CHECKS_BETWEEN_VALIDATIONS
        full_on = {"auto": self.device.type == "cuda", "full": True, "candidates": False}
        self._full_softmax = full_on[config.softmax]
        updates = max(1, round(config.epochs * self.updates_a_pass))
        self.plan = engine.Plan(
            epochs=math.ceil(updates / self._updates_an_epoch),
            updates=updates,
            batch_size=self._n_rows,
            learning_rate=config.learning_rate,
            schedule=schedule.by_share(config.warmup_share, _LOWEST_RATE),
            clip_norm=config.clip_norm,
            seed=config.seed,
            precision=config.precision,
            keep="last",
        )

    def trial(self) -> Trial:
        """A pass over the first windows."""
        return Trial(model=self.model, rows=self._n_rows, steps=self._config.window, loss=self._trial_loss)

    def optimiser(self) -> torch.optim.Optimizer:
        """AdamW; norms, biases and word vectors do not decay."""
        config = self._config
        matrices = [p for p in self.trained if p.ndim > 1 and p is not self._table]
        others = [p for p in self.trained if p.ndim <= 1 or p is self._table]
        groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
        betas, fused = (0.9, config.beta2), devices.has_fused_optimisers(self.device)
        return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, fused=fused)

    def batches(self, epoch: int) -> range:
        """The numbers of the updates up to the next check."""
        first = epoch * self._updates_an_epoch
        return range(first, min(first + self._updates_an_epoch, self.plan.updates))

    def losses(self, batch: int) -> Iterator[Tensor]:
        """The cross-entropy over the words that compete, in nats."""
        yield self._loss_at(batch, np.random.default_rng((self._config.seed, batch)))

    @torch.inference_mode()
    def measure(self, model: Any, epoch: int) -> dict[str, Any]:  # noqa: ARG002 (there is no average)
        """How many updates were made, and now and then the perplexity on the validation texts."""
        found: dict[str, Any] = {"update": min(epoch * self._updates_an_epoch, self.plan.updates)}
        if epoch % self._checks_between == 0 or epoch == self.plan.epochs:
            found["validation_perplexity"] = round(math.exp(self._validation_loss()), 2)
        return found

    def _there(self, ids: npt.NDArray[np.int64]) -> Tensor:
        """Ids on the model's device, once and for all, in half of the memory."""
        return torch.from_numpy(ids.astype(np.int32)).to(self.device)

    @property
    def _table(self) -> Tensor:
        """The word vectors, (vocabulary, d)."""
        return self.model.body.embedding.weight  # type: ignore[no-any-return]

    @abc.abstractmethod
    def _lay_out(self, corpus: corpora.Corpus) -> tuple[int, int]:
        """Puts the corpus on the device; returns the rows of an update, and the updates of a pass."""

    @abc.abstractmethod
    def _loss_at(self, update: int, rng: np.random.Generator) -> Tensor: ...

    @abc.abstractmethod
    def _trial_loss(self, rows: int, steps: int) -> Tensor: ...

    @abc.abstractmethod
    def _validation_loss(self) -> float: ...

    def _word_loss(self, decoder: Any, states: Tensor, targets: Tensor, rng: np.random.Generator) -> Tensor:
        """The cross-entropy of the right words, in nats."""
        table, config = self._table, self._config
        if self._full_softmax:
            return F.cross_entropy(decoder(states, table).flatten(0, -2), targets.flatten(), ignore_index=_NO_WORD)
        n_frequent = min(config.n_frequent, len(table))
        n_sampled = min(config.n_sampled, len(table) - n_frequent)
        sampled = rng.choice(len(table) - n_frequent, n_sampled, replace=False) + n_frequent
        return candidate_loss(
            decoder.projection(states).reshape(-1, table.shape[1]),
            targets.reshape(-1),
            table,
            decoder.bias,
            n_frequent=n_frequent,
            sampled=devices.send(sampled, table.device),
        )


class NextWordLearner(LanguageLearner):
    """The next word, by a recurrent model; in both directions the word before as well."""

    model: RecurrentLanguageModel

    def _lay_out(self, corpus: corpora.Corpus) -> tuple[int, int]:
        """Lays the corpus out in lanes."""
        config = self._config
        lanes = _lanes(corpus.training, config.batch_size)
        if len(lanes) % ranks.world():
            raise ConfigError(f"{ranks.world()} processes cannot share {len(lanes)} lanes; take a multiple of it.")
        self._lanes = self._there(lanes[ranks.own_rows(len(lanes))])
        self._validation = self._there(_lanes(corpus.validation[:100_000], 32))
        self.n_validation = self._validation.numel()
        self._directions = [False, True] if self.model.config.bidirectional else [False]
        if not self.model.embedding.weight.requires_grad:
            self._directions = [True]  # the forward direction is given
        self.n_directions = len(self._directions)
        self._state: dict[bool, tuple[Tensor, ...]] = {}
        return len(lanes), (self._lanes.shape[1] - 1) // config.window

    def carried(self) -> dict[str, Tensor]:
        """The state of each lane at the end of its last window."""
        return {
            f"{backward:d}.{k}": ranks.gathered(part, 1)
            for backward, parts in self._state.items()
            for k, part in enumerate(parts)
        }

    def carry_on(self, carried: Mapping[str, Tensor]) -> None:
        """Takes the states back."""
        found: dict[bool, list[Tensor]] = {}
        for name in sorted(carried):
            own = carried[name][:, ranks.own_rows(carried[name].shape[1])]
            found.setdefault(name.startswith("1."), []).append(own.contiguous().to(self.device))
        self._state = {backward: tuple(parts) for backward, parts in found.items()}

    def _loss_at(self, update: int, rng: np.random.Generator) -> Tensor:
        k, window = update % self.updates_a_pass, self._config.window
        before = self._state if k else {}
        loss, self._state = self._loss(slice(k * window, (k + 1) * window + 1), before, rng)
        return loss

    def _loss(
        self, words: slice, before: Mapping[bool, tuple[Tensor, ...]], rng: np.random.Generator, rows: int | None = None
    ) -> tuple[Tensor, dict[bool, tuple[Tensor, ...]]]:
        losses, after = [], {}
        for backward in self._directions:
            piece = _piece(self._lanes[:rows], words, backward=backward)
            states, state = self.model.states(piece[:, :-1], self._whole(before.get(backward)), backward=backward)
            after[backward] = tuple(s.detach() for s in (state if isinstance(state, tuple) else (state,)))
            losses.append(self._word_loss(self._decoder(backward), states, piece[:, 1:], rng))
        return torch.stack(losses).mean(), after

    @staticmethod
    def _whole(parts: tuple[Tensor, ...] | None) -> Any:
        """A state as torch's layers take it: a tensor, the LSTM's two in a tuple."""
        return parts if parts is None or len(parts) > 1 else parts[0]

    def _trial_loss(self, rows: int, steps: int) -> Tensor:
        return self._loss(slice(steps + 1), {}, np.random.default_rng(0), rows)[0]

    def _validation_loss(self) -> float:
        total, n = 0.0, 0
        for backward in self._directions:
            state = None
            for begin in range(0, self._validation.shape[1] - 1, 64):
                piece = _piece(self._validation, slice(begin, begin + 65), backward=backward)
                states, state = self.model.states(piece[:, :-1], state, backward=backward)
                logits = self._decoder(backward)(states, self._table).flatten(0, 1)
                total += F.cross_entropy(logits.float(), piece[:, 1:].flatten(), reduction="sum").item()
                n += piece[:, 1:].numel()
        return total / n

    def _decoder(self, backward: bool) -> Any:
        return self.model.decoder_backward if backward else self.model.decoder


class HiddenWordLearner(LanguageLearner):
    """Hidden words, by the Transformer."""

    model: MaskedLanguageModel

    def _lay_out(self, corpus: corpora.Corpus) -> tuple[int, int]:
        """Cuts the corpus into windows."""
        config = self._config
        self._windows, self._validation = (
            self._there(_lanes(stream, len(stream) // config.window))
            for stream in (corpus.training, corpus.validation[:100_000])
        )
        self.n_validation = round(self._validation.numel() * config.masked_share)
        return min(config.batch_size, len(self._windows)), len(self._windows) // config.batch_size

    def _loss_at(self, update: int, rng: np.random.Generator) -> Tensor:  # noqa: ARG002 (windows come by chance)
        rows = rng.integers(0, len(self._windows), self._config.batch_size)
        return self._loss(self._windows[devices.send(rows, self.device)], rng)

    def _loss(self, windows: Tensor, rng: np.random.Generator) -> Tensor:
        own = ranks.own_rows(len(windows))
        find = self._places_at_most if self._full_softmax else self._places
        states, targets, n_in_all = self._guess(windows, int(rng.integers(2**31)), find, own)
        # Alone, a process need not wait for its device to know the numbers.
        weight = 1.0 if ranks.world() == 1 else ranks.weight(int((targets != _NO_WORD).sum()), int(n_in_all))
        return weight * self._word_loss(self.model.decoder, states, targets, rng)

    def _trial_loss(self, rows: int, steps: int) -> Tensor:
        return self._loss(self._windows[:rows, :steps], np.random.default_rng(0))

    def _validation_loss(self) -> float:
        total, n = 0.0, 0
        for begin in range(0, len(self._validation), 64):
            states, targets, _ = self._guess(self._validation[begin : begin + 64], begin, self._places)
            logits = self.model.decoder(states, self._table)
            total += F.cross_entropy(logits.float(), targets, reduction="sum").item()
            n += len(targets)
        return total / n

    def _guess(
        self, windows: Tensor, seed: int, find: Callable[[Tensor], Tensor], own: slice = slice(None)
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The states at hidden words of own windows, these words, and how many are hidden in all windows."""
        ids = windows.long()
        hidden, picked = hide_words(ids, self._config.masked_share, torch.Generator(self.device).manual_seed(seed))
        n_in_all, ids, picked = picked.sum(), ids[own], picked[own]
        at = find(picked.flatten())
        states = self.model.states(hidden[own], None).flatten(0, 1).index_select(0, at)
        return states, ids.flatten()[at].where(picked.flatten()[at], _NO_WORD), n_in_all

    @staticmethod
    def _places(picked: Tensor) -> Tensor:
        """Where words were picked."""
        return picked.nonzero()[:, 0]

    def _places_at_most(self, picked: Tensor) -> Tensor:
        """The same, and some where none was, so that their number is known without asking the device."""
        n, share = len(picked), self._config.masked_share
        at_most = math.ceil(n * share + _DEVIATIONS * math.sqrt(n * share * (1 - share)))
        return picked.byte().argsort(descending=True, stable=True)[:at_most]


def _piece(lanes: Tensor, words: slice, *, backward: bool) -> Tensor:
    """These words of each lane, int64; backward: of the lanes turned round."""
    n = lanes.shape[1]
    if not backward:
        return lanes[:, words].long()
    return lanes[:, max(0, n - words.stop) : n - (words.start or 0)].flip(1).long()


def _lanes(stream: npt.NDArray[np.int64], n_lanes: int) -> npt.NDArray[np.int64]:
    """Cuts a stream into equal lanes, (n_lanes, n_steps); what does not fill them is left out.

    Raises:
        DataError: It is too short for lanes in which one word follows another.
    """
    if n_lanes < 1 or len(stream) < 2 * n_lanes:
        raise DataError(
            f"A language model cannot be learned or measured on {len(stream):,} words; "
            f"the reviews must hold more, or --batch-size and --window be smaller."
        )
    n_steps = len(stream) // n_lanes
    return stream[: n_lanes * n_steps].reshape(n_lanes, n_steps)


@torch.no_grad()
def take(model: LanguageModel, start: pathlib.Path, words: tuple[str, ...]) -> None:
    """Starts from a language model of the same kind, or from another one's words.

    A BiLSTM takes the forward direction of an LSTM as well, and both are left as they are. A
    Transformer takes the principal components of the word vectors, at the scale of its own.
    """
    given = language_model.load(start)
    if given.vocabulary.words != words:
        raise TrainingError(f"{start} has another vocabulary than the corpus gives; learn both from the same texts.")
    if given.model.config == model.config:
        model.load_state_dict(given.model.state_dict())
        if model.decoder_backward is not None:
            _leave_forward(model)
        return
    if not given.model.says_next_word:
        raise TrainingError(f"{start} is of a {given.name}; a start is the language model of a recurrent one.")
    table, bias, own = given.model.body.embedding.weight, given.model.decoder.bias, model.body.embedding.weight
    if not model.says_next_word:
        if own.shape[1] > table.shape[1]:
            raise TrainingError(f"{start} has word vectors of {table.shape[1]} entries; {own.shape[1]} are needed.")
        centred = table - table.mean(0)
        _, directions = torch.linalg.eigh(centred.T @ centred)  # ascending
        reduced = centred @ directions[:, -own.shape[1] :]
        own.copy_(reduced / reduced.std() * own.shape[1] ** -0.5)
        model.decoder.bias.copy_(bias)
        return
    if table.shape != own.shape:
        raise TrainingError(f"{start} has word vectors {tuple(table.shape)}; {tuple(own.shape)} are needed.")
    if model.decoder_backward is None:
        own.copy_(table)
        model.decoder.bias.copy_(bias)
        return
    try:
        model.load_state_dict(given.model.state_dict(), strict=False)
    except RuntimeError as error:  # torch's word for other shapes
        raise TrainingError(f"{start} has other sizes than the model to be learned: {error}") from error
    model.decoder_backward.bias.copy_(bias)
    _leave_forward(model)


def _leave_forward(model: LanguageModel) -> None:
    for part in (model.body.embedding, model.body.left_to_right, model.decoder):
        part.requires_grad_(False)


def unigram_perplexity(corpus: corpora.Corpus) -> float:
    """Perplexity on the validation texts of each word's frequency, with 1 added to each count."""
    counts = np.bincount(corpus.training, minlength=len(corpus.vocabulary)) + 1.0
    return float(np.exp(-np.log(counts / counts.sum())[corpus.validation].mean()))


def bigram_perplexity(corpus: corpora.Corpus, discount: float = 0.75) -> float:
    """Perplexity of a bigram model by interpolated absolute discounting (Ney, Essen & Kneser 1994).

    P(w | v) = max(n(v, w) - D, 0) / n(v) + D · n₊(v) / n(v) · P(w), where n₊(v) counts the
    different words seen after v and P(w) is the unigram model.
    """
    size = len(corpus.vocabulary)
    unigram = np.bincount(corpus.training, minlength=size) + 1.0
    unigram /= unigram.sum()
    pairs, counts = np.unique(corpus.training[:-1] * size + corpus.training[1:], return_counts=True)
    before = pairs // size
    n_before = np.bincount(before, weights=counts, minlength=size)
    n_kinds = np.bincount(before, minlength=size)
    v, w = corpus.validation[:-1], corpus.validation[1:]
    at = np.searchsorted(pairs, v * size + w).clip(max=len(pairs) - 1)
    seen = np.where(pairs[at] == v * size + w, counts[at], 0)
    total = np.maximum(n_before[v], 1)
    backoff = np.where(n_before[v] > 0, discount * n_kinds[v] / total, 1.0)
    p = np.maximum(seen - discount, 0) / total + backoff * unigram[w]
    return float(np.exp(-np.log(p).mean()))
