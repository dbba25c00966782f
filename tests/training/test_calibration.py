import numpy as np
import pytest
import torch
from torch import nn

from seqdemo.training.calibration import cool, expected_calibration_error, fit_temperature


@pytest.fixture(scope="module")
def honest():
    """Logits whose probabilities are right, and the labels drawn from them."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 20_000).astype(np.float32)
    return logits, (rng.random(20_000) < 1 / (1 + np.exp(-logits))).astype(np.int64)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_spoilt_the_logits_is_found_again(honest, temperature):
    logits, labels = honest
    assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.05)


def test_honest_probabilities_have_nearly_no_calibration_error_and_boastful_ones_do(honest):
    logits, labels = honest
    assert expected_calibration_error(logits, labels) < 0.01
    assert expected_calibration_error(logits * 3, labels) > 0.05
    assert expected_calibration_error(logits * 3 / fit_temperature(logits * 3, labels), labels) < 0.01


def test_certain_and_right_is_no_error_and_certain_and_wrong_a_whole_one():
    logits = np.array([30.0, -30.0], dtype=np.float32)
    assert expected_calibration_error(logits, np.array([1, 0])) == pytest.approx(0, abs=1e-9)
    assert expected_calibration_error(logits, np.array([0, 1])) == pytest.approx(1)


def test_a_head_with_a_temperature_gives_its_logits_divided():
    head, x = nn.Linear(4, 1), torch.randn(3, 4)
    before = head(x)
    cool(head, 2.0)
    torch.testing.assert_close(head(x), before / 2)
