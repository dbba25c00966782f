from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Callable

import pytest
import safetensors.torch
import torch

from seqdemo.checkpoints import publish, schema
from seqdemo.checkpoints.store import ModelStore
from tests.checkpoints.conftest import OWNER, pin, save_tiny
from tests.checkpoints.fake_hub import FakeHub

NAMES = ("rnn", "transformer")
LIMIT_S = 30.0


def started(on_local: Callable[[], None] = lambda: None) -> ModelStore:
    store = ModelStore(NAMES)
    store.start(on_local)
    assert store.wait(LIMIT_S)
    return store


def wait_until_fetched(store: ModelStore) -> None:
    """The store tells nobody that a fetch has ended: pages ask it each time they are drawn."""
    end = time.monotonic() + LIMIT_S
    while any(status.fetching for status in store.statuses()):
        assert time.monotonic() < end, store.statuses()
        time.sleep(0.01)


@pytest.fixture
def newer(pretrained: pathlib.Path, fake_hub: FakeHub, tmp_path: pathlib.Path) -> FakeHub:
    """The Hub has other weights than the embedded copy, and the manifest names them."""
    kept = pretrained / "rnn"
    kept.rename(tmp_path / "kept")
    save_tiny(pretrained / "rnn", seed=1)
    publish.update_manifest(pretrained)
    pin(pretrained, fake_hub)
    for file in (pretrained / "rnn").iterdir():
        file.unlink()
    (pretrained / "rnn").rmdir()
    (tmp_path / "kept").rename(kept)
    return fake_hub


def test_before_the_start_every_model_is_loading(pretrained: pathlib.Path) -> None:
    store = ModelStore(NAMES)
    assert not store.settled
    assert [status.state for status in store.statuses()] == ["loading", "loading"]
    assert store.ready() == {}
    assert store.get("rnn") is None


