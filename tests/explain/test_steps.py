import numpy as np
import pytest
import torch

from seqdemo.checkpoints import folder
from seqdemo.errors import ConfigError, TextError
from seqdemo.explain import steps
from seqdemo.models.registry import MODELS

RECURRENT = [name for name, spec in MODELS.items() if spec.has_states]
TEXT = "this film was not good but the story was great and i liked the end , zyzzyva !"
SQUASH = {"candidate": np.tanh, "hidden": np.tanh}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="module")
def models(checkpoint_folders):
    return {name: folder.load(path) for name, path in checkpoint_folders.items()}


@pytest.fixture(scope="module")
def two_layers(tmp_path_factory, build_small, vocabulary):
    path = tmp_path_factory.mktemp("deep") / "bilstm"
    model = build_small("bilstm", n_layers=2)
    folder.save(path, name="bilstm", model=model, vocabulary=vocabulary, metrics={}, history=[], training={})
    return folder.load(path)


@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("text", [TEXT, "good", "qqq xxx"])
def test_the_quick_trace_equals_the_one_that_goes_step_by_step(models, name, text):
    quick, slow = steps.trace(models[name], text), models[name].trace(text)
    assert quick.tokens == slow.tokens
    assert set(quick.signals) == set(slow.signals)
    for signal, values in slow.signals.items():
        np.testing.assert_allclose(quick.signals[signal], values, atol=1e-5, err_msg=signal)
    assert quick.probability == pytest.approx(slow.probability, abs=1e-5)
    assert quick.probability == pytest.approx(models[name].predict_proba([text])[0], abs=1e-5)


def test_two_layers_are_traced_as_well(two_layers):
    quick, slow = steps.trace(two_layers, TEXT), two_layers.trace(TEXT)
    for signal, values in slow.signals.items():
        np.testing.assert_allclose(quick.signals[signal], values, atol=1e-5, err_msg=signal)


def check_addends(model, unit, direction):
    traced = steps.trace(model, TEXT)
    numbers = steps.unit_steps(model, traced, model.read(TEXT).ids, unit, direction)
    cell = model.config["architecture"]["cell"]
    for name in steps.GATES[cell]:
        x, h, total = (numbers.series[f"{name}.{part}"] for part in ("x", "h", "sum"))
        b_x, b_h = numbers.biases[name]
        if cell == "gru" and name == "candidate":
            expected = x + b_x + numbers.series["reset_gate"] * (h + b_h)
        else:
            expected = x + h + (b_x + b_h)
        np.testing.assert_allclose(total, expected, atol=1e-5)
        np.testing.assert_allclose(SQUASH.get(name, sigmoid)(total), numbers.series[name], atol=1e-5)
        np.testing.assert_array_equal(numbers.series[name], traced.signals[name + direction][-1, :, unit])
    return numbers


@pytest.mark.parametrize("unit", [0, 9])
@pytest.mark.parametrize("name", RECURRENT)
def test_the_addends_add_up_to_what_the_trace_holds(models, name, unit):
    for direction in (steps.FORWARD, steps.BACKWARD) if name == "bilstm" else (steps.FORWARD,):
        numbers = check_addends(models[name], unit, direction)
        if name == "bilstm":
            order = -1 if direction else 1
            c, f, i, g = (
                numbers.series[signal][::order] for signal in ("cell", "forget_gate", "input_gate", "candidate")
            )
            before = np.concatenate([[0], c[:-1]])
            np.testing.assert_allclose(f * before + i * g, c, atol=1e-5)


def test_the_addends_of_a_second_layer_come_from_the_states_below(two_layers):
    for direction in (steps.FORWARD, steps.BACKWARD):
        check_addends(two_layers, 3, direction)


def test_the_first_step_has_no_state_to_add(models):
    model = models["bilstm"]
    traced, ids = steps.trace(model, TEXT), model.read(TEXT).ids
    forwards = steps.unit_steps(model, traced, ids, 2)
    backwards = steps.unit_steps(model, traced, ids, 2, steps.BACKWARD)
    assert forwards.series["forget_gate.h"][0] == 0
    assert backwards.series["forget_gate.h"][-1] == 0
    assert (forwards.series["forget_gate.h"][1:] != 0).all()


def test_the_stand_out_unit_is_the_one_that_moves_the_verdict_most(models):
    traced = steps.trace(models["rnn"], TEXT)
    unit = steps.standout_unit(models["rnn"], traced)
    moved = np.abs(models["rnn"].model.head.weight[0].numpy()) * np.ptp(traced.signals["hidden"][0], axis=0)
    assert moved[unit] == moved.max()
    assert moved[unit] > 0


def test_units_stand_in_the_order_of_their_largest_activity():
    hidden = np.array([[0.1, -0.9, 0.2], [0.1, 0.5, -0.3], [-0.7, 0.0, 0.1]], dtype=np.float32)
    assert steps.by_activity(hidden).tolist() == [1, 2, 0]


def test_the_spread_holds_quartiles_and_mean_of_each_step():
    gate = np.array([[0, 0.25, 0.5, 1], [1, 1, 1, 1]], dtype=np.float32)
    np.testing.assert_allclose(steps.spread(gate)[:, 1], 1)
    np.testing.assert_allclose(steps.spread(gate)[:, 0], [0.1875, 0.4375, 0.625])


def test_quantised_values_are_symmetric_and_stay_in_their_bounds():
    levels = steps.quantised(np.array([-9, -2, -1, 0, 1, 2, 9], dtype=np.float32), 2)
    assert levels.tolist() == [1, 1, 64, 128, 192, 255, 255]


def test_what_cannot_be_stepped_through_is_refused(models):
    with pytest.raises(ConfigError, match="Transformer has no recurrent cell"):
        steps.trace(models["transformer"], TEXT)
    with pytest.raises(TextError, match="no word"):
        steps.trace(models["rnn"], " () ")


def test_a_trace_leaves_the_weights_as_they_were(models):
    before = {name: tensor.clone() for name, tensor in models["lstm"].model.state_dict().items()}
    traced = steps.trace(models["lstm"], TEXT)
    steps.unit_steps(models["lstm"], traced, models["lstm"].read(TEXT).ids, 0)
    assert all(torch.equal(before[name], tensor) for name, tensor in models["lstm"].model.state_dict().items())
