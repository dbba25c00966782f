from __future__ import annotations

import pathlib

import pytest

from seqdemo.checkpoints import folder, hub, manifest, publish, schema
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, HubError
from tests.checkpoints.conftest import OWNER, save_tiny
from tests.checkpoints.fake_hub import FakeHub

NAMES = ("rnn", "transformer")


def upload(pretrained: pathlib.Path, server: FakeHub, **changes: object) -> dict[str, hub.Repository]:
    settings = {"names": NAMES, "pretrained": pretrained, "token": "hf_good", "endpoint": server.endpoint, **changes}
    return publish.publish(OWNER, **settings)


def test_published_models_are_pinned_tagged_and_come_back_byte_for_byte(
    pretrained: pathlib.Path, fake_hub: FakeHub
) -> None:
    told: list[hub.Repository] = []
    published = upload(pretrained, fake_hub, on_done=told.append)
    assert list(published.values()) == told
    for name in NAMES:
        repository = fake_hub.repositories[f"{OWNER}/seqdemo-{name}-imdb"]
        uploaded = {file: content for file, content in repository.files.items() if file != ".gitattributes"}
        assert uploaded == {file: (pretrained / name / file).read_bytes() for file in schema.FILES}
        assert repository.tags == {"v1.0": repository.commit}
        assert hub.repository(name) == published[name] == (f"{OWNER}/seqdemo-{name}-imdb", repository.commit)
        path, source = hub.fetch(name)
        assert (source.kind, source.commit) == ("hub", repository.commit)
        assert folder.load(path).name == name


def test_publishing_again_changes_nothing(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    first = upload(pretrained, fake_hub)
    before = (pretrained / manifest.NAME).read_bytes()
    assert upload(pretrained, fake_hub) == first
    assert (pretrained / manifest.NAME).read_bytes() == before


def test_a_retrained_model_replaces_files_tag_and_pin(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    first = upload(pretrained, fake_hub)
    fake_hub.repositories[f"{OWNER}/seqdemo-rnn-imdb"].files["left over.bin"] = b"x"
    save_tiny(pretrained / "rnn", seed=1)
    second = upload(pretrained, fake_hub)
    repository = fake_hub.repositories[f"{OWNER}/seqdemo-rnn-imdb"]
    assert second["rnn"] != first["rnn"]
    assert second["transformer"] == first["transformer"]
    assert repository.tags == {"v1.0": second["rnn"].revision}
    assert set(repository.files) == {*schema.FILES, ".gitattributes"}


def test_nothing_but_the_files_of_a_checkpoint_is_uploaded(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    (pretrained / "rnn" / "notes.txt").write_text("private", encoding="utf-8")
    upload(pretrained, fake_hub)
    assert "notes.txt" not in fake_hub.repositories[f"{OWNER}/seqdemo-rnn-imdb"].files


@pytest.mark.parametrize("private", [True, False])
def test_repositories_are_private_only_on_request(pretrained: pathlib.Path, fake_hub: FakeHub, private: bool) -> None:
    upload(pretrained, fake_hub, private=private, names=["rnn"])
    assert fake_hub.repositories[f"{OWNER}/seqdemo-rnn-imdb"].private is private


def test_without_a_token_it_says_how_to_give_one(
    pretrained: pathlib.Path, fake_hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no token"))
    with pytest.raises(HubError, match="set HF_TOKEN, or run `hf auth login`"):
        upload(pretrained, fake_hub, token=None)
    assert fake_hub.requests == []


def test_a_wrong_token_is_told_and_nothing_is_pinned(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    with pytest.raises(HubError, match=rf"{OWNER}/seqdemo-rnn-imdb could not be published\. .*\(401\).*token"):
        upload(pretrained, fake_hub, token="hf_wrong")
    assert hub.repository("rnn") is None


def test_a_hub_that_refuses_connections_is_told(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    fake_hub.stop()
    with pytest.raises(HubError, match="The connection to the Hub was refused"):
        upload(pretrained, fake_hub)


def test_a_failure_keeps_the_models_before_it_pinned(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    def fail_from_now_on(_: hub.Repository) -> None:
        fake_hub.mode = "403"

    with pytest.raises(HubError, match="seqdemo-transformer-imdb could not be published"):
        upload(pretrained, fake_hub, on_done=fail_from_now_on)
    assert hub.repository("rnn") is not None
    assert hub.repository("transformer") is None


@pytest.mark.parametrize("file", schema.FILES)
def test_an_incomplete_checkpoint_is_not_published(pretrained: pathlib.Path, fake_hub: FakeHub, file: str) -> None:
    (pretrained / "transformer" / file).unlink()
    with pytest.raises(CheckpointMissingError, match=file):
        upload(pretrained, fake_hub)
    assert fake_hub.requests == []


def test_a_damaged_checkpoint_is_not_published(pretrained: pathlib.Path, fake_hub: FakeHub) -> None:
    (pretrained / "rnn" / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointCorruptError):
        upload(pretrained, fake_hub)
    assert fake_hub.requests == []
