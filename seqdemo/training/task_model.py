"""Any of the five models on any task: words or numbers in, one answer for a sequence or one a step out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.data.tasks import CORRECT_WITHIN, Answer, Batch
from seqdemo.models import registry
from seqdemo.training import devices
from seqdemo.training.problem import Problem
from seqdemo.training.settings import RunSettings, architecture

if TYPE_CHECKING:
    from seqdemo.models.registry import SequenceModel

_NUMBERS_A_STEP = 2


class TaskModel(nn.Module):
    """A sequence model, with a linear layer in the embedding's place where inputs are numbers.

    Attributes:
        network: The model as the registry builds it; what a checkpoint of a text model holds.
        front: The linear layer that turns numbers into vectors; None where the network's own embedding reads words.
    """

    def __init__(
        self,
        network: SequenceModel,
        *,
        answer: Answer,
        uncounted: int | None = None,
        reads_numbers: bool = False,
        foretells: bool = False,
    ) -> None:
        """Puts it together.

        Args:
            network: The sequence model.
            answer: What is asked.
            uncounted: A class whose steps do not count.
            reads_numbers: Whether inputs are numbers, so that the network's own embedding is not used.
            foretells: Whether the answer at a step is the next word, which must not be seen there.
        """
        super().__init__()
        self.network, self.answer, self.uncounted, self.foretells = network, answer, uncounted, foretells
        self.front: nn.Module | None = None
        if reads_numbers:
            network.embedding.requires_grad_(False)
            self.front = nn.Linear(_NUMBERS_A_STEP, network.embedding.embedding_dim)

    @classmethod
    def of(cls, settings: RunSettings, problem: Problem) -> TaskModel:
        """The model of a run, with weights from torch's global generator."""
        entries = architecture(settings, n_outputs=problem.n_outputs)
        config = registry.make_config(settings.model, vocab_size=max(problem.n_rows, 1), **entries)
        network = registry.build(settings.model, config)
        return cls(
            network,
            answer=problem.answer,
            uncounted=problem.uncounted,
            reads_numbers=not problem.n_rows,
            foretells=problem.foretells,
        )

    @property
    def n_parameters(self) -> int:
        """Trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)

    def embed(self, inputs: Tensor) -> Tensor:
        """Ids int64 (B, T) or numbers float32 (B, T, 2) → vectors (B, T, d)."""
        front = self.network.embedding if self.front is None else self.front
        vectors: Tensor = front(inputs)
        return vectors

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """The answers: (B, n_outputs), or (B, T, n_outputs) where every step is asked."""
        return self.answers_from(self.embed(inputs), lengths)

    def answers_from(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The answers from vectors (B, T, d), so that a derivative with respect to them can be taken."""
        if self.answer == "class at every step":
            return self.network.logits_at_steps(x, lengths, ahead=not self.foretells)
        return self.network.logits_from_embeddings(x, lengths)

    def losses(self, answers: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
        """The loss of each sequence, (B,): cross-entropy in nats, or the squared error of a number.

        Args:
            answers: As `forward` gives them.
            targets: As in `Batch`.
            lengths: Real steps of each sequence, (B,).
        """
        answers = answers.float()
        if self.answer == "number":
            return (answers[:, 0] - targets).square()
        if self.answer == "yes or no":
            return F.binary_cross_entropy_with_logits(answers[:, 0], targets.float(), reduction="none")
        if self.answer == "class":
            return F.cross_entropy(answers, targets, reduction="none")
        each = F.cross_entropy(answers.transpose(1, 2), targets, reduction="none")  # (B, T)
        real = torch.arange(each.shape[1], device=each.device)[None, :] < lengths[:, None]
        return (each * real).sum(1) / lengths

    def decide(self, answers: Tensor) -> Tensor:
        """What is answered in the end: a class, a class a step, or the number itself."""
        if self.answer == "number":
            return answers[:, 0].float()
        if self.answer == "yes or no":
            return (answers[:, 0] > 0).long()
        return answers.argmax(-1)

    def correct(self, decided: Tensor, targets: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """How many answers are right, and how many were asked for; scalars on the device."""
        if self.answer == "number":
            right = (decided - targets).abs() <= CORRECT_WITHIN
            return right.sum(), torch.full_like(right.sum(), len(right))
        right = decided == targets
        if self.answer != "class at every step":
            return right.sum(), torch.full_like(right.sum(), len(right))
        counted = torch.arange(right.shape[1], device=right.device)[None, :] < lengths[:, None]
        if self.uncounted is not None:
            counted = counted & (targets != self.uncounted)
        return (right & counted).sum(), counted.sum()


def tensors(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, lengths and targets on the device."""
    return devices.send(batch.inputs, device), devices.send(batch.lengths, device), devices.send(batch.targets, device)
