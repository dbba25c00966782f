"""Every exception this package raises on purpose.

```
SeqdemoError
├── TextError               a text that no model can read
├── TraceError              a recorded signal of an unknown name or a wrong shape
├── ConfigError             a setting outside what is allowed
├── UnknownModelError       a model name that is neither known nor a folder nor on the Hub
├── DataError               a data set or a file of reviews that cannot be used
├── TrainingError           a run that cannot go on
├── BusyError               more was asked than can be answered soon
└── CheckpointError         a checkpoint that cannot be used
    ├── CheckpointMissingError   a file of it is not there
    ├── CheckpointCorruptError   its contents are not what they should be
    └── HubError                 it could not be fetched from the Hugging Face Hub
```

Messages are sentences for people: what was found, what is needed, what to do.
"""

import re

SEE_MORE = "--debug shows where."
"""The end of what a command says of an error that is none of these."""
_NO_MEMORY = re.compile(r"out of memory|(can't allocate|cannot allocate|not enough) memory|ALLOC_FAILED", re.IGNORECASE)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory left; torch says so in plain runtime errors."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_NO_MEMORY.search(str(error))))


def listed(names: list[str]) -> str:
    """Names for a message; a stranger may have given many and long ones."""
    return ", ".join(name[:60] for name in names[:8]) + (" and others" if len(names) > 8 else "") or "none"


class SeqdemoError(Exception):
    """Base of every error that this package raises on purpose."""


class TextError(SeqdemoError, ValueError):
    """A text that no model can read, for example an empty one."""


class TraceError(SeqdemoError, ValueError):
    """A recorded signal whose name is unknown or whose shape is wrong."""


class ConfigError(SeqdemoError, ValueError):
    """A setting outside what is allowed."""


class UnknownModelError(SeqdemoError, LookupError):
    """A model name that is neither known nor a checkpoint folder nor a repository of the Hub."""


class DataError(SeqdemoError, ValueError):
    """A data set or a file of reviews that cannot be used."""


class TrainingError(SeqdemoError, RuntimeError):
    """A training run that cannot go on."""


class BusyError(SeqdemoError, RuntimeError):
    """More was asked than can be answered soon.

    Attributes:
        retry_after_s: When to ask again, in seconds.
    """

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        """Says so in a sentence."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CheckpointError(SeqdemoError, RuntimeError):
    """A checkpoint that cannot be used."""


class CheckpointMissingError(CheckpointError):
    """A checkpoint folder, or a file in it, is not there."""


class CheckpointCorruptError(CheckpointError):
    """A checkpoint's contents are not what its description says."""


class HubError(CheckpointError):
    """A checkpoint could not be fetched from the Hugging Face Hub."""
