"""A made-up grammar: its sentences, its probabilities, and what agrees in it."""

import re

import numpy as np
import pytest

from seqdemo.data import grammar

NOUN = f"(?:{'|'.join((*grammar.SINGULAR, *grammar.PLURAL))})"


def sentences(n=400, length=60, seed=0):
    ids = grammar.draw(np.random.default_rng(seed), n, length)
    return [sentence for row in ids for sentence in grammar.text(row).split(". ")[:-1]]


def test_every_sentence_keeps_to_the_grammar_and_its_verb_agrees_with_its_first_noun():
    rule = re.compile(
        f"the ({NOUN})(?: (?:{'|'.join(grammar.PREPOSITIONS)}) the {NOUN})* "
        f"({'|'.join((*grammar.VERBS[0], *grammar.VERBS[1]))})(?: (?:{'|'.join(grammar.ADVERBS)}))?"
    )
    found = sentences()
    assert len(found) > 2_000
    for sentence in found:
        noun, verb = rule.fullmatch(sentence).groups()
        assert verb in grammar.VERBS[noun in grammar.PLURAL]
    assert max(sentence.count("the") for sentence in found) > 6


def test_the_same_seed_draws_the_same_words():
    assert (grammar.draw(np.random.default_rng(1), 3, 20) == grammar.draw(np.random.default_rng(1), 3, 20)).all()


def test_the_chances_are_those_by_which_words_are_drawn():
    ids = grammar.draw(np.random.default_rng(2), 4_000, 12)
    found = grammar.chances(ids)
    np.testing.assert_allclose(found.sum(axis=2), 1)
    drawn = np.take_along_axis(found, ids[:, :, None], axis=2)[:, :, 0]
    assert drawn.min() > 0
    for step in range(12):
        shares = np.bincount(ids[:, step], minlength=len(grammar.WORDS)) / len(ids)
        assert np.abs(shares - found[:, step].mean(axis=0)).max() < 0.03


def test_no_model_can_be_better_than_the_grammar_itself():
    ids = grammar.draw(np.random.default_rng(3), 4_000, 40)
    chances = grammar.chances(ids)
    drawn = np.take_along_axis(chances, ids[:, :, None], axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(chances * np.log(chances), axis=2).mean()
    assert -np.log(drawn).mean() == pytest.approx(entropy, abs=0.01)


@pytest.mark.parametrize("length", [4, 40])
def test_what_is_known_of_the_grammar_is_what_counting_its_words_comes_to(length):
    ids = grammar.draw(np.random.default_rng(4), 5_000, length + 1)
    before, words = ids[:, :-1].ravel(), ids[:, 1:].ravel()
    n = len(grammar.WORDS)
    counts = np.zeros((n, n))
    np.add.at(counts, (before, words), 1)
    single = np.bincount(words, minlength=n) / len(words)
    pairs = counts / counts.sum(axis=1, keepdims=True).clip(1)
    chances = grammar.chances(ids)[:, 1:].reshape(-1, n)
    known = grammar.known(length)
    assert known.commonest == pytest.approx(single.max(), abs=0.01)
    assert known.unigram == pytest.approx(-np.log(single[words]).mean(), abs=0.02)
    assert known.bigram == pytest.approx(-np.log(pairs[before, words]).mean(), abs=0.02)
    assert known.grammar == pytest.approx(-np.log(chances[np.arange(len(words)), words]).mean(), abs=0.02)
    assert known.ceiling == pytest.approx((chances.argmax(axis=1) == words).mean(), abs=0.01)
    assert known.grammar < known.bigram < known.unigram


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("the critic near the actors waits .", (1, 1)),
        ("the critic near the actors wait .", (0, 1)),
        ("the films leave . the hero leave .", (1, 2)),
        ("wait . the the", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_verbs_agree_with_the_first_noun_of_their_sentence(words, found):
    assert grammar.agreement(words.split()) == found


def test_a_text_is_written_as_people_write():
    ids = [grammar.WORDS.index(word) for word in ("the", "film", "waits", ".", "the")]
    assert grammar.text(ids) == "the film waits. the"
