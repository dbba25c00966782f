"""Short opinions made by rule: plain, negated, contrasted and compared, with and without neutral words around.

Film reviews rarely say "not bad at all", visitors of a demo often do. A frame is a sentence with
gaps and the rule for its label; the words that fill the gaps, and which opinion each of them
carries, are learned from the training reviews (`Lexicon.learn`), and so are the neutral sentences.
Generated examples are mixed into fine-tuning at a small weight.

Gaps: `{a}` an adjective of polarity s, `{b}` one of the opposite polarity; `{an}`, `{bn}` nouns with
their article ("a mess"); `{v}`, `{w}` verbs ("loved"), `{vb}`, `{w2}` infinitives; `{q}` a quality one
wants ("charm", where s is 1) or a fault ("clichés", where s is -1), `{r}` the opposite; `{x}` an aspect
("the acting"), `{y}` another; `{f}` the film; `{d}` a degree ("very"), often none. The label of a frame
is s, or -s where it negates.
"""

# Lists of words are written as text and split: a reader can read them.
# ruff: noqa: SIM905

from __future__ import annotations

import collections
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seqdemo.data.examples import Examples
from seqdemo.errors import DataError
from seqdemo.text import SENTENCE_ENDS, Vocabulary, tokenize

SAME: Mapping[str, Sequence[str]] = {
    "plain": (
        "{f} is {d} {a}.",
        "{f} was {d} {a}",
        "{d} {a}",
        "{a}!",
        "{a}",
        "{a}, {a} and {a}",
        "{a} {x}, {a} {y}.",
        "{x} is {d} {a} and {y} is {a} too.",
        "what {an}!",
        "{f} is {an}.",
        "{an}.",
        "i {v} it.",
        "i {v} {f}",
        "i {d} {v} {x}.",
        "my wife and i both {v} it",
        "honestly, {f} was {a}. {x} too.",
        "{a} from start to finish.",
        "one of the most {a} films i have seen this year.",
        "i found {f} {d} {a}.",
        "{x} makes it {d} {a}",
        "{f} felt {a} the whole way through.",
        "saw this last night and it was {d} {a}",
        "so {a}, so {a}",
        "it turned out to be {an}",
        "{a} script, {a} direction, {a} everything.",
        "{x} {d} {a} !!",
        "full of {q}.",
        "so much {q} in one film",
        "{f} has plenty of {q}, and {x} is {a}.",
        "{x} is all {q}.",
        "nothing but {q} and {q}.",
        "i {vb} {f}, {d} {a}.",
        "you will {vb} it.",
        "everyone will {vb} {x}.",
        "it has {q}, it has {q}",
    ),
    "contrast": (
        "{x} is {b}, but {y} is {a} and that is what counts.",
        "{x} was {b} but overall {f} is {a}.",
        "it starts out {b} but ends up {d} {a}.",
        "{b} at first, but then it becomes {d} {a}",
        "although {x} is {b}, {f} is {a}.",
        "even though {x} was {b} i {v} it",
        "despite {bn} of a first half, {f} is {d} {a}.",
        "i expected {bn} and got {an}.",
        "everyone said it was {b}, but i {v} it.",
        "the critics called it {b}. i thought it was {d} {a}.",
        "{x} may be {b}, yet {f} is {d} {a}.",
        "people say {f} is {b}; it is {a}.",
        "{f} is {a}, even if {x} is {b}.",
        "i {v} it in spite of {x}, which was {b}.",
        "{f} is {a} despite {x} being {b}.",
        "yes, {x} is {b}. still {d} {a}.",
        "looked {b} in the trailer, turned out {a}",
        "{b} title, {a} film.",
        "{b} reviews everywhere, and yet i {v} every minute.",
        "i thought it would be {b} but it was {a}",
        "what could have been {bn} is in fact {an}.",
        "instead of {bn} we get {an}.",
        "{f} is {an} rather than {bn}.",
        "it is {a}, not {b}.",
        "not {b} but {a}.",
        "not {bn} at all, {an}!",
        "{b}? no, {a}.",
        "it has {r}, but it also has {q}, and i {v} it.",
        "some {r}, but mostly {q}.",
        "for all its {r}, {f} is {a}.",
        "i wanted to {w2} it, but i {v} it.",
        "{r} aside, it is {d} {a}.",
    ),
    "compared": (
        "as {a} as it gets.",
        "it doesn't get more {a} than this.",
        "never seen anything so {a}.",
        "i have never seen anything this {a}",
        "nothing this year was more {a}.",
        "more {a} than {b}.",
        "{f} is far more {a} than the one before.",
        "the first one was {b}, this one is {a}.",
        "unlike the original, which was {b}, {f} is {a}.",
        "compared with the book {f} is {d} {a}.",
        "couldn't be more {a}.",
        "{f} could not have been more {a}",
        "not only {a} but {a}.",
        "nothing but {a}.",
        "nothing short of {a}",
        "no doubt {an}.",
        "{f} never stops being {a}.",
        "not just {a}, {d} {a}!",
        "not once did i find it {b}, it is {a}.",
        "more {q} than {r}.",
        "this one has the {q} that the first one did not have.",
        "more {a} than the trailer promised.",
        "{a} next to the others in the series",
        "easily the most {a} of the three.",
    ),
}
"""Frames whose label is the polarity of `{a}`."""

