from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

import seqdemo
from seqdemo.checkpoints import download, folder, hub, manifest, schema
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, HubError
from tests.checkpoints.conftest import OWNER, save_tiny
from tests.checkpoints.fake_hub import MODES, WEIGHTS, FakeHub
from tests.conftest import PATIENCE_S

FAILURES = {
    "hung": "The Hub did not answer in 1 s.",
    "hung body": "The Hub did not send everything in 1 s.",
    "slow": "The Hub did not send everything in 1 s.",
    "cut": f"The Hub broke off in the middle of {WEIGHTS}.",
    "short": f"{WEIGHTS} arrived from the Hub with a wrong size.",
    "corrupt": "its SHA-256 differs",
    "401": f"The Hub shows no repository {OWNER}/seqdemo-rnn-imdb (401): it is missing, private, or",
    "403": f"The Hub refuses access to {OWNER}/seqdemo-rnn-imdb (403).",
    "404": f"The Hub shows no repository {OWNER}/seqdemo-rnn-imdb (404)",
    "429": "too many requests from this network (429)",
    "500": "The Hub has a fault of its own (500)",
    "gated": f"The Hub asks to request access to {OWNER}/seqdemo-rnn-imdb first (403).",
    "no revision": "The Hub has no revision",
    "no file": "The Hub has no file config.json",
    "portal": "Something other than the Hub answered",
}


def fetch(*, answer_s: float = PATIENCE_S, total_s: float = PATIENCE_S) -> tuple[pathlib.Path, hub.Source]:
    return hub.fetch("rnn", answer_s=answer_s, total_s=total_s)


def cached_files() -> list[pathlib.Path]:
    return [path for path in hub.cache().rglob("models--*/*/**/*") if path.is_file()]


def test_every_mode_of_the_fake_hub_is_tried() -> None:
    assert set(FAILURES) | {"working"} == set(MODES)


