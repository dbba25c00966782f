"""Language modelling on unlabelled reviews, from which the classifiers start.

Recurrent models learn to say the next word; a BiLSTM's second direction the word before; the
Transformer says words hidden from it. Truncated backpropagation through time reads the corpus in
`batch_size` lanes and carries the state along. A run is resumable at its checks, twenty an epoch.
"""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.checkpoints import language_model
from seqdemo.data import corpus as corpora
from seqdemo.errors import DataError, TrainingError
from seqdemo.models import registry
from seqdemo.models.language import MaskedLanguageModel, RecurrentLanguageModel, candidate_loss, hide_words
from seqdemo.models.recurrent import RecurrentConfig
from seqdemo.training import devices, loop, state
from seqdemo.training.config import PretrainingConfig
from seqdemo.training.precision import Trial, autocast, choose_precision, keep_precision
from seqdemo.training.run import code_commit, device_name

_CHECKS_AN_EPOCH = 20
_STEPS_BETWEEN_EVENTS = 10

SIZES: Mapping[str, int] = {"d_embed": 192, "d_hidden": 384}
"""Of the recurrent language models, and so of the classifiers that start from them."""


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
    resume: bool = False,
    on_event: loop.OnEvent = loop.ignore,
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
        resume: Whether to go on where an interrupted run stopped.
        on_event: Called with the run's events as plain values.

    Raises:
        DataError: The reviews cannot be read, or hold too few words.
        TrainingError: The loss is no number, a file does not fit the run, or bf16 is asked for and does not work.
    """
    device = device or devices.find()
    out.parent.mkdir(parents=True, exist_ok=True)
    corpus = corpora.load(data, cache=out.parent)
    torch.manual_seed(config.seed)
    sizes = SIZES if registry.spec(name).family == "recurrent" else {}
    shape = registry.make_config(
        name,
        preset=preset,
        **{**sizes, "embed_dropout": 0.0, "dropout": 0.0, **(overrides or {})},
        vocab_size=len(corpus.vocabulary),
    )
    model: RecurrentLanguageModel | MaskedLanguageModel
    model = RecurrentLanguageModel(shape) if isinstance(shape, RecurrentConfig) else MaskedLanguageModel(shape)
    if start is not None:
        _take(model, start, corpus.vocabulary.words)
    model.to(device)
    learner = _Masked(model, corpus, config) if isinstance(model, MaskedLanguageModel) else _Next(model, corpus, config)
    progress = _learn(learner, config, device, out, resume, on_event)
    model.to("cpu")
    language_model.save(
        out,
        name=name,
        model=model,
        vocabulary=corpus.vocabulary,
        metrics={
            "validation_perplexity": progress["history"][-1]["validation_perplexity"],
            "validation_tokens": learner.n_validation,
            "unigram_perplexity": round(unigram_perplexity(corpus), 2),
            "bigram_perplexity": round(bigram_perplexity(corpus), 2),
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "seconds": progress["seconds"],
            "device": device_name(device),
            "precision": progress["precision"],
            "seed": config.seed,
            "commit": code_commit(),
            "torch": torch.__version__,
        },
        history=progress["history"],
        training=dataclasses.asdict(config),
    )
    _state_file(out).unlink(missing_ok=True)
    on_event({"event": "pretrained", "out": str(out), **progress["history"][-1]})


class _Next:
    """The next word, by a recurrent model; in both directions the word before as well."""

    def __init__(self, model: RecurrentLanguageModel, corpus: corpora.Corpus, config: PretrainingConfig) -> None:
        self.model, self._config = model, config
        self._lanes = _lanes(corpus.training, config.batch_size)
        self._validation = _lanes(corpus.validation[:100_000], 32)
        self.n_validation = self._validation.size
        self._directions = [False, True] if model.config.bidirectional else [False]
        if not model.embedding.weight.requires_grad:
            self._directions = [True]  # the forward direction is given
        self._state: dict[bool, Any] = {}
        self.updates_an_epoch = (self._lanes.shape[1] - 1) // config.window
        self.trial = Trial(model=model, rows=len(self._lanes), steps=config.window, loss=self._trial_loss)

    def loss(self, step: int, rng: np.random.Generator) -> Tensor:
        if step % self.updates_an_epoch == 0:
            self._state = {}
        k = step % self.updates_an_epoch
        window = self._config.window
        loss, self._state = self._loss(slice(k * window, (k + 1) * window + 1), self._state, rng)
        return loss

    def _loss(
        self, words: slice, before: Mapping[bool, Any], rng: np.random.Generator, rows: int | None = None
    ) -> tuple[Tensor, dict[bool, Any]]:
        losses, after = [], {}
        for backward in self._directions:
            lanes = self._lanes[:, ::-1] if backward else self._lanes
            piece = torch.from_numpy(lanes[:rows, words].copy()).to(self.device)
            states, state = self.model.states(piece[:, :-1], before.get(backward), backward=backward)
            after[backward] = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
            decoder = self._decoder(backward)
            losses.append(_candidate_loss(decoder, states, piece[:, 1:], self._table, self._config, rng))
        return torch.stack(losses).mean(), after

    def _trial_loss(self, rows: int, steps: int) -> Tensor:
        return self._loss(slice(steps + 1), {}, np.random.default_rng(0), rows)[0]

    def validation_loss(self) -> float:
        total, n = 0.0, 0
        for backward in self._directions:
            lanes = self._validation[:, ::-1] if backward else self._validation
            state = None
            for begin in range(0, lanes.shape[1] - 1, 64):
                piece = torch.from_numpy(lanes[:, begin : begin + 65].copy()).to(self.device)
                states, state = self.model.states(piece[:, :-1], state, backward=backward)
                logits = self._decoder(backward)(states, self._table).flatten(0, 1)
                total += F.cross_entropy(logits.float(), piece[:, 1:].flatten(), reduction="sum").item()
                n += piece[:, 1:].numel()
        return total / n

    def _decoder(self, backward: bool) -> Any:
        return self.model.decoder_backward if backward else self.model.decoder

    @property
    def _table(self) -> Tensor:
        return self.model.embedding.weight

    @property
    def device(self) -> torch.device:
        return self._table.device


class _Masked:
    """Hidden words, by the Transformer."""

    def __init__(self, model: MaskedLanguageModel, corpus: corpora.Corpus, config: PretrainingConfig) -> None:
        self.model, self._config = model, config
        self._windows, self._validation = (
            _lanes(stream, len(stream) // config.window) for stream in (corpus.training, corpus.validation[:100_000])
        )
        self.n_validation = round(self._validation.size * config.masked_share)
        self.updates_an_epoch = len(self._windows) // config.batch_size
        rows = min(config.batch_size, len(self._windows))
        self.trial = Trial(model=model, rows=rows, steps=config.window, loss=self._trial_loss)

    def loss(self, step: int, rng: np.random.Generator) -> Tensor:  # noqa: ARG002 (windows come by chance)
        rows = rng.integers(0, len(self._windows), self._config.batch_size)
        return self._loss(self._windows[rows], rng)

    def _loss(self, windows: npt.NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        states, targets = self._guess(windows, int(rng.integers(2**31)))
        return _candidate_loss(self.model.decoder, states, targets, self._table, self._config, rng)

    def _trial_loss(self, rows: int, steps: int) -> Tensor:
        return self._loss(self._windows[:rows, :steps], np.random.default_rng(0))

    def validation_loss(self) -> float:
        total, n = 0.0, 0
        for begin in range(0, len(self._validation), 64):
            states, targets = self._guess(self._validation[begin : begin + 64], begin)
            logits = self.model.decoder(states, self._table)
            total += F.cross_entropy(logits.float(), targets, reduction="sum").item()
            n += len(targets)
        return total / n

    def _guess(self, windows: npt.NDArray[np.int64], seed: int) -> tuple[Tensor, Tensor]:
        ids = torch.from_numpy(windows.copy())
        hidden, picked = hide_words(ids, self._config.masked_share, torch.Generator().manual_seed(seed))
        lengths = torch.full((len(ids),), ids.shape[1])
        states = self.model.states(hidden.to(self.device), lengths.to(self.device))
        return states[picked.to(self.device)], ids[picked].to(self.device)

    @property
    def _table(self) -> Tensor:
        return self.model.encoder.embedding.weight

    @property
    def device(self) -> torch.device:
        return self._table.device


def _candidate_loss(
    decoder: Any,
    states: Tensor,
    targets: Tensor,
    table: Tensor,
    config: PretrainingConfig,
    rng: np.random.Generator,
) -> Tensor:
    n_frequent = min(config.n_frequent, len(table))
    n_sampled = min(config.n_sampled, len(table) - n_frequent)
    sampled = rng.choice(len(table) - n_frequent, n_sampled, replace=False) + n_frequent
    return candidate_loss(
        decoder.projection(states).reshape(-1, table.shape[1]),
        targets.reshape(-1),
        table,
        decoder.bias,
        n_frequent=n_frequent,
        sampled=torch.from_numpy(sampled).to(table.device),
    )


def _learn(
    learner: _Next | _Masked,
    config: PretrainingConfig,
    device: torch.device,
    out: pathlib.Path,
    resume: bool,
    on_event: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    model = learner.model
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        learned, lr=config.learning_rate, weight_decay=0.0, fused=devices.has_fused_optimisers(device)
    )
    n_updates = max(1, round(config.epochs * learner.updates_an_epoch))
    progress: dict[str, Any] = {"update": 0, "seconds": 0.0, "history": []}
    entries = dataclasses.asdict(config)
    settings = json.dumps({name: value for name, value in entries.items() if name != "precision"}, sort_keys=True)
    says = ""
    if resume and _state_file(out).is_file():
        groups, progress = state.load(_state_file(out), settings=settings)
        try:
            model.load_state_dict(groups["model"])
        except RuntimeError as error:  # torch's word for other names or shapes
            raise TrainingError(
                f"{_state_file(out)} belongs to a run of another model; start again without --resume."
            ) from error
        state.restore(optimiser, groups)
        progress["precision"], says = keep_precision(learner.trial, progress.get("precision", "bf16"), config.precision)
    else:
        progress["precision"] = choose_precision(learner.trial, config.precision)
    between_checks = max(1, learner.updates_an_epoch // _CHECKS_AN_EPOCH)
    on_event(
        {
            "event": "pretraining",
            "parameters": sum(parameter.numel() for parameter in learned),
            "device": device_name(device),
            "precision": progress["precision"],
            "updates": n_updates,
        }
    )
    if says:
        on_event({"event": "precision", "precision": progress["precision"], "says": says})
    started, losses = time.perf_counter() - progress["seconds"], []
    model.train()
    while progress["update"] < n_updates:
        update = progress["update"]
        rate = config.learning_rate * _rate_factor(update / n_updates, config.warmup_share)
        for group in optimiser.param_groups:
            group["lr"] = rate
        with autocast(device, progress["precision"]):
            loss = learner.loss(update, np.random.default_rng((config.seed, update)))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learned, config.clip_norm)
        optimiser.step()
        losses.append(loss.detach())
        progress["update"] += 1
        if update % _STEPS_BETWEEN_EVENTS == 0:
            on_event({"event": "update", "update": update + 1, "updates": n_updates, "loss_nats": loss.item()})
        if progress["update"] % between_checks == 0 or progress["update"] == n_updates:
            mean = torch.stack(losses).mean().item()
            losses = []
            if not math.isfinite(mean):
                raise TrainingError(f"The loss became {mean} by update {update + 1}; try a smaller --learning-rate.")
            entry: dict[str, Any] = {"update": update + 1, "train_loss_nats": round(mean, 4)}
            progress["seconds"] = round(time.perf_counter() - started, 1)
            # The validation texts are read twice an epoch; more would cost more than it shows.
            if progress["update"] % (between_checks * 10) == 0 or progress["update"] == n_updates:
                model.eval()
                with torch.inference_mode(), autocast(device, progress["precision"]):
                    entry["validation_perplexity"] = round(math.exp(learner.validation_loss()), 2)
                model.train()
            progress["history"].append({**entry, "seconds": progress["seconds"]})
            state.save(_state_file(out), {"model": model.state_dict()}, optimiser, progress=progress, settings=settings)
            on_event({"event": "check", **progress["history"][-1], "updates": n_updates})
    model.eval()
    return progress


def _rate_factor(done: float, warmup_share: float) -> float:
    if done < warmup_share:
        return (done + 1e-3) / (warmup_share + 1e-3)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (done - warmup_share) / (1 - warmup_share)))


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
def _take(model: RecurrentLanguageModel | MaskedLanguageModel, start: pathlib.Path, words: tuple[str, ...]) -> None:
    """Starts from a language model of the same kind, or from another one's words.

    A BiLSTM takes the forward direction of an LSTM as well, and both are left as they are. A
    Transformer takes the principal components of the word vectors, at the scale of its own.
    """
    given = language_model.load(start)
    if given.vocabulary.words != words:
        raise TrainingError(f"{start} has another vocabulary than the corpus gives; learn both from the same texts.")
    if given.model.config == model.config:
        model.load_state_dict(given.model.state_dict())
        if isinstance(model, RecurrentLanguageModel) and model.config.bidirectional:
            _leave_forward(model)
        return
    if not isinstance(given.model, RecurrentLanguageModel):
        raise TrainingError(f"{start} is of a {given.name}; a start is the language model of a recurrent one.")
    table, bias = given.model.embedding.weight, given.model.decoder.bias
    if isinstance(model, MaskedLanguageModel):
        own = model.encoder.embedding.weight
        if own.shape[1] > table.shape[1]:
            raise TrainingError(f"{start} has word vectors of {table.shape[1]} entries; {own.shape[1]} are needed.")
        centred = table - table.mean(0)
        _, directions = torch.linalg.eigh(centred.T @ centred)  # ascending
        reduced = centred @ directions[:, -own.shape[1] :]
        own.copy_(reduced / reduced.std() * own.shape[1] ** -0.5)
        model.decoder.bias.copy_(bias)
        return
    if table.shape != model.embedding.weight.shape:
        raise TrainingError(
            f"{start} has word vectors {tuple(table.shape)}; {tuple(model.embedding.weight.shape)} are needed."
        )
    if not model.config.bidirectional:
        model.embedding.weight.copy_(table)
        model.decoder.bias.copy_(bias)
        return
    try:
        model.load_state_dict(given.model.state_dict(), strict=False)
    except RuntimeError as error:  # torch's word for other shapes
        raise TrainingError(f"{start} has other sizes than the model to be learned: {error}") from error
    if model.decoder_backward is not None:
        model.decoder_backward.bias.copy_(bias)
    _leave_forward(model)


def _leave_forward(model: RecurrentLanguageModel) -> None:
    for part in (model.embedding, model.left_to_right, model.decoder):
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


def _state_file(out: pathlib.Path) -> pathlib.Path:
    return out.with_name(f".{out.name}.state.safetensors")
