"""The models that answer one visitor: those that came with the app, or the visitor's own in their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seqdemo.models.registry import MODELS
from seqdemo.text import read_with

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.runs.view import View
    from seqdemo.text import Reading

_NAME_LETTERS = 22


@dataclass(frozen=True, kw_only=True)
class Answering:
    """Whom one visitor's questions go to.

    Attributes:
        models: Name in the registry → the model, in the registry's order; those that cannot answer now are left out.
        own: Name → the visitor's run whose result takes that model's place.
        loading: Names of models that will still come.
        failed: Name → why a model cannot answer, in a sentence.
    """

    models: Mapping[str, Classifier]
    own: Mapping[str, View] = field(default_factory=dict)
    loading: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    def read(self, text: str) -> dict[str, Reading]:
        """What each model reads of a text, by name: read once for each distinct vocabulary."""
        return read_with({name: model.vocabulary for name, model in self.models.items()}, text)

    def label(self, name: str) -> str:
        """What to call a model on screen: the own name of an own one."""
        view = self.own.get(name)
        return f"{short(called(view))} ({MODELS[name].label})" if view is not None else MODELS[name].label

    def in_sentence(self, name: str) -> str:
        """What to call a model in a sentence: "the RNN", or the own name of an own one."""
        return self.label(name) if name in self.own else f"the {MODELS[name].label}"

    def named(self, readings: Mapping[str, Reading]) -> dict[str, Reading]:
        """Readings by what their models are called in a sentence, as `word_notes` takes them."""
        return {self.in_sentence(name): reading for name, reading in readings.items()}


def called(view: View) -> str:
    """The name of a run's result, or that it has none."""
    return view.name or "your own"


def short(name: str) -> str:
    """A name that fits on a card."""
    return name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 1]}…"
