# ruff: noqa: SIM905 (token lists read better as text)
import functools
import itertools
import re

import numpy as np
import pytest

from seqdemo.data import development_lines, opinion_kinds
from seqdemo.data.examples import epoch_views
from seqdemo.data.opinion_frames import FIXED, NO_POLARITY, OPPOSITE, SAME
from seqdemo.data.opinion_kinds import FURTHER, N_WAYS
from seqdemo.data.opinions import ALL_KINDS, KINDS, Lexicon, draw, opinion
from seqdemo.errors import DataError
from seqdemo.notation import FEELINGS, RATINGS, SIGNS
from seqdemo.text import PAD, UNKNOWN, Vocabulary, tokenize

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


@pytest.fixture(scope="module")
def drawn():
    """Many sentences with their labels."""
    return {opinion(LEXICON, np.random.default_rng(seed)) for seed in range(12_000)}


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
def test_a_sentence_gets_the_label_that_a_reader_would_give_it(drawn, text, label):
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


def plainest(text):
    """Letters, digits and emoji only."""
    return re.sub(r"[^\w\u2190-\U0001faff]+", " ", text.lower()).strip()


@functools.cache
def further(kind, n=400):
    rng = np.random.default_rng(0)
    return [opinion(LEXICON, rng, (kind,)) for _ in range(n)]


@functools.cache
def learned_vocabulary(version=2):
    rng = np.random.default_rng(0)
    texts = (opinion(LEXICON, rng, ALL_KINDS)[0] for _ in range(3_000))
    return Vocabulary.build(
        ([token.text for token in tokenize(text, version=version)] for text in texts), version=version
    )


def test_the_first_kinds_are_drawn_as_they_always_were():
    assert [opinion(LEXICON, np.random.default_rng(seed)) for seed in range(6)] == [
        ("there is nothing great about the story.", 0),
        ("the movie is not dull.", 1),
        ("i loved it in spite of the sets, which was awful.", 1),
        ("lovely the photography, lovely the plot.", 1),
        ("none of it makes sense.", 0),
        ("it never gets dull", 1),
    ]


@pytest.mark.parametrize("kind", FURTHER)
def test_every_further_kind_is_balanced_and_its_gaps_are_filled(kind):
    drawn = further(kind)
    assert not [text for text, _ in drawn if "{" in text or not text.strip()]
    labels = [label for _, label in drawn]
    assert np.mean(labels) == pytest.approx(0.5, abs=0.08)
    assert set(labels) - {0.5} in (set(), {0, 1})
    assert (0.5 in labels) == bool(FURTHER[kind].soft)
    assert len({text for text, _ in drawn}) > 20


@pytest.mark.parametrize(
    ("kind", "text", "label"),
    [
        ("double_negation", "i can't say it wasn't great.", 1),
        ("not_but", "not an atrocity but a gem.", 1),
        ("could_have_been", "it could have been great.", 0),
        ("could_have_been", "it could have been dull.", 1),
        ("comparison_with_films", "not as good as the book.", 0),
        ("part_and_whole", "lovely the script can't save it.", 0),
        ("part_and_whole", "awful the script can't spoil it.", 1),
        ("question", "is it great?", 0.5),
        ("question", "where is the wit?", 0),
        ("mixed", "sometimes great, sometimes awful", 0.5),
        ("one_word", "meh", 0),
        ("all_capitals", "NOT DULL!!", 1),
        ("foreign_words", "formidable!", 1),
        ("rating", "far from great, 2/10", 0),
        ("thumbs_and_emoji", "\U0001f44d from me.", 1),
    ],
)
def test_a_text_of_a_further_kind_gets_the_label_that_readers_would_give_it(kind, text, label):
    drawn = {found for found in further(kind, 12_000) if found[0] == text}
    assert drawn == {(text, label)}


@pytest.mark.parametrize(("tenths", "way"), [*itertools.product(range(11), range(N_WAYS))])
def test_every_written_rating_is_read_as_what_it_says(tenths, way):
    text = opinion_kinds.written(tenths, way)
    read = [token.text for token in tokenize(text, version=2) if token.text in SIGNS]
    assert len(read) == 1
    assert abs(RATINGS.index(read[0]) - tenths) <= 1  # a grade is between two ratings


def test_every_written_feeling_is_read_with_its_polarity():
    rng = np.random.default_rng(0)
    polarity = {token: 1 if strength > 0 else -1 for strength, token in FEELINGS.items()}
    for _, sign in itertools.product(range(300), (1, -1)):
        read = [token.text for token in tokenize(opinion_kinds.feeling(sign, rng), version=2)]
        assert [polarity[token] for token in read] == [sign]


