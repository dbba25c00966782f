"""Made-up reviews: what they say can be worked out from them, and they are as hard as asked for."""

import numpy as np
import pytest

from seqdemo.data import synthetic
from seqdemo.data.synthetic import SyntheticConfig, opinion_distances, reviews, vocabulary
from seqdemo.errors import ConfigError
from seqdemo.text import tokenize


def words(text):
    return [token.text for token in tokenize(text)]


def verdict(text):
    """What a reader understands: praise is 1, and "not" turns it round."""
    found = words(text)
    praise = any(word in synthetic._PRAISE for word in found)
    return int(praise != ("not" in found))


@pytest.mark.parametrize("negation", [0.0, 0.5, 1.0])
def test_the_label_can_be_worked_out_from_the_review(negation):
    found = reviews(SyntheticConfig(n=2000, negation=negation, distance=5))
    assert [verdict(text) for text in found.texts] == found.labels.tolist()
    share = np.mean(["not" in words(text) for text in found.texts])
    assert share == pytest.approx(negation, abs=0.04)


def test_both_verdicts_are_equally_frequent_and_in_no_order():
    labels = reviews(SyntheticConfig(n=1000)).labels
    assert labels.sum() == 500
    assert 150 < labels[:500].sum() < 350


@pytest.mark.parametrize("distance", [0, 1, 30, 120])
def test_the_opinion_stands_as_far_back_as_asked_for(distance):
    found = opinion_distances(list(reviews(SyntheticConfig(n=200, distance=distance)).texts))
    assert found.min() >= distance
    assert found.max() <= max(distance, 1) + 14, "not more than one sentence further"


def test_noise_turns_that_share_of_labels_round():
    found = reviews(SyntheticConfig(n=4000, noise=0.2, distance=5))
    wrong = np.mean([verdict(text) != label for text, label in zip(found.texts, found.labels, strict=True)])
    assert wrong == pytest.approx(0.2, abs=0.03)


def test_the_vocabulary_knows_every_word_of_every_review_and_is_always_the_same():
    known = set(vocabulary().words)
    used = {word for text in reviews(SyntheticConfig(n=1500, negation=0.5)).texts for word in words(text)}
    assert used <= known
    assert known - used <= {"<pad>", "<unk>"}
    assert vocabulary().words == vocabulary().words


def test_what_follows_the_opinion_says_nothing_of_it():
    found = reviews(SyntheticConfig(n=3000, distance=40))
    opinions = {*synthetic._PRAISE, *synthetic._SCORN}
    counts = {}
    for text, label in zip(found.texts, found.labels, strict=True):
        for word in set(words(text)) - opinions:
            counts.setdefault(word, []).append(label)
    for word, labels in counts.items():
        if len(labels) > 300:
            assert np.mean(labels) == pytest.approx(0.5, abs=0.1), word


def test_a_seed_writes_the_same_reviews_again_and_another_seed_others():
    one, again, other = (reviews(SyntheticConfig(n=50, seed=seed)) for seed in (1, 1, 2))
    assert one.texts == again.texts
    assert one.labels.tolist() == again.labels.tolist()
    assert one.texts != other.texts


@pytest.mark.parametrize("changes", [{"n": 1}, {"distance": -1}, {"distance": 301}, {"negation": 1.1}, {"noise": 0.5}])
def test_what_cannot_be_made_is_refused_with_its_name(changes):
    with pytest.raises(ConfigError, match=next(iter(changes))):
        SyntheticConfig(**changes)
