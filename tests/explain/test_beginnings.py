"""Texts that are edited give the answers of a full reading, and what stands before an edit is not read again."""

import numpy as np
import pytest
import torch

from seqdemo.bounded import Bounded
from seqdemo.checkpoints import folder
from seqdemo.errors import ConfigError
from seqdemo.explain.beginnings import BLOCK, read_on

ONE_WAY = ("rnn", "gru", "lstm")


def words(n, seed=1):
    return np.random.default_rng(seed).integers(2, 30, size=n).astype(np.int64)


@pytest.fixture(params=ONE_WAY)
def model(request, checkpoint_folders):
    return folder.load(checkpoint_folders[request.param])


@pytest.fixture
def steps_read(model, monkeypatch):
    """How many words the model was given, rows times length, call by call."""
    found = []
    real = type(model.model).read_on

    def counted(self, ids, state):
        found.append(ids.numel())
        return real(self, ids, state)

    monkeypatch.setattr(type(model.model), "read_on", counted)
    return found


def test_texts_of_every_length_together_read_as_each_alone(model):
    texts = [words(n, seed=n) for n in (1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 100)]
    for curve, ids in zip(read_on(model, texts, Bounded(10**6)), texts, strict=True):
        assert curve.dtype == np.float32
        assert np.allclose(curve, model.prefix_proba(ids), atol=1e-5)


def test_an_edit_is_read_from_the_block_in_which_it_stands(model, steps_read):
    memory, ids = Bounded(10**6), words(100)
    read_on(model, [ids], memory)
    assert sum(steps_read) == 100
    steps_read.clear()
    longer = np.append(ids, 7)
    (curve,) = read_on(model, [longer], memory)
    assert np.allclose(curve, model.prefix_proba(longer), atol=1e-5)
    assert sum(steps_read) == 101 % BLOCK, "the words since the last whole block"
    steps_read.clear()
    changed = ids.copy()
    changed[50] += 1
    (curve,) = read_on(model, [changed], memory)
    assert np.allclose(curve, model.prefix_proba(changed), atol=1e-5)
    assert sum(steps_read) == 100 - 50 // BLOCK * BLOCK


def test_texts_that_begin_and_texts_that_go_on_share_a_batch(model):
    memory, known, new = Bounded(10**6), words(64), words(70, seed=2)
    read_on(model, [known], memory)
    texts = [np.append(known, 5), new, words(3, seed=4)]
    for curve, ids in zip(read_on(model, texts, memory), texts, strict=True):
        assert np.allclose(curve, model.prefix_proba(ids), atol=1e-5)


def test_a_memory_that_holds_nothing_changes_no_answer(model):
    ids = words(80)
    (curve,) = read_on(model, [ids], Bounded(0))
    assert np.allclose(curve, model.prefix_proba(ids), atol=1e-5)


def test_models_of_other_weights_share_no_state(checkpoint_folders):
    memory, ids = Bounded(10**6), words(40)
    for name in ONE_WAY:
        model = folder.load(checkpoint_folders[name])
        assert np.allclose(read_on(model, [ids], memory)[0], model.prefix_proba(ids), atol=1e-5)


def test_a_model_of_two_layers_reads_on_too(build_small):
    model = build_small("lstm", n_layers=2)
    ids = torch.from_numpy(words(10))[None]
    with torch.inference_mode():
        whole = model.step_logits(ids, torch.tensor([10]))
        first, state = model.read_on(ids[:, :4], None)
        rest, _ = model.read_on(ids[:, 4:], state)
    assert torch.allclose(torch.cat([first, rest], dim=1), whole, atol=1e-5)


def test_a_model_of_both_directions_cannot_read_on(build_small):
    with pytest.raises(ConfigError, match="both directions"):
        build_small("bilstm").read_on(torch.ones(1, 2, dtype=torch.long), None)
