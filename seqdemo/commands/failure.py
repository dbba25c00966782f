"""How a command ends that cannot go on: in one sentence and an exit status, never in a traceback."""

from __future__ import annotations

import argparse
import errno
import os
import re

from seqdemo.errors import SEE_MORE, ConfigError, SeqdemoError, UnknownModelError, is_out_of_memory

FAILED, WRONG_USE, STOPPED, NOBODY_LISTENS = 1, 2, 130, 141
"""Exit statuses; the last two are 128 and the number of the signal that they stand for, as a shell gives them."""

_ALLOCATED = re.compile(r"allocate ([\d.]+) (bytes|[KMGTP]i?B)")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def told(error: BaseException, options: argparse.Namespace) -> tuple[str, int]:
    """What to say of an error, on one line, and the exit status.

    Args:
        error: What a command raised.
        options: Those of the command.

    Returns:
        The sentence, empty where nobody reads it; an error that this package did not raise on purpose ends with the
        way to see more.
    """
    if isinstance(error, BrokenPipeError):
        return "", NOBODY_LISTENS
    if isinstance(error, KeyboardInterrupt):
        return "Stopped." + (" A training run goes on with --resume." if "resume" in options else ""), STOPPED
    if isinstance(error, SeqdemoError):
        return _on_one_line(error), WRONG_USE if isinstance(error, ConfigError | UnknownModelError) else FAILED
    if is_out_of_memory(error):
        asked = _ALLOCATED.search(str(error))
        sentence = "There is not enough memory" + (f" for another {_size(*asked.groups())}." if asked else ".")
        if "batch_size" in options:
            sentence += " A smaller --batch-size or a smaller model needs less."
    elif isinstance(error, OSError):
        sentence = _of_a_file(error, options)
    else:
        sentence = (
            f"The program met something that it has no answer to ({type(error).__name__}: {_on_one_line(error)})."
        )
    return f"{sentence} {SEE_MORE}", FAILED


def _of_a_file(error: OSError, options: argparse.Namespace) -> str:
    what = error.strerror or _on_one_line(error)
    out = getattr(options, "out", None)
    if isinstance(error.filename, str | bytes):
        sentence = f"{os.fsdecode(error.filename)}: {what}."
    elif error.errno in _FULL:  # the system does not say where
        sentence = f"Nothing more could be written ({what})" + (f"; the result goes to {out}." if out else ".")
    else:
        sentence = f"{what}."
    advice = list(getattr(error, "__notes__", []))
    if error.errno in _FULL:
        advice.append("Make room there" + (", or name another place with --out." if out else "."))
    return " ".join([sentence, *advice])


def _size(number: str, unit: str) -> str:
    return f"{float(number) / 1e9:,.1f} GB" if unit == "bytes" else f"{number} {unit}"


def _on_one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