def pattern_of(frame):
    """What a frame may become, as `plainest` writes it, whatever words fill its gaps."""
    lists = {**NO_POLARITY, **opinion_kinds.WORDS}
    pattern = ""
    for literal, name in re.findall(r"([^{]*)(?:\{(\w+)\})?", frame):
        pattern += re.sub(r"[^\w\s]+", " ", literal.lower())
        if name in lists:
            pattern += f"(?:{'|'.join(plainest(option) for option in lists[name])})"
        elif name:
            pattern += r"an? \S+" if name in {"an", "bn"} else r"\S+"
    return " ".join(pattern.split())


def test_no_line_to_develop_by_can_be_drawn_from_a_frame():
    lines = {plainest(line.text) for line in development_lines.load()}
    frames = [frame for group in (SAME, OPPOSITE) for kind in group.values() for frame in kind]
    frames += [frame for frame, _ in FIXED]
    for kind in FURTHER.values():
        frames += [*kind.same, *kind.opposite, *kind.praise, *kind.blame, *kind.soft]
    frames += [frame.replace("{d} ", "") for frame in frames]  # there often is no degree
    with_words = [frame for frame in frames if re.search(r"[A-Za-z]", re.sub(r"\{\w+\}", "", frame))]
    assert len(with_words) > 800
    patterns = {frame: re.compile(pattern_of(frame)) for frame in with_words}
    assert patterns["{f} is {d} {a}."].fullmatch(plainest("This film is very great."))
    assert not [(frame, line) for frame, pattern in patterns.items() for line in lines if pattern.fullmatch(line)]


def test_no_line_to_develop_by_is_drawn():
    lines = {plainest(line.text) for line in development_lines.load()}
    rng = np.random.default_rng(1)
    assert not lines.intersection(plainest(opinion(LEXICON, rng, ALL_KINDS)[0]) for _ in range(20_000))
    words = [*opinion_kinds.CRIES.values(), *opinion_kinds.FOREIGN.values(), opinion_kinds.WORDS["so"]]
    assert not lines.intersection(plainest(word) for group in words for word in group)
    ratings = itertools.product(range(11), range(N_WAYS))
    assert not lines.intersection(plainest(opinion_kinds.written(*rating)) for rating in ratings)


def test_further_kinds_come_with_soft_labels_and_are_trained_towards_them():
    vocabulary = learned_vocabulary()
    drawn = draw(LEXICON, vocabulary, 600, np.random.default_rng(0), kinds=ALL_KINDS)
    assert set(drawn.soft.tolist()) == {0.0, 0.5, 1.0}
    assert drawn.soft.dtype == np.float32
    assert drawn.labels.tolist() == (drawn.soft >= 0.5).tolist()
    assert 0.05 < np.mean(drawn.soft == 0.5) < 0.25
    signs = {vocabulary.ids[sign] for sign in SIGNS}
    assert any(signs.intersection(ids.tolist()) for ids in drawn.ids)
    first = draw(LEXICON, vocabulary, 50, np.random.default_rng(0))
    assert first.soft is None
    batches = list(epoch_views(first, batch_size=16, rng=np.random.default_rng(0), beside=drawn).padded())
    for batch in batches:
        targets = np.concatenate([first.labels, drawn.soft])[batch.rows]
        assert batch.labels.dtype == np.float32
        assert np.array_equal(batch.labels, targets)
    hard = list(epoch_views(first, batch_size=16, rng=np.random.default_rng(0), beside=first).padded())
    assert all(batch.labels.dtype == np.int64 for batch in hard)


def test_who_cannot_read_signs_and_foreign_words_is_not_shown_them():
    vocabulary = learned_vocabulary(version=1)
    only = draw(LEXICON, vocabulary, 200, np.random.default_rng(0), kinds=(*KINDS, "rating", "thumbs_and_emoji"))
    as_today = draw(LEXICON, vocabulary, 200, np.random.default_rng(0))
    assert all(np.array_equal(one, other) for one, other in zip(only.ids, as_today.ids, strict=True))
    few = Vocabulary([PAD, UNKNOWN, "magnifico", "noioso", "yay", "meh", "film", "!", "."])
    foreign = draw(LEXICON, few, 200, np.random.default_rng(0), kinds=("one_word", "foreign_words"), padded_share=0.0)
    words = {few.words[index] for ids in foreign.ids for index in ids}
    assert {"magnifico", "noioso", "yay", "meh"} <= words


def test_soft_examples_are_picked_with_their_labels():
    drawn = draw(LEXICON, learned_vocabulary(), 20, np.random.default_rng(0), kinds=("mixed",))
    assert drawn.pick(np.array([3, 5])).soft.tolist() == [0.5, 0.5]