def test_local_copies_answer_and_no_network_is_touched(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    told = threading.Event()
    store = started(told.set)
    assert store.settled
    assert told.wait(LIMIT_S)
    assert list(store.ready()) == list(NAMES)
    for status in store.statuses():
        assert (status.state, status.fetching, status.can_retry, status.arrived) == ("ready", False, False, None)
        assert status.source is not None
        assert status.note == status.source.reason == "Embedded copy: no Hub repository is named yet."
        store.retry(status.name)
        assert not store.status(status.name).fetching
    assert fake_hub.requests == []


def test_it_starts_once(pretrained: pathlib.Path) -> None:
    calls: list[int] = []
    done = threading.Event()

    def count() -> None:
        calls.append(1)
        done.set()

    store = started(count)
    assert done.wait(LIMIT_S)
    loaded = store.get("rnn")
    store.start(count)
    assert store.wait(LIMIT_S)
    assert store.get("rnn") is loaded
    assert calls == [1]


def test_a_broken_model_says_why_and_the_others_answer(pretrained: pathlib.Path) -> None:
    (pretrained / "rnn" / "vocab.txt").unlink()
    store = started()
    assert list(store.ready()) == ["transformer"]
    status = store.status("rnn")
    assert (status.state, status.source, status.can_retry) == ("failed", None, False)
    assert "vocab.txt not found" in status.note


def test_an_error_that_nobody_foresaw_is_told_too(
    pretrained: pathlib.Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = safetensors.torch.load_file

    def scarce(path: pathlib.Path) -> dict[str, torch.Tensor]:
        if path.is_relative_to(pretrained / "rnn"):
            raise MemoryError("no room")
        return real(path)

    monkeypatch.setattr(safetensors.torch, "load_file", scarce)
    store = started()
    assert list(store.ready()) == ["transformer"]
    assert store.status("rnn").state == "failed"
    assert "MemoryError: no room" in store.status("rnn").note
    assert "MemoryError" in caplog.text


def test_a_damaged_manifest_stops_no_model(pretrained: pathlib.Path) -> None:
    (pretrained / "manifest.json").write_text("?", encoding="utf-8")
    (pretrained / "rnn" / "vocab.txt").unlink()
    store = started()
    assert list(store.ready()) == ["transformer"]
    assert "manifest.json is no manifest" in store.status("transformer").note
    assert not store.status("rnn").can_retry


def test_weights_that_arrive_wait_until_they_are_asked_for(newer: FakeHub) -> None:
    store = started()
    wait_until_fetched(store)
    status = store.status("rnn")
    assert status.state == "ready"
    assert status.source is not None
    assert status.source.kind == "embedded"
    assert status.arrived is not None
    assert (status.arrived.kind, status.arrived.repository) == ("hub", f"{OWNER}/seqdemo-rnn-imdb")
    old, new = store.get("rnn"), store.get("rnn", newest=True)
    assert old is not None
    assert new is not None
    assert old.sha256 != new.sha256
    assert store.ready()["rnn"] is old
    assert store.ready(newest=frozenset({"rnn"}))["rnn"] is new


def test_the_same_weights_from_the_hub_need_no_click(published: FakeHub) -> None:
    store = started()
    wait_until_fetched(store)
    for status in store.statuses():
        assert status.source is not None
        assert (status.source.kind, status.arrived, status.can_retry) == ("hub", None, False)
        assert status.note == f"From {OWNER}/seqdemo-{status.name}-imdb on the Hub."


def test_a_second_start_of_the_program_uses_the_cache(published: FakeHub) -> None:
    wait_until_fetched(started())
    published.requests.clear()
    store = started()
    assert [status.source.kind for status in store.statuses() if status.source] == ["cache", "cache"]
    wait_until_fetched(store)
    assert published.requests == []


def test_a_failed_fetch_says_why_and_a_retry_may_succeed(newer: FakeHub) -> None:
    newer.mode = "500"
    store = started()
    wait_until_fetched(store)
    status = store.status("rnn")
    assert status.source is not None
    assert status.note == status.source.reason
    assert status.note == "Embedded copy. The Hub has a fault of its own (500); try again later."
    assert (status.state, status.can_retry, status.arrived) == ("ready", True, None)
    assert store.get("rnn", newest=True) is store.get("rnn")
    newer.mode = "working"
    store.retry("rnn")
    assert store.status("rnn").fetching
    wait_until_fetched(store)
    assert store.status("rnn").arrived is not None
    assert not store.status("rnn").can_retry


def test_a_hub_that_hangs_keeps_no_model_waiting(published: FakeHub) -> None:
    published.mode = "hung"
    began = time.monotonic()
    store = started()
    assert time.monotonic() - began < 3
    assert list(store.ready()) == list(NAMES)
    assert all(status.fetching for status in store.statuses())
    published.stop()  # ends the fetches, so that the test need not wait for their deadlines
    wait_until_fetched(store)
    assert all(status.can_retry for status in store.statuses())


def test_a_model_without_an_embedded_copy_comes_from_the_hub(published: FakeHub, pretrained: pathlib.Path) -> None:
    (pretrained / "rnn" / schema.WEIGHTS).unlink()
    store = started()
    wait_until_fetched(store)
    status = store.status("rnn")
    assert status.state == "ready"
    assert status.source is not None
    assert status.source.kind == "hub"
    assert store.get("rnn") is not None


def test_without_any_copy_both_reasons_are_told(published: FakeHub, pretrained: pathlib.Path) -> None:
    published.stop()
    (pretrained / "rnn" / schema.WEIGHTS).unlink()
    store = started()
    wait_until_fetched(store)
    status = store.status("rnn")
    assert (status.state, status.can_retry) == ("failed", True)
    assert f"{schema.WEIGHTS} not found" in status.note
    assert "The connection to the Hub was refused." in status.note


def test_clicks_at_once_ask_the_hub_once(newer: FakeHub) -> None:
    newer.mode = "500"
    store = started()
    wait_until_fetched(store)
    newer.mode = "working"
    newer.requests.clear()
    together = threading.Barrier(8)

    def click() -> None:
        together.wait(LIMIT_S)
        store.retry("rnn")

    clicks = [threading.Thread(target=click) for _ in range(8)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join(LIMIT_S)
    wait_until_fetched(store)
    assert len([request for request in newer.requests if request.startswith("GET /cdn/")]) == 1
