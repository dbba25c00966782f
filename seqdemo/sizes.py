"""What a megabyte is, here and everywhere: a million bytes, as browsers count on most systems."""

from __future__ import annotations

import math

MB = 1_000_000


def megabytes(n_bytes: int) -> str:
    """A size in words, rounded up to a tenth, so that what is above a limit never reads like the limit itself."""
    tenths = math.ceil(n_bytes / (MB / 10))
    return f"{tenths // 10:,} MB" if tenths % 10 == 0 else f"{tenths / 10:,.1f} MB"
