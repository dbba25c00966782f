"""Further kinds of short opinions, as frames like those of `data.opinion_frames`: what people write and reviews lack.

Further gaps, with the polarity s of the opinion: `{rate}` a rating, `{feel}` an emoji or thumbs, `{fw}` a foreign word,
`{cry}` an interjection; of the opposite polarity `{rated}`; of none `{mid}` a rating in the middle, `{film}` other
films, `{who}`, `{does}`, `{place}`, `{day}` and `{person}`.
"""

# Lists of words are written as text and split: a reader can read them.
# ruff: noqa: SIM905

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqdemo import notation


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Frames of one kind by the rule for their label.

    Attributes:
        same: Their label is the polarity of `{a}`.
        opposite: It is the opposite.
        praise: They always praise, and `{a}` does.
        blame: They always blame, and `{a}` does.
        soft: They say both, or nothing: half of the readers would call them positive.
        signs: Whether they are written in signs, which only tokens of version 2 can read.
    """

    same: Sequence[str] = ()
    opposite: Sequence[str] = ()
    praise: Sequence[str] = ()
    blame: Sequence[str] = ()
    soft: Sequence[str] = ()
    signs: bool = False


FURTHER: Mapping[str, Kind] = {
    "double_negation": Kind(
        same=(
            "i can't say it wasn't {a}.",
            "nobody can say that {x} isn't {a}.",
            "there is no denying that it is {a}",
            "it can't be denied that {f} is {a}.",
            "there was not one minute that wasn't {a}.",
            "not a single scene that isn't {a}",
            "not once was it not {a}.",
            "i don't know anyone who didn't find it {a}.",
            "no one who has seen it would say it is not {a}",
            "it is impossible not to find it {a}.",
            "don't let anyone tell you it isn't {a}",
            "don't tell me {f} isn't {a}.",
            "never was {f} anything other than {a}.",
            "it is nothing if not {a}.",
            "{f} is nothing if not {a}",
            "there isn't a scene without {q}.",
            "hardly a minute without {q}",
            "never without {q}.",
            "you can't not {vb} it.",
            "i couldn't not {vb} {f}.",
            "hard not to {vb} {x}.",
            "i can't say that i didn't {vb} it",
            "nobody came out who hadn't {v} it",
            "it would be wrong to say it isn't {a}.",
            "i wouldn't say it was not {a}",
        ),
        praise=("i couldn't find anything that wasn't good.", "not bad, not bad at all", "never not entertaining."),
        blame=("i couldn't find anything that wasn't bad.", "not good, not good at all", "never not annoying."),
    ),
    "not_but": Kind(
        same=(
            "it isn't {b} but {a}.",
            "{f} is not {b} but {d} {a}",
            "not {d} {b}, but {a}.",
            "not {bn} but {an}.",
            "this is not {bn} but {an}",
            "{x} is not {b} but {a}.",
            "it does not have {r} but {q}.",
            "not {r} but {q}",
            "i did not {w2} it, i {v} it.",
            "not as {b} as i thought but {a}",
            "not the {b} film that i expected but {an}.",
            "they made not {bn} but {an}.",
            "{f} isn't just not {b}, it is {a}.",
            "not only is it not {b}, it is {d} {a}",
            "not {b}, as some say, but {a}.",
            "far from {b}, and {a} instead",
        ),
    ),
    "could_have_been": Kind(
        same=(
            "it could have been {b}, and it is {a}.",
            "what might have been {bn} turned out to be {an}",
            "it could easily have been {bn}; it is {an}.",
            "should have been {b}. was {a}.",
            "it would have been {b} in other hands. here it is {a}",
            "i thought it would be {bn}, it was {an}",
        ),
        opposite=(
            "it could have been {a}.",
            "it could have been {an}",
            "{f} might have been {a} with another cast.",
            "{x} could have been {a}.",
            "it would have been {a} if {x} had been {a}.",
            "had {x} been {a}, i would have {v} it",
            "i would have {v} it if {x} had been {a}.",
            "this might have been {an}.",
        ),
        praise=(
            "i could have watched it for another hour.",
            "{x} could not have been better.",
            "it might have failed and it did not.",
            "could not have asked for more",
            "it could have been twice as long.",
        ),
        blame=(
            "with better {x} it would have been {b}.",
            "{f} should have been {b}",
            "it was meant to be {b}.",
            "i so hoped that it would be {b}.",
            "it had everything to be {b}",
            "{x} could have been better.",
            "it could have been so much better",
            "a better director would have made it {b}.",
            "what a missed chance.",
            "so much potential, all wasted.",
            "it should have been half as long.",
        ),
    ),
    "comparison_with_films": Kind(
        same=(
            "more {a} than {film}.",
            "{a} next to {film}",
            "next to it {film} seems {b}.",
            "compared to {film} this is {a}.",
            "unlike {film} it is {d} {a}",
            "{film} was {b}, this is {a}.",
            "as {a} as {film} was {b}",
            "it makes {film} look {b}.",
            "i found {film} {b}. not so this one, it is {a}.",
            "{film} had {r}, this has {q}.",
        ),
        praise=(
            "better than {film}.",
            "so much better than {film}",
            "it beats {film}.",
            "it puts {film} to shame.",
            "it leaves {film} far behind",
            "i liked it even more than {film}.",
            "not even {film} was this good",
            "{film} can't compete with it.",
            "every bit as good as {film}",
        ),
        blame=(
            "worse than {film}.",
            "even worse than {film}",
            "not as good as {film}.",
            "{film} was better.",
            "even {film} was better than this",
            "no match for {film}.",
            "a cheap imitation of {film}",
            "i would rather see {film} again.",
            "it isn't half as good as {film}",
            "{film} did all this before, and did it better.",
            "it makes {film} look like art.",
        ),
    ),
    "part_and_whole": Kind(
        same=(
            "{x} is the only {b} thing about it.",
            "only {x} is {b}; all the rest is {a}.",
            "apart from {x} everything is {a}",
            "{a} film, apart from {x}, which was {b}.",
            "{b} {x}, {b} {y}, and still {an}.",
            "i {w} {x} and {v} the rest.",
            "{x} was {b}. i still {v} {f}",
            "{x} may be {b} and it is {a} all the same.",
            "one {b} scene in {an}.",
            "for all its {b} moments it is {a}",
            "{b} in places, {a} as a whole.",
            "as a whole {a}, even if {x} is {b}.",
            "{x} and {y} are {b}, which does not keep {f} from being {a}.",
            "some {r} here and there, yet overall {a}",
            "{b} start, but {an} in the end.",
        ),
        praise=(
            "{x} could be better, but i would see it again.",
            "{b} {x} can't spoil it.",
            "{x} is {b} and who cares.",
            "forgive {x}, it is worth it",
        ),
        blame=(
            "{x} is fine, {f} is not.",
            "{b} {x} can't save it.",
            "not even {x} could save it",
            "{x} deserved a better film.",
            "{x} is {b} and that is all there is.",
            "{b} {x}, wasted.",
        ),
    ),
    "question": Kind(
        same=(
            "why is {f} so {a}?",
            "how can a film be this {a}?",
            "could it be more {a}?",
            "was there ever anything so {a}?",
            "why is {x} so {a}?",
            "who would not {vb} it?",
            "how could one not {vb} {x}?",
            "what can i say? {a}.",
            "did i {vb} it? very much so",
            "how did they make something so {a}?",
            "is there anything in it that is not {a}?",
        ),
        opposite=(
            "who would {vb} this?",
            "is this supposed to be {a}?",
            "what is {a} about it?",
            "where is the {q}?",
            "how could anyone call it {a}?",
            "who says it is {a}?",
            "why would anyone find it {a}?",
            "{a}? really?",
            "{a}? this?",
            "since when is {x} {a}?",
            "am i the only one who does not think it is {a}?",
        ),
        praise=("why did nobody tell me about it?", "when can i see it again?", "what's not to like?"),
        blame=("what were they thinking?", "who paid for this?", "why did i watch this?", "what was the point?"),
        soft=(
            "is it {a}?",
            "is {x} {a} or {b}?",
            "did anyone {vb} it?",
            "is {f} worth seeing?",
            "who plays the lead?",
            "how long is it?",
            "what is it about?",
            "where was it made?",
            "has anybody here read the book?",
            "when does it come out?",
            "which one should i watch first?",
            "do you know what the song at the end is called?",
        ),
    ),
    "plain_description": Kind(
        soft=(
            "{neutral}",
            "{neutral}",
            "{neutral} {neutral}",
            "{who} {does} {place}.",
            "{who} {does} {place} and meets {who}.",
            "it is set in {place}.",
            "they shot it in {place}.",
            "i watched it on {day} with {person}.",
            "{person} and i saw it on {day}.",
            "in {place} {who} meets {who}.",
            "the story is about {who} who {does} {place}",
            "{who}, {who} and {who}.",
            "it is about {who}.",
        ),
    ),
    "mixed": Kind(
        soft=(
            "{x} is {a}, {y} is {b}.",
            "{a} {x}, {b} {y}.",
            "i {v} {x} and {w} {y}",
            "{a} and {b} at once.",
            "some of it is {a}, some of it is {b}.",
            "{a} in parts, {b} in others",
            "half {a}, half {b}.",
            "{an} to some, {bn} to others.",
            "sometimes {a}, sometimes {b}",
            "as much {q} as {r}.",
            "{q} and {r}, about as much of one as of the other",
            "i don't know if it is {a} or {b}.",
            "it is okay.",
            "it was okay, nothing more and nothing less",
            "not bad, not good.",
            "i have seen better and i have seen worse.",
            "i can't make up my mind about {f}.",
            "i am torn.",
            "{f} is just average.",
            "neither {an} nor {bn}.",
            "i did not {vb} it and did not {w2} it either",
            "nothing to praise, nothing to blame.",
        ),
    ),
    "one_word": Kind(same=("{cry}", "{cry}!", "{cry}.", "{cry}...", "{a}.", "{q}."), soft=("{so}", "{so}.")),
    "all_capitals": Kind(
        same=(
            "{a} {a} {a}",
            "{a}!! {a}!! {a}!!",
            "SO {a}!!",
            "I {v} IT!!",
            "WHAT {an}!!",
            "{f} IS {d} {a}!!",
            "{x} IS {a}!!",
            "I {vb} IT I {vb} IT",
        ),
        opposite=("NOT {a}!!", "NO {q} AT ALL", "IT IS NOT {a}!!"),
        praise=("SEE IT!!", "BEST FILM EVER", "I WANT TO SEE IT AGAIN", "WATCH THIS RIGHT NOW!!"),
        blame=("DO NOT SEE IT!!", "WORST FILM EVER", "I WANT MY MONEY BACK", "WHO MADE THIS??"),
    ),
    "foreign_words": Kind(
        same=(
            "{fw}.",
            "{fw}!",
            "{fw}, {fw}!",
            "c'est {fw}.",
            "simply {fw}",
            "{f} is {fw}.",
            "{x}: {fw}!",
            "{a}, or as they say over there, {fw}.",
            "as my grandmother used to say: {fw}",
            "{fw} film",
            "{fw}, {d} {a}.",
        ),
    ),
    "rating": Kind(
        same=(
            "{rate}",
            "{rate}.",
            "{rate}!",
            "{a}. {rate}",
            "{rate}, {a}.",
            "{rate}: {d} {a}",
            "{x} is {a}. {rate}",
            "{f}: {rate}",
            "{a} {x}, {rate}",
            "overall {rate}.",
            "{rate} and i {v} it",
            "{x} was {b}, still {rate}.",
            "{rate} even if {x} is {b}",
            "i {v} it. {rate}.",
            "{rate}, would have been {rated} without {x}.",
        ),
        opposite=("not {a}. {rated}", "far from {a}, {rated}", "{rated}, no {q}."),
        soft=("{mid}", "{mid}.", "{mid}, {a} {x}, {b} {y}", "{x} is {a}, {y} is {b}. {mid}", "{f}: {mid}"),
        signs=True,
    ),
    "thumbs_and_emoji": Kind(
        same=(
            "{feel}",
            "{feel} {feel}",
            "{f} {feel}",
            "{x} {feel}",
            "{a} {feel}",
            "{a} {x} {feel} {feel}",
            "{feel} from me.",
            "i {v} it {feel}",
            "saw it on {day} {feel}",
            "{person} and i saw it {feel}",
            "{x} was {b} but {feel}",
            "{who} {does} {place} {feel}",
        ),
        opposite=("not {a} {felt}", "no {q} {felt}"),
        signs=True,
    ),
}
"""Kind → its frames."""

WORDS: Mapping[str, Sequence[str]] = {
    "film": (
        "the first one",
        "the original",
        "the sequel",
        "the remake",
        "the book",
        "the last three of the series",
        "most comedies",
        "anything else on tv",
        "the trailer",
        "his other films",
        "all the others this year",
        "casablanca",
        "the godfather",
        "psycho",
        "gladiator",
        "rambo",
    ),
    "who": (
        "a teacher",
        "two brothers",
        "a retired policeman",
        "a young widow",
        "a doctor and her son",
        "three students",
        "an old couple",
        "a writer",
        "a soldier",
        "a family of five",
    ),
    "does": (
        "moves to",
        "opens a shop in",
        "is sent to",
        "looks for work in",
        "spends a summer in",
        "hides in",
        "gets lost in",
        "finds a letter in",
    ),
    "place": (
        "a small town",
        "new york",
        "paris in the fifties",
        "a hotel by the sea",
        "an old house",
        "the north of england",
        "an island",
        "the mountains",
        "a school",
    ),
    "day": "monday wednesday thursday friday saturday sunday christmas".split(),
    "person": ("my sister", "a friend", "my parents", "a colleague", "my neighbour", "the kids"),
    "so": "okay ok average fine hmm maybe passable".split(),
}
"""Gap → its words, which carry no opinion."""

CRIES: Mapping[int, Sequence[str]] = {
    1: "yay yes woohoo yum yeah hurrah amen chapeau wonderful perfection magic masterpiece brilliance winner".split(),
    -1: "meh boo eww gross no ouch trash rubbish garbage crap dreck tripe dud flop disaster lame snooze".split(),
}
"""Polarity → words of `{cry}`."""
FOREIGN: Mapping[int, Sequence[str]] = {
    1: (
        "magnifico merveilleux formidable génial excelente fantastico fantástico maravilloso perfetto stupendo sublime "
        "großartig ausgezeichnet prima hermoso sensationnel extraordinaire bravissimo fantastique bueno"
    ).split(),
    -1: (
        "ennuyeux affreux nul décevant aburrida pésimo malo malísima fatal noioso pessimo brutto langweilig furchtbar "
        "schlecht terribile basta banal passé horrible"
    ).split(),
}
"""Polarity → words of `{fw}`, of several languages."""

_GRADES = {10: "A+", 9: "A", 8: "B+", 7: "B", 6: "C+", 5: "C", 4: "C-", 3: "D+", 2: "D", 1: "D-", 0: "F"}
_POINTS = {1: (7, 8, 9, 10), 0: (5, 6), -1: (0, 1, 2, 3, 4)}
"""Polarity → ratings in tenths; the viewers of the reviews' site praise from seven on, and blame up to four."""
_NUMBERS = "zero one two three four five six seven eight nine ten".split()
_THUMBS = {1: ("thumbs up", "two thumbs up"), -1: ("thumbs down", "two thumbs down")}