def test_without_a_named_repository_no_network_is_touched(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    path, source = hub.resolve_local("rnn")
    assert path == pretrained / "rnn"
    assert (source.kind, source.repository, source.commit) == ("embedded", None, None)
    assert source.reason == "Embedded copy: no Hub repository is named yet."
    assert not hub.wants_fetch("rnn", source)
    assert not hub.wants_fetch("rnn", None)
    with pytest.raises(HubError, match="No Hub repository is named for rnn"):
        fetch()
    assert fake_hub.requests == []


def test_a_working_hub_is_used_once_and_then_its_cache(published: FakeHub) -> None:
    _, before = hub.resolve_local("rnn")
    assert before.reason == f"Embedded copy: {OWNER}/seqdemo-rnn-imdb is not in the cache."
    assert hub.wants_fetch("rnn", before)
    path, source = fetch()
    commit = published.repositories[f"{OWNER}/seqdemo-rnn-imdb"].commit
    assert (source.kind, source.commit) == ("hub", commit)
    assert folder.load(path).name == "rnn"
    published.stop()
    path, source = hub.resolve_local("rnn")
    assert (source.kind, source.repository, source.commit) == ("cache", f"{OWNER}/seqdemo-rnn-imdb", commit)
    assert source.reason == f"From the verified cache of {OWNER}/seqdemo-rnn-imdb."
    assert not hub.wants_fetch("rnn", source)
    assert folder.load(path).sha256 == schema.sha256(path / WEIGHTS)


def test_a_token_goes_to_the_hub_and_not_to_the_server_of_its_files(
    published: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch()
    sent = {path.startswith("/cdn/"): token for path, token in published.tokens.items()}
    assert sent == {False: "Bearer hf_secret", True: None}


@pytest.mark.parametrize("mode", FAILURES)
def test_whatever_the_hub_does_a_model_answers_at_once_and_the_reason_is_told(published: FakeHub, mode: str) -> None:
    published.mode = mode
    path, source = hub.resolve_local("rnn")
    assert folder.load(path).predict_proba(["a good film"]).shape == (1,)
    assert published.requests == [], "nobody waits for the Hub"
    assert source.kind == "embedded"
    limits = {"hung": {"answer_s": 1}, "hung body": {"total_s": 1}, "slow": {"total_s": 1}}
    with pytest.raises(HubError) as failure:
        fetch(**limits.get(mode, {}))
    assert FAILURES[mode] in str(failure.value)
    assert hub.resolve_local("rnn")[1].kind == "embedded"


def test_a_refused_connection_is_told_as_such(published: FakeHub) -> None:
    published.stop()
    assert folder.load(hub.resolve_local("rnn")[0]).name == "rnn"
    with pytest.raises(HubError, match=r"The connection to the Hub was refused\."):
        fetch()


def test_an_address_that_does_not_exist_is_told_as_such(published: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    with pytest.raises(HubError, match=r"The Hub cannot be reached|The Hub did not answer"):
        fetch()


def test_a_proxy_that_refuses_is_told_as_such(published: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    published.mode = "403"  # what a proxy says to CONNECT
    monkeypatch.setenv("HTTPS_PROXY", published.endpoint)
    monkeypatch.setenv("https_proxy", published.endpoint)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.invalid")
    with pytest.raises(HubError, match="proxy"):
        fetch()


def test_a_cache_that_cannot_be_written_to_is_told_as_such(
    published: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(HubError, match=r"The Hub's cache on this machine cannot be written to: .+\."):
        fetch()


def test_what_an_ended_download_left_is_removed_once_it_is_old(published: FakeHub) -> None:
    blobs = hub.cache() / f"models--{OWNER}--seqdemo-rnn-imdb" / "blobs"
    blobs.mkdir(parents=True)
    for name, age_s in {"old": 3600.0, "new": 0.0}.items():
        left = blobs / f"{name}.incomplete"
        left.touch()
        os.utime(left, (time.time() - age_s,) * 2)
    fetch()
    assert [left.name for left in blobs.glob("*.incomplete")] == ["new.incomplete"]


def test_a_process_of_a_server_that_is_gone_ends_by_itself(published: FakeHub) -> None:
    published.mode = "hung"
    request = {
        "repository": f"{OWNER}/seqdemo-rnn-imdb",
        "revision": "v1.0",
        "files": ["config.json"],
        "cache": str(hub.cache()),
        "answer_s": 0.5,
        "total_s": 0.5,
        "left_s": 0.5,
    }
    done = subprocess.run(download.arguments(request), capture_output=True, check=True, timeout=PATIENCE_S)
    assert json.loads(done.stdout) == {"error": "The Hub did not answer in 0.5 s."}


def test_a_corrupt_download_leaves_nothing_in_the_cache(published: FakeHub) -> None:
    published.mode = "corrupt"
    with pytest.raises(HubError, match="SHA-256 differs"):
        fetch()
    assert cached_files() == []
    assert len([request for request in published.requests if request.startswith("GET /cdn/")]) == 2


@pytest.mark.parametrize(("file", "links"), [(WEIGHTS, True), ("vocab.txt", True), (WEIGHTS, False)])
def test_a_tampered_cache_is_not_used_and_is_fetched_anew(
    published: FakeHub, monkeypatch: pytest.MonkeyPatch, file: str, links: bool
) -> None:
    monkeypatch.setenv("HF_HUB_DISABLE_SYMLINKS", "0" if links else "1")  # without links, as on Windows
    path, _ = fetch()
    assert (path / file).is_symlink() is links
    damaged = (path / file).resolve()
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    _, source = hub.resolve_local("rnn")
    assert source.kind == "embedded"
    assert file in source.reason
    assert hub.wants_fetch("rnn", source)
    path, source = fetch()
    assert source.kind == "hub"
    assert hub.resolve_local("rnn")[1].kind == "cache"


def test_a_cut_file_in_the_cache_is_fetched_anew(published: FakeHub) -> None:
    path, _ = fetch()
    cut = (path / WEIGHTS).resolve()
    cut.write_bytes(cut.read_bytes()[:100])
    assert "has 100 bytes" in hub.resolve_local("rnn")[1].reason
    fetch()
    assert hub.resolve_local("rnn")[1].kind == "cache"


def test_a_cache_that_lacks_a_file_is_not_used_and_is_completed(published: FakeHub) -> None:
    path, _ = fetch()
    (path / "history.json").unlink()
    assert hub.resolve_local("rnn")[1].kind == "embedded"
    fetch()
    assert hub.resolve_local("rnn")[1].kind == "cache"


def test_offline_with_a_warm_cache_uses_the_cache(published: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch()
    published.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path, source = hub.resolve_local("rnn")
    assert source.kind == "cache"
    assert folder.load(path).name == "rnn"
    assert not hub.wants_fetch("rnn", source)
    assert published.requests == []


def test_offline_with_a_cold_cache_uses_the_embedded_copy(published: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path, source = hub.resolve_local("rnn")
    assert folder.load(path).name == "rnn"
    assert source.reason == f"Embedded copy: offline mode is on and the cache does not hold {OWNER}/seqdemo-rnn-imdb."
    assert not hub.wants_fetch("rnn", source)
    with pytest.raises(HubError, match="Offline mode is on"):
        fetch()
    assert published.requests == []


def test_an_owner_named_by_the_environment_is_asked_for_the_tag(
    pretrained: pathlib.Path, fake_hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {file: (pretrained / "rnn" / file).read_bytes() for file in schema.FILES}
    commit = fake_hub.add("school/seqdemo-rnn-imdb", files)
    monkeypatch.setenv("SEQDEMO_HUB_OWNER", "school")
    assert hub.repository("rnn") == ("school/seqdemo-rnn-imdb", "v1.0")
    _, source = fetch()
    assert source.commit == commit
    assert hub.resolve_local("rnn")[1].kind == "cache"


def test_other_weights_under_the_tag_are_refused(
    pretrained: pathlib.Path, fake_hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    save_tiny(tmp_path / "other", seed=1)
    fake_hub.add("school/seqdemo-rnn-imdb", {file: (tmp_path / "other" / file).read_bytes() for file in schema.FILES})
    monkeypatch.setenv("SEQDEMO_HUB_OWNER", "school")
    with pytest.raises(HubError, match="manifest"):
        fetch()


def test_an_owner_that_is_no_name_is_told(pretrained: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDEMO_HUB_OWNER", "https://hub/me")
    path, source = hub.resolve_local("rnn")
    assert folder.load(path).name == "rnn"
    assert "SEQDEMO_HUB_OWNER" in source.reason
    assert not hub.wants_fetch("rnn", source)


def test_a_pinned_commit_is_kept_when_the_owner_is_named_too(
    published: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = hub.repository("rnn")
    monkeypatch.setenv("SEQDEMO_HUB_OWNER", OWNER)
    assert hub.repository("rnn") == pinned


@pytest.mark.parametrize(
    "change",
    [
        "not json",
        "[]",
        json.dumps({"format": 3, "folders": {}}),
        json.dumps({"format": 2, "folders": {"rnn": {"repository": "a/b", "commit": "main", "files": {}}}}),
        json.dumps({"format": 2, "folders": {"rnn": {"repository": "../b/c", "commit": None, "files": {}}}}),
        json.dumps({"format": 2, "folders": {"rnn": {"repository": "a/b", "commit": None, "files": {"x": 3}}}}),
    ],
)
def test_a_damaged_manifest_is_told_and_the_embedded_copy_answers(pretrained: pathlib.Path, change: str) -> None:
    (pretrained / manifest.NAME).write_text(change, encoding="utf-8")
    with pytest.raises(CheckpointCorruptError, match=manifest.NAME):
        manifest.read(pretrained)
    path, source = hub.resolve_local("rnn")
    assert folder.load(path).name == "rnn"
    assert manifest.NAME in source.reason
    assert not hub.wants_fetch("rnn", source)


def test_without_a_manifest_the_embedded_copy_answers(pretrained: pathlib.Path) -> None:
    (pretrained / manifest.NAME).unlink()
    assert hub.resolve_local("rnn")[1].reason == "Embedded copy: no Hub repository is named yet."


def test_a_retrained_model_loses_the_pin_of_the_published_one(published: FakeHub, pretrained: pathlib.Path) -> None:
    save_tiny(pretrained / "rnn", seed=1)
    manifest.update(pretrained)
    assert hub.repository("rnn") is None
    assert hub.repository("transformer") is not None


def test_a_name_without_an_embedded_copy_is_fetched_once(published: FakeHub, pretrained: pathlib.Path) -> None:
    shutil.rmtree(pretrained / "rnn")
    assert seqdemo.load("rnn").name == "rnn"
    published.stop()
    assert seqdemo.load("rnn").name == "rnn"


def test_a_name_without_any_copy_says_so(published: FakeHub, pretrained: pathlib.Path) -> None:
    shutil.rmtree(pretrained / "rnn")
    published.stop()
    with pytest.raises(HubError, match=r"^There is no rnn in pretrained, so that the Hub was asked\. The connection "):
        seqdemo.load("rnn")


def test_without_a_copy_and_a_repository_the_reader_says_what_to_set(pretrained: pathlib.Path) -> None:
    shutil.rmtree(pretrained / "rnn")
    with pytest.raises(
        CheckpointMissingError, match=r"SEQDEMO_PRETRAINED to a folder that holds them, .* or SEQDEMO_H"
    ):
        seqdemo.load("rnn")
    assert hub.resolve_local("rnn")[1].reason == "No embedded copy: no Hub repository is named yet."
