"""What the process remembers for all visitors: bounded in bytes, and nobody writes to it."""

import numpy as np
import pytest

import seqdemo
from seqdemo.ui import resources


@pytest.fixture(autouse=True)
def forgotten():
    resources.arrays_kept.clear()
    yield
    resources.arrays_kept.clear()


def test_where_a_transformer_looked_counts_with_all_its_arrays(checkpoint_folders):
    looks = resources.looks(seqdemo.load(checkpoint_folders["transformer"]), "a good film " * 50)
    arrays = [value for value in vars(looks).values() if isinstance(value, np.ndarray)]
    assert resources.arrays_kept().n_bytes >= sum(array.nbytes for array in arrays) > 0
