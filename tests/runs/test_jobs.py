"""The registry of runs, with real child processes: queue, pause, stop, caps, crashes, reloads, saving."""

import contextlib
import copy
import dataclasses
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile

import pytest

import seqdemo
from seqdemo.checkpoints import schema
from seqdemo.data import own_csv, tables
from seqdemo.errors import ConfigError, DataError, TrainingError
from seqdemo.runs import jobs as jobs_module
from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits, is_allowed
from seqdemo.runs.view import side_by_side
from seqdemo.training.loaded import read_result
from seqdemo.training.settings import RunSettings

SMALL = RunSettings(
    model="rnn", samples=200, distance=4, d_hidden=4, d_embed=4, epochs=1, device="cpu", precision="fp32"
)
LONG = dataclasses.replace(SMALL, task="first_token", model="gru", length=400, epochs=100, batch_size=2)
"""Minutes of computing, with its first sign within a second."""
WAIT_S = 240
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def make(tmp_path, **limits):
    return Jobs(tmp_path / "runs", Limits(**limits))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of a registry with one run that has ended, and the run's id."""
    with contextlib.closing(make(tmp_path_factory.mktemp("done"))) as jobs:
        run_id = jobs.start(SMALL)
        assert jobs.wait(run_id, ended, WAIT_S).state == "done"
    return jobs.root, run_id


@pytest.fixture
def jobs(tmp_path):
    made = make(tmp_path)
    yield made
    made.close()


def ended(view):
    return view.has_ended


def training(view):
    return view.state == "running" and bool(view.steps)


def test_a_run_tells_its_curves_and_leaves_a_model_that_can_be_saved_downloaded_and_loaded_back(jobs):
    run_id = jobs.start(SMALL, visitor="one")
    jobs.pause(run_id)  # so that it is seen before its end, however late one looks
    early = jobs.wait(run_id, lambda view: view.state == "paused", WAIT_S)
    before = copy.deepcopy(early)
    jobs.resume(run_id)
    view = jobs.wait(run_id, ended, WAIT_S)
    assert (view.state, view.message, view.place) == ("done", "", 0)
    assert early == before, "a view that was given away changes no more"
    assert view.version > early.version
    assert view.start["parameters"] > 0
    assert [entry["epoch"] for entry in view.epochs] == [0, 1]
    assert view.steps
    assert view.is_text_model
    assert seqdemo.load(view.folder).metrics["test_accuracy"] == view.done["metrics"]["test_accuracy"]

    assert jobs.save(run_id, " ../My <b>first</b> RNN!  ") == "My b first b RNN"
    assert jobs.view(run_id).name == "My b first b RNN"

    content = jobs.zip_bytes(run_id)
    assert set(zipfile.ZipFile(io.BytesIO(content)).namelist()) == set(schema.FILES)
    back = jobs.load_zip(content, read_result, name="Back again")
    loaded = jobs.view(back)
    assert back != run_id
    assert (loaded.state, loaded.name, loaded.is_text_model) == ("done", "Back again", True)
    assert loaded.settings == SMALL
    texts = ["The story was brilliant."]
    assert seqdemo.load(loaded.folder).predict_proba(texts) == seqdemo.load(view.folder).predict_proba(texts)

    row, row_back = side_by_side([view, loaded])
    assert row["test_accuracy"] == row_back["test_accuracy"] == view.done["metrics"]["test_accuracy"]
    assert row["epochs"] == 1

    # A reload, or another server with the same folder, finds it by its id.
    other = Jobs(jobs.root, Limits())
    again = other.view(run_id)
    assert (again.state, again.name, again.epochs) == ("done", "My b first b RNN", view.epochs)
    assert again.folder == view.folder
    other.close()


