"""Whether visitors may train here, and what all their runs together may use."""

from __future__ import annotations

from dataclasses import dataclass

from seqdemo import environment


def is_allowed() -> bool:
    """Whether visitors may train here; `SEQDEMO_TRAINING=off` forbids it."""
    return environment.TRAINING.read() is not False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What all runs together may use.

    Attributes:
        max_jobs: Runs at once; `SEQDEMO_MAX_JOBS`.
        max_waiting: Runs in the queue.
        max_each: Runs of one visitor that have not ended.
        max_seconds: Longest computing time of one run; `SEQDEMO_MAX_SECONDS`.
        max_memory_mb: Most memory of one run; `SEQDEMO_MAX_MEMORY_MB`.
        max_paused_s: Longest pause.
        unwatched_s: After so long without a look a run ends.
        kept_mb: Space for the files of all runs; `SEQDEMO_RUNS_MB`. Runs that are not saved are deleted to make room.
        kept_hours: How long a run is kept that is not saved; `SEQDEMO_RUNS_HOURS`.
        saved_days: How long a saved run is kept; `SEQDEMO_SAVED_DAYS`.
        max_models: Saved runs and loaded models of one visitor.
        threads: CPU threads of one run; `SEQDEMO_TRAINING_THREADS`.
    """

    max_jobs: int = 2
    max_waiting: int = 20
    max_each: int = 4
    max_seconds: float = 1_200.0
    max_memory_mb: float = 3_000.0
    max_paused_s: float = 600.0
    unwatched_s: float = 180.0
    kept_mb: float = 500.0
    kept_hours: float = 24.0
    saved_days: float = 30.0
    max_models: int = 12
    threads: int = 1

    @classmethod
    def from_environment(cls) -> Limits:
        """The defaults, with what the environment says instead.

        Raises:
            ConfigError: A variable holds no such number.
        """
        settings = {
            "max_jobs": environment.MAX_JOBS,
            "max_seconds": environment.MAX_SECONDS,
            "max_memory_mb": environment.MAX_MEMORY_MB,
            "kept_mb": environment.RUNS_MB,
            "kept_hours": environment.RUNS_HOURS,
            "saved_days": environment.SAVED_DAYS,
            "threads": environment.TRAINING_THREADS,
        }
        found = {name: value for name, setting in settings.items() if (value := setting.read()) is not None}
        return cls(**found)
