import pytest
import torch
from torch import nn

from seqdemo.models import cells

D_IN, D_HIDDEN = 7, 5


def weights_of(layer, suffix=""):
    return cells.Weights(*(getattr(layer, name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")))


@pytest.mark.parametrize("shape", [(), (3,)], ids=["one vector", "a batch"])
class TestOneStepEqualsTorchsCell:
    def test_rnn(self, shape):
        torch.manual_seed(0)
        cell = nn.RNNCell(D_IN, D_HIDDEN)
        x, h = torch.randn(*shape, D_IN), torch.randn(*shape, D_HIDDEN)
        torch.testing.assert_close(cells.rnn_step(x, h, weights_of(cell)).hidden, cell(x, h), atol=1e-6, rtol=0)

    def test_lstm(self, shape):
        torch.manual_seed(0)
        cell = nn.LSTMCell(D_IN, D_HIDDEN)
        x, h, c = torch.randn(*shape, D_IN), torch.randn(*shape, D_HIDDEN), torch.randn(*shape, D_HIDDEN)
        step = cells.lstm_step(x, h, c, weights_of(cell))
        wanted_h, wanted_c = cell(x, (h, c))
        torch.testing.assert_close(step.hidden, wanted_h, atol=1e-6, rtol=0)
        torch.testing.assert_close(step.cell, wanted_c, atol=1e-6, rtol=0)
        torch.testing.assert_close(step.cell, step.forget_gate * c + step.input_gate * step.candidate)

    def test_gru(self, shape):
        torch.manual_seed(0)
        cell = nn.GRUCell(D_IN, D_HIDDEN)
        x, h = torch.randn(*shape, D_IN), torch.randn(*shape, D_HIDDEN)
        step = cells.gru_step(x, h, weights_of(cell))
        torch.testing.assert_close(step.hidden, cell(x, h), atol=1e-6, rtol=0)
        torch.testing.assert_close(step.hidden, (1 - step.update_gate) * step.candidate + step.update_gate * h)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("shape", [(9,), (3, 9)], ids=["one text", "a batch"])
def test_an_unrolled_sequence_equals_torchs_fused_layer(cell, shape):
    torch.manual_seed(0)
    layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](D_IN, D_HIDDEN, batch_first=True)
    x = torch.randn(*shape, D_IN)
    signals = cells.unroll(cell, x, weights_of(layer, "_l0"))
    torch.testing.assert_close(signals["hidden"], layer(x)[0], atol=1e-6, rtol=0)
    assert {signal.shape for signal in signals.values()} == {(*shape, D_HIDDEN)}


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("rnn", {"hidden"}),
        ("gru", {"hidden", "reset_gate", "update_gate", "candidate"}),
        ("lstm", {"hidden", "cell", "input_gate", "forget_gate", "output_gate", "candidate"}),
    ],
)
def test_every_gate_is_kept_and_lies_within_its_bounds(cell, names):
    torch.manual_seed(0)
    layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](D_IN, D_HIDDEN)
    signals = cells.unroll(cell, 5 * torch.randn(20, D_IN), weights_of(layer, "_l0"))
    assert set(signals) == names
    for name, signal in signals.items():
        if name.endswith("_gate"):
            assert signal.min() >= 0
            assert signal.max() <= 1
        elif name != "cell":
            assert signal.abs().max() <= 1
