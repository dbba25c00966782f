"""What the process remembers for all visitors: bounded in bytes, and nobody writes to it."""

import numpy as np
import pytest

from seqdemo.trace import Trace
from seqdemo.ui import resources


@pytest.fixture(autouse=True)
def forgotten():
    resources.arrays_kept.clear()
    yield
    resources.arrays_kept.clear()


def test_what_takes_megabytes_is_computed_once_counts_with_all_its_arrays_and_cannot_be_written_to():
    def trace():
        return Trace(("good",), 0.5, {"hidden": np.zeros((1, 1, 1_000), np.float32)})

    traced = resources._kept(("trace", "good"), trace)
    assert resources._kept(("trace", "good"), trace) is traced
    assert resources.arrays_kept().n_bytes >= traced.signals["hidden"].nbytes
    with pytest.raises(ValueError, match="read-only"):
        traced.signals["hidden"][:] = 0