OPPOSITE: Mapping[str, Sequence[str]] = {
    "negated": (
        "not {a}.",
        "not {d} {a}",
        "not {a} at all.",
        "not at all {a}",
        "{f} is not {a}.",
        "{f} isn't {d} {a}.",
        "{f} wasn't {a} at all.",
        "it's not {a}",
        "its not {a}",
        "this is not {an}.",
        "this isn't {an}",
        "not {an}.",
        "no {a} moments.",
        "never {a}.",
        "{f} was never {a}.",
        "never {d} {a}, not for a minute",
        "hardly {a}.",
        "hardly {an}",
        "{f} is hardly {a}.",
        "scarcely {a}",
        "far from {a}.",
        "{x} is far from {a}",
        "anything but {a}.",
        "{f} is anything but {an}.",
        "by no means {a}.",
        "{f} is by no means {an}",
        "in no way {a}",
        "nowhere near {a}.",
        "nowhere near as {a} as people say.",
        "not as {a} as everyone says.",
        "not nearly as {a} as i thought",
        "not that {a}.",
        "not so {a}",
        "not even {a}.",
        "not exactly {a}.",
        "not particularly {a}",
        "isn't {a}",
        "isnt {a}",
        "wasnt {a}",
        "wasn't {d} {a}",
        "aint {a}",
        "ain't {a} at all",
        "{x} aren't {a}.",
        "{x} is not {a} and neither is {y}.",
        "there is nothing {a} about {x}.",
        "nothing {a} here.",
        "nothing about {f} is {a}",
        "i would not call it {a}.",
        "i wouldn't call {f} {a}.",
        "i wouldn't say it was {d} {a}",
        "i would never say {f} is {a}.",
        "nobody could call this {a}.",
        "no one in their right mind would find it {a}",
        "i don't think {f} is {a}.",
        "i dont think it was {a}",
        "i didn't find it {a}.",
        "i did not find {x} {d} {a}.",
        "i can't say it was {a}.",
        "you can't call it {a}",
        "can't say i {v} it.",
        "i never {v} it.",
        "cannot say that i {v} {x}",
        "it is not true that {f} is {a}.",
        "whoever says it is {a} is wrong.",
        "don't believe those who call it {a}.",
        "{f} doesn't feel {a}.",
        "it never feels {a}",
        "it never gets {a}",
        "it does not become {a}, ever",
        "without being {a}.",
        "without a single {a} scene.",
        "not a {a} scene in it.",
        "not one {a} minute",
        "there isn't a {a} scene in the whole film.",
        "{x} lacks anything {a}",
        "neither {a} nor {a}.",
        "not {a} and not {a} either",
        "not {a}, not {a}.",
        "less {a} than i thought.",
        "much less {a} than expected",
        "it stopped being {a} after ten minutes.",
        "{x} was supposed to be {a}. it wasn't.",
        "they told me it was {a}. it is not.",
        "{a}? not at all.",
        "{a}? hardly.",
        "{a} it is not.",
        "{a}, no.",
        "no {q}.",
        "no {q} at all.",
        "no {q}, no {q}",
        "not a trace of {q}.",
        "there is no {q} in it",
        "{f} has no {q}.",
        "{x} has no {q} whatsoever.",
        "without {q}.",
        "without any {q}, and {x} is not {a}.",
        "{f} lacks {q}.",
        "it lacks {q} and {q}",
        "a complete lack of {q}.",
        "zero {q}",
        "hardly any {q}.",
        "little {q}, if any.",
        "never any {q} in it",
        "{f} is free of {q}.",
        "there isn't any {q} here.",
        "where is the {q}? there is none.",
        "i didn't {vb} it.",
        "i did not {vb} {f}.",
        "didn't {vb} {x} at all",
        "i don't {vb} it",
        "i can't {vb} {f}.",
        "i couldn't {vb} it.",
        "nobody will {vb} this.",
        "no one could {vb} {x}",
        "i never {vb} films like this one.",
        "you won't {vb} it.",
        "you will not {vb} {f}",
        "hard to {vb}.",
        "impossible to {vb}",
        "i doubt that anyone will {vb} it.",
        "i have yet to meet someone who {v} it.",
        "why would anyone {vb} this?",
        "{x} didn't feel {a} to me, and {y} did not either.",
        "{x} fails to be {a}",
        "{f} never manages to be {a}.",
        "it tries to be {a} and fails.",
        "i expected it to be {a}. it isn't.",
        "too little {q}",
        "not enough {q}.",
        "i would hesitate to call it {a}.",
        "it is a stretch to call {f} {a}.",
        "{x}: not {a}. {y}: not {a}.",
        "nothing in it is {a}",
        "none of it is {a}.",
        "none of the characters is {a}",
        "not one of the actors is {a}.",
        "at no point is it {a}.",
        "at no time did it get {a}",
        "i wasn't {d} convinced that it is {a}.",
        "can't be called {a}",
        "don't expect anything {a}.",
        "do not expect {an}.",
        "if you expect {an}, look elsewhere.",
    ),
}
"""Frames whose label is the opposite of the polarity of `{a}`."""

