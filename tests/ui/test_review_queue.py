import threading
import time

import pytest

from seqdemo.checkpoints import folder
from seqdemo.data import tables
from seqdemo.data.review_table import MAX_ROWS, Source, choose
from seqdemo.errors import DataError
from seqdemo.models.registry import MODELS
from seqdemo.serve.routes import KINDS
from seqdemo.serve.worker import Worker
from seqdemo.text import Vocabulary
from seqdemo.ui.sentiment import review_queue
from seqdemo.ui.sentiment.review_queue import MAX_WAITING, Column, Job, ReviewQueue
from tests.conftest import PATIENCE_S


@pytest.fixture(scope="module")
def models(checkpoint_folders):
    return {name: folder.load(path) for name, path in checkpoint_folders.items()}


@pytest.fixture
def gate():
    """Opens at the end of the test, so that no thread stays behind a closed one."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def own_vocabulary(tmp_path, build_small, vocabulary):
    """An LSTM that knows "splendid" in the place of "good"."""
    words = [word if word != "good" else "splendid" for word in vocabulary.words]
    folder.save(
        tmp_path / "own",
        name="lstm",
        model=build_small("lstm"),
        vocabulary=Vocabulary(words),
        metrics={},
        history=[],
        training={},
    )
    return folder.load(tmp_path / "own")


def make_job(content, get_models, which="all"):
    source = Source(content=content, file_name="reviews.csv")
    columns = [Column(name, name, spec.label) for name, spec in MODELS.items()]
    return Job(choose(source, source.read(), 0, which), columns=columns, get_models=get_models, worker=Worker(KINDS))


def held(models, gate):
    def get_models():
        assert gate.wait(PATIENCE_S)
        return models

    return get_models


class Halted:
    """Someone who looks at a table, and by being looked for halts it after its first step until he lets it go on."""

    def __init__(self, job):
        self.job, self.reached, self.go_on = job, threading.Event(), threading.Event()
        job.seen("halted", self.is_there)

    def is_there(self):
        if self.job.share_done > 0:
            self.reached.set()
            assert self.go_on.wait(PATIENCE_S)
        return True


def scored(job):
    assert job.state == "done"
    return tables.read(job.outcome.written.content, job.outcome.written.file_name)


def results(job):
    table = scored(job)
    return {name: table.column(table.columns.index(f"p_positive_{name}")) for name in MODELS}


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
        assert job.outcome.n_positive[MODELS[name].label] == sum(answer >= 0.5 for answer in alone)


def test_rows_without_a_word_stay_empty(models):
    job = make_job(b'text\ngood\n""\nbad\n', lambda: models)
    ReviewQueue().submit(job)
    assert job.wait(PATIENCE_S)
    assert job.outcome.n_scored == 2
    for column in results(job).values():
        assert [bool(cell) for cell in column] == [True, False, True]


def test_a_model_that_is_not_there_leaves_its_column_empty_and_is_named(models):
    job = make_job(b"text\ngood\n", lambda: {name: model for name, model in models.items() if name != "gru"})
    ReviewQueue().submit(job)
    assert job.wait(PATIENCE_S)
    assert job.outcome.missing == ["GRU"]
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


def test_a_table_that_is_stopped_midway_ends_and_the_next_has_its_turn(models, gate):
    queue = ReviewQueue()
    long = make_job(b"text\n" + b"good film !\n" * 2000, held(models, gate))
    after = make_job(b"text\ngood\n", lambda: models)
    halted = Halted(long)
    queue.submit(long)
    queue.submit(after)
    gate.set()
    assert halted.reached.wait(PATIENCE_S)
    long.stop()
    halted.go_on.set()
    assert after.wait(PATIENCE_S)
    assert (long.state, after.state) == ("stopped", "done")
    assert long.outcome is None


def test_a_table_is_scored_as_long_as_somebody_has_the_app_open_who_looked_at_it(models, monkeypatch):
    monkeypatch.setattr(review_queue, "SECONDS_UNSEEN", -1.0)
    left, open_ = make_job(b"text\ngood\n", lambda: models), make_job(b"text\ngood\n", lambda: models)
    left.seen("one", lambda: False)
    open_.seen("one", lambda: False)
    open_.seen("two", lambda: True)
    queue = ReviewQueue()
    for job in (left, open_):
        queue.submit(job)
        assert job.wait(PATIENCE_S)
    assert (left.state, open_.state) == ("stopped", "done")


def test_a_reload_takes_less_time_than_until_a_table_is_given_up():
    job = make_job(b"text\ngood\n", dict)
    job.seen("one", lambda: False)
    assert not job.given_up


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


def test_a_long_table_is_scored_in_parts_and_the_others_have_their_turn_between_them(models, gate):
    queue = ReviewQueue()
    text = b"a good film , not bad"
    long = make_job(b"text\n" + (text + b"\n") * (MAX_ROWS + 1), held(models, gate))
    short = make_job(b"text\n" + text + b"\n", lambda: models)
    queue.submit(long)
    queue.submit(short)
    gate.set()
    assert long.wait(PATIENCE_S)
    assert short.state == "done"
    assert short.kept_until < long.kept_until, "which came before it"
    assert len(scored(long)) == MAX_ROWS + 1
    assert all(cell == cells[0] != "" for cells in results(long).values() for cell in cells)
    assert results(long)["rnn"][0] == results(short)["rnn"][0]


def test_the_time_left_is_told_once_there_is_something_to_go_by(models):
    job = make_job(b"text\n" + b"good film !\n" * 1000, lambda: models)
    assert job.seconds_left is None
    halted, before = Halted(job), time.monotonic()
    ReviewQueue().submit(job)
    assert halted.reached.wait(PATIENCE_S)
    of_what_is_done = (1 - job.share_done) / job.share_done
    assert 0 < job.seconds_left <= (time.monotonic() - before) * of_what_is_done
    job.stop()
    halted.go_on.set()
    assert job.wait(PATIENCE_S)


def test_each_row_says_which_share_of_its_words_no_model_knows_and_whether_it_was_cut(models):
    long = "good film " * 300
    job = make_job(f"text\ngood film\ngood frrzzt\n{long}\nфильм вообще плохой совсем\n".encode(), lambda: models)
    ReviewQueue().submit(job)
    assert job.wait(PATIENCE_S)
    table = scored(job)
    assert table.column(table.columns.index("share_unknown")) == ["0.0000", "0.5000", "0.0000", "1.0000"]
    assert table.column(table.columns.index("cut")) == ["", "", "cut to 400 of 600 words and marks", ""]
    assert (job.outcome.n_cut, job.outcome.n_foreign) == (1, 1)
    assert job.outcome.share_unknown == pytest.approx(1.5 / 4)


def test_a_word_counts_as_unknown_only_where_no_model_knows_it(models, own_vocabulary):
    job = make_job(b"text\ngood splendid\n", lambda: {**models, "lstm": own_vocabulary})
    ReviewQueue().submit(job)
    assert job.wait(PATIENCE_S)
    alone = own_vocabulary.predict_proba(["good splendid"])[0]
    assert float(results(job)["lstm"][0]) == pytest.approx(float(alone), abs=1e-4)
    assert scored(job).rows[0][-2] == "0.5000"


def test_a_finished_table_is_found_by_its_id_for_an_hour_and_no_longer(models, monkeypatch):
    queue = ReviewQueue()
    job = make_job(b"text\ngood\n", lambda: models)
    assert queue.find(job.id) is None
    queue.submit(job)
    assert queue.find(job.id) is job
    assert job.wait(PATIENCE_S)
    assert queue.find(job.id) is job
    assert queue.find("another id") is None
    assert 3500 < job.kept_until - time.monotonic() <= 3600
    job.kept_until = time.monotonic() - 1
    assert queue.find(job.id) is None


def test_a_finished_table_goes_in_time_although_nobody_asks(models, monkeypatch):
    monkeypatch.setattr(review_queue, "SECONDS_KEPT", -0.9)
    queue = ReviewQueue()
    job = make_job(b"text\ngood\n", lambda: models)
    queue.submit(job)
    assert job.wait(PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while queue.n_kept and time.monotonic() < deadline:
        time.sleep(0.02)
    assert queue.n_kept == 0


def test_finished_tables_are_kept_within_so_many_bytes_the_newest_longest(models, monkeypatch):
    monkeypatch.setattr(review_queue, "MAX_KEPT_BYTES", 400)
    queue = ReviewQueue()
    jobs = [make_job(b"text\ngood\n", lambda: models) for _ in range(3)]
    for job in jobs:
        queue.submit(job)
        assert job.wait(PATIENCE_S)
    assert len(jobs[0].outcome.written.content) < 200
    assert [queue.find(job.id) is job for job in jobs] == [False, True, True]


def test_ids_cannot_be_guessed():
    ids = {make_job(b"text\ngood\n", dict).id for _ in range(100)}
    assert len(ids) == 100
    assert {len(id_) for id_ in ids} == {16}
