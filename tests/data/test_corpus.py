import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seqdemo.data import corpus
from seqdemo.errors import DataError
from seqdemo.text import PAD_ID, Vocabulary


def write(folder, split, texts, labels):
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": texts, "label": labels}), folder / f"{split}-00000-of-00001.parquet")


@pytest.fixture
def reviews(tmp_path):
    folder = tmp_path / "imdb"
    write(folder, "train", [f"seen on day {day}" for day in range(20)], np.repeat([0, 1], 10))
    write(folder, "unsupervised", ["nobody knows", "who wrote this"], np.full(2, -1))
    return folder


def test_the_corpus_holds_training_and_unlabelled_texts_and_keeps_the_validation_rows_apart(reviews):
    found = corpus.load(reviews)
    words = found.vocabulary.words
    training = {words[index] for index in found.training}
    assert {"nobody", "wrote", "seen", "0"} <= training
    assert not {"9", "19"} & training, "the last of each class measure the language model"
    assert (found.training == PAD_ID).sum() == 20
    assert (found.validation == PAD_ID).sum() == 2


def test_the_test_split_need_not_be_there(reviews):
    assert not list(reviews.glob("test*"))
    corpus.load(reviews)


def test_from_the_cache_come_the_same_streams(reviews, tmp_path):
    first = corpus.load(reviews, cache=tmp_path)
    second = corpus.load(reviews, cache=tmp_path)
    assert list(tmp_path.glob(".corpus-*/vocab.txt"))
    assert np.array_equal(first.training, second.training)
    assert np.array_equal(first.validation, second.validation)
    assert first.vocabulary.words == second.vocabulary.words


def test_without_unlabelled_texts_one_is_told(reviews):
    (reviews / "unsupervised-00000-of-00001.parquet").unlink()
    with pytest.raises(DataError, match="unsupervised"):
        corpus.load(reviews)


def test_streams_of_other_rules_are_kept_apart_and_hold_signs(reviews, tmp_path):
    write(reviews, "unsupervised", ["nobody knows", "8/10 from me"], np.full(2, -1))
    first, second = (corpus.load(reviews, cache=tmp_path, version=version) for version in (1, 2))
    assert len(list(tmp_path.glob(".corpus-*/vocab.txt"))) == 2
    assert "8/10" in first.vocabulary.ids
    assert second.vocabulary.ids["<rating-0.8>"] in second.training
    again = corpus.load(reviews, cache=tmp_path, version=2)
    assert again.vocabulary.version == 2
    assert np.array_equal(again.training, second.training)


def test_texts_are_read_in_the_words_of_models_that_are_there(reviews):
    usual = corpus.load(reviews)
    words = Vocabulary([*usual.vocabulary.words[:2], *reversed(usual.vocabulary.words[3:]), "unheard-of"])
    found = corpus.load(reviews, vocabulary=words)
    assert found.vocabulary is words
    left_out = usual.vocabulary.words[2]
    of_usual = [usual.vocabulary.words[k] for k in usual.training]
    of_found = [words.words[k] for k in found.training]
    assert of_found == ["<unk>" if word == left_out else word for word in of_usual]
    assert left_out in of_usual
