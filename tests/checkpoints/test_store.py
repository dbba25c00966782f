from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Callable

import pytest
import safetensors.torch
import torch

from seqdemo.checkpoints import hub, schema
from seqdemo.checkpoints.store import ModelStore
from tests.checkpoints.conftest import OWNER
from tests.checkpoints.fake_hub import FakeHub
from tests.conftest import PATIENCE_S

NAMES = ("rnn", "transformer")


def started(on_local: Callable[[], None] = lambda: None) -> ModelStore:
    store = ModelStore(NAMES)
    store.start(on_local)
    assert store.wait(PATIENCE_S)
    return store


def wait_until_fetched(store: ModelStore) -> None:
    """The store tells nobody that a fetch has ended: pages ask it each time they are drawn."""
    end = time.monotonic() + PATIENCE_S
    while any(status.fetching for status in store.statuses()):
        assert time.monotonic() < end, store.statuses()
        time.sleep(0.01)


@pytest.fixture
def damaged(published: FakeHub, pretrained: pathlib.Path) -> FakeHub:
    """The Hub has the weights that the manifest names; the embedded RNN has others, of the same size."""
    flip(pretrained / "rnn" / schema.WEIGHTS)
    return published


def flip(path: pathlib.Path) -> None:
    """Changes the last byte of a file: in weights, the last number."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 0x80]))


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
    assert told.wait(PATIENCE_S)
    assert list(store.ready()) == list(NAMES)
    for status in store.statuses():
        assert (status.state, status.fetching, status.can_retry) == ("ready", False, False)
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
    assert done.wait(PATIENCE_S)
    loaded = store.get("rnn")
    store.start(count)
    assert store.wait(PATIENCE_S)
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


@pytest.mark.parametrize("file", [schema.WEIGHTS, schema.VOCABULARY, schema.CONFIG, schema.METRICS])
def test_a_damaged_embedded_copy_is_refused_and_the_others_answer(pretrained: pathlib.Path, file: str) -> None:
    flip(pretrained / "rnn" / file)
    store = started()
    assert list(store.ready()) == ["transformer"]
    status = store.status("rnn")
    assert (status.state, status.source) == ("failed", None)
    assert f"{file} of pretrained/rnn is not the file that the manifest names: its SHA-256 differs." in status.note
    assert str(pretrained.parent) not in status.note


def test_where_the_embedded_copy_is_damaged_the_model_comes_from_the_hub(damaged: FakeHub) -> None:
    store = started()
    wait_until_fetched(store)
    status = store.status("rnn")
    assert (status.state, status.note) == ("ready", f"From {OWNER}/seqdemo-rnn-imdb on the Hub.")
    assert store.get("rnn") is not None


def test_the_same_weights_come_from_the_hub(published: FakeHub) -> None:
    store = started()
    wait_until_fetched(store)
    for status in store.statuses():
        assert status.source is not None
        assert (status.source.kind, status.can_retry) == ("hub", False)
        assert status.note == f"From {OWNER}/seqdemo-{status.name}-imdb on the Hub."


def test_a_second_start_of_the_program_uses_the_cache(published: FakeHub) -> None:
    wait_until_fetched(started())
    published.requests.clear()
    store = started()
    assert [status.source.kind for status in store.statuses() if status.source] == ["cache", "cache"]
    wait_until_fetched(store)
    assert published.requests == []


def test_a_failed_fetch_says_why_and_a_retry_may_succeed(published: FakeHub) -> None:
    published.mode = "500"
    store = started()
    wait_until_fetched(store)
    status = store.status("rnn")
    assert status.source is not None
    assert status.note == status.source.reason
    assert (status.state, status.can_retry) == ("ready", True)
    published.mode = "working"
    store.retry("rnn")
    wait_until_fetched(store)
    assert store.status("rnn").note == f"From {OWNER}/seqdemo-rnn-imdb on the Hub."
    assert not store.status("rnn").can_retry


def test_where_the_cache_and_the_hub_both_fail_both_reasons_are_told(published: FakeHub) -> None:
    wait_until_fetched(started())
    flip(next(hub.cache().rglob(f"*rnn*/**/{schema.WEIGHTS}")).resolve())
    published.mode = "500"
    store = started()
    wait_until_fetched(store)
    both = (
        f"Embedded copy. {schema.WEIGHTS} of the Hub's copy is not the file that the manifest names: "
        "its SHA-256 differs. The Hub has a fault of its own (500); try again later."
    )
    assert store.status("rnn").note == both
    store.retry("rnn")
    wait_until_fetched(store)
    assert store.status("rnn").note == both, "a second try adds nothing to what the first one said"


def test_models_are_asked_for_side_by_side(published: FakeHub) -> None:
    published.mode = "hung body"
    store = started()
    end = time.monotonic() + PATIENCE_S
    while len({path for path in published.requests if path.startswith("GET /cdn/")}) < len(NAMES):
        assert time.monotonic() < end, published.requests
        time.sleep(0.01)
    assert all(status.fetching for status in store.statuses()), "each is still on its way"
    published.stop()
    wait_until_fetched(store)


def test_a_hub_that_trickles_keeps_no_model_longer_than_the_bound(published: FakeHub) -> None:
    published.mode = "slow"
    store = ModelStore(NAMES, total_s=1)
    store.start()
    assert store.wait(PATIENCE_S)
    wait_until_fetched(store)
    for status in store.statuses():
        assert status.state == "ready"
        assert status.note.endswith("The Hub did not send everything in 1 s.")


def test_a_hub_that_hangs_keeps_no_model_waiting(published: FakeHub) -> None:
    published.mode = "hung"
    store = started()
    assert list(store.ready()) == list(NAMES)
    assert all(status.fetching for status in store.statuses()), "nobody waited for the Hub's answer"
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


def test_clicks_at_once_ask_the_hub_once(published: FakeHub) -> None:
    published.mode = "500"
    store = started()
    wait_until_fetched(store)
    published.mode = "working"
    published.requests.clear()
    together = threading.Barrier(8)

    def click() -> None:
        together.wait(PATIENCE_S)
        store.retry("rnn")

    clicks = [threading.Thread(target=click) for _ in range(8)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join(PATIENCE_S)
    wait_until_fetched(store)
    assert len([request for request in published.requests if request.startswith("GET /cdn/")]) == 1
