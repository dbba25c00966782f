import numpy as np
import pytest

from seqdemo.data.examples import (
    MIN_CROP_TOKENS,
    crop,
    encode,
    epoch_views,
    evaluation_views,
    pad,
    tokenize_all,
    whole,
)
from seqdemo.data.imdb import Reviews
from seqdemo.text import PAD_ID, UNKNOWN_ID


def make_examples(vocabulary, n=50, seed=0):
    """Invented reviews of 1 to 68 sentences."""
    rng = np.random.default_rng(seed)
    texts = [
        " ".join(["the plot was slow."] * int(rng.integers(1, 60)) + ["a great film!"] * int(rng.integers(0, 9)))
        for _ in range(n)
    ]
    labels = rng.integers(0, 2, n)
    return encode(tokenize_all(Reviews(texts, labels)), labels, vocabulary)


@pytest.fixture(scope="module")
def examples(vocabulary):
    return make_examples(vocabulary)


def batches_of(examples, seed=1, **settings):
    return list(epoch_views(examples, rng=np.random.default_rng(seed), **{"batch_size": 8, **settings}).padded())


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("ids", "lengths", "labels", "rows")
    )


def test_encoding_looks_up_words_and_finds_the_ends_of_sentences(vocabulary):
    labels = np.array([1, 0])
    examples = encode([["good", "film", ".", "zzyzx", "!"], []], labels, vocabulary)
    assert examples.ids[0].tolist() == [*vocabulary.encode(["good", "film", "."]), UNKNOWN_ID, vocabulary.ids["!"]]
    assert examples.sentence_ends[0].tolist() == [2, 4]
    assert examples.ids[1].tolist() == [UNKNOWN_ID]  # a text without a word is one unknown word
    assert examples.pick(np.array([1])).labels.tolist() == [0]


def test_reviews_are_cut_into_tokens_by_the_rules_asked_for():
    reviews = Reviews(["8/10 film"], np.array([1]))
    assert tokenize_all(reviews) == [["8/10", "film"]]
    assert tokenize_all(reviews, version=2) == [["<rating-0.8>", "film"]]


def test_a_long_text_is_read_at_its_head_and_tail():
    ids = np.arange(2, 1_002)
    assert whole(ids).tolist() == [*range(2, 130), *range(730, 1_002)]
    assert whole(ids).dtype == np.int64
    assert whole(ids[:400]).tolist() == ids[:400].tolist()


def sentences(*lengths):
    """A text of numbered tokens, and where its sentences end."""
    return np.arange(100, 100 + sum(lengths)), np.cumsum(lengths) - 1


def test_a_crop_is_one_to_three_whole_sentences_in_a_row():
    ids, ends = sentences(5, 7, 4, 9, 6, 8)
    starts = [0, *(ends[:-1] + 1)]
    wanted = {
        tuple(ids[starts[first] : ends[first + count - 1] + 1]) for count in (1, 2, 3) for first in range(6 - count + 1)
    }
    rng = np.random.default_rng(0)
    found = {tuple(crop(ids, ends, rng)) for _ in range(2_000)}
    assert found == wanted


def test_first_and_last_sentences_are_as_likely_as_all_places_together():
    ids, ends = sentences(*[5] * 20)
    rng = np.random.default_rng(0)
    crops = [crop(ids, ends, rng) for _ in range(3_000)]
    at_start = np.mean([piece[0] == ids[0] for piece in crops])
    at_end = np.mean([piece[-1] == ids[-1] for piece in crops])
    assert 0.30 < at_start < 0.42  # a third, and a twentieth of the third that goes anywhere
    assert 0.30 < at_end < 0.42


@pytest.mark.parametrize("lengths", [(1, 1, 1, 1, 1, 1, 1), (9, 1, 1), (1, 1, 9), (2, 2), (4,)])
def test_a_crop_has_at_least_the_least_number_of_tokens(lengths):
    ids, ends = sentences(*lengths)
    rng = np.random.default_rng(0)
    for _ in range(200):
        piece = crop(ids, ends, rng)
        assert len(piece) >= MIN_CROP_TOKENS
        assert np.array_equal(piece, np.arange(piece[0], piece[0] + len(piece)))


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_text_shorter_than_a_crop_stays_whole(length):
    ids, ends = sentences(length)
    assert crop(ids, ends, np.random.default_rng(0)).tolist() == ids.tolist()


