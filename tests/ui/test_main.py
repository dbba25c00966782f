"""The shell: navigation, and a sidebar that says where each model's weights come from."""

import hashlib
import json
import pathlib
import re
import tomllib

import pytest

import seqdemo
from seqdemo.checkpoints.hub import Source
from seqdemo.checkpoints.store import ModelStatus
from seqdemo.data.tables import MAX_BYTES as MAX_TABLE_BYTES
from seqdemo.models.registry import MODELS
from seqdemo.runs.files import MAX_ZIP_BYTES
from seqdemo.sizes import MB
from seqdemo.ui import resources
from seqdemo.ui.pages import PAGES
from seqdemo.ui.shared import sources
from seqdemo.ui.shared.marks import favicon, mark, plain
from tests.checkpoints.fake_hub import FakeHub
from tests.small_translators import write_translators

HUB = Source(kind="hub", repository="someone/seqdemo-rnn-imdb", commit="ab12cd34" * 5, reason="From the Hub.")
CACHE = Source(kind="cache", repository="someone/seqdemo-rnn-imdb", commit="ef56ab78" * 5, reason="From the cache.")
EMBEDDED = Source(kind="embedded", repository=None, commit=None, reason="Embedded copy: none is named.")


def test_streamlit_takes_files_as_large_as_the_largest_box_does_and_no_larger():
    config = tomllib.loads((pathlib.Path(__file__).parents[2] / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] * MB == max(MAX_TABLE_BYTES, MAX_ZIP_BYTES)


def sidebar_text(app):
    return "\n".join(element.value for element in [*app.sidebar.markdown, *app.sidebar.caption])


def test_every_model_stands_in_the_sidebar_with_its_mark_and_source(app, loaded):
    app.run()
    loaded()
    app.run()
    assert not app.exception
    rows = [element.value for element in app.sidebar.markdown if element.value.startswith("![]")]
    assert [row.split("  \n")[0] for row in rows] == [f"{mark(name)} {spec.label}" for name, spec in MODELS.items()]
    assert all("Embedded copy" in row for row in rows)
    assert not app.sidebar.button


def test_a_broken_checkpoint_says_why(app, pretrained, loaded):
    (pretrained / "rnn/model.safetensors").write_bytes(b"cut")
    app.run()
    loaded()
    app.run()
    assert not app.exception
    text = sidebar_text(app).replace("\\", "")
    assert "Could not be loaded" in text
    assert "model.safetensors is not a safetensors file" in text
    assert str(pretrained) not in text


def pin(pretrained, name, commit, published=None):
    """Names a repository for one model in the manifest, with the files that a folder holds."""
    files = {
        path.name: {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in (published or pretrained / name).iterdir()
    }
    entry = {"repository": f"someone/seqdemo-{name}-imdb", "commit": commit, "files": files}
    (pretrained / "manifest.json").write_text(json.dumps({"format": 2, "folders": {name: entry}}))


def test_retry_is_offered_where_the_hub_could_help_and_asks_it(app, pretrained, loaded, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    pin(pretrained, "gru", "ab12cd34" * 5)
    with FakeHub() as closed:
        closed.stop()
        monkeypatch.setenv("HF_ENDPOINT", closed.endpoint)
        app.run()
        loaded()
    app.run()
    (button,) = app.sidebar.button
    assert button.label == "Retry"
    assert "refused" in sidebar_text(app)
    with FakeHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        button.click().run()
        assert not app.exception
        loaded()
        assert server.requests


def test_a_damaged_checkpoint_is_refused_with_a_sentence_and_comes_from_the_hub(
    app, pretrained, loaded, monkeypatch, tmp_path
):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    with FakeHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        files = {path.name: path.read_bytes() for path in (pretrained / "gru").iterdir()}
        commit = server.add("someone/seqdemo-gru-imdb", files)
        pin(pretrained, "gru", commit)
        weights = pretrained / "gru/model.safetensors"
        weights.write_bytes(files[weights.name][:-1] + bytes([files[weights.name][-1] ^ 0x80]))
        server.mode = "500"
        app.run()
        loaded()
        app.run()
        text = sidebar_text(app).replace("\\", "")
        assert "model.safetensors of pretrained/gru is not the file that the manifest names" in text
        assert "The Hub has a fault of its own" in text
        assert [name for name in MODELS if resources.store().get(name)] == [name for name in MODELS if name != "gru"]
        server.mode = "working"
        (button,) = app.sidebar.button
        button.click().run()
        loaded()
    app.run()
    assert not app.exception
    assert not app.sidebar.button
    assert f"Hub, commit {commit[:7]}" in sidebar_text(app)


def test_the_sidebar_looks_again_only_while_models_load(app, gate, loaded):
    app.run()
    assert not app.exception
    assert "Loading" in sidebar_text(app)
    assert sources.is_busy()
    gate.set()
    loaded()
    assert not sources.is_busy()
    app.run()
    assert "Loading" not in sidebar_text(app)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (ModelStatus(name="rnn", state="ready", source=EMBEDDED), "Embedded copy"),
        (ModelStatus(name="rnn", state="ready", source=HUB), "Hub, commit ab12cd3"),
        (ModelStatus(name="rnn", state="ready", source=CACHE), "Hub (cached), commit ef56ab7"),
        (ModelStatus(name="rnn", state="failed", note="Cut."), "Could not be loaded"),
    ],
)
def test_a_source_in_a_few_words(status, words):
    assert sources.source_words(status) == words


def test_each_page_has_a_file_and_an_address_of_its_own():
    addresses = [page.path for page in PAGES]
    assert addresses[0] == ""
    assert len(set(addresses)) == len(addresses)
    assert all((pathlib.Path(seqdemo.__file__).parents[1] / "pages" / page.file).is_file() for page in PAGES)


def test_messages_cannot_become_markup():
    assert plain("a_b [x](http://y) :red[z] $q$\n<b>") == (r"a\_b \[x\]\(http\://y\) \:red\[z\] \$q\$ \<b\>")


def test_marks_and_the_icon_are_drawn_here_and_fetched_from_nowhere():
    assert all(mark(name).startswith("![](data:image/svg+xml,") for name in MODELS)
    assert favicon().startswith("<svg")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_where_training_is_switched_off_no_page_invites_to_it(page, ready, pretrained, monkeypatch):
    write_translators(pretrained)
    resources.service.clear()  # its translators are of another folder
    monkeypatch.setenv("SEQDEMO_TRAINING", "off")
    ready.switch_page(f"../../pages/{page.file}").run()
    assert not ready.exception
    said = [part.value for kind in ("title", "header", "markdown", "caption", "info") for part in ready.get(kind)]
    assert said
    assert [text for text in said if re.search(r"\btrain (a|it|small|your)\b", text, re.IGNORECASE)] == []
