"""A visitor's own text to foretell: what is read, what is refused, and what counting it comes to."""

import numpy as np
import pytest

from seqdemo.data import grammar, own_words
from seqdemo.errors import DataError
from seqdemo.text import NEWEST_TOKENS, UNKNOWN_ID


def grammatical(n=100, seed=0):
    return " ".join(grammar.text(row) for row in grammar.draw(np.random.default_rng(seed), n, 60))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_text_is_read_in_the_encodings_that_people_have(encoding):
    found = own_words.parse(("The caf\u00e9 is shut. " * 500).encode(encoding))
    assert found.words[:5] == ("the", "caf\u00e9", "is", "shut", ".")
    assert found.summary().startswith("2,500 words and marks, 5 different ones.")
    assert own_words.parse(own_words.written(found)).words == found.words


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty. A text of at least 2,000 words is needed."),
        (b" \n ", "is empty"),
        (b"too short " * 50, "has 100 words and marks; at least 2,000 are needed"),
        (b"a" * 1_000_001, "This file has 1.1 MB; at most 1 MB are read."),
        (bytes(range(256)) * 60, "is not text"),
        (b"PK\x03\x04" + bytes(3_000), "is not text"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(content, said):
    with pytest.raises(DataError, match=said):
        own_words.parse(content)


def test_the_parts_follow_each_other_and_only_the_first_gives_the_words():
    found = own_words.parse((grammatical() + " zebra" * 300 + ".").encode())
    streams = own_words.split(found)
    n = len(found.words)
    assert [len(part) for part in (streams.training, streams.validation, streams.test)] == [
        8 * n // 10,
        9 * n // 10 - 8 * n // 10,
        n - 9 * n // 10,
    ]
    assert streams.vocabulary.version == NEWEST_TOKENS
    assert "zebra" not in streams.vocabulary.words
    assert streams.test[-2] == UNKNOWN_ID
    words = [streams.vocabulary.words[k] for k in streams.training[:40]]
    assert tuple(words) == found.words[:40]


def test_of_many_words_the_most_frequent_are_known():
    text = " ".join(f"w{chr(97 + k % 26)}{chr(97 + k // 26 % 26)}{chr(97 + k // 676)} the" for k in range(4_000))
    assert len(own_words.split(own_words.parse(text.encode())).vocabulary) == own_words.MAX_VOCABULARY


def test_counting_comes_to_what_the_formula_says_worked_out_by_hand():
    vocabulary = own_words.split(own_words.parse(b"a b. " * 1_000)).vocabulary
    a, b, stop = (vocabulary.ids[word] for word in ("a", "b", "."))
    streams = own_words.Streams(
        vocabulary=vocabulary,
        training=np.array([a, b, stop, a, b, a]),
        validation=np.array([a, b, b]),
        test=np.array([a]),
    )
    n = 6 + len(vocabulary)
    p_b = 3 / n  # seen twice, and one more
    unigram, bigram = own_words.counted_losses(streams)
    assert unigram == pytest.approx(-np.log(p_b))
    after_a = (2 - 0.75 + 0.75 * 1 * p_b) / 2  # a was followed by b twice, and by nothing else
    after_b = (0 + 0.75 * 2 * p_b) / 2  # b was followed by two words, never by itself
    assert bigram == pytest.approx(-(np.log(after_a) + np.log(after_b)) / 2, rel=1e-5)


def test_of_the_grammar_pairs_come_near_what_is_known_of_it():
    streams = own_words.split(own_words.parse(grammatical(500).encode()))
    unigram, bigram = own_words.counted_losses(streams)
    known = grammar.known(60)
    assert unigram == pytest.approx(known.unigram, abs=0.05)
    assert bigram == pytest.approx(known.bigram, abs=0.1)
