"""Counting words: the chances of the formula, worked out from the counts of a small text one by one."""

import collections
import itertools

import numpy as np
import pytest

from seqdemo.studies.kneser_ney import KneserNey

VOCAB_SIZE = 6
TEXT = np.random.default_rng(0).integers(0, VOCAB_SIZE - 1, size=300)


def by_hand(order):
    """P(word, before) by the formula of Chen & Goodman 1998."""
    words = TEXT.tolist()
    runs = {n: collections.Counter(tuple(words[k : k + n]) for k in range(len(words) - n + 1)) for n in range(1, 6)}

    def counts(n):
        return runs[n] if n == order else collections.Counter(run[1:] for run in runs[n + 1])

    def discounts(n):
        of = [list(counts(n).values()).count(times) for times in range(5)]
        if not all(of[1:]):
            return [0, 0.5, 0.5, 0.5]
        y = of[1] / (of[1] + 2 * of[2])
        return [0] + [times - (times + 1) * y * of[times + 1] / of[times] for times in (1, 2, 3)]

    def chance(word, before):
        n = len(before) + 1
        shorter = 1 / VOCAB_SIZE if n == 1 else chance(word, before[1:])
        following = {run[-1]: count for run, count in counts(n).items() if run[:-1] == before}
        if not following:
            return shorter
        taken = {word: min(discounts(n)[min(count, 3)], count) for word, count in following.items()}
        own = following.get(word, 0) - taken.get(word, 0)
        return (own + sum(taken.values()) * shorter) / sum(following.values())

    return chance


@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_chance_is_that_of_the_formula_and_they_sum_to_one(order):
    counted, chance = KneserNey(TEXT, VOCAB_SIZE, order), by_hand(order)
    for before in itertools.product(range(VOCAB_SIZE), repeat=order - 1):  # the last word is never seen
        found = counted.chances(np.array(before, dtype=np.int64))
        assert found == pytest.approx([chance(word, before) for word in range(VOCAB_SIZE)])
        assert found.sum() == pytest.approx(1)


def test_discounts_are_estimated_where_a_text_has_runs_seen_once_to_four_times():
    assert len({*KneserNey(TEXT, VOCAB_SIZE, 3)._orders[2].shares.round(6)}) > 3
    times = [1, 1, 1, 2, 2, 3, 4]
    from seqdemo.studies.kneser_ney import _discounts

    y = 3 / (3 + 2 * 2)
    assert _discounts(np.array(times)) == pytest.approx([0, 1 - 2 * y * 2 / 3, 2 - 3 * y * 1 / 2, 3 - 4 * y * 1 / 1])


def test_in_a_text_each_word_has_its_chance_and_rank_after_the_words_before():
    counted, text = KneserNey(TEXT, VOCAB_SIZE, 3), np.array([2, 4, 0, 5, 1, 1, 3])
    p, ranks = counted.chances_in_text(text)
    for k in range(1, len(text)):
        chances = counted.chances(text[max(0, k - 2) : k])
        assert p[k - 1] == chances[text[k]]
        assert ranks[k - 1] == 1 + (chances > chances[text[k]]).sum()
