"""Arrays for the browser as one binary message, the fastest form that a component takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_ALIGNMENT = 4


def text_id(text: str) -> str:
    """By what the browser knows a text again: twelve hexadecimal digits.

    Args:
        text: Whole characters only.
    """
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def pack(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """One binary message: the header's length (uint32), the header as JSON, then the arrays.

    Everything is little-endian, and every array begins at a multiple of 4 bytes. The
    header gains `arrays`: name → dtype, offset behind the header, number of entries.

    Args:
        header: Values that JSON can hold; no NaN.
        arrays: uint8, uint16 or float32 arrays.

    Returns:
        The message.
    """
    places, blocks, offset = {}, [], 0
    for name, array in arrays.items():
        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        places[name] = {"dtype": little.dtype.str, "offset": offset, "size": little.size}
        block = little.tobytes()
        blocks.append(block + b"\0" * (-len(block) % _ALIGNMENT))
        offset += len(blocks[-1])
    text = json.dumps({**header, "arrays": places}, allow_nan=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return b"".join([len(text).to_bytes(4, "little"), text, *blocks])
