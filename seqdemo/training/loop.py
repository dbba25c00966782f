"""The training loop: AdamW, clipped gradients, early stopping, resumable at each epoch.

All chance of an epoch comes from (seed, epoch), so that a resumed run repeats what an
uninterrupted one would have done.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pathlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.data.examples import Batch, Examples, epoch_batches, evaluation_batches
from seqdemo.errors import TrainingError
from seqdemo.training import devices, state
from seqdemo.training.config import TrainingConfig
from seqdemo.training.precision import Trial, autocast, choose_precision, keep_precision

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel

OnEvent = Callable[[dict[str, Any]], None]
DrawExamples = Callable[[np.random.Generator], Examples]
_STEPS_BETWEEN_EVENTS = 10


def ignore(event: dict[str, Any]) -> None:
    """The listener of a run that nobody watches."""


@dataclass(kw_only=True)
class Progress:
    """How far a run has come; what `history.json` and resuming need.

    Attributes:
        epoch: Epochs finished.
        best_epoch: The epoch whose weights are kept, counted from 1.
        best_accuracy: Its validation accuracy, from 0 to 1.
        seconds: Time spent in all, over interruptions.
        rate_scale: What `plateau` has made of the rate.
        precision: `fp32` or `bf16`, as `training.precision` chose it.
        history: One entry for each epoch.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_accuracy: float = -1.0
    seconds: float = 0.0
    rate_scale: float = 1.0
    precision: str = "fp32"
    history: list[dict[str, float]] = field(default_factory=list)


def fit(
    model: SequenceModel,
    training: Examples,
    validation: Examples,
    config: TrainingConfig,
    *,
    device: torch.device | None = None,
    on_event: OnEvent = ignore,
    state_file: pathlib.Path | None = None,
    resume: bool = False,
    finish: bool = False,
    beside: DrawExamples | None = None,
) -> Progress:
    """Trains a model in place and leaves the weights of the epoch to be kept in it.

    Args:
        model: A freshly built model.
        training: Examples to learn from.
        validation: Examples that choose the epoch.
        config: The settings.
        device: Where to compute; found by itself.
        on_event: Called with `step` and `epoch` events as plain values; a run that goes on begins with `precision`.
        state_file: Where the state is kept after each epoch, as safetensors.
        resume: Whether to go on from `state_file` if it is there.
        finish: Whether to train no further and take the best epoch of `state_file`.
        beside: Draws further examples for an epoch, mixed in uncut.

    Returns:
        The progress, with the history.

    Raises:
        TrainingError: The loss is no longer a number, the state file is of another run, there is
            nothing to finish, or bf16 is asked for and does not work.
    """
    device = device or devices.find()
    model.to(device)
    optimiser = _optimiser(model, config, device)
    best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    averaged = copy.deepcopy(model) if config.average_decay else model
    progress = Progress()
    if (resume or finish) and state_file is not None and state_file.is_file():
        progress, best = _load_state(state_file, model, averaged, optimiser, config)
        if not finish:
            trial = _trial(model, training, config, device)
            progress.precision, says = keep_precision(trial, progress.precision, config.precision)
            on_event({"event": "precision", "precision": progress.precision, "says": says})
    elif not finish:
        progress.precision = choose_precision(_trial(model, training, config, device), config.precision)
    if finish and not progress.epoch:
        raise TrainingError("There is no interrupted run to finish; start one without --finish.")
    while not finish and progress.epoch < config.epochs and progress.epoch - progress.best_epoch < config.patience:
        started = time.perf_counter()
        losses, norms = _train_epoch(model, averaged, optimiser, training, config, progress, device, on_event, beside)
        reached = evaluate(averaged, validation, device=device, precision=progress.precision)
        progress.epoch += 1
        progress.seconds += time.perf_counter() - started
        entry = {
            "epoch": progress.epoch,
            "train_loss_nats": losses.mean().item(),
            "validation_loss_nats": reached["loss_nats"],
            "validation_accuracy": reached["accuracy"],
            "gradient_norm": norms.median().item(),
            "seconds": round(progress.seconds, 1),
        }
        progress.history.append(entry)
        if config.keep == "last" or reached["accuracy"] > progress.best_accuracy:
            progress.best_accuracy, progress.best_epoch = reached["accuracy"], progress.epoch
            best = {name: tensor.clone() for name, tensor in averaged.state_dict().items()}
        elif config.schedule == "plateau":
            progress.rate_scale /= 2
        if state_file is not None:
            _save_state(state_file, model, averaged, optimiser, best, progress, config)
        on_event({"event": "epoch", **entry})
    model.load_state_dict(best)
    model.eval()
    return progress


