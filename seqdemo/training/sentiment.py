"""What a classifier learns from reviews: texts whole and cut, a loss along the text, accuracy on held-out reviews."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.data.examples import Examples, epoch_views, evaluation_views
from seqdemo.training import devices, engine, ranks, schedule
from seqdemo.training.config import TrainingConfig
from seqdemo.training.events import OnEvent, ignore
from seqdemo.training.gathered import Gathered, TextBatch
from seqdemo.training.precision import Trial

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel


@dataclass(frozen=True)
class Beside:
    """Further examples that each epoch draws anew, mixed in uncut.

    Attributes:
        n: How many.
        draw: Draws them.
    """

    n: int
    draw: Callable[[np.random.Generator], Examples]


class SentimentLearner(engine.Learner[TextBatch]):
    """A classifier that learns from labelled texts.

    Attributes:
        validation: Examples that choose the epoch.
    """

    task = "reviews"
    model: SequenceModel

    def __init__(
        self,
        model: SequenceModel,
        training: Examples,
        validation: Examples,
        config: TrainingConfig,
        *,
        label: str = "",
        beside: Beside | None = None,
    ) -> None:
        """Keeps what a run needs.

        Args:
            model: A freshly built model, on its device.
            training: Examples to learn from.
            validation: Examples that choose the epoch.
            config: The settings.
            label: The model's name as people read it.
            beside: Further examples.
        """
        self.model, self.validation, self.settings = model, validation, dataclasses.asdict(config)
        self._training, self._config, self.label, self._beside = training, config, label, beside
        self.n_losses = 2 if config.adversarial else 1
        n = len(training) + (beside.n if beside else 0)
        after_warmup = schedule.constant if config.schedule == "plateau" else schedule.cosine
        self.plan = engine.Plan(
            epochs=config.epochs,
            updates=config.epochs * math.ceil(n / config.batch_size),
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            schedule=schedule.warmed_up(after_warmup, config.warmup_share),
            clip_norm=config.clip_norm,
            seed=config.seed,
            precision=config.precision,
            keep=config.keep,
            patience=config.patience if config.keep == "best" else 0,
            halves=config.schedule == "plateau",
            average_decay=config.average_decay,
        )

    def about(self) -> dict[str, Any]:
        """How many texts there are."""
        return {"training_n": len(self._training), "validation_n": len(self.validation)}

    def trial(self) -> Trial:
        """A pass over the first batch, whole."""
        some = self._training.pick(np.arange(min(len(self._training), self._config.batch_size), dtype=np.int64))
        batch = Gathered(evaluation_views(some, batch_size=len(some)), self.device)[0]

        def loss(rows: int, steps: int) -> Tensor:
            cut = batch.part(slice(rows), steps)
            return training_loss(self.model, self.model.embedding(cut.ids), cut, self._config)

        return Trial(model=self.model, rows=len(batch.ids), steps=batch.ids.shape[1], loss=loss)

    def optimiser(self) -> torch.optim.Optimizer:
        """AdamW; norms, biases and word vectors do not decay."""
        config = self._config
        groups: list[dict[str, Any]] = []
        for part, first_epoch in (("head", 0), ("layers", 1), ("embedding", 2)):
            tensors = [p for name, p in self.model.named_parameters() if _part_of(name) == part]
            share = config.embedding_rate if part == "embedding" else 1.0
            for chosen, decay in (
                ([p for p in tensors if p.ndim > 1 and part != "embedding"], config.weight_decay),
                ([p for p in tensors if p.ndim <= 1 or part == "embedding"], 0.0),
            ):
                if chosen:
                    first = first_epoch if config.gradual else 0
                    groups.append({"params": chosen, "weight_decay": decay, "share": share, "first_epoch": first})
        return torch.optim.AdamW(groups, lr=config.learning_rate, fused=devices.has_fused_optimisers(self.device))

    def batches(self, epoch: int) -> Gathered:
        """Every text once, some cut to a few sentences, and new ones beside them."""
        config = self._config
        views = epoch_views(
            self._training,
            batch_size=config.batch_size,
            rng=np.random.default_rng((config.seed, epoch)),
            crop_share=1.0 if epoch < config.short_epochs else config.crop_share,
            word_dropout=config.word_dropout,
            beside=self._beside.draw(np.random.default_rng((config.seed, epoch, 1))) if self._beside else None,
        )
        return Gathered(views, self.device)

    def losses(self, batch: TextBatch) -> Iterator[Tensor]:
        """The loss, and the one where the words were moved to where it is worst."""
        config, model = self._config, self.model
        own, weight = ranks.share(len(batch.ids))
        batch = batch.part(own)
        words = model.embedding(batch.ids)  # (B, T, d_embed)
        if config.adversarial:
            words.retain_grad()
        yield weight * training_loss(model, words, batch, config)
        if config.adversarial:
            worse = model.embedding(batch.ids) + worst_step(words, config.adversarial)
            yield weight * training_loss(model, worse, batch, config)

    def measure(self, model: SequenceModel, epoch: int) -> dict[str, Any]:  # noqa: ARG002 (alike in every epoch)
        """Loss and accuracy on whole validation texts."""
        found = scores(predict_logits(model, self.validation, device=self.device), self.validation.labels)
        return {"validation_loss": found["loss_nats"], "validation_accuracy": found["accuracy"]}


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
    label: str = "",
    beside: Beside | None = None,
) -> engine.Progress:
    """Trains a model in place and leaves the weights of the epoch to be kept in it.

    Args:
        model: A freshly built model.
        training: Examples to learn from.
        validation: Examples that choose the epoch.
        config: The settings.
        device: Where to compute; found by itself.
        on_event: Called with the run's events.
        state_file: Where the state is kept after each epoch.
        resume: Whether to go on from `state_file` if it is there.
        finish: Whether to train no further and take the best epoch of `state_file`.
        label: The model's name as people read it.
        beside: Further examples.

    Returns:
        The progress, with the history.

    Raises:
        TrainingError: As `engine.Run.go` raises it.
    """
    model.to(device or devices.find())
    learner = SentimentLearner(model, training, validation, config, label=label, beside=beside)
    run = engine.Run(learner, on_event=on_event, state_file=state_file)
    with engine.failures_told(on_event):
        run.go(resume=resume, finish=finish)
    return run.progress


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
    step: Tensor = length * ranks.standard_deviation(words) * gradient / norms[:, None, None]
    return step


def training_loss(model: SequenceModel, words: Tensor, batch: TextBatch, config: TrainingConfig) -> Tensor:
    """Cross-entropy with smoothed labels, in nats, of word vectors (B, T, d_embed); see `TrainingConfig.step_loss`."""
    lengths = batch.lengths
    target = batch.labels.float() * (1 - config.label_smoothing) + config.label_smoothing / 2  # (B,)
    if not config.step_loss or not model.has_step_logits:
        logits = model.logits_from_embeddings(words, lengths if batch.is_padded else None)  # (B, 1)
        return F.binary_cross_entropy_with_logits(logits[:, 0].float(), target)
    logits = model.step_logits_from_embeddings(words, lengths)[:, :, 0].float()  # type: ignore[operator]  # (B, T)
    each = F.binary_cross_entropy_with_logits(logits, target[:, None].expand_as(logits), reduction="none")
    t = torch.arange(1, logits.shape[1] + 1, device=logits.device)[None, :]  # (1, T)
    gain = torch.where(t <= lengths[:, None], t / lengths[:, None], 0.0)  # (B, T), 1 at the last word
    along = (each * gain).sum(1) / gain.sum(1)  # (B,)
    last = each.gather(1, lengths[:, None] - 1)[:, 0]  # (B,)
    share = config.step_loss * ~batch.decided_last  # (B,)
    return ((1 - share) * last + share * along).mean()


@torch.inference_mode()
def predict_logits(
    model: SequenceModel, examples: Examples, *, device: torch.device
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The logit of every example, in the examples' order, float32 (n,)."""
    model.eval()
    views = evaluation_views(examples)
    found = torch.cat([model(batch.ids, batch.lengths)[:, 0].float() for batch in Gathered(views, device)])
    logits = np.empty(len(examples), dtype=np.float32)
    logits[np.concatenate(views.batches)] = found.cpu().numpy()
    return logits


def evaluate(model: SequenceModel, examples: Examples, *, device: torch.device) -> dict[str, float]:
    """Accuracy from 0 to 1 and mean cross-entropy in nats on whole examples."""
    return scores(predict_logits(model, examples, device=device), examples.labels)


def scores(
    logits: np.ndarray[Any, np.dtype[np.float32]], labels: np.ndarray[Any, np.dtype[np.int64]]
) -> dict[str, float]:
    """Accuracy from 0 to 1 and mean cross-entropy in nats of logits (n,) against labels 0 or 1, (n,)."""
    found, wanted = torch.from_numpy(logits), torch.from_numpy(labels)
    return {
        "accuracy": ((found > 0) == (wanted == 1)).float().mean().item(),
        "loss_nats": F.binary_cross_entropy_with_logits(found, wanted.float()).item(),
    }


def _part_of(parameter: str) -> str:
    first = parameter.split(".")[0]
    return first if first in {"head", "embedding"} else "layers"
