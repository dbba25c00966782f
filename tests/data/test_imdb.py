import os
import pathlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seqdemo.data import imdb
from seqdemo.errors import DataError
from tests.checkpoints.fake_hub import FakeHub


def write(path, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


@pytest.fixture
def data_set(tmp_path):
    """A folder in the data set's layout, with invented reviews, negatives first."""
    for split, n in (("train", 20), ("test", 10)):
        texts = [f"{split} review {k}<br />Not good." for k in range(n)]
        labels = pa.array([0] * (n // 2) + [1] * (n // 2), pa.int64())
        write(tmp_path / "plain_text" / f"{split}-00000-of-00001.parquet", text=texts, label=labels)
    return tmp_path


def test_a_split_is_read_in_its_published_order(data_set):
    reviews = imdb.load("train", data_set)
    assert len(reviews) == 20
    assert reviews.texts[3] == "train review 3<br />Not good."
    assert reviews.labels.dtype == np.int64
    assert reviews.labels.tolist() == [0] * 10 + [1] * 10
    assert imdb.load("test", data_set).texts[0].startswith("test review 0")


def test_the_files_may_also_lie_in_the_folder_itself(data_set):
    assert len(imdb.load("test", data_set / "plain_text")) == 10


def test_the_environment_names_the_folder_where_none_is_given(data_set, monkeypatch, tmp_path):
    monkeypatch.setenv("SEQDEMO_IMDB", str(data_set))
    assert len(imdb.load("test")) == 10
    assert imdb.find_folder() == data_set
    assert imdb.find_folder(tmp_path / "other") == tmp_path / "other"
    monkeypatch.delenv("SEQDEMO_IMDB")
    assert imdb.find_folder() is None


def test_picking_rows_keeps_texts_and_labels_together(data_set):
    picked = imdb.load("train", data_set).pick(np.array([12, 3]))
    assert [text.split("<")[0] for text in picked.texts] == ["train review 12", "train review 3"]
    assert picked.labels.tolist() == [1, 0]


def test_a_wrong_folder_says_which_file_is_needed(tmp_path):
    with pytest.raises(DataError, match=r"holds no plain_text/train-00000-of-00001\.parquet.*--data or SEQDEMO_IMDB"):
        imdb.load("train", tmp_path)


def test_a_file_that_is_not_parquet_is_refused_by_name(tmp_path):
    path = tmp_path / "train-00000-of-00001.parquet"
    path.write_text("text,label\nfine,1\n")
    with pytest.raises(DataError, match=r"train-00000-of-00001\.parquet is not a parquet file with the columns"):
        imdb.load("train", tmp_path)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"review": ["fine"], "label": [1]}, "is not a parquet file with the columns text and label"),
        ({"text": ["fine"]}, "is not a parquet file with the columns text and label"),
        ({"text": ["fine"], "label": ["pos"]}, "label of type string"),
        ({"text": [1.5], "label": [1]}, "text of type double"),
        ({"text": ["fine", None], "label": [1, 0]}, "needed are one string and one whole number in every row"),
        ({"text": ["fine", "bad"], "label": [1, None]}, "needed are one string and one whole number in every row"),
        ({"text": pa.array([], pa.string()), "label": pa.array([], pa.int64())}, "has 0 rows"),
    ],
    ids=["no text", "no label", "named labels", "numbers for text", "a missing text", "a missing label", "no rows"],
)
def test_other_columns_are_refused_with_what_is_needed(tmp_path, columns, sentence):
    write(tmp_path / "train-00000-of-00001.parquet", **columns)
    with pytest.raises(DataError, match=sentence):
        imdb.load("train", tmp_path)


def test_validation_rows_are_the_last_tenth_of_each_class_in_one_block():
    labels = np.array([0] * 12_500 + [1] * 12_500)
    training, validation = imdb.split_validation(labels)
    assert validation.tolist() == [*range(11_250, 12_500), *range(23_750, 25_000)]
    assert np.array_equal(np.sort(np.concatenate([training, validation])), np.arange(25_000))


def test_every_class_has_validation_rows_also_where_one_is_rare():
    labels = np.array([1] * 30 + [0] * 10)
    _, validation = imdb.split_validation(labels)
    assert validation.tolist() == [27, 28, 29, 39]


def test_a_download_tells_how_far_it_is_and_is_here_afterwards(data_set, tmp_path):
    code = """
import sys
from seqdemo.data import imdb
print(imdb.is_here("train"), flush=True)
seen = []
reviews = imdb.load("train", on_progress=lambda done, total: seen.append((done, total)))
print(len(reviews), seen[-1][0], seen[-1][1], imdb.is_here("train"), imdb.is_here("test"))
"""
    name = "plain_text/train-00000-of-00001.parquet"
    content = (data_set / name).read_bytes()
    with FakeHub() as hub:
        hub.add(f"datasets/{imdb.REPOSITORY}", {name: content})
        hub.repositories[f"datasets/{imdb.REPOSITORY}"].tags[imdb.REVISION] = "the pinned commit"
        settings = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "PYTHONWARNINGS": "ignore"}
        root = pathlib.Path(imdb.__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **settings}, cwd=root, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "20", str(len(content)), str(len(content)), "True", "False"]


def test_what_lies_in_a_folder_is_here(data_set, tmp_path):
    assert imdb.is_here("train", data_set)
    assert not imdb.is_here("unsupervised", data_set)
    assert not imdb.is_here("train", tmp_path / "nowhere")


def test_where_the_reviews_are_is_said_without_asking_the_hub(data_set, monkeypatch, tmp_path):
    monkeypatch.setenv("SEQDEMO_IMDB", str(data_set))
    assert imdb.whereabouts() == "from a local folder"
    monkeypatch.setenv("SEQDEMO_IMDB", str(tmp_path / "nothing"))
    assert imdb.whereabouts() == ""


def test_the_share_fetched_from_the_hub_counts_what_lies_in_its_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert imdb.share_fetched() == 0
    blobs = tmp_path / "datasets--stanfordnlp--imdb" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "half.incomplete").write_bytes(b"0" * 10_000_000)
    assert 0.3 < imdb.share_fetched() < 0.7