FIXED: Sequence[tuple[str, int]] = (
    ("don't miss it.", 1),
    ("do not miss {f}!", 1),
    ("not to be missed", 1),
    ("you won't regret it.", 1),
    ("you will not be disappointed.", 1),
    ("i was not disappointed", 1),
    ("never disappoints.", 1),
    ("it does not disappoint", 1),
    ("i couldn't look away.", 1),
    ("could not stop watching", 1),
    ("i couldn't stop thinking about {x}.", 1),
    ("didn't want it to end.", 1),
    ("i can't wait to see it again.", 1),
    ("can't recommend it enough.", 1),
    ("i cannot praise {x} enough", 1),
    ("no complaints.", 1),
    ("nothing to complain about", 1),
    ("i wouldn't change a thing.", 1),
    ("nothing wrong with {f}.", 1),
    ("{x} leaves nothing to be desired.", 1),
    ("without a doubt worth your time", 1),
    ("never a dull moment.", 1),
    ("there is no better film this year.", 1),
    ("it doesn't get better than this.", 1),
    ("couldn't be better.", 1),
    ("could not have been better", 1),
    ("better than i expected.", 1),
    ("so much better than the first one", 1),
    ("far better than the book.", 1),
    ("much better than people say", 1),
    ("{x} is better than ever.", 1),
    ("i have not laughed this much in years.", 1),
    ("never been so moved.", 1),
    ("i had low expectations and was wrong.", 1),
    ("no regrets", 1),
    ("not a waste of time at all.", 1),
    ("i would watch it again.", 1),
    ("can't get enough of it", 1),
    ("don't bother.", -1),
    ("dont waste your time", -1),
    ("do not waste your money on {f}.", -1),
    ("i can't recommend it.", -1),
    ("i would not recommend {f} to anyone.", -1),
    ("cannot recommend this", -1),
    ("you won't miss anything.", -1),
    ("you will regret it.", -1),
    ("i couldn't wait for it to end.", -1),
    ("could not finish it", -1),
    ("couldn't even finish {f}.", -1),
    ("i didn't laugh once.", -1),
    ("not a single laugh.", -1),
    ("not funny.", -1),
    ("nothing works.", -1),
    ("{x} doesn't work.", -1),
    ("{x} does not make sense", -1),
    ("it made no sense.", -1),
    ("it goes nowhere.", -1),
    ("nothing happens", -1),
    ("no plot, no point.", -1),
    ("no story, no characters, no fun.", -1),
    ("there is nothing to like.", -1),
    ("nothing special", -1),
    ("not worth it.", -1),
    ("not worth the ticket", -1),
    ("isn't worth your time.", -1),
    ("i wasn't impressed.", -1),
    ("not impressed", -1),
    ("{x} leaves a lot to be desired.", -1),
    ("couldn't be worse.", -1),
    ("could not have been worse", -1),
    ("it doesn't get worse than this.", -1),
    ("worse than i expected.", -1),
    ("much worse than the first one", -1),
    ("not as good as the book.", -1),
    ("nowhere near as good as the original", -1),
    ("not half as good as the first film.", -1),
    ("the book was better.", -1),
    ("the original was so much better", -1),
    ("i have seen better.", -1),
    ("there are better films.", -1),
    ("i want my money back.", -1),
    ("i wanted to like it but i couldn't.", -1),
    ("wanted to love {f}, couldn't.", -1),
    ("i had high expectations and was let down.", -1),
    ("it could have been good.", -1),
    ("should have been great, isn't.", -1),
    ("if only {x} had been good.", -1),
    ("i would have liked a better script.", -1),
    ("fails to be funny", -1),
    ("fails to convince.", -1),
    ("i never cared about anyone in it.", -1),
    ("never again.", -1),
    ("avoid.", -1),
    ("i couldn't stop smiling.", 1),
    ("i couldn't put it out of my mind, in a good way", 1),
    ("kept me watching until the end.", 1),
    ("didn't check my phone once", 1),
    ("time flew by.", 1),
    ("i did not want to leave the cinema.", 1),
    ("worth every minute.", 1),
    ("worth every penny", 1),
    ("this one stays with you.", 1),
    ("do yourself a favour and see it.", 1),
    ("a must see", 1),
    ("you would be a fool to skip it.", 1),
    ("i can't fault {x}.", 1),
    ("you can't go wrong with {f}.", 1),
    ("it never puts a foot wrong", 1),
    ("it never gets old.", 1),
    ("nobody does it better.", 1),
    ("hard to beat", 1),
    ("second to none.", 1),
    ("nothing beats {x}.", 1),
    ("none of the others come close to it.", 1),
    ("not a minute too long.", 1),
    ("not to my regret", 1),
    ("i looked at my watch every five minutes.", -1),
    ("i fell asleep", -1),
    ("i kept checking the time.", -1),
    ("i walked out after an hour.", -1),
    ("turned it off halfway", -1),
    ("two hours i will never get back.", -1),
    ("a waste of time", -1),
    ("what were they thinking?", -1),
    ("who wrote this?", -1),
    ("save your money.", -1),
    ("stay away from {f}.", -1),
    ("do yourself a favour and skip it", -1),
    ("i couldn't care less about {x}.", -1),
    ("it never takes off.", -1),
    ("it doesn't go anywhere", -1),
    ("it never comes together.", -1),
    ("{x} falls flat.", -1),
    ("{x} lets it down", -1),
    ("i felt nothing.", -1),
    ("left me cold", -1),
    ("not my thing, and not well made either.", -1),
    ("far too long.", -1),
    ("it just won't end", -1),
    ("none of it makes sense.", -1),
    ("pales next to the original.", -1),
    ("a shadow of the first one", -1),
    ("the trailer was better than {f}.", -1),
    ("skip it", -1),
)
"""Sentences with their label, 1 or -1."""