def _train_epoch(
    model: SequenceModel,
    averaged: SequenceModel,
    optimiser: torch.optim.AdamW,
    training: Examples,
    config: TrainingConfig,
    progress: Progress,
    device: torch.device,
    on_event: OnEvent,
    beside: DrawExamples | None,
) -> tuple[Tensor, Tensor]:
    """One pass over the training examples.

    Returns:
        The loss in nats and the gradient norm before clipping of each update, (n_updates,) each.
    """
    started = time.perf_counter()
    epoch = progress.epoch
    torch.manual_seed(config.seed * 100_003 + epoch)
    batches = epoch_batches(
        training,
        batch_size=config.batch_size,
        rng=np.random.default_rng((config.seed, epoch)),
        crop_share=1.0 if epoch < config.short_epochs else config.crop_share,
        word_dropout=config.word_dropout,
        beside=beside(np.random.default_rng((config.seed, epoch, 1))) if beside else None,
    )
    model.train()
    losses, norms = [], []
    for step, batch in enumerate(batches):
        rate = config.learning_rate * progress.rate_scale
        rate *= _rate_factor(epoch * len(batches) + step, len(batches), config)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"] if epoch >= group["first_epoch"] else 0.0
        optimiser.zero_grad(set_to_none=True)
        ids = torch.from_numpy(batch.ids).to(device)
        words = model.embedding(ids)  # (B, T, d_embed)
        if config.adversarial:
            words.retain_grad()
        with autocast(device, progress.precision):
            loss = training_loss(model, words, batch, config, device)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss.item()} in epoch {epoch + 1}, update {step + 1}. "
                "A smaller --learning-rate or --clip-norm 1 keeps gradients in bounds."
            )
        loss.backward()  # type: ignore[no-untyped-call]
        if config.adversarial:
            worse = model.embedding(ids) + worst_step(words, config.adversarial)
            with autocast(device, progress.precision):
                training_loss(model, worse, batch, config, device).backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm or math.inf)
        optimiser.step()
        if averaged is not model:
            _average(averaged, model, config.average_decay, epoch * len(batches) + step)
        losses.append(loss.detach())
        norms.append(norm.detach())
        if step % _STEPS_BETWEEN_EVENTS == 0 or step == len(batches) - 1:
            on_event(
                {
                    "event": "step",
                    "epoch": epoch + 1,
                    "step": step + 1,
                    "steps": len(batches),
                    "loss_nats": loss.item(),
                    "gradient_norm": norm.item(),
                    "learning_rate": rate,
                    "samples_per_s": (step + 1) * config.batch_size / (time.perf_counter() - started),
                }
            )
    return torch.stack(losses).float(), torch.stack(norms).float()


@torch.no_grad()
def _average(averaged: SequenceModel, model: SequenceModel, decay: float, update: int) -> None:
    """Moves the average towards the weights of now; faster at the start, when it still holds what chance drew."""
    share = 1 - min(decay, (update + 1) / (update + 10))
    torch._foreach_lerp_(list(averaged.parameters()), list(model.parameters()), share)


@torch.no_grad()
def worst_step(words: Tensor, length: float) -> Tensor:
    """Each text's step r = ε g / ‖g‖₂, where g is the loss's derivative by its word vectors.

    Args:
        words: Word vectors (B, T, d_embed) with their gradient, from a backward pass.
        length: ε, in standard deviations of the vectors' entries, so that larger vectors are no way out.

    Returns:
        (B, T, d_embed); 0 where the gradient is.
    """
    gradient = words.grad
    assert gradient is not None
    norms = gradient.flatten(1).norm(dim=1).clamp_min(1e-20)  # (B,)
    step: Tensor = length * words.std() * gradient / norms[:, None, None]
    return step


def training_loss(
    model: SequenceModel, words: Tensor, batch: Batch, config: TrainingConfig, device: torch.device
) -> Tensor:
    """Cross-entropy with smoothed labels, in nats, of word vectors (B, T, d_embed); see `TrainingConfig.step_loss`."""
    lengths, labels = (torch.from_numpy(a).to(device) for a in (batch.lengths, batch.labels))
    target = labels.float() * (1 - config.label_smoothing) + config.label_smoothing / 2  # (B,)
    if not config.step_loss or getattr(model.config, "readout", None) != "last":
        return F.binary_cross_entropy_with_logits(model.logits_from_embeddings(words, lengths)[:, 0].float(), target)
    logits = model.step_logits_from_embeddings(words, lengths)[:, :, 0].float()  # type: ignore[operator]  # (B, T)
    each = F.binary_cross_entropy_with_logits(logits, target[:, None].expand_as(logits), reduction="none")
    t = torch.arange(1, logits.shape[1] + 1, device=device)[None, :]  # (1, T)
    gain = torch.where(t <= lengths[:, None], t / lengths[:, None], 0.0)  # (B, T), 1 at the last word
    along = (each * gain).sum(1) / gain.sum(1)  # (B,)
    last = each.gather(1, lengths[:, None] - 1)[:, 0]  # (B,)
    share = torch.from_numpy(np.where(batch.decided_last, 0.0, config.step_loss).astype(np.float32)).to(device)  # (B,)
    return ((1 - share) * last + share * along).mean()


