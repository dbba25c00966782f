"""However a command ends, it is no traceback: one sentence, and an exit status that says what kind of end it was."""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqdemo
from seqdemo.__main__ import main

ROOT = pathlib.Path(seqdemo.__file__).parents[1]
TINY = ["--d-embed", "4", "--d-hidden", "4", "--epochs", "1", "--threads", "1"]
SHIPPED = str(seqdemo.PRETRAINED / "rnn")


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """A folder of film reviews, as the option --data names it."""
    folder = tmp_path_factory.mktemp("imdb")
    for split in ("train", "test", "unsupervised"):
        words = enumerate(["dreadful"] * 20 + ["fine"] * 20)
        texts = [3 * f"A {word} film, seen on day {day}. " for day, word in words]
        table = pa.table({"text": texts, "label": [0] * 20 + [1] * 20})
        pq.write_table(table, folder / f"{split}-00000-of-00001.parquet")
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch, reviews):
    """A working folder with things in it that commands do not expect."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "reviews").symlink_to(reviews)
    (tmp_path / "file").write_text("a diary")
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)) * 50)
    (tmp_path / "empty").mkdir()
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "diary.txt").write_text("dear diary")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "train-00000-of-00001.parquet").write_bytes(b"PAR1")
    for name in ("no-json", "no-weights"):
        shutil.copytree(SHIPPED, tmp_path / name)
    (tmp_path / "no-json" / "config.json").write_text("{")
    (tmp_path / "no-weights" / "model.safetensors").write_bytes(b"x" * 100)
    return tmp_path


TRAIN = f"train --model rnn --data reviews {' '.join(TINY)}"
CANNOT = {
    "predict x --model empty": "empty is no checkpoint: config.json",
    "predict x --model no-json": "config.json is not JSON",
    "predict x --model no-weights": "model.safetensors is not a safetensors file",
    "data --data nowhere": "nowhere holds no plain_text/train",
    "data --data file": "file holds no plain_text/train",
    "evaluate rnn --data empty": "empty holds no plain_text/test",
    "train --model rnn --data cut": "is not a parquet file",
    "train --task own --csv nowhere.csv": "nowhere.csv cannot be read: No such file or directory.",
    "train --task own --csv empty": "empty cannot be read: Is a directory.",
    "train --task own --csv bytes.csv": "This file is ",
    f"{TRAIN} --limit 8": "8 reviews leave none for validation; at least 6 of one label are needed.",
    f"{TRAIN} --init no-json": "config.json is not JSON",
    f"{TRAIN} --init file": "file is no checkpoint",
    f"{TRAIN} --finish": "There is no interrupted run to finish",
    "pretrain --model lstm --data cut": "cut holds no plain_text/unsupervised",
    "average no-json no-json --out mean": "config.json is not JSON",
    "study gradient_by_distance --model rnn --data nowhere --out found.json": "nowhere holds no plain_text/train",
    f"{TRAIN} --out file/inner": "file: nothing can be written there (",
    "study typed_reviews --model rnn --out file/inner.json": "file: nothing can be written there (",
}
WRONG_USE = {
    "": "the following arguments are required: command",
    "prophesy": "invalid choice: 'prophesy'",
    "predict": "the following arguments are required: text",
    "predict x --model perceptron": "There is no model and no folder called 'perceptron'; known models are rnn,",
    "evaluate a/b --write": "--write needs a known name or a folder on this machine; got 'a/b'.",
    "evaluate rnn --limit 0": "--limit: a whole number from 1 on is needed; got '0'",
    "train": "Film reviews need --model, one of rnn,",
    "train --task own": "--task own learns from a file; name it with --csv.",
    "train --task copy --finish": "--finish is for --task reviews",
    "train --task copy --length 1": "length is from 4 to 400; got 1.",
    "train --task copy --max-seconds 0": "--max-seconds: a number above 0 is needed; got '0'",
    f"{TRAIN} --threads 0": "--threads: a whole number from 1 to 1,024 is needed; got '0'",
    f"{TRAIN} --dropout much": "--dropout: a number is needed; got 'much'",
    f"{TRAIN} --learning-rate nan": "--learning-rate: a number is needed; got 'nan'",
    f"{TRAIN} --readout first": "readout is one of last, mean, max, mean+max; got 'first'.",
    f"{TRAIN} --recurrent-init zero": "recurrent_init is one of orthogonal, default; got 'zero'.",
    f"{TRAIN} --preset huge": "RNN has the presets standard; got 'huge'.",
    f"{TRAIN} --precision fp16": "precision is one of auto, fp32, bf16; got 'fp16'.",
    f"{TRAIN} --seed -1": "seed is from 0 to 2,147,483,647; got -1.",
    f"{TRAIN} --device gpu": "There is no device 'gpu' here; this machine has ",
    f"{TRAIN} --out file": "file is a file; --out names a folder.",
    f"{TRAIN} --out documents": "documents holds other files than a result (diary.txt), which would be lost",
    f"{TRAIN} --out .": "--out names a new folder, or the one of an earlier result; got '.'.",
    "pretrain --model lstm --n-sampled -5": "n_sampled is 0 or more; got -5.",
    "pretrain --model lstm --precision half": "precision is one of auto, fp32, bf16; got 'half'.",
    f"average {SHIPPED} --out mean": "An average needs at least two checkpoints; got 1.",
    "study prophecy": "There is no study called 'prophecy'; known are",
    "study typed_reviews --out empty": "empty is a folder; --out names a file.",
    "record prophecy": "There is no preset called 'prophecy'; known are",
    "publish": "the following arguments are required: --owner",
}


def ended(words, capsys):
    """The exit status of a command, and what it said on stderr."""
    try:
        status = main(words)
    except SystemExit as exits:  # as argparse ends
        status = exits.code
    return status, capsys.readouterr().err


@pytest.mark.parametrize("command", CANNOT)
def test_what_cannot_be_done_is_told_in_one_sentence(command, here, capsys):
    status, said = ended(command.split(), capsys)
    assert status == 1
    assert said.startswith("seqdemo: ")
    assert CANNOT[command] in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", WRONG_USE)
def test_wrong_use_ends_with_status_2_and_says_what_is_needed(command, here, capsys):
    status, said = ended(command.split(), capsys)
    assert status == 2
    assert WRONG_USE[command] in said
    assert "Traceback" not in said
    assert (here / "documents" / "diary.txt").read_text() == "dear diary"


@pytest.mark.parametrize("place", ["before", "behind", "nowhere"])
def test_an_error_that_is_not_ours_becomes_one_sentence_and_debug_shows_where(place, here, capsys):
    words = [*TRAIN.split(), "--d-hidden", "100000000"]  # 40 petabytes
    words = {"before": ["--debug", *words], "behind": [*words, "--debug"], "nowhere": words}[place]
    status, said = ended(words, capsys)
    assert status == 1
    assert said.splitlines()[-1] == (
        "seqdemo: There is not enough memory for another 40,000,000.0 GB. A smaller --batch-size or a smaller model "
        "needs less. --debug shows where."
    )
    assert ("Traceback" in said) == (place != "nowhere")


def test_debug_shows_where_our_own_errors_come_from_too(capsys):
    status, said = ended(["predict", "x", "--model", "perceptron", "--debug"], capsys)
    assert status == 2
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("seqdemo: There is no model")


def test_an_error_of_the_system_is_told_with_the_file_that_it_is_about(here, capsys):
    status, said = ended([*TRAIN.split(), "--out", "x" * 300], capsys)
    assert status == 1
    assert said.endswith(": File name too long. --debug shows where.\n")


@pytest.fixture
def unwritable(monkeypatch, reviews):
    """A working folder in which nothing can be written, also not by the administrator."""
    importlib.import_module("seqdemo.studies.registry")  # whose modules another user may not be allowed to read
    for name in ("average", "dates", "pretrain", "run", "task_run"):
        importlib.import_module(f"seqdemo.training.{name}")
    home = pathlib.Path(tempfile.mkdtemp(prefix="seqdemo-read-only-"))
    shutil.copytree(reviews, home / "reviews")
    for path in (home / "reviews", home):
        path.chmod(0o555)
    monkeypatch.chdir(home)
    if os.geteuid() == 0:
        os.seteuid(65534)
        yield home
        os.seteuid(0)
    else:
        yield home
    monkeypatch.undo()
    home.chmod(0o755)
    (home / "reviews").chmod(0o755)
    shutil.rmtree(home)


@pytest.mark.skipif(os.name == "nt", reason="folders are read-only for their owner on POSIX systems alone")
@pytest.mark.parametrize(
    ("command", "folder"),
    [
        (TRAIN, "runs"),
        ("train --task dates", "runs"),
        ("train --task copy --epochs 1", "runs"),
        (f"{TRAIN} --out here", "."),
        ("pretrain --model lstm --data reviews", "runs"),
        (f"average {SHIPPED} {SHIPPED} --data reviews --out mean", "."),
        ("study typed_reviews --model rnn", "runs/studies"),
    ],
)
def test_in_a_read_only_folder_a_command_says_so_before_it_computes_anything(command, folder, unwritable, capsys):
    status = main(command.split())
    shown = capsys.readouterr()
    assert status == 1
    assert shown.out == ""
    assert shown.err == (
        f"seqdemo: {folder}: nothing can be written there (Permission denied). --out names another place. "
        "--debug shows where.\n"
    )


def run(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "seqdemo", *words],
        check=False,
        cwd=ROOT,
        text=True,
        stderr=subprocess.PIPE,
        **options,
    )


def test_where_nobody_reads_its_output_any_more_a_command_ends_without_a_word():
    read, write = os.pipe()
    os.close(read)
    ended = run("study", "--list", stdout=write)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_output_that_finds_no_room_is_told_in_one_sentence():
    with open("/dev/full", "w") as full:  # noqa: PTH123 (a device)
        ended = run("study", "--list", stdout=full)
    assert ended.returncode == 1
    assert ended.stderr == (
        "seqdemo: Nothing more could be written (No space left on device). Make room there. --debug shows where.\n"
    )


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_result_that_finds_no_room_is_told_with_its_place(capsys):
    status, said = ended(["study", "typed_reviews", "--model", "rnn", "--out", "/dev/full"], capsys)
    assert status == 1
    assert said == (
        "seqdemo: Nothing more could be written (No space left on device); the result goes to /dev/full. "
        "Make room there, or name another place with --out. --debug shows where.\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
def test_a_run_whose_state_finds_no_room_is_told_in_one_sentence_and_leaves_nothing(tmp_path):
    import resource

    words = ["train", "--task", "copy", "--length", "4", "--epochs", "1", "--out", str(tmp_path / "out")]
    ended = run(
        *words,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("seqdemo: The state of the run could not be written (")
    assert ended.stderr.endswith("is the disk full?\n")
    assert "File too large" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_terminal_that_cannot_show_a_character_is_no_reason_to_end():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = run("predict", "déjà vu", "--model", "rnn", stdout=subprocess.PIPE, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("d\\xe9j\\xe0 vu\n")


def test_a_command_that_is_stopped_says_how_its_run_goes_on(here, capsys, monkeypatch):
    def stop(event):
        raise KeyboardInterrupt

    monkeypatch.setattr("seqdemo.commands.progress.Bar", lambda: stop)
    assert ended(TRAIN.split(), capsys) == (130, "seqdemo: Stopped. A training run goes on with --resume.\n")
    said = "seqdemo: Stopped. A training run goes on with --resume.\n"
    assert ended(["train", "--task", "dates"], capsys) == (130, said)


def test_bf16_where_it_cannot_be_is_told_before_anything_is_learned(here, capsys):
    for words in (["train", "--no-test"], ["pretrain"]):
        command = [*words, "--model", "lstm", "--data", "reviews", *TINY, "--events", "jsonl", "--precision", "bf16"]
        status = main([*command, "--batch-size", "4", "--out", words[0]])
        shown = capsys.readouterr()
        if status == 0:  # this processor can
            assert '"precision": "bf16"' in (here / words[0] / "metrics.json").read_text()
            continue
        assert status == 1
        assert shown.err.startswith("seqdemo: bf16 does not work for this model on this cpu (")
        assert shown.err.endswith("--precision auto takes what works, fp32 always does.\n")
        assert '"event": "step"' not in shown.out
        assert '"event": "start"' not in shown.out


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_every_model_trains_on_a_processor_without_bf16(model, tmp_path):
    """As the two variables imitate one; on such a processor they change nothing."""
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    words = ["train", "--task", "first_token", "--model", model, "--epochs", "1", "--length", "4", "--device", "cpu"]
    ended = run(*words, "--out", str(tmp_path / "out"), env=environment, stdout=subprocess.PIPE)
    assert ended.returncode == 0, ended.stderr
    assert '"precision": "fp32"' in (tmp_path / "out" / "metrics.json").read_text()