T = TypeVar("T")

_FILM = ("the film", "the movie", "this film", "this movie", "this", "it", "the whole thing", "that film")
_ASPECTS = tuple(
    f"the {aspect}"
    for aspect in (
        "acting plot story script music cast ending dialogue cinematography direction writing editing pacing "
        "soundtrack score humour humor effects lead beginning animation action characters jokes sets costumes "
        "photography casting screenplay production"
    ).split()
)
_DEGREES = (
    "",
    "",
    "",
    "",
    "very",
    "really",
    "so",
    "quite",
    "absolutely",
    "pretty",
    "just",
    "extremely",
    "truly",
    "too",
)
_QUALITIES: Mapping[int, Sequence[str]] = {
    1: (
        "charm wit heart tension suspense depth warmth chemistry energy soul humour style imagination originality "
        "magic life emotion passion fun laughs surprises ideas substance beauty tenderness talent"
    ).split(),
    -1: (
        "clichés faults flaws mistakes weaknesses boredom nonsense filler holes problems errors stupidity kitsch noise "
        "silliness padding gimmicks emptiness repetition"
    ).split(),
}
_INFINITIVES: Mapping[int, Sequence[str]] = {
    1: "like love enjoy recommend appreciate praise admire".split(),
    -1: "hate dislike regret loathe despise".split(),
}
_KIND_SHARES = {"plain": 0.18, "contrast": 0.15, "compared": 0.1, "negated": 0.42, "fixed": 0.15}
_DEGREE_WORDS = frozenset("very really quite extremely absolutely incredibly truly pretty".split())
_COPULAS = frozenset("is was are were it's be".split())
_BEFORE_NOUN = frozenset("is was what such it's".split())
_NEGATIONS = frozenset(
    "not no never hardly nothing none neither nor without far isn't wasn't aren't weren't don't didn't doesn't "
    "can't couldn't wouldn't won't if could should would".split()
)
_NO_OPINION = frozenset("much do did few well nothing said hard far".split())
"""Words of other uses that stand in the same patterns."""
_PATTERNS = {"very": (8, 0.6), "is": (25, 0.9), "what a": (8, 0.6), "i it": (6, 0.6)}
"""Patterns that tell a word's polarity: places needed in 22,500 reviews, and the least polarity."""
_CLAUSE_ENDS = frozenset({".", ",", "!", "!!", "and", "but"})


