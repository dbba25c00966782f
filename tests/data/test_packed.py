import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seqdemo.data import corpus, imdb, packed
from seqdemo.data.examples import encode, tokenize_all
from seqdemo.errors import DataError
from seqdemo.text import PAD_ID


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imdb")
    for split, n in (("train", 60), ("unsupervised", 40)):
        labels = np.full(n, -1) if split == "unsupervised" else np.repeat([0, 1], n // 2)
        texts = [
            f"A {'fine' if label else 'dull'} film. I saw it on day {k}. The end!" for k, label in enumerate(labels)
        ]
        pq.write_table(pa.table({"text": texts, "label": labels}), folder / f"{split}-00000-of-00001.parquet")
    return folder


@pytest.fixture(scope="module")
def pack(reviews):
    return packed.make(data=str(reviews), epochs=0)


def test_a_pack_holds_what_training_reads_and_no_test_review(pack, reviews):
    assert not (reviews / "test-00000-of-00001.parquet").exists(), "nothing asks for it"
    labelled = imdb.load("train", reviews)
    rows, held_out = imdb.split_validation(labelled.labels)
    wanted = encode(tokenize_all(labelled.pick(rows), version=2), labelled.labels[rows], pack.vocabulary)
    found = pack.training.examples(pack.sentence_ends)
    assert found.labels.dtype == np.int64
    assert found.labels.tolist() == wanted.labels.tolist()
    for name in ("ids", "sentence_ends"):
        for one, other in zip(getattr(found, name), getattr(wanted, name), strict=True):
            assert one.tolist() == other.tolist()
    assert len(pack.validation) == len(held_out)
    whole = corpus.load(reviews, version=2)
    streams = np.concatenate([pack.training.stream(), pack.unlabelled.stream()])
    assert pack.vocabulary.words == whole.vocabulary.words
    assert streams.tolist() == whole.training.tolist()
    assert pack.validation.stream().tolist() == whole.validation.tolist()


def test_a_pack_is_read_as_it_was_written(pack, tmp_path):
    size = packed.write(tmp_path / "pack", pack)
    assert size == sum(path.stat().st_size for path in (tmp_path / "pack").iterdir())
    found = packed.read(tmp_path / "pack")
    assert found.vocabulary.words == pack.vocabulary.words
    assert found.sha256 == hashlib.sha256((tmp_path / "pack" / "pack.json").read_bytes()).hexdigest()
    for name in ("training", "unlabelled", "validation", "short"):
        for part in ("ids", "starts", "labels"):
            one, other = getattr(getattr(found, name), part), getattr(getattr(pack, name), part)
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def test_labels_between_two_opinions_stay_what_they_are():
    texts = packed.Texts.of([np.array([5, 6]), np.array([7])], np.array([0.5, 1.0]))
    assert texts.examples().targets.tolist() == [0.5, 1.0]
    assert texts.stream().tolist() == [5, 6, PAD_ID, 7, PAD_ID]


@pytest.mark.parametrize("name", ["vocab.txt", "texts.safetensors", "pack.json"])
def test_a_damaged_pack_is_refused_in_a_sentence(pack, tmp_path, name):
    packed.write(tmp_path / "pack", pack)
    path = tmp_path / "pack" / name
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(DataError, match=r"not what was packed|is no pack that can be read"):
        packed.read(tmp_path / "pack")
    path.unlink()
    with pytest.raises(DataError, match="Make one with `python -m seqdemo pack`"):
        packed.read(tmp_path / "pack")


def test_a_pack_of_another_format_and_one_that_is_too_large_are_refused(pack, tmp_path, monkeypatch):
    packed.write(tmp_path / "pack", pack)
    path = tmp_path / "pack" / "pack.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 9}))
    with pytest.raises(DataError, match="is of format 9"):
        packed.read(tmp_path / "pack")
    monkeypatch.setattr(packed, "MAX_BYTES", 100)
    with pytest.raises(DataError, match=r"at most 0\.0001 MB are wanted"):
        packed.write(tmp_path / "large", pack)
    assert not (tmp_path / "large").exists()


def test_more_words_than_two_bytes_can_number_are_refused():
    with pytest.raises(DataError, match="at most 65,536 words; found index 70,000"):
        packed.Texts.of([np.array([70_000])], np.array([1.0]))
