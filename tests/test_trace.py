import numpy as np
import pytest

from seqdemo.errors import TraceError
from seqdemo.trace import SIGNALS, Trace

TOKENS = ("not", "bad", "!")


def test_a_trace_takes_every_known_signal():
    sizes = {"layer": 2, "head": 4, "unit": 5, "step": 3, "query": 3, "key": 3}
    signals = {name: np.zeros([sizes[axis] for axis in s.axes], dtype=np.float32) for name, s in SIGNALS.items()}
    assert set(Trace(TOKENS, 0.5, signals).signals) == set(SIGNALS)


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        ("gate", np.zeros((1, 3, 5), np.float32), "There is no signal called 'gate'; known are hidden, cell,"),
        (
            "hidden",
            np.zeros((3, 5), np.float32),
            "hidden has the axes layer, step, unit; an array of shape (3, 5) came.",
        ),
        ("hidden", np.zeros((1, 3, 5)), "hidden is float32; float64 came."),
        ("hidden", np.zeros((1, 4, 5), np.float32), "hidden has 4 entries along step for 3 tokens."),
        ("attention", np.zeros((1, 1, 3, 2), np.float32), "attention has 2 entries along key for 3 tokens."),
        ("probability", np.zeros(2, np.float32), "probability has 2 entries along step for 3 tokens."),
    ],
)
def test_a_signal_that_does_not_fit_is_refused(name, array, sentence):
    with pytest.raises(TraceError) as caught:
        Trace(TOKENS, 0.5, {name: array})
    assert sentence in str(caught.value)


def test_every_signal_says_what_it_is():
    for name, signal in SIGNALS.items():
        assert set(signal.axes) <= {"layer", "head", "step", "query", "key", "unit"}, name
        assert signal.symbol, name
        assert signal.meaning.endswith("."), name
        assert (signal.low is None) == (signal.high is None), name
        assert signal.low is None or signal.low < signal.high, name