@dataclass(frozen=True)
class Lexicon:
    """Words that carry an opinion where they stand in a frame, and sentences that carry none.

    Attributes:
        adjectives: For each polarity, 1 and -1, words as in "is very …".
        nouns: Words as in "what a …".
        verbs: Words as in "i … it".
        neutral: Sentences of the reviews without opinion, in tokens.
    """

    adjectives: Mapping[int, Sequence[str]]
    nouns: Mapping[int, Sequence[str]]
    verbs: Mapping[int, Sequence[str]]
    neutral: Sequence[Sequence[str]]

    @classmethod
    def learn(cls, texts: Sequence[Sequence[str]], labels: npt.NDArray[np.int64]) -> Lexicon:
        """Learns which words praise and which blame.

        A word's polarity is ln((n₊ + 2) / (n₋ + 2)) over the places where it stands in a telling
        pattern without a negation before it ("was really …", "what a …", "i … it"), n₊ of them in
        reviews labelled 1. A sentence is neutral where no word of it leans to either label.

        Args:
            texts: The tokens of each training review.
            labels: 0 or 1 each.

        Returns:
            The lexicon.

        Raises:
            DataError: The reviews are too few to learn words of both polarities.
        """
        found = {kind: collections.defaultdict[str, list[int]](lambda: [0, 0]) for kind in _PATTERNS}
        documents = collections.defaultdict[str, list[int]](lambda: [0, 0])
        for tokens, label in zip(texts, labels, strict=True):
            for word in set(tokens):
                documents[word][label] += 1
            for i in range(2, len(tokens) - 2):
                before, word, after = tokens[i - 1], tokens[i], tokens[i + 1]
                if not word.isalpha() or word in _DEGREE_WORDS | _NO_OPINION or word.endswith("ly"):
                    continue
                if before in _DEGREE_WORDS:
                    kind = "very" if after in {".", "!", "!!"} else "is" if after in _CLAUSE_ENDS else ""
                elif before in _COPULAS:
                    kind = "is" if after in _CLAUSE_ENDS else ""
                elif before == "a" or before == "an":
                    kind = "what a" if after in {".", "!", "!!"} and tokens[i - 2] in _BEFORE_NOUN else ""
                elif before == "i" or (before in {"really", "just"} and tokens[i - 2] == "i"):
                    kind = "i it" if word.endswith("d") and after == "it" and tokens[i + 2] in _CLAUSE_ENDS else ""
                else:
                    continue
                if kind and not _NEGATIONS.intersection(tokens[max(0, i - 5) : i]):
                    found[kind][word][label] += 1
        n = max(1.0, len(texts) / 22_500)

        def pick(pattern: str) -> dict[str, int]:
            least, from_polarity = _PATTERNS[pattern]
            signs = {}
            for word, (blame, praise) in found[pattern].items():
                polarity = math.log((praise + 2) / (blame + 2))
                if blame + praise >= least * n and abs(polarity) > from_polarity:
                    signs[word] = 1 if polarity > 0 else -1
            return signs

        # "was terrible." counts only for words that come in degrees: "released" and "born" do not.
        plain = {word: sign for word, sign in pick("is").items() if sum(found["very"].get(word, ())) >= 3 * n}
        adjectives = plain | pick("very")
        nouns = {word: sign for word, sign in pick("what a").items() if word not in adjectives}
        verbs = pick("i it")
        if any({*words.values()} != {1, -1} for words in (adjectives, nouns, verbs)):
            raise DataError(f"{len(texts):,} reviews are too few to learn words of praise and of blame from.")
        lean = {word: math.log((praise + 5) / (blame + 5)) for word, (blame, praise) in documents.items()}
        opinionated = adjectives.keys() | nouns.keys() | verbs.keys()
        neutral = [
            sentence
            for tokens in texts
            for sentence in _sentences(tokens)
            if 7 <= len(sentence) <= 25
            and max(abs(lean[w]) for w in sentence) < 0.35
            and abs(sum(lean[w] for w in sentence)) < 0.25
            and not opinionated.intersection(sentence)
        ]
        if not neutral:
            raise DataError(f"{len(texts):,} reviews hold no neutral sentence.")
        return cls(_by_sign(adjectives), _by_sign(nouns), _by_sign(verbs), neutral)


