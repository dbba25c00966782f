import json
import pathlib
import re
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqdemo
from seqdemo.__main__ import main
from seqdemo.checkpoints import manifest
from seqdemo.text import tokenize
from seqdemo.training.events import Epoch, Event

pytestmark = pytest.mark.usefixtures("every_state")
SMALL = [
    "--d_embed",
    "8",
    "--d-hidden",
    "8",
    "--dropout",
    "0",
    "--embed-dropout=0",
    "--batch_size",
    "16",
    "--threads",
    "1",
    "--precision",
    "fp32",
]


def write_split(folder: pathlib.Path, split: str, n: int = 40) -> None:
    """Reviews whose opinion stands in one word, negatives first."""
    opinions = ["dreadful"] * (n // 2) + ["delightful"] * (n // 2)
    texts = [f"A {word} film. I saw it on day {day}.<br />The end." for day, word in enumerate(opinions)]
    labels = np.repeat([0, 1], n // 2)
    (folder / "plain_text").mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.table({"text": texts, "label": labels}), folder / "plain_text" / f"{split}-00000-of-00001.parquet"
    )


@pytest.fixture
def reviews(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "imdb"
    for split in ("train", "test"):
        write_split(folder, split)
    return folder


def test_a_model_trained_on_the_command_line_can_be_evaluated_loaded_and_asked(
    reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "lstm"
    train = ["train", "--model", "lstm", "--epochs", "30", "--learning_rate", "0.02", "--patience", "30"]
    assert main([*train, *SMALL, "--crop-share", "0", "--data", str(reviews), "--out", str(out)]) == 0
    assert "Test accuracy 100.00%" in capsys.readouterr().out

    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["test_accuracy"] == 1.0
    assert metrics["test_n"] == 40
    assert metrics["test_interval"][0] < 1.0
    assert metrics["epochs"] == len(json.loads((out / "history.json").read_text()))
    assert "model-index" in (out / "README.md").read_text()
    assert not list(tmp_path.glob(".lstm*")), "no state is left behind"

    assert main(["evaluate", str(out), "--data", str(reviews), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["test_accuracy"] == 1.0

    texts = [f"A {word} film. I saw it on day 7.<br />The end." for word in ("delightful", "dreadful")]
    assert main(["predict", *texts, "--model", str(out), "--json"]) == 0
    good, bad = (row["p_positive"][str(out)] for row in json.loads(capsys.readouterr().out))
    assert good > 0.5 > bad
    assert seqdemo.load(out).predict_proba(texts)[0] == pytest.approx(good, abs=1e-6)


def test_a_checkpoint_can_be_measured_again_and_remembers_it(
    reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, data = tmp_path / "pretrained" / "gru", ["--data", str(reviews)]
    out.parent.mkdir()
    manifest.update(out.parent)
    assert main(["train", "--model", "gru", "--epochs", "1", *SMALL, *data, "--out", str(out)]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(["evaluate", str(out), *data, "--write"]) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before, "the same reviews, the same figures"

    write_split(reviews, "test", 60)
    assert main(["evaluate", str(out), *data]) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before, "nothing is written unless it is asked"
    capsys.readouterr()
    assert main(["evaluate", str(out), *data, "--write", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)[0]
    was, now = json.loads(before["metrics.json"]), json.loads((out / "metrics.json").read_text())
    assert now["test_n"] == 60
    assert list(now) == list(was)
    assert now == {**was, **{entry: found[entry] for entry in now if entry in found}}
    assert "interval; 60 reviews" in (out / "README.md").read_text()
    changed = {path.name for path in out.iterdir() if path.read_bytes() != before[path.name]}
    assert changed == {"metrics.json", "README.md"}
    assert not manifest.changed(out.parent)
    with pytest.raises(SystemExit):
        main(["evaluate", str(out), *data, "--write", "--limit", "20"])


@pytest.mark.parametrize("name", seqdemo.MODELS)
def test_every_model_trains_with_one_command(
    name: str, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = ["--n_layers", "1"] if name == "transformer" else SMALL[:4]
    command = ["train", "--model", name, "--epochs", "1", "--batch_size", "64", *shape, "--events", "jsonl"]
    assert main([*command, "--data", str(reviews), "--out", str(tmp_path / name), "--threads", "1"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["start", "step", "epoch", "testing", "done"]
    assert seqdemo.load(tmp_path / name).name == name


def test_nothing_before_the_final_evaluation_opens_the_test_split(
    reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (reviews / "plain_text" / "test-00000-of-00001.parquet").write_bytes(b"opened")
    out = tmp_path / "rnn"
    train = ["train", "--model", "rnn", "--epochs", "2", *SMALL, "--data", str(reviews), "--out", str(out)]
    assert main([*train, "--events", "jsonl"]) == 1
    shown = capsys.readouterr()
    assert [json.loads(line)["event"] for line in shown.out.splitlines()][-2:] == ["epoch", "testing"]
    assert "is not a parquet file" in shown.err
    assert seqdemo.load(out).metrics["epochs"] == 2, "the training is not lost"

    assert main([*train, "--no-test", "--gradual"]) == 0
    assert "the test reviews stayed closed" in capsys.readouterr().out
    assert "test_accuracy" not in seqdemo.load(out).metrics
    assert json.loads((out / "config.json").read_text())["training"]["gradual"] is True


def test_a_run_that_fails_leaves_the_previous_checkpoint_whole(
    reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rnn"
    train = ["train", "--model", "rnn", "--epochs", "1", *SMALL, "--data", str(reviews), "--out", str(out)]
    assert main(train) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main([*train, "--learning_rate", "1e30", "--clip_norm", "0", "--epochs", "5"]) == 1
    assert "Switch clipping on" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_an_interrupted_run_can_be_finished_with_its_best_epoch(
    reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rnn"
    train = ["train", "--model", "rnn", "--epochs", "9", *SMALL, "--data", str(reviews), "--out", str(out)]
    assert main([*train, "--finish"]) == 1
    assert "no interrupted run to finish" in capsys.readouterr().err

    def interrupt(event: Event) -> None:
        if isinstance(event, Epoch) and event.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("seqdemo.commands.progress.Bar", lambda: interrupt)
    assert main(train) == 130
    assert not out.exists()
    assert main([*train, "--finish"]) == 0
    assert seqdemo.load(out).metrics["epochs"] == 2


def test_wrong_settings_and_names_get_one_sentence(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--model", "rnn", "--epochs", "0", "--data", str(tmp_path)]) == 2
    assert "epochs is at least 1; got 0." in capsys.readouterr().err
    assert main(["train", "--model", "rnn", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "holds no plain_text/train-00000-of-00001.parquet" in capsys.readouterr().err
    assert main(["predict", "fine", "--model", "perceptron"]) == 2
    assert "known models are rnn, gru, lstm, bilstm, transformer" in capsys.readouterr().err
    with pytest.raises(SystemExit) as exits:
        main(["train", "--model", "perceptron"])
    assert exits.value.code == 2


def test_data_reports_what_is_there(reviews: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--data", str(reviews)]) == 0
    assert "36 reviews to train on, 4 for validation." in capsys.readouterr().out


def test_a_task_takes_its_settings_from_a_file_and_nothing_beside_it_that_the_file_decides(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "mine.json", str(tmp_path / "out")
    small = {"task": "copy", "model": "gru", "length": 5, "d_hidden": 4, "epochs": 1, "device": "cpu"}
    file.write_text(json.dumps(small))
    command = ["train", "--settings", str(file), "--events", "jsonl", "--threads", "1", "--out", out]
    assert main([*command, "--epochs", "2", "--model=gru"]) == 2
    assert "decides what --model, --epochs says too; leave it out." in capsys.readouterr().err
    assert main([*command, "--attention"]) == 2
    assert "--task copy has no setting --attention." in capsys.readouterr().err
    assert main(command) == 0
    trained = json.loads((tmp_path / "out" / "config.json").read_text())["training"]
    assert {name: trained[name] for name in small} == small
    assert main(["train", "--settings", str(tmp_path / "none.json")]) == 1
    assert "none.json: No such file or directory." in capsys.readouterr().err


def test_a_task_takes_its_own_options_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train"]) == 2
    assert "Film reviews need --model" in capsys.readouterr().err
    assert main(["train", "--model", "rnn", "--attention"]) == 2
    assert "--task reviews has no setting --attention." in capsys.readouterr().err
    assert main(["train", "--task", "dates", "--model", "rnn", "--n-layers", "2"]) == 2
    assert "--task dates has no setting --model, --n-layers." in capsys.readouterr().err
    for unused in (["--csv", "x"], ["--distance", "3"], ["--max-seconds", "9"], ["--controlled"]):
        assert main(["train", "--model", "rnn", *unused]) == 2
        assert f"--task reviews has no setting {unused[0]}." in capsys.readouterr().err
    assert main(["train", "--task", "copy", "--csv", "x"]) == 2
    assert "--task copy has no setting --csv." in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_every_option_says_what_it_means(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert said.startswith(f"usage: python -m seqdemo {command} ")
    _, *options = re.split(r"^  (?=--)", said.partition("options:")[2], flags=re.MULTILINE)
    assert len(options) > 10
    for option in options:
        words = re.sub(r"^(?:--[\w-]+(?: \{[^}]*\}| [A-Z_]+)?(?:, )?)+", "", option).split()
        assert words, f"{option} says nothing"


def test_only_the_app_hands_unknown_options_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)  # the app writes its own
    with pytest.raises(SystemExit) as refused:
        main(["predict", "a", "--server.port", "1"])
    assert refused.value.code == 2
    assert "unrecognized arguments: --server.port" in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:  # by Streamlit
        main(["app", "--server.prot", "1"])
    assert refused.value.code == 2
    assert "No such option" in capsys.readouterr().err


def test_a_language_model_writes_on_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    written = ["write", "It begins", "--model", "rnn", "--words", "6", "--temperature", "0.8", "--seed", "1"]
    assert main(written) == 0
    text = capsys.readouterr().out
    assert text.startswith("It begins ")
    assert main([*written, "--json"]) == 0
    words = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(words) == 6
    assert all(set(word) == {"text", "probability", "rank"} for word in words)
    assert [word["text"] for word in words] == [token.text for token in tokenize(text)][2:]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--temperature", "3"], "temperature is from 0 to 2; got 3.0."),
        (["--top-p", "0"], "top_p is above 0 and at most 1; got 0.0."),
        (["--model", "transformer"], "reads both sides of a word"),
        (["--model", "perceptron"], "known language models are lm-gru"),
    ],
)
def test_what_cannot_be_written_with_is_told_in_a_sentence(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["write", "It begins", *options]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""
