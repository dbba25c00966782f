import threading

import pytest

from seqdemo.checkpoints import folder
from seqdemo.data.review_table import parse
from seqdemo.errors import DataError
from seqdemo.models.registry import MODELS
from seqdemo.ui import review_queue
from seqdemo.ui.review_queue import MAX_WAITING, Job, ReviewQueue

PATIENCE_S = 30


@pytest.fixture(scope="module")
def models(checkpoint_folders):
    return {name: folder.load(path) for name, path in checkpoint_folders.items()}


@pytest.fixture
def gate():
    """Opens at the end of the test, so that no thread stays behind a closed one."""
    gate = threading.Event()
    yield gate
    gate.set()


def make_job(content, get_models):
    return Job(parse(content), file_name="reviews.csv", file_id="1", get_models=get_models)


def held(models, gate):
    def get_models():
        assert gate.wait(PATIENCE_S)
        return models

    return get_models


def results(job):
    table = parse(job.result)
    return {name: [row[list(table.columns).index(f"p_positive_{name}")] for row in table.rows] for name in MODELS}


def test_each_row_gets_the_answer_that_the_model_gives_to_it_alone(models):
    texts = [f"the film was {'very ' * (n * 7 % 90)}good , not bad ." for n in range(70)]
    job = make_job(("text\n" + "\n".join(f'"{text}"' for text in texts)).encode(), lambda: models)
    ReviewQueue().submit(job)
    assert job.wait(PATIENCE_S)
    assert job.state == "done"
    assert job.share_done == 1
    for name, column in results(job).items():
        alone = [float(models[name].predict_proba([text])[0]) for text in texts]
        assert [float(cell) for cell in column] == pytest.approx(alone, abs=1e-4)
        assert job.n_positive[name] == sum(answer >= 0.5 for answer in alone)


def test_rows_without_a_word_stay_empty(models):
    job = make_job(b'text\ngood\n""\nbad\n', lambda: models)
    ReviewQueue().submit(job)
    assert job.wait(PATIENCE_S)
    assert job.n_scored == 2
    for column in results(job).values():
        assert [bool(cell) for cell in column] == [True, False, True]


def test_a_model_that_is_not_there_leaves_its_column_empty_and_is_named(models):
    job = make_job(b"text\ngood\n", lambda: {name: model for name, model in models.items() if name != "gru"})
    ReviewQueue().submit(job)
    assert job.wait(PATIENCE_S)
    assert job.missing == ["GRU"]
    found = results(job)
    assert found["gru"] == [""]
    assert found["lstm"] != [""]


def test_tables_are_scored_one_after_the_other_in_order(models, gate):
    queue = ReviewQueue()
    first, second, third = (make_job(b"text\ngood\n", held(models, gate)) for _ in range(3))
    for job in (first, second, third):
        queue.submit(job)
    assert [queue.n_ahead(job) for job in (first, second, third)] == [0, 1, 2]
    assert third.state == "waiting"
    second.stop()
    assert queue.n_ahead(third) == 1
    gate.set()
    assert all(job.wait(PATIENCE_S) for job in (first, second, third))
    assert [job.state for job in (first, second, third)] == ["done", "stopped", "done"]


def test_a_table_too_many_is_refused_and_a_stopped_one_makes_room(models, gate):
    queue = ReviewQueue()
    jobs = [make_job(b"text\ngood\n", held(models, gate)) for _ in range(MAX_WAITING + 1)]
    for job in jobs:
        queue.submit(job)
    late = make_job(b"text\ngood\n", held(models, gate))
    with pytest.raises(DataError, match="waiting to be scored"):
        queue.submit(late)
    jobs[-1].stop()
    queue.submit(late)
    gate.set()
    assert late.wait(PATIENCE_S)
    assert late.state == "done"


def test_a_table_that_is_stopped_midway_ends_and_the_next_has_its_turn(models):
    started = threading.Event()

    class Telling(dict):
        def items(self):
            started.set()
            return super().items()

    queue = ReviewQueue()
    long = make_job(b"text\n" + b"good film !\n" * 2000, lambda: Telling(models))
    after = make_job(b"text\ngood\n", lambda: models)
    queue.submit(long)
    queue.submit(after)
    assert started.wait(PATIENCE_S)
    long.stop()
    assert after.wait(PATIENCE_S)
    assert (long.state, after.state) == ("stopped", "done")
    assert long.result == b""


def test_a_table_that_nobody_looks_at_is_given_up(models, monkeypatch):
    job = make_job(b"text\ngood\n", lambda: models)
    job.seen()
    assert not job.given_up
    monkeypatch.setattr(review_queue, "SECONDS_UNSEEN", -1.0)
    ReviewQueue().submit(job)
    assert job.wait(PATIENCE_S)
    assert job.state == "stopped"


def test_a_failure_ends_its_own_table_only(models, caplog):
    def break_down():
        raise RuntimeError("no more memory")

    queue = ReviewQueue()
    broken, after = make_job(b"text\ngood\n", break_down), make_job(b"text\ngood\n", lambda: models)
    queue.submit(broken)
    queue.submit(after)
    assert after.wait(PATIENCE_S)
    assert (broken.state, after.state) == ("failed", "done")
    assert "could not be scored" in caplog.text