def _by_sign(signs: Mapping[str, int]) -> dict[int, list[str]]:
    return {sign: sorted(word for word, its in signs.items() if its == sign) for sign in (1, -1)}


def _sentences(tokens: Sequence[str]) -> list[Sequence[str]]:
    ends = [i + 1 for i, token in enumerate(tokens) if token in SENTENCE_ENDS]
    return [tokens[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def opinion(lexicon: Lexicon, rng: np.random.Generator) -> tuple[str, int]:
    """One generated opinion.

    Args:
        lexicon: The words.
        rng: Source of chance.

    Returns:
        A text of 1 to about 25 words, and its label 0 or 1.
    """
    kind = str(rng.choice(list(_KIND_SHARES), p=list(_KIND_SHARES.values())))
    s = 1 if rng.random() < 0.5 else -1
    if kind == "fixed":
        frame, label = _any([entry for entry in FIXED if entry[1] == s], rng)
    else:
        frames = OPPOSITE if kind in OPPOSITE else SAME
        frame, label = _any(frames[kind], rng), -s if kind in OPPOSITE else s

    def fill(gap: re.Match[str]) -> str:
        name = gap.group(1)
        sign = -s if name in {"b", "bn", "w", "w2", "r"} else s
        if name in {"q", "r"}:
            return _any(_QUALITIES[sign], rng)
        if name in {"vb", "w2"}:
            return _any(_INFINITIVES[sign], rng)
        if name in {"a", "b"}:
            return _any(lexicon.adjectives[sign], rng)
        if name in {"an", "bn"}:
            noun = _any(lexicon.nouns[sign], rng)
            return ("an " if noun[0] in "aeiou" else "a ") + noun
        if name in {"v", "w"}:
            return _any(lexicon.verbs[sign], rng)
        return _any({"f": _FILM, "x": _ASPECTS, "y": _ASPECTS, "d": _DEGREES}[name], rng)

    text = re.sub(r"\{(\w+)\}", fill, frame)
    return text, (label + 1) // 2


def _any(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]


def draw(
    lexicon: Lexicon, vocabulary: Vocabulary, n: int, rng: np.random.Generator, *, padded_share: float = 0.15
) -> Examples:
    """Generated examples, encoded.

    Args:
        lexicon: The words.
        vocabulary: That of the model.
        n: How many.
        rng: Source of chance.
        padded_share: Share of them with 30 to 120 neutral words before or behind.

    Returns:
        The examples; no sentence ends are named, so that none is cropped.
    """
    ids, labels = [], np.empty(n, dtype=np.int64)
    for row in range(n):
        text, labels[row] = opinion(lexicon, rng)
        if rng.random() < 0.2:  # two opinions that agree
            for _ in range(20):
                other, label = opinion(lexicon, rng)
                if label == labels[row]:
                    text = f"{text} {other}"
                    break
        tokens = [token.text for token in tokenize(text)]
        if rng.random() < padded_share:
            padding: list[str] = []
            while len(padding) < rng.integers(30, 110):
                padding += _any(lexicon.neutral, rng)
            ends = tokens if tokens[-1] in SENTENCE_ENDS else [*tokens, "."]
            tokens = [*ends, *padding] if rng.random() < 0.5 else [*padding, *tokens]
        ids.append(np.array(vocabulary.encode(tokens), dtype=np.int64))
    return Examples(ids, labels, [np.empty(0, dtype=np.int64)] * n)
