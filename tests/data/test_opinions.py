# ruff: noqa: SIM905 (token lists read better as text)
import numpy as np
import pytest

from seqdemo.data.opinion_frames import FIXED, OPPOSITE, SAME
from seqdemo.data.opinions import Lexicon, draw, opinion
from seqdemo.errors import DataError
from seqdemo.text import PAD, UNKNOWN, Vocabulary

LEXICON = Lexicon(
    adjectives={1: ["great", "lovely"], -1: ["awful", "dull"]},
    nouns={1: ["gem"], -1: ["atrocity"]},
    verbs={1: ["loved"], -1: ["hated"]},
    neutral=[["we", "sat", "in", "the", "third", "row", "."], ["it", "rained", "."]],
)


def test_labels_are_balanced_and_only_0_or_1():
    labels = [opinion(LEXICON, np.random.default_rng(seed))[1] for seed in range(2000)]
    assert set(labels) == {0, 1}
    assert np.mean(labels) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("great!", 1),
        ("awful!", 0),
        ("not great at all.", 0),
        ("not dull at all.", 1),
        ("hardly lovely.", 0),
        ("hardly an atrocity", 1),
        ("far from awful.", 1),
        ("couldn't be more great.", 1),
        ("instead of a gem we get an atrocity.", 0),
        ("can't say i loved it.", 0),
        ("can't say i hated it.", 1),
        ("never again.", 0),
        ("don't miss it.", 1),
    ],
)
def test_a_sentence_gets_the_label_that_a_reader_would_give_it(text, label):
    drawn = {opinion(LEXICON, np.random.default_rng(seed)) for seed in range(12_000)}
    assert (text, label) in drawn
    assert (text, 1 - label) not in drawn


def test_every_frame_can_be_filled():
    frames = [frame for group in (SAME, OPPOSITE) for kind in group.values() for frame in kind]
    frames += [frame for frame, _ in FIXED]
    assert len(frames) > 200
    assert len(set(frames)) == len(frames)
    for seed in range(3000):
        text, _ = opinion(LEXICON, np.random.default_rng(seed))
        assert text.strip()
        assert "{" not in text


def test_drawn_examples_are_encoded_uncropped_and_some_stand_among_neutral_words():
    words = sorted({word for seed in range(2000) for word in opinion(LEXICON, np.random.default_rng(seed))[0].split()})
    vocabulary = Vocabulary([PAD, UNKNOWN, *dict.fromkeys([*words, "row", "rained", "."])])
    drawn = draw(LEXICON, vocabulary, 400, np.random.default_rng(0))
    assert len(drawn) == 400
    assert all(len(ends) == 0 for ends in drawn.sentence_ends)
    padded = [vocabulary.ids["row"] in ids or vocabulary.ids["rained"] in ids for ids in drawn.ids]
    assert 0.08 < np.mean(padded) < 0.25
    assert min(len(ids) for ids, is_padded in zip(drawn.ids, padded, strict=True) if is_padded) > 30
    again = draw(LEXICON, vocabulary, 400, np.random.default_rng(0))
    assert all(np.array_equal(a, b) for a, b in zip(drawn.ids, again.ids, strict=True))


def test_the_lexicon_learns_who_praises_and_who_blames():
    praise = "it was really splendid . what a triumph ! i adored it . we sat there in the third row again .".split()
    blame = "it was really dismal . what a fiasco ! i loathed it . we sat there in the third row again .".split()
    lexicon = Lexicon.learn([praise, blame] * 40, np.array([1, 0] * 40))
    assert lexicon.adjectives == {1: ["splendid"], -1: ["dismal"]}
    assert lexicon.nouns == {1: ["triumph"], -1: ["fiasco"]}
    assert lexicon.verbs == {1: ["adored"], -1: ["loathed"]}
    assert "we sat there in the third row again .".split() in [list(sentence) for sentence in lexicon.neutral]


def test_a_negated_word_teaches_nothing():
    texts = ["it was not really splendid .".split(), "it was really dismal .".split()] * 40
    with pytest.raises(DataError, match="too few"):
        Lexicon.learn(texts, np.array([1, 0] * 40))
