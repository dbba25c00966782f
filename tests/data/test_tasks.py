"""Made-up tasks: every answer can be worked out from its sequence, no class is rarer than another."""

import numpy as np
import pytest

from seqdemo.data import tasks
from seqdemo.data.tasks import ADDING_BASELINE_MSE, CORRECT_WITHIN, TASKS


def drawn(name, *, seed=0, n=4000, length=40):
    return TASKS[name].draw(np.random.default_rng(seed), n, length)


def first_token(row):
    return {1: 0, 2: 1}[row[0]]


def temporal_order(row):
    signals = [token for token in row if token in (7, 8)]
    return {(7, 7): 0, (7, 8): 1, (8, 7): 2, (8, 8): 3}[tuple(signals)]


def parity(row):
    return sum(token == 2 for token in row) % 2


ORACLES = {"first_token": first_token, "temporal_order": temporal_order, "parity": parity}


@pytest.mark.parametrize("length", [10, 11, 40, 200])
@pytest.mark.parametrize("name", ORACLES)
def test_classes_can_be_worked_out_from_the_sequence(name, length):
    batch = drawn(name, n=300, length=length)
    assert batch.inputs.shape == (300, length)
    assert (batch.lengths == length).all()
    assert batch.targets.tolist() == [ORACLES[name](row) for row in batch.inputs.tolist()]


@pytest.mark.parametrize("length", [2, 11, 200])
def test_the_sum_is_of_the_two_marked_numbers_one_in_each_half(length):
    batch = drawn("adding", n=300, length=length)
    values, marks = batch.inputs[..., 0], batch.inputs[..., 1]
    assert batch.inputs.shape == (300, length, 2)
    assert batch.inputs.dtype == batch.targets.dtype == np.float32
    assert set(np.unique(marks)) <= {0, 1}
    assert (marks[:, : length // 2].sum(1) == 1).all()
    assert (marks[:, length // 2 :].sum(1) == 1).all()
    np.testing.assert_allclose(batch.targets, (values * marks).sum(1), rtol=1e-6)


@pytest.mark.parametrize("name", TASKS)
def test_answering_without_looking_is_right_as_often_as_chance_says(name):
    batch = drawn(name, n=20_000)
    if TASKS[name].n_classes == 1:
        error = batch.targets - 1
        assert (np.abs(error) <= CORRECT_WITHIN).mean() == pytest.approx(TASKS[name].chance, abs=0.01)
        assert (error**2).mean() == pytest.approx(ADDING_BASELINE_MSE, abs=0.01)
    else:
        shares = np.bincount(batch.targets, minlength=TASKS[name].n_classes) / len(batch.targets)
        np.testing.assert_allclose(shares, TASKS[name].chance, atol=0.02)
        assert len(shares) == TASKS[name].n_classes


@pytest.mark.parametrize("name", TASKS)
def test_a_seed_draws_the_same_sequences_again_and_another_seed_others(name):
    one, again, other = drawn(name), drawn(name), drawn(name, seed=1)
    np.testing.assert_array_equal(one.inputs, again.inputs)
    np.testing.assert_array_equal(one.targets, again.targets)
    assert (one.inputs != other.inputs).any()


@pytest.mark.parametrize("name", ORACLES)
def test_ids_leave_0_to_padding_and_stay_in_the_vocabulary(name):
    ids = drawn(name).inputs
    assert ids.min() == 1
    assert ids.max() == TASKS[name].vocab_size - 1


def test_noise_says_nothing_of_the_first_token():
    batch = drawn("first_token", n=20_000, length=3)
    for token in range(3, 11):
        with_it = (batch.inputs[:, 1:] == token).any(1)
        assert batch.targets[with_it].mean() == pytest.approx(0.5, abs=0.03)
    assert not np.isin(batch.inputs[:, 1:], (1, 2)).any()


def test_signals_stand_where_hochreiter_and_schmidhuber_put_them():
    ids = drawn("temporal_order", length=100).inputs
    places = np.array([np.flatnonzero(np.isin(row, (7, 8))) for row in ids])
    assert (places.min(0) == (10, 50)).all()
    assert (places.max(0) == (20, 60)).all()
    assert (ids[:, 0] == 5).all()
    assert (ids[:, -1] == 6).all()


def test_parity_up_to_a_length_has_every_length_and_pads_with_0():
    batch = tasks.parity_up_to(np.random.default_rng(0), 2000, 12)
    assert set(batch.lengths) == set(range(1, 13))
    for row, length, target in zip(batch.inputs.tolist(), batch.lengths, batch.targets, strict=True):
        assert all(row[:length])
        assert not any(row[length:])
        assert parity(row) == target


@pytest.mark.parametrize("length", [4, 12, 40, 200])
def test_the_symbols_of_the_copy_task_are_asked_for_in_their_order_at_the_end(length):
    batch = tasks.copy(np.random.default_rng(0), 300, length)
    k = tasks.copied_symbols(length)
    assert batch.inputs.shape == batch.targets.shape == (300, length)
    np.testing.assert_array_equal(batch.targets[:, length - k :], batch.inputs[:, :k])
    assert (batch.targets[:, : length - k] == tasks.COPY.uncounted).all()
    assert (batch.inputs[:, length - k - 1] == tasks.COPY.vocab_size - 1).all(), "a sign stands before the answers"
    blanks = np.delete(batch.inputs[:, k:], length - 2 * k - 1, axis=1)
    assert (blanks == tasks.COPY.vocab_size - 2).all()


def test_copying_without_looking_is_right_as_often_as_chance_says():
    batch = tasks.copy(np.random.default_rng(0), 5000, 20)
    asked = batch.targets[batch.targets != tasks.COPY.uncounted]
    shares = np.bincount(asked, minlength=tasks.COPY.n_classes)[1:] / len(asked)
    np.testing.assert_allclose(shares, tasks.COPY.chance, atol=0.02)


def test_parity_so_far_counts_the_ones_up_to_each_step():
    batch = tasks.parity_so_far(np.random.default_rng(0), 50, 12)
    for row, targets in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
        assert targets == [parity(row[: t + 1]) for t in range(12)]