def rating(sign: int, rng: np.random.Generator) -> str:
    """A rating as somebody may write it.

    Args:
        sign: Its polarity, 1 or -1, or 0 for one in the middle.
        rng: Source of chance.
    """
    tenths = int(rng.choice(_POINTS[sign]))
    return written(tenths, int(rng.integers(N_WAYS)))


N_WAYS = 10


def written(tenths: int, way: int) -> str:
    """A rating in tenths, written in one of `N_WAYS` ways."""
    stars, half = divmod(tenths, 2)
    article = "an" if _GRADES[tenths][0] in "AF" else "a"
    number = f"{stars}.5" if half else str(stars)
    drawn = "★" * stars + ("½" if half else "") + "☆" * (5 - stars - half)
    plural = "star" if tenths == 2 else "stars"
    return (
        f"{tenths}/10",
        f"{tenths} out of 10",
        f"{_NUMBERS[tenths]} out of ten",
        f"{number}/5",
        f"{number} {plural}",
        f"{number} out of 5 stars",
        f"{tenths}/10" if half or tenths == 0 else f"{_NUMBERS[stars]} {plural}",
        drawn if stars else f"{number}/5",
        f"{_GRADES[tenths]} from me",
        f"i give it {article} {_GRADES[tenths]}",
    )[way]


def feeling(sign: int, rng: np.random.Generator) -> str:
    """An emoji, an emoticon or thumbs of a polarity, 1 or -1."""
    if rng.random() < 0.25:
        return _THUMBS[sign][int(rng.integers(2))]
    signs = notation.WRITTEN[sign * int(rng.integers(1, 3))]
    return signs[int(rng.integers(len(signs)))]
