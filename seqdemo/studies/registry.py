"""The studies by name; importing it needs no torch."""

from __future__ import annotations

from seqdemo.errors import ConfigError
from seqdemo.studies import (
    ablation,
    accuracy_by_distance,
    attributions,
    context,
    copies,
    development_lines,
    fillers,
    gradient_by_distance,
    next_word,
    typed_reviews,
)
from seqdemo.studies.study import Study

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        gradient_by_distance.STUDY,
        fillers.STUDY,
        accuracy_by_distance.STUDY,
        attributions.STUDY,
        typed_reviews.STUDY,
        development_lines.STUDY,
        ablation.STUDY,
        next_word.STUDY,
        context.STUDY,
        copies.STUDY,
    )
}


def study(name: str) -> Study:
    """Finds a study by name.

    Raises:
        ConfigError: There is none of that name; the message lists the known ones.
    """
    if name not in STUDIES:
        raise ConfigError(f"There is no study called {name!r}; known are {', '.join(STUDIES)}.")
    return STUDIES[name]
