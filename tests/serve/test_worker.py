"""The worker: one at a time or in batches the same answers; the urgent first, the newest of a visitor, all bounded."""

import dataclasses
import queue
import threading
import types
from concurrent.futures import CancelledError

import numpy as np
import pytest

from seqdemo.bounded import Bounded
from seqdemo.errors import BusyError
from seqdemo.explain.prefixes import prefix_curve
from seqdemo.serve import worker as worker_module
from seqdemo.serve.routes import KINDS
from seqdemo.serve.worker import CURVE, VERDICT, Kind, Worker
from tests.conftest import PATIENCE_S

NAMES = ("rnn", "gru", "lstm", "bilstm", "transformer")


def texts(n, longest=60, seed=3):
    draw = np.random.default_rng(seed)
    return [draw.integers(2, 30, size=draw.integers(1, longest + 1)).astype(np.int64) for _ in range(n)]


@pytest.fixture
def models(service):
    return service.store.ready()


class Held:
    """A kind of question whose pieces wait to be let go; notes in which order they ran."""

    def __init__(self):
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.ran = []

    def pieces(self, _, asked, __):
        for piece in range(3):
            self.begun.set()
            assert self.gate.wait(PATIENCE_S)
            self.ran.append((asked, piece))
            yield
        return asked


@pytest.fixture
def held():
    made = Held()
    yield made
    made.gate.set()


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_one_text_at_a_time(models, name):
    worker, model, asked = Worker(KINDS), models[name], texts(40)
    found = [future.result(PATIENCE_S) for future in [worker.submit(VERDICT, model, ids) for ids in asked]]
    assert np.allclose(found, [model.predict_ids([ids])[0] for ids in asked], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_curve_is_that_of_the_text_alone_and_ends_with_its_verdict(models, name):
    worker, model = Worker(KINDS), models[name]
    for ids in texts(5):
        verdict = worker.submit(VERDICT, model, ids).result(PATIENCE_S)
        steps, curve = worker.submit(CURVE, model, ids).result(PATIENCE_S)
        expected_steps, expected = prefix_curve(model, ids, Bounded(10_000))
        assert np.array_equal(steps, expected_steps)
        assert np.allclose(curve, expected, atol=1e-5)
        assert abs(curve[-1] - verdict) < 1e-5
        assert not curve.flags.writeable, "everyone who asks gets the same array"


def test_verdicts_of_a_moment_are_computed_together_and_those_of_like_length(models, held, monkeypatch):
    sizes = []
    model = models["bilstm"]
    real = type(model).predict_ids

    def counted(self, ids):
        sizes.append([len(row) for row in ids])
        return real(self, ids)

    monkeypatch.setattr(type(model), "predict_ids", counted)
    worker = Worker({**KINDS, "long": Kind(rank=1, pieces=held.pieces)})
    worker.submit("long", models["rnn"], "until all six wait")
    assert held.begun.wait(PATIENCE_S)
    asked = [np.full(length, 3, dtype=np.int64) for length in (5, 400, 6, 399, 7, 398)]
    futures = [worker.submit(VERDICT, model, ids + row) for row, ids in enumerate(asked)]
    held.gate.set()
    for future in futures:
        future.result(PATIENCE_S)
    assert sum(map(len, sizes)) == 6
    assert len(sizes) < 6, "gathered"
    assert all(max(rows) * len(rows) <= worker_module._TOKENS for rows in sizes)
    assert sorted(sizes[0])[:3] == [5, 6, 7], "the oldest and those nearest to it"


def test_a_verdict_passes_between_the_pieces_of_what_takes_longer(models, held):
    worker = Worker({**KINDS, "long": Kind(rank=1, pieces=held.pieces)})
    long = worker.submit("long", models["rnn"], "a")
    assert held.begun.wait(PATIENCE_S)
    verdict = worker.submit(VERDICT, models["rnn"], texts(1)[0])
    order = queue.SimpleQueue()  # a callback may come later than the result
    verdict.add_done_callback(lambda _: order.put("verdict"))
    long.add_done_callback(lambda _: order.put("long"))
    held.gate.set()
    assert long.result(PATIENCE_S) == "a"
    assert [order.get(timeout=PATIENCE_S) for _ in range(2)] == ["verdict", "long"]


def test_lower_ranks_wait_for_higher_ones_and_what_was_begun_goes_on(models, held):
    kinds = {rank: Kind(rank=rank, pieces=held.pieces) for rank in (1, 2)}
    worker = Worker({**KINDS, **kinds})
    futures = [worker.submit(2, models["rnn"], "table")]
    assert held.begun.wait(PATIENCE_S)
    futures += [worker.submit(1, models["rnn"], asked) for asked in ("curve", "later")]
    held.gate.set()
    for future in futures:
        future.result(PATIENCE_S)
    rows = [asked for asked, _ in held.ran]
    assert rows == ["table", *["curve"] * 3, *["later"] * 3, "table", "table"]


def test_the_newest_question_of_a_visitor_takes_the_place_of_the_one_that_waits(models, held):
    worker = Worker({**KINDS, "long": Kind(rank=1, pieces=held.pieces)})
    blocked = worker.submit("long", models["rnn"], "first")
    assert held.begun.wait(PATIENCE_S)
    old = worker.submit("long", models["rnn"], "old", "visitor")
    same_text = worker.submit("long", models["rnn"], "old", "somebody else")
    other_model = worker.submit("long", models["gru"], "old", "visitor")
    new = worker.submit("long", models["rnn"], "new", "visitor")
    held.gate.set()
    with pytest.raises(CancelledError):
        old.result(PATIENCE_S)
    assert [f.result(PATIENCE_S) for f in (blocked, same_text, other_model, new)] == ["first", "old", "old", "new"]


def test_where_a_visitor_asks_one_model_after_the_other_the_newest_question_replaces_that_to_any(models, held):
    worker = Worker({**KINDS, "parts": Kind(rank=1, pieces=held.pieces, of_each_model=False)})
    old = worker.submit("parts", models["rnn"], "old", "visitor")
    assert held.begun.wait(PATIENCE_S)
    others = worker.submit("parts", models["rnn"], "other", "somebody else")
    new = worker.submit("parts", models["gru"], "new", "visitor")
    held.gate.set()
    with pytest.raises(CancelledError):
        old.result(PATIENCE_S)
    assert [future.result(PATIENCE_S) for future in (others, new)] == ["other", "new"]
    assert [asked for asked, _ in held.ran].count("old") == 1, "given up between its pieces"


def test_whoever_asks_for_what_is_being_computed_gets_that(models, held):
    worker = Worker({**KINDS, "long": Kind(rank=1, pieces=held.pieces)})
    futures = [worker.submit("long", models["rnn"], "a") for _ in range(5)]
    held.gate.set()
    assert {future.result(PATIENCE_S) for future in futures} == {"a"}
    assert worker.submit("long", models["rnn"], "a").done(), "kept"
    assert len(held.ran) == 3


def test_what_nobody_wants_any_more_is_not_computed(models, held):
    worker = Worker({**KINDS, "long": Kind(rank=1, pieces=held.pieces)})
    first = worker.submit("long", models["rnn"], "first")
    assert held.begun.wait(PATIENCE_S)
    given_up = worker.submit("long", models["rnn"], "given up")
    given_up.cancel()
    first.cancel()
    held.gate.set()
    assert worker.submit("long", models["rnn"], "last").result(PATIENCE_S) == "last"
    assert [asked for asked, _ in held.ran] == ["first", *["last"] * 3]


def test_more_than_may_wait_is_refused_with_a_sentence_and_when_to_come_back(models, held):
    worker = Worker({**KINDS, "long": Kind(rank=1, pieces=held.pieces)}, max_waiting=3)
    futures = [worker.submit("long", models["rnn"], number) for number in range(3)]
    with pytest.raises(BusyError, match="Too many texts wait") as refused:
        worker.submit("long", models["rnn"], 4)
    assert refused.value.retry_after_s >= 1
    held.gate.set()
    assert [future.result(PATIENCE_S) for future in futures] == [0, 1, 2]
    assert worker.submit("long", models["rnn"], 4).result(PATIENCE_S) == 4


def test_what_waited_longer_than_its_kind_has_patience_is_told_so(models, held, monkeypatch):
    clock = types.SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(worker_module, "time", clock)
    patient = Kind(rank=1, pieces=held.pieces)
    worker = Worker({**KINDS, "long": dataclasses.replace(patient, patience_s=5), "patient": patient})
    begun = worker.submit("long", models["rnn"], "begun")
    assert held.begun.wait(PATIENCE_S)
    late = worker.submit("long", models["rnn"], "late")
    still_wanted = worker.submit("patient", models["rnn"], "late")
    clock.now = 6.0
    held.gate.set()
    assert begun.result(PATIENCE_S) == "begun"
    assert still_wanted.result(PATIENCE_S) == "late"
    with pytest.raises(BusyError, match="waited too long"):
        late.result(PATIENCE_S)


def test_one_bad_text_fails_alone(models):
    model = models["bilstm"]
    worker = Worker(KINDS)
    good = texts(4)
    futures = [worker.submit(VERDICT, model, ids) for ids in (good[0], np.array([10**6]), *good[1:])]
    with pytest.raises(IndexError):
        futures[1].result(PATIENCE_S)
    assert all(0 <= future.result(PATIENCE_S) <= 1 for k, future in enumerate(futures) if k != 1)
    assert 0 <= worker.submit(VERDICT, model, texts(1, seed=9)[0]).result(PATIENCE_S) <= 1, "and the worker goes on"


def test_what_is_kept_is_bounded(models, monkeypatch):
    monkeypatch.setattr(worker_module, "_KEPT_BYTES", 20_000)
    worker = Worker(KINDS)
    for ids in texts(60):
        worker.submit(VERDICT, models["rnn"], ids).result(PATIENCE_S)
    assert worker._kept.n_bytes <= 20_000
    assert 0 < len(worker._kept) < 60


def test_where_many_wait_the_newest_goes_first_since_it_may_still_be_in_time(models, held):
    worker = Worker({**KINDS, "long": Kind(rank=1, pieces=held.pieces)})
    futures = [worker.submit("long", models["rnn"], 0)]
    assert held.begun.wait(PATIENCE_S)
    futures += [worker.submit("long", models["rnn"], number) for number in range(1, worker_module.MANY + 3)]
    held.gate.set()
    for future in futures:
        future.result(PATIENCE_S)
    order = list(dict.fromkeys(asked for asked, _ in held.ran))
    newest = worker_module.MANY + 2
    assert order == [0, newest, newest - 1, *range(1, newest - 1)], "and the oldest once they are few"


@pytest.mark.parametrize("name", ["bilstm", "transformer"])
def test_the_verdict_on_a_text_is_the_last_point_of_its_curve_and_not_computed_again(models, name, monkeypatch):
    worker, model, ids = Worker(KINDS), models[name], texts(1, longest=60)[0]
    verdict = worker.submit(VERDICT, model, ids).result(PATIENCE_S)
    lengths = []
    real = type(model).predict_ids
    monkeypatch.setattr(type(model), "predict_ids", lambda self, ids: lengths.extend(map(len, ids)) or real(self, ids))
    _, curve = worker.submit(CURVE, model, ids).result(PATIENCE_S)
    assert curve[-1] == np.float32(verdict)
    assert len(ids) not in lengths
    assert lengths


def test_fewer_beginnings_are_read_where_so_many_are_asked_for(models):
    worker, model = Worker(KINDS), models["transformer"]
    ids = np.full(300, 3, dtype=np.int64)
    steps, curve = worker.submit(CURVE, model, (ids, 8)).result(PATIENCE_S)
    assert len(steps) == len(curve) <= 8
    assert (steps[0], steps[-1]) == (0, 299)
    every, _ = worker.submit(CURVE, model, ids).result(PATIENCE_S)
    assert set(steps) <= set(every), "of these none is read again"