def test_a_text_without_an_end_of_sentence_stays_whole():
    ids = np.arange(100, 130)
    assert crop(ids, np.array([], dtype=np.int64), np.random.default_rng(0)).tolist() == ids.tolist()


@pytest.mark.parametrize(
    "settings", [{}, {"crop_share": 0.5, "word_dropout": 0.2}, {"batch_size": 7}, {"batch_size": 99}]
)
def test_an_epoch_has_every_example_once(examples, settings):
    batches = batches_of(examples, **settings)
    rows = np.concatenate([batch.rows for batch in batches])
    assert sorted(rows) == list(range(len(examples)))
    assert len(batches) == -(-len(examples) // settings.get("batch_size", 8))
    for batch in batches:
        assert np.array_equal(batch.labels, examples.labels[batch.rows])


def test_without_crops_and_dropout_each_row_is_its_whole_text(examples):
    for batch in batches_of(examples):
        for ids, length, row in zip(batch.ids, batch.lengths, batch.rows, strict=True):
            assert np.array_equal(ids[:length], examples.ids[row])
            assert (ids[length:] == PAD_ID).all()


def test_the_same_seed_gives_the_same_epoch_and_another_seed_another(examples):
    settings = {"crop_share": 0.5, "word_dropout": 0.2}
    one, again, other = (batches_of(examples, seed=seed, **settings) for seed in (1, 1, 2))
    assert all(same(a, b) for a, b in zip(one, again, strict=True))
    assert not all(same(a, b) for a, b in zip(one, other, strict=True))


def test_texts_of_similar_length_share_a_batch(examples):
    padding = sum(int((batch.lengths.max() - batch.lengths).sum()) for batch in batches_of(examples))
    rng = np.random.default_rng(0)
    order = rng.permutation(len(examples))
    lengths = np.array([len(ids) for ids in examples.ids])
    unsorted = sum(int((part.max() - part).sum()) for part in np.split(lengths[order], range(8, len(order), 8)))
    assert padding < unsorted / 3


def test_word_dropout_replaces_about_its_share_and_never_padding(examples):
    batches = batches_of(examples, word_dropout=0.25)
    real = np.concatenate([row[:n] for batch in batches for row, n in zip(batch.ids, batch.lengths, strict=True)])
    assert 0.2 < (real == UNKNOWN_ID).mean() < 0.3
    for batch in batches:
        for row, n in zip(batch.ids, batch.lengths, strict=True):
            assert (row[n:] == PAD_ID).all()


def test_word_dropout_leaves_the_examples_as_they_were(examples):
    before = [ids.copy() for ids in examples.ids]
    batches_of(examples, word_dropout=0.9)
    assert all(np.array_equal(a, b) for a, b in zip(before, examples.ids, strict=True))


def test_crops_are_about_the_share_asked_for(vocabulary):
    examples = make_examples(vocabulary, n=400)
    shorter = sum(
        int(length < len(examples.ids[row]))
        for batch in batches_of(examples, crop_share=0.4)
        for length, row in zip(batch.lengths, batch.rows, strict=True)
    )
    assert 0.3 * 400 < shorter < 0.45 * 400


def test_evaluation_reads_every_text_once_shortest_first(examples):
    batches = list(evaluation_views(examples, batch_size=8, max_tokens=100).padded())
    lengths = np.concatenate([batch.lengths for batch in batches])
    assert sorted(np.concatenate([batch.rows for batch in batches])) == list(range(len(examples)))
    assert np.array_equal(lengths, np.sort(lengths))
    assert lengths.max() == 100


def test_padding_stands_on_the_right():
    batch = pad([np.array([5]), np.array([6, 7, 8])], np.array([1, 0]), np.array([4, 2]))
    assert batch.ids.tolist() == [[5, PAD_ID, PAD_ID], [6, 7, 8]]
    assert batch.lengths.tolist() == [1, 3]
    assert batch.ids.dtype == batch.lengths.dtype == np.int64
