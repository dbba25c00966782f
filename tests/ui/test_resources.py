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


def test_a_trace_is_computed_once_and_cannot_be_written_to(checkpoint_folders):
    model = seqdemo.load(checkpoint_folders["lstm"])
    traced = resources.steps(model, "a good film")
    assert resources.steps(model, "a good film") is traced
    with pytest.raises(ValueError, match="read-only"):
        traced.signals["hidden"][:] = 0
    kept = resources.arrays_kept()
    assert len(kept) == 1
    assert kept.n_bytes >= sum(signal.nbytes for signal in traced.signals.values())


def test_where_a_transformer_looked_counts_with_all_its_arrays(checkpoint_folders):
    looks = resources.looks(seqdemo.load(checkpoint_folders["transformer"]), "a good film " * 50)
    arrays = [value for value in vars(looks).values() if isinstance(value, np.ndarray)]
    assert resources.arrays_kept().n_bytes >= sum(array.nbytes for array in arrays) > 0


def test_what_takes_megabytes_for_each_text_is_kept_within_so_many_bytes(checkpoint_folders, monkeypatch):
    model = seqdemo.load(checkpoint_folders["lstm"])
    kept = resources.arrays_kept()
    assert kept.max_bytes == 128 * 1024**2
    monkeypatch.setattr(kept, "max_bytes", 200_000)
    for n in range(30):
        resources.steps(model, "good film " * (n + 1))
        assert kept.n_bytes <= 200_000
    assert 0 < len(kept) < 30


def test_models_of_visitors_are_kept_within_so_many_bytes(checkpoint_folders):
    resources.own_models_kept.clear()
    kept = resources.own_models_kept()
    model = resources.own_model("one", str(checkpoint_folders["lstm"]))
    assert resources.own_model("one", str(checkpoint_folders["lstm"])) is model
    assert 4 * model.n_parameters <= kept.n_bytes <= kept.max_bytes == 256 * 1024**2
    resources.own_models_kept.clear()