def test_two_run_at_a_time_and_the_others_know_their_place(tmp_path):
    jobs = make(tmp_path, max_jobs=2, max_each=10)
    ids = [jobs.start(LONG, visitor="one") for _ in range(4)]
    assert jobs.busy() == (2, 2)
    assert [jobs.view(run_id).place for run_id in ids] == [0, 0, 1, 2]
    assert [jobs.view(run_id).ahead for run_id in ids] == [0, 0, 2, 3]
    assert [jobs.view(run_id).state for run_id in ids[2:]] == ["queued", "queued"]
    jobs.stop(ids[2])
    assert jobs.view(ids[2]).state == "killed"
    assert "before it began" in jobs.view(ids[2]).message
    assert jobs.view(ids[3]).place == 1
    jobs.stop(ids[0])
    moved = jobs.wait(ids[3], lambda view: view.state != "queued", WAIT_S)
    assert moved.place == 0
    assert jobs.busy()[1] == 0
    jobs.close()
    assert jobs.busy() == (0, 0)


def test_twenty_clicks_in_a_second_start_four_runs_and_another_visitor_still_has_a_turn(tmp_path):
    jobs = make(tmp_path, max_jobs=1)
    started, refused = [], []

    def click():
        try:
            started.append(jobs.start(LONG, visitor="eager"))
        except TrainingError as error:
            refused.append(str(error))

    clicks = [threading.Thread(target=click) for _ in range(20)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert len(set(started)) == 4
    assert len(refused) == 16
    assert set(refused) == {"You have 4 runs that have not ended; stop one of them first."}
    other = jobs.start(SMALL, visitor="patient")
    assert jobs.view(other).place == 4
    jobs.close()


def test_the_queue_has_an_end(tmp_path):
    jobs = make(tmp_path, max_jobs=1, max_waiting=1, max_each=10)
    jobs.start(LONG)
    jobs.start(LONG)
    with pytest.raises(TrainingError, match="1 runs are waiting already"):
        jobs.start(LONG)
    jobs.close()
    with pytest.raises(TrainingError, match="stopping"):
        jobs.start(LONG)


def test_a_run_is_paused_goes_on_and_is_stopped_with_its_best_epoch(jobs):
    run_id = jobs.start(dataclasses.replace(LONG, length=40))
    jobs.wait(run_id, lambda view: len(view.epochs) > 1, WAIT_S)
    jobs.pause(run_id)
    paused = jobs.wait(run_id, lambda view: view.state == "paused", WAIT_S)
    assert paused.state == "paused"
    jobs.resume(run_id)
    assert jobs.wait(run_id, lambda view: view.state == "running", WAIT_S).state == "running"
    jobs.pause(run_id)
    jobs.wait(run_id, lambda view: view.state == "paused", WAIT_S)
    jobs.stop(run_id)
    view = jobs.wait(run_id, ended, WAIT_S)
    assert (view.state, view.message) == ("done", "Stopped by hand.")
    assert view.folder.is_dir()
    again = jobs.again(run_id, seed=7)
    assert jobs.view(again).settings == dataclasses.replace(view.settings, seed=7)


@posix
def test_a_child_that_is_killed_is_reported_as_such_and_the_next_one_starts(tmp_path):
    jobs = make(tmp_path, max_jobs=1)
    victim, following = jobs.start(LONG), jobs.start(LONG)
    jobs.wait(victim, training, WAIT_S)
    os.kill(jobs._jobs[victim].child.process.pid, signal.SIGKILL)
    view = jobs.wait(victim, ended, WAIT_S)
    assert view.state == "killed"
    assert view.message == "The run ended: its process was killed from outside (signal 9)."
    assert view.folder is None
    assert not list((jobs.root / victim).glob(".*")), "no half-written state is left"
    assert jobs.wait(following, lambda view: view.state != "queued", WAIT_S).state in {"starting", "running"}
    jobs.close()
    other = Jobs(jobs.root, Limits())
    assert other.view(victim).state == "killed", "also after a restart"
    other.close()


def test_closing_leaves_no_process(tmp_path):
    jobs = make(tmp_path)
    ids = [jobs.start(LONG)]
    jobs.wait(ids[0], training, WAIT_S)
    ids.append(jobs.start(LONG))  # which has hardly begun
    processes = [jobs._jobs[run_id].child.process for run_id in ids]
    jobs.close()
    assert all(process.poll() is not None for process in processes)
    assert [jobs.view(run_id).message for run_id in ids] == ["The server was stopped."] * 2


def test_a_run_that_nobody_watches_ends_with_its_reason_and_a_watched_one_goes_on(tmp_path):
    jobs = make(tmp_path, max_jobs=2)
    unwatched, watched = jobs.start(LONG), jobs.start(SMALL)
    job = jobs._jobs[unwatched]
    with jobs._changed:  # nobody has looked at either for long; now someone looks at one of them
        for run_id in (unwatched, watched):
            jobs._jobs[run_id].seen -= 2 * jobs.limits.unwatched_s
        jobs.view(watched)
    found = jobs.wait(watched, ended, WAIT_S)
    assert (found.state, found.message) == ("done", "")
    with jobs._changed:
        assert jobs._changed.wait_for(lambda: job.view.has_ended, WAIT_S)
    assert job.view.message == "Ended because nobody had been watching."
    jobs.close()
    later = Jobs(jobs.root, Limits())
    found = later.view(unwatched)
    assert (found.state, found.message) == (job.view.state, job.view.message), "also on a server started anew"
    later.close()


def test_a_failure_is_told_with_the_setting_that_teaches_it(jobs):
    exploding = RunSettings(
        task="adding", model="rnn", length=10, optimiser="sgd", learning_rate=10.0, clip_norm=0.0, device="cpu"
    )
    view = jobs.wait(jobs.start(exploding), ended, WAIT_S)
    assert view.state == "failed"
    assert view.kind in {"nan", "explosion"}
    assert view.setting == "clip_norm"
    assert "clipping" in view.advice
    assert view.folder is None
    with pytest.raises(TrainingError, match="no result"):
        jobs.save(view.id, "name")
    with pytest.raises(TrainingError, match="no result"):
        jobs.zip_bytes(view.id)


def test_a_run_that_needs_too_much_memory_is_ended_with_a_sentence(tmp_path):
    jobs = make(tmp_path, max_memory_mb=20)
    view = jobs.wait(jobs.start(SMALL), ended, WAIT_S)
    assert (view.state, view.kind) == ("failed", "memory")
    assert "more than 20 MB" in view.message
    jobs.close()


@posix
def test_a_full_disk_ends_the_run_with_a_sentence_and_no_half_a_result(tmp_path, monkeypatch):
    # A limit on the size of files stands for the full disk; children inherit it.
    code = f"""
import json, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits
from seqdemo.training.settings import RunSettings
jobs = Jobs({str(tmp_path / "runs")!r}, Limits())
run_id = jobs.start(RunSettings(**json.loads(sys.argv[1])))
view = jobs.wait(run_id, lambda view: view.has_ended, {WAIT_S})
print(view.state, view.message)
jobs.close()
"""
    settings = json.dumps(dataclasses.asdict(dataclasses.replace(SMALL, d_hidden=64)))
    root = str(pathlib.Path(seqdemo.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code, settings], capture_output=True, text=True, cwd=root, check=True, timeout=WAIT_S
    )
    assert done.stdout.startswith("failed ")
    assert "is the disk full?" in done.stdout
    assert not list((tmp_path / "runs").rglob("checkpoint"))
    assert not list((tmp_path / "runs").rglob(".checkpoint*"))


def test_a_deleted_folder_is_noticed(done, tmp_path):
    jobs = Jobs(shutil.copytree(done[0], tmp_path / "runs"), Limits())
    shutil.rmtree(jobs.view(done[1]).folder)
    view = jobs.view(done[1])
    assert (view.state, view.folder, view.message) == ("done", None, "The result's folder was deleted.")
    with pytest.raises(TrainingError, match="no result"):
        jobs.zip_bytes(done[1])
    jobs.close()


def test_a_visitor_sees_no_run_without_its_id(jobs):
    run_id = jobs.start(SMALL, visitor="one")
    assert len(run_id) == 16
    assert jobs.view(run_id) is not None
    assert jobs.view(run_id[:-1] + ("A" if run_id[-1] != "A" else "B")) is None
    for strange in ("", "..", "../" + run_id, "a/b", run_id + "/../" + run_id, "x" * 16):
        assert jobs.view(strange) is None
    with pytest.raises(TrainingError, match="no such run"):
        jobs.again("x" * 16)
    jobs.stop("x" * 16)
    jobs.pause("x" * 16)


def test_a_run_belongs_to_who_started_or_loaded_it_also_after_the_server_was_started_anew(
    tmp_path, checkpoint_folders, zipped
):
    first = make(tmp_path)
    started = first.start(SMALL, visitor="one")
    good = {path.name: path.read_bytes() for path in checkpoint_folders["gru"].iterdir()}
    loaded = first.load_zip(zipped(**good), read_result, visitor="two")
    nobodys = first.load_zip(zipped(**good), read_result)
    assert first.belongs_to(first.again(started, visitor="two"), "two"), "whoever repeats a run has the new one"
    first.close()
    second = make(tmp_path)
    for jobs in (first, second):
        for run_id, owner in ((started, "one"), (loaded, "two"), (nobodys, None), ("x" * 16, None)):
            assert [visitor for visitor in ("one", "two", "") if jobs.belongs_to(run_id, visitor)] == [
                visitor for visitor in (owner,) if visitor
            ]
    assert not any(b"one" in path.read_bytes() for path in second.root.glob("*/owner.txt")), "only a hash is kept"
    second.close()


def finished(root, run_id, *, name="", label=None, owner="", size=100, age_hours=0.0):
    """A finished run of an earlier server, which stands there whole and at its age at once: sweeping never rests."""
    home = root.parent / run_id
    (home / "checkpoint").mkdir(parents=True)
    (home / "checkpoint" / "model.safetensors").write_bytes(b"0" * size)
    (home / "settings.json").write_text(json.dumps(dataclasses.asdict(SMALL)))
    (home / "owner.txt").write_text(hashlib.sha256(owner.encode()).hexdigest() if owner else "")
    done = {"event": "done", "reason": "finished", "folder": "elsewhere", "is_text_model": True, "metrics": {}, "at": 9}
    (home / "events.jsonl").write_text(json.dumps({**done, "best_epoch": 1}) + "\n{cut off")
    then = time.time() - 3600 * age_hours
    for file, text in (("name.txt", name or None), ("label.txt", label)):
        if text is not None:
            (home / file).write_text(text)
            os.utime(home / file, (then, then))
    os.utime(home, (then, then))
    root.mkdir(exist_ok=True)
    home.rename(root / run_id)
    return run_id


def there(jobs):
    """The letters of the runs that `finished` made and that are still there; others have random names."""
    return {path.name[0] for path in jobs.root.iterdir() if len(set(path.name)) == 1}


def test_old_runs_that_are_not_saved_make_room_and_saved_ones_stay(tmp_path):
    jobs = make(tmp_path, kept_mb=1, max_jobs=1)
    saved = finished(jobs.root, "s" * 16, name="kept", size=300_000, age_hours=100)
    old = finished(jobs.root, "o" * 16, age_hours=25)
    large = finished(jobs.root, "l" * 16, size=600_000, age_hours=2)
    larger = finished(jobs.root, "m" * 16, size=500_000, age_hours=1)
    assert jobs.view(larger).folder == jobs.root / larger / "checkpoint", "found where it lies now"
    jobs.start(LONG)
    assert [jobs.view(run_id) is not None for run_id in (saved, old, large, larger)] == [True, False, False, True]
    with pytest.raises(TrainingError, match="used up"):
        jobs.save(finished(jobs.root, "x" * 16, size=400_000), "too much")
    finished(jobs.root, "y" * 16, name="kept too", size=900_000)
    with pytest.raises(TrainingError, match="space for runs is used up"):
        jobs.start(LONG)
    jobs.close()


def test_what_is_too_old_is_deleted_on_a_server_that_nobody_visits(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module, "_SECONDS_BETWEEN_SWEEPS", 0.05)
    root, begun = tmp_path / "runs", time.time()
    finished(root, "d" * 16, name="for long", age_hours=24 * 29)
    finished(root, "e" * 16, name="for too long", age_hours=24 * 31)
    finished(root, "l" * 16, label="loaded", age_hours=25)
    finished(root, "n" * 16, age_hours=23)
    finished(root, "o" * 16, age_hours=25)
    half = root / ("h" * 16)
    (half / "checkpoint").mkdir(parents=True)
    (half / "owner.txt").write_text("")
    os.utime(half, (time.time() - 7200, time.time() - 7200))
    (root / "not-a-run-of-us!").mkdir()
    (root / "sixteen-letters_").mkdir()
    jobs = make(tmp_path)
    deadline = time.monotonic() + WAIT_S
    while {"e", "l", "o", "h"} & there(jobs) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert {path.name for path in root.iterdir()} == {"d" * 16, "n" * 16, "not-a-run-of-us!", "sixteen-letters_"}
    assert jobs.view("n" * 16).kept_until - begun == pytest.approx(3600, abs=60)
    assert jobs.view("d" * 16).kept_until - begun == pytest.approx(86400, abs=60)
    finished(root, "a" * 16, age_hours=25)
    while "a" in there(jobs) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "a" not in there(jobs), "again and again"
    jobs.close()


def test_a_run_is_deleted_at_once_where_its_visitor_wants_it(jobs):
    content = b"text,label\n" + b"a good day,yes\na bad day,no\n" * 2_000
    run_id = jobs.start(dataclasses.replace(LONG, task="own"), table=content)
    with pytest.raises(TrainingError, match="stop it first"):
        jobs.delete(run_id)
    jobs.stop(run_id)
    jobs.wait(run_id, ended, WAIT_S)
    assert b"a bad day" in (jobs.root / run_id / "data.json").read_bytes()
    jobs.delete(run_id)
    assert not (jobs.root / run_id).exists()
    assert jobs.view(run_id) is None
    with pytest.raises(TrainingError, match="no such run"):
        jobs.delete(run_id)


def test_a_visitor_finds_all_runs_that_are_his_without_a_link(jobs, checkpoint_folders, zipped):
    good = {path.name: path.read_bytes() for path in checkpoint_folders["gru"].iterdir()}
    loaded = jobs.load_zip(zipped(**good), read_result, visitor="one")
    started = jobs.start(LONG, visitor="one")
    jobs.start(LONG, visitor="two")
    assert sorted(jobs.of("one")) == sorted([loaded, started])
    assert jobs.of("nobody") == jobs.of("") == []
    later = Jobs(jobs.root, Limits())
    assert sorted(later.of("one")) == sorted([loaded, started])
    later.close()


def test_one_visitor_cannot_fill_the_space_of_all(tmp_path, checkpoint_folders, zipped):
    jobs = make(tmp_path, kept_mb=1, max_models=3)
    good = {path.name: path.read_bytes() for path in checkpoint_folders["gru"].iterdir()}
    theirs = finished(jobs.root, "t" * 16, owner="two", size=10_000, age_hours=20)
    loaded = [jobs.load_zip(zipped(**good), read_result, visitor="one") for _ in range(3)]
    with pytest.raises(TrainingError, match="You have 3 saved or loaded models here, and no more are kept"):
        jobs.load_zip(zipped(**good), read_result, visitor="one")
    jobs.delete(loaded[0])
    jobs.save(loaded[1], "kept")
    jobs.load_zip(zipped(**good), read_result, visitor="one")
    with pytest.raises(TrainingError, match="3 saved or loaded models"):
        jobs.save(finished(jobs.root, "z" * 16, owner="one"), "one more")
    finished(jobs.root, "b" * 16, owner="one", size=90_000, age_hours=3)
    finished(jobs.root, "c" * 16, owner="one", size=90_000, age_hours=2)
    jobs.start(LONG, visitor="one", table=b"0" * 50_000)
    assert "b" not in there(jobs), "his own oldest makes room, although another's is older"
    assert {"c", "t"} <= there(jobs)
    finished(jobs.root, "d" * 16, owner="one", name="kept", size=190_000)
    with pytest.raises(TrainingError, match=r"above the 0 MB of one visitor \(0\.\d MB are used\)"):
        jobs.start(LONG, visitor="one")
    assert jobs.view(theirs) is not None
    jobs.close()


def test_where_all_space_is_used_the_one_who_holds_most_of_it_gives_way(tmp_path):
    jobs = make(tmp_path, kept_mb=1)
    finished(jobs.root, "t" * 16, owner="two", size=10_000, age_hours=20)
    for number, letter in enumerate("abcdef"):
        finished(jobs.root, letter * 16, size=190_000, age_hours=number)
    jobs.start(LONG, visitor="three")
    assert {"a", "b", "c", "d", "e", "t"} <= there(jobs)
    assert "f" not in there(jobs)
    jobs.close()


def test_an_ended_run_that_nobody_looks_at_is_not_kept_in_memory(tmp_path):
    jobs = make(tmp_path, unwatched_s=0.2)
    run_id = finished(jobs.root, "r" * 16)
    assert jobs.view(run_id) is not None
    with jobs._changed:
        jobs._changed.notify_all()
    deadline = time.monotonic() + WAIT_S
    while run_id in jobs._jobs and time.monotonic() < deadline:
        with jobs._changed:
            jobs._changed.notify_all()
        time.sleep(0.05)
    assert run_id not in jobs._jobs
    assert jobs.view(run_id) is not None
    jobs.close()


@posix
def test_nobody_else_may_read_what_a_run_leaves(done):
    paths = [done[0], *done[0].rglob("*")]
    assert "model.safetensors" in {path.name for path in paths}
    for path in paths:
        assert path.stat().st_mode & 0o077 == 0, path


def test_training_can_be_switched_off(jobs, monkeypatch):
    for word in ("off", "OFF", "0"):
        monkeypatch.setenv("SEQDEMO_TRAINING", word)
        assert not is_allowed()
        with pytest.raises(TrainingError, match="switched off"):
            jobs.start(SMALL)
    monkeypatch.delenv("SEQDEMO_TRAINING")
    assert is_allowed()


def test_limits_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("SEQDEMO_MAX_JOBS", "5")
    monkeypatch.setenv("SEQDEMO_MAX_SECONDS", "12.5")
    assert Limits.from_environment() == Limits(max_jobs=5, max_seconds=12.5)
    for word in ("none", "0", "-1"):
        monkeypatch.setenv("SEQDEMO_MAX_JOBS", word)
        with pytest.raises(ConfigError, match="SEQDEMO_MAX_JOBS must be a whole number from 1 to 1,000"):
            Limits.from_environment()


def test_an_own_file_is_checked_before_anything_starts(jobs):
    own = dataclasses.replace(SMALL, task="own", epochs=1)
    with pytest.raises(DataError, match="Which column holds the labels"):
        jobs.start(own, table=b"text\nfine\n")
    with pytest.raises(DataError, match="Which label is the positive one"):
        jobs.start(own, table=b"text,label\n" + b"a good day,ham\na bad day,spam\n" * 20)
    assert list(jobs.root.iterdir()) == []
    content = b"id,text,label\n" + b"name@x.org,a good day,yes\nname@x.org,a bad day,no\n" * 20
    run_id = jobs.start(own, table=content)
    kept = (jobs.root / run_id / "data.json").read_bytes()
    assert b"a good day" in kept
    assert b"name@x.org" not in kept, "what is learned is kept, nothing else"


@pytest.mark.parametrize("positive", [None, "1"])
def test_the_positive_class_of_a_trained_model_is_that_of_the_file_or_of_the_visitor(jobs, positive):
    table = tables.read(b"text,stars\n" + b"a wonderful warm film,5\na dull bad film,1\n" * 60, "yelp.csv")
    two = own_csv.TwoColumns.of(table, table.text_column, table.label_column)
    found = two.labelled(two.proposed(positive))
    own = dataclasses.replace(SMALL, task="own", model="gru", d_hidden=8, d_embed=8, epochs=6, learning_rate=0.03)
    run_id = jobs.start(own, table=own_csv.written(found))
    repeated = [jobs.again(run_id)] if positive else []
    for view in [jobs.wait(one, ended, WAIT_S) for one in (run_id, *repeated)]:
        assert view.done["metrics"]["test_accuracy"] == 1
        assert view.done["confusion"]["labels"] == (["5", "1"] if positive else ["1", "5"])
        good, bad = seqdemo.load(view.folder).predict_proba(["a wonderful warm film", "a dull bad film"])
        assert (good > 0.5 > bad) if positive is None else (bad > 0.5 > good)