@torch.inference_mode()
def predict_logits(
    model: SequenceModel, examples: Examples, *, device: torch.device, precision: str = "fp32"
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The logit of every example, in the examples' order, float32 (n,)."""
    model.eval()
    logits = np.empty(len(examples), dtype=np.float32)
    for batch in evaluation_batches(examples):
        with autocast(device, precision):
            out = model(torch.from_numpy(batch.ids).to(device), torch.from_numpy(batch.lengths).to(device))
        logits[batch.rows] = out[:, 0].float().cpu().numpy()
    return logits


def evaluate(
    model: SequenceModel, examples: Examples, *, device: torch.device, precision: str = "fp32"
) -> dict[str, float]:
    """Accuracy from 0 to 1 and mean cross-entropy in nats on whole examples."""
    return scores(predict_logits(model, examples, device=device, precision=precision), examples.labels)


def scores(
    logits: np.ndarray[Any, np.dtype[np.float32]], labels: np.ndarray[Any, np.dtype[np.int64]]
) -> dict[str, float]:
    """Accuracy from 0 to 1 and mean cross-entropy in nats of logits (n,) against labels 0 or 1, (n,)."""
    found, wanted = torch.from_numpy(logits), torch.from_numpy(labels)
    return {
        "accuracy": ((found > 0) == (wanted == 1)).float().mean().item(),
        "loss_nats": F.binary_cross_entropy_with_logits(found, wanted.float()).item(),
    }


def _optimiser(model: SequenceModel, config: TrainingConfig, device: torch.device) -> torch.optim.AdamW:
    groups: list[dict[str, Any]] = []
    for part, first_epoch in (("head", 0), ("layers", 1), ("embedding", 2)):
        tensors = [p for name, p in model.named_parameters() if _part_of(name) == part]
        share = config.embedding_rate if part == "embedding" else 1.0
        for chosen, decay in (
            ([p for p in tensors if p.ndim > 1 and part != "embedding"], config.weight_decay),
            ([p for p in tensors if p.ndim <= 1 or part == "embedding"], 0.0),
        ):
            if chosen:
                first = first_epoch if config.gradual else 0
                groups.append({"params": chosen, "weight_decay": decay, "share": share, "first_epoch": first})
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=devices.has_fused_optimisers(device))


def _part_of(parameter: str) -> str:
    first = parameter.split(".")[0]
    return first if first in {"head", "embedding"} else "layers"


def _rate_factor(update: int, updates_an_epoch: int, config: TrainingConfig) -> float:
    total = config.epochs * updates_an_epoch
    warmup = max(1, round(config.warmup_share * total))
    if update < warmup:
        return (update + 1) / warmup
    if config.schedule == "plateau":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (update - warmup) / max(1, total - warmup)))


def _trial(model: SequenceModel, training: Examples, config: TrainingConfig, device: torch.device) -> Trial:
    some = training.pick(np.arange(min(len(training), config.batch_size), dtype=np.int64))
    batch = next(evaluation_batches(some, batch_size=len(some)))

    def loss(rows: int, steps: int) -> Tensor:
        cut = Batch(
            batch.ids[:rows, :steps],
            batch.lengths[:rows].clip(max=steps),
            batch.labels[:rows],
            batch.rows[:rows],
            batch.decided_last[:rows],
        )
        return training_loss(model, model.embedding(torch.from_numpy(cut.ids).to(device)), cut, config, device)

    return Trial(model=model, rows=len(batch.ids), steps=batch.ids.shape[1], loss=loss)


def _settings(config: TrainingConfig) -> str:
    """What must be the same for a run to be resumed."""
    entries = dataclasses.asdict(config)
    return json.dumps({name: value for name, value in entries.items() if name != "precision"}, sort_keys=True)


def _save_state(
    path: pathlib.Path,
    model: SequenceModel,
    averaged: SequenceModel,
    optimiser: torch.optim.AdamW,
    best: Mapping[str, Tensor],
    progress: Progress,
    config: TrainingConfig,
) -> None:
    groups = {"model": model.state_dict(), "best": best}
    if averaged is not model:
        groups["average"] = averaged.state_dict()
    state.save(path, groups, optimiser, progress=dataclasses.asdict(progress), settings=_settings(config))


def _load_state(
    path: pathlib.Path,
    model: SequenceModel,
    averaged: SequenceModel,
    optimiser: torch.optim.AdamW,
    config: TrainingConfig,
) -> tuple[Progress, dict[str, Tensor]]:
    groups, progress = state.load(path, settings=_settings(config))
    try:
        model.load_state_dict(groups["model"])
        if averaged is not model:
            averaged.load_state_dict(groups["average"])
    except RuntimeError as error:  # torch's word for other names or shapes
        raise TrainingError(f"{path} belongs to a run of another model; start again without --resume.") from error
    state.restore(optimiser, groups)
    device = next(model.parameters()).device
    return Progress(**progress), {name: tensor.to(device) for name, tensor in groups["best"].items()}
