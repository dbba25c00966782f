"""What a model answers to kinds of lines that reviews rarely hold: right where there is an opinion, unsure else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from seqdemo.data import development_lines
from seqdemo.data.development_lines import KINDS, DevelopmentLine
from seqdemo.studies.study import Inputs, Measurement, Study

UNSURE = (0.25, 0.75)
"""Answers between these say that the model does not know."""

Counts = Mapping[str, Mapping[str, int]]
"""Kind → `n` lines with an opinion, `right` of them, `n_soft` lines without one or with two, `unsure` of them."""


def measure(inputs: Inputs) -> Measurement:
    """Asks each model about every line.

    Raises:
        DataError: The lines cannot be read.
    """
    lines = development_lines.load()
    results = {}
    for name, model in inputs.models.items():
        results[name] = count(lines, model.predict_proba([line.text for line in lines]).tolist())
        for said in words(model.label, results[name]):
            inputs.say(said)
    return Measurement(
        n=len(lines),
        seed=None,
        settings={
            "lines": "written for this project to develop by, kept out of training",
            "lines_sha256": development_lines.sha256(lines),
            "positive_from": 0.5,
            "unsure": list(UNSURE),
        },
        results=results,
    )


STUDY = Study(
    name="development_lines",
    question="Which kinds of lines that reviews rarely hold has each model learned, and does it know when not to know?",
    measure=measure,
)


def count(lines: Sequence[DevelopmentLine], probabilities: Sequence[float]) -> dict[str, dict[str, int]]:
    """Counts right and unsure answers by kind.

    Args:
        lines: What was asked.
        probabilities: P(positive) of each, from 0 to 1; one half or more is the answer positive.

    Returns:
        As `Counts` says, for the kinds that the lines have.
    """
    found: dict[str, dict[str, int]] = {}
    for line, p in zip(lines, probabilities, strict=True):
        counts = found.setdefault(line.kind, {"n": 0, "right": 0, "n_soft": 0, "unsure": 0})
        if line.label == 0.5:
            counts["n_soft"] += 1
            counts["unsure"] += UNSURE[0] <= p <= UNSURE[1]
        else:
            counts["n"] += 1
            counts["right"] += (p >= 0.5) == (line.label == 1)
    return found


def mean_accuracy(counts: Counts) -> float:
    """The mean of the kinds' accuracies, from 0 to 1, so that each kind weighs the same; needs one with an opinion."""
    shares = [part["right"] / part["n"] for part in counts.values() if part["n"]]
    return sum(shares) / len(shares)


def share_unsure(counts: Counts) -> float:
    """Of the lines without one opinion the share that the model is unsure of, 0 to 1; there must be one."""
    return sum(part["unsure"] for part in counts.values()) / sum(part["n_soft"] for part in counts.values())


def words(label: str, counts: Counts) -> Iterator[str]:
    """The counts as lines of a table in a terminal, those of each kind and then the two figures of all."""
    low, high = UNSURE
    unsure = f"unsure ({low:.0%} to {high:.0%})"
    for kind in (kind for kind in KINDS if kind in counts):
        part = counts[kind]
        if part["n"]:
            yield f"{label:14}  {KINDS[kind]:29}  {part['right'] / part['n']:6.1%} right  n={part['n']}"
        if part["n_soft"]:
            yield f"{label:14}  {KINDS[kind]:29}  {part['unsure'] / part['n_soft']:6.1%} {unsure}  n={part['n_soft']}"
    if any(part["n"] for part in counts.values()):
        yield f"{label:14}  {'Mean of all kinds':29}  {mean_accuracy(counts):6.1%} right"
    if any(part["n_soft"] for part in counts.values()):
        yield f"{label:14}  {'All without one opinion':29}  {share_unsure(counts):6.1%} {unsure}"
