"""Spectra, the start of a training drawn again, and what gates keep."""

import types

import numpy as np
import pytest
import torch

import seqdemo
from seqdemo.errors import ConfigError
from seqdemo.explain import dynamics
from seqdemo.trace import Trace


@pytest.mark.parametrize(("name", "n_blocks"), [("rnn", 1), ("gru", 3), ("lstm", 4), ("bilstm", 4)])
def test_each_block_has_its_own_spectrum(build_small, name, n_blocks):
    model = build_small(name).requires_grad_(False)
    found = dynamics.spectra(model)
    assert list(found) == list(dynamics.BLOCKS["lstm" if name == "bilstm" else name])
    assert len(found) == n_blocks
    for k, spectrum in enumerate(found.values()):
        block = model.left_to_right[0].weight_hh_l0[k * 10 : (k + 1) * 10].double().numpy()
        np.testing.assert_allclose(spectrum.singular_values, np.linalg.svd(block, compute_uv=False), rtol=1e-8)
        assert np.prod(spectrum.eigenvalues).real == pytest.approx(np.linalg.det(block), rel=1e-8)
        assert (np.diff(np.abs(spectrum.eigenvalues)) <= 1e-12).all()


def test_an_orthogonal_start_lies_on_the_unit_circle(vocabulary):
    from seqdemo.models import registry

    model = registry.build("rnn", registry.make_config("rnn", vocab_size=len(vocabulary), d_embed=6, d_hidden=16))
    spectrum = dynamics.spectra(model.requires_grad_(False))["state"]
    np.testing.assert_allclose(np.abs(spectrum.eigenvalues), 1, atol=1e-5)
    np.testing.assert_allclose(spectrum.singular_values, 1, atol=1e-5)


def test_a_transformer_has_no_spectrum(build_small):
    with pytest.raises(ConfigError, match="recurrent"):
        dynamics.spectra(build_small("transformer"))


def test_the_start_is_that_of_the_training(tmp_path):
    """A training whose steps are too small to move anything ends where it started."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from seqdemo.training import run
    from seqdemo.training.config import TrainingConfig

    (tmp_path / "plain_text").mkdir()
    table = pa.table({"text": [f"Film number {k} was long." for k in range(40)], "label": [0] * 20 + [1] * 20})
    for split in ("train", "test"):
        pq.write_table(table, tmp_path / "plain_text" / f"{split}-00000-of-00001.parquet")
    config = TrainingConfig(epochs=1, learning_rate=1e-12, seed=7, precision="fp32", weight_decay=0)
    trained = run.train(
        "lstm",
        out=tmp_path / "lstm",
        config=config,
        overrides={"d_embed": 8, "d_hidden": 8},
        data=str(tmp_path),
        device=torch.device("cpu"),
    )
    state = torch.random.get_rng_state()
    start = dynamics.starting_model(seqdemo.load(tmp_path / "lstm"))
    assert torch.equal(torch.random.get_rng_state(), state), "others' chance is left alone"
    for one, two in zip(trained.model.left_to_right.parameters(), start.left_to_right.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=2e-3, atol=1e-4)  # the file holds fp16
    other = dynamics.starting_model(
        types.SimpleNamespace(name="lstm", config={**trained.config, "training": {"seed": 8}})
    )
    assert not torch.allclose(other.left_to_right[0].weight_hh_l0, start.left_to_right[0].weight_hh_l0, atol=1e-2)


def test_without_a_seed_there_is_no_start(checkpoint_folders):
    assert dynamics.starting_model(seqdemo.load(checkpoint_folders["rnn"])) is None


@pytest.mark.parametrize(("signal", "name"), [("forget_gate", "lstm"), ("update_gate", "gru")])
def test_kept_shares_multiply_up_to_the_end(signal, name):
    gate = np.array([[[0.5, 1.0], [0.25, 0.5], [0.1, 0.8]]], dtype=np.float32)
    found = dynamics.kept(Trace(("a", "b", "c"), 0.5, {signal: gate}))
    assert dynamics.KEEPING_GATE[name] == signal
    np.testing.assert_allclose(found.gate, [0.75, 0.375, 0.45], rtol=1e-6)
    np.testing.assert_allclose(found.survives[2], [0.5 * 0.8, 0.8, 1], rtol=1e-6)  # the unit that keeps most
    lower = np.array([0.25 * 0.1, 0.1, 1])
    np.testing.assert_allclose(found.survives[0], np.exp((np.log([0.4, 0.8, 1]) + np.log(lower)) / 2), rtol=1e-6)


def test_a_closed_gate_gives_a_number(build_small):
    gate = np.zeros((1, 400, 3), dtype=np.float32)
    found = dynamics.kept(Trace(("a",) * 400, 0.5, {"forget_gate": gate}))
    assert np.isfinite(found.survives).all()


def test_a_cell_without_a_keeping_gate_keeps_nothing(checkpoint_folders):
    assert dynamics.kept(seqdemo.load(checkpoint_folders["rnn"]).trace("a good film")) is None


def test_the_gate_that_keeps_is_named_rightly_in_a_real_trace(checkpoint_folders):
    """With the update gate at 1 a GRU's state stays: z is the kept share here."""
    from seqdemo.models.cells import Weights, gru_step

    zeros, h = torch.zeros(1), torch.tensor([0.7])
    open_gate = Weights(torch.zeros(3, 1), torch.zeros(3, 1), torch.tensor([0.0, 50.0, 0.0]), torch.zeros(3))
    assert gru_step(zeros, h, open_gate).hidden.item() == pytest.approx(0.7)
