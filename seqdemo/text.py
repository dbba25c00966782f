"""Text to tokens to ids: what the models read, and where it stands in the original.

A token is a lower-cased word with its contractions (``don't``), a rating
(``7/10``), an emoticon or emoji, or a mark that carries opinion (``!``, ``?``,
``...``). Brackets, hyphens and line-break tags only separate. Each token keeps its
character span, so that any page can mark it in the visitor's own text.

These are the rules of version 1. By those of version 2 ratings, thumbs and common
emoji become tokens of their own (`seqdemo.notation`), and all else is as before. A
vocabulary knows which rules its words were made by.
"""

from __future__ import annotations

import bisect
import collections
import functools
import hashlib
import pathlib
import re
import sys
import unicodedata
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seqdemo.bounded import Bounded
from seqdemo.cleaning import Cleaned, clean
from seqdemo.errors import CheckpointCorruptError, TextError
from seqdemo.notation import SIGNS, feeling, find_signs, may_feel
from seqdemo.spelling import MAX_LETTERS, is_english, likely

T = TypeVar("T")

PAD, UNKNOWN = "<pad>", "<unk>"
PAD_ID, UNKNOWN_ID = 0, 1

TOKENS_VERSIONS = (1, 2)
"""Which rules say what a token is. A model must be read to by the rules that it was trained with, so
`config.json` records them (`tokens`) and another version is refused; one that records none has version 1."""
NEWEST_TOKENS = TOKENS_VERSIONS[-1]
"""What is trained from here on."""

MAX_TOKENS = 400
"""Tokens a model reads: training, evaluation and live answers share this limit."""
HEAD_TOKENS = 128
"""Of a longer text, this many tokens come from its start; the rest from its end."""
MAX_CHARACTERS = 50_000
"""Characters of one text that are looked at; a longer one is cut, visibly."""

SENTENCE_ENDS = (".", "!", "!!", "?", "?!", "...")

_SYMBOL = "\u2190-\u2bff\U0001f000-\U0001faff"  # arrows to dingbats; emoji
# A word's characters are what is left when spaces, ASCII and Latin-1 punctuation,
# general and CJK punctuation, symbols and emoji are taken away. So letters of every
# script count, with the combining marks that `\w` would split off.
_LATIN_1_MARKS = r"\u00a1-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf"
_LETTER = rf"[^\s!-/:-@\[-`{{-~{_LATIN_1_MARKS}\u2000-\u206f\u3000-\u303f\ufe00-\ufe0f{_SYMBOL}]"
_TOKEN = re.compile(
    rf"""
      <br\s*(?:/\s*)?>                                      # a line break separates, nothing more
    | (?P<emoticon> (?<![^\W\d_]) [:;=8][-o']?[)(\]\[DPp/|] (?![^\W_]) | <3 (?!\d) )
    | (?P<rating> \d+(?:\.\d+)?/\d+ )
    | (?P<number> \d+(?:[.,]\d+)+ )
    | (?P<word> {_LETTER}+(?:['\u2019\u200c\u200d]{_LETTER}+)* )
    | (?P<emoji> [{_SYMBOL}](?:\ufe0f|[\U0001f3fb-\U0001f3ff]|\u200d[{_SYMBOL}])* )
    | (?P<dots> \.{{2,}} | \u2026 )
    | (?P<shout> [!?]+ )
    | (?P<stars> \*+ )
    | (?P<mark> [.,;:"\u201c\u201d] )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token and the characters of the original text that it stands for.

    Attributes:
        text: The normalised form that the vocabulary knows: lower case, straight quotes.
        start: Index of its first character in the original text.
        end: Index one past its last character.
    """

    text: str
    start: int
    end: int


def _with_signs(tokens: list[Token], text: str) -> list[Token]:
    """The tokens of version 1 with those of version 2 in the place of what stands for signs."""
    found = find_signs(text)
    starts = [token.start for token in tokens] if found else []
    for start, end, name in reversed(found):  # from the end, so that `starts` stays true before it
        first, behind = bisect.bisect_left(starts, start), bisect.bisect_left(starts, end)
        cuts_one = (first > 0 and tokens[first - 1].end > start) or (behind > 0 and tokens[behind - 1].end > end)
        if not cuts_one:  # a part of a longer word or emoji is no sign
            tokens[first:behind] = [Token(name, start, end)]
    if may_feel(text):
        for k, token in enumerate(tokens):
            felt = None if token.text[0].isalnum() else feeling(token.text)
            if felt is not None:
                tokens[k] = Token(felt, token.start, token.end)
    return tokens


def _normalise(kind: str, found: str) -> str:
    if kind == "word":
        found = unicodedata.normalize("NFKC", found).lower()
        return found.replace("\u2019", "'").replace("\u200c", "").replace("\u200d", "")
    if kind == "dots":
        return "..."
    if kind == "shout":
        return "?!" if "!" in found and "?" in found else found[:2] if found[0] == "!" else "?"
    if kind == "stars":
        return found[:5]
    if kind == "mark" and found in "\u201c\u201d":
        return '"'
    return found


def tokenize(text: str, *, version: int = 1) -> list[Token]:
    """Cleans a text and splits it into tokens with their character spans.

    Args:
        text: Any Unicode text.
        version: Of the rules, one of `TOKENS_VERSIONS`.

    Returns:
        The tokens in reading order, their spans in the text as it was given; empty where it holds no word.
    """
    return _tokens(clean(text), version)


def _tokens(cleaned: Cleaned, version: int) -> list[Token]:
    if version not in TOKENS_VERSIONS:
        raise ValueError(f"There are tokens of the versions {TOKENS_VERSIONS}; got {version!r}.")
    tokens = [
        Token(_normalise(found.lastgroup, found.group()), found.start(), found.end())
        for found in _TOKEN.finditer(cleaned.text)
        if found.lastgroup is not None
    ]
    if version == 2:
        tokens = _with_signs(tokens, cleaned.text)
    if cleaned.starts is None:
        return tokens
    return [Token(token.text, *cleaned.span(token.start, token.end)) for token in tokens]


@dataclass(frozen=True)
class Cut:
    """A text cut into tokens: what there is to read, whatever the vocabulary.

    Attributes:
        text: The original text, at most `MAX_CHARACTERS` of it.
        tokens: The tokens read: all of them, or head and tail of a long text.
        n_found: Tokens found before the cut to `max_tokens`.
        n_characters: Characters given, before the cut to `MAX_CHARACTERS`.
        left_out: Kind (one of `cleaning.LEFT_OUT`) → how many of them stand in the text and are not read.
    """

    text: str
    tokens: tuple[Token, ...]
    n_found: int
    n_characters: int
    left_out: Mapping[str, int]

    @property
    def n_skipped(self) -> int:
        """Tokens in the middle of a long text that no model reads."""
        return self.n_found - len(self.tokens)

    @property
    def words(self) -> list[str]:
        """The characters of each token, as they were typed."""
        return [self.text[token.start : token.end] for token in self.tokens]


def cut(text: str, *, max_tokens: int = MAX_TOKENS, version: int = 1) -> Cut:
    """Cleans a text and cuts it into the tokens that a model reads.

    Args:
        text: Any Unicode text.
        max_tokens: Tokens kept; of a longer text the head and the tail.
        version: Of the rules for tokens, one of `TOKENS_VERSIONS`.
    """
    shown = text[:MAX_CHARACTERS]
    cleaned = clean(shown)
    found = _tokens(cleaned, version)
    return Cut(shown, tuple(head_and_tail(found, max_tokens)), len(found), len(text), cleaned.left_out)


def require_text(text: object) -> None:
    """Refuses what is no text.

    Raises:
        TextError: It is something else.
    """
    if not isinstance(text, str):
        raise TextError(f"A text is a str; this is a {type(text).__name__}.")


def require_words(found: Cut) -> None:
    """Refuses a text without a single token.

    Raises:
        TextError: There is none.
    """
    if not found.tokens:
        raise TextError(f"There is no word to read in {found.text[:40]!r}. Give a text with at least one word.")


@dataclass(frozen=True)
class Reading(Cut):
    """What a model reads of one text, with the words that it knows.

    Attributes:
        ids: Vocabulary indices of the tokens, int64 (n_tokens,).
        corrected: Misspelt words, each with the known word that it was read as; no English word is misspelt.
    """

    ids: npt.NDArray[np.int64]
    corrected: Mapping[str, str]

    @property
    def unknown(self) -> npt.NDArray[np.bool_]:
        """Which tokens the vocabulary does not know, bool (n_tokens,)."""
        return np.equal(self.ids, UNKNOWN_ID)

    @property
    def share_unknown(self) -> float:
        """Of the words read, the share that the vocabulary does not know, 0 to 1; marks and numbers are no words."""
        unknown = [
            index == UNKNOWN_ID
            for token, index in zip(self.tokens, self.ids.tolist(), strict=True)
            if any(character.isalpha() for character in token.text)
        ]
        return sum(unknown) / len(unknown) if unknown else 0.0


def probably_not_english(readings: Iterable[Reading]) -> bool:
    """Whether a text is probably not English.

    Some of its words are unknown to every model, and at least half of those that can be judged stand in no list of
    English words and are not one slip away from a word that a model knows. Models alone cannot tell: reviews quote
    titles, so that they know many a "der" and "les". Names and slang are unknown too, so that a text of few words is
    not judged unless it is written in another script.

    Args:
        readings: What each model reads of the text; at least one.
    """
    readings = list(readings)
    if min(reading.share_unknown for reading in readings) < _SOME_UNKNOWN:
        return False
    corrected = {word for reading in readings for word in reading.corrected}
    judged = [token.text for token in readings[0].tokens if token.text.isalpha()]
    foreign = [word for word in judged if word not in corrected and not is_english(word)]
    enough = len(judged) >= _WORDS_TO_JUDGE or any(_OTHER_SCRIPT.search(word) for word in foreign)
    return enough and len(foreign) >= _MOSTLY_FOREIGN * len(judged)


def places(reading: Cut, shown: Cut) -> npt.NDArray[np.int64]:
    """Where each token of one reading stands among those of another: rules of two versions cut a text differently.

    Args:
        reading: Of a text.
        shown: Of the same text, at least one token.

    Returns:
        For each token of `reading` the index of the last token of `shown` that begins before it ends, int64
        (n_tokens,).
    """
    starts = [token.start for token in shown.tokens]
    ends = np.array([token.end for token in reading.tokens], dtype=np.int64)
    found: npt.NDArray[np.int64] = np.maximum(np.searchsorted(starts, ends) - 1, 0).astype(np.int64)
    return found


def at_shown(values: npt.NDArray[np.float64], reading: Cut, shown: Cut) -> npt.NDArray[np.float64]:
    """Figures of a text's words at the words that are shown, where rules of two versions cut a text differently.

    Args:
        values: One figure for each token that is read, (n_tokens,).
        reading: Of a text.
        shown: Of the same text, at least one token.

    Returns:
        (n_shown,): the sum over the tokens that stand at a word, so that no figure is lost.
    """
    found = np.zeros(len(shown.tokens))
    np.add.at(found, places(reading, shown), values)
    return found


_SOME_UNKNOWN = 1 / 8
_MOSTLY_FOREIGN = 1 / 2
_WORDS_TO_JUDGE = 4
_OTHER_SCRIPT = re.compile("[\u0370-\u1dff\u2c00-\ua6ff\ua800-\uabff\uac00-\ufaff]")  # Greek to Hangul


def as_written(words: Iterable[str], after: str = "") -> Iterator[str]:
    """Tokens with the spaces that people put between them: none before a mark, quotation marks in pairs.

    Args:
        words: Tokens, in reading order.
        after: What stands before the first of them.

    Yields:
        Each token, with a space before it where one belongs.
    """
    is_open = after.count('"') % 2 == 1
    wants_space = bool(after.strip()) and not after[-1].isspace() and not (is_open and after.endswith('"'))
    for word in words:
        closes = word == '"' and is_open
        yield f" {word}" if wants_space and not closes and word not in _JOINED else word
        is_open ^= word == '"'
        wants_space = not (word == '"' and is_open)


_JOINED = {*SENTENCE_ENDS, ",", ";", ":"}


def head_and_tail(items: Sequence[T], max_tokens: int = MAX_TOKENS) -> list[T]:
    """Cuts a long sequence to its start and its end: opinions stand there.

    Args:
        items: Tokens or ids.
        max_tokens: How many to keep; a share of `HEAD_TOKENS / MAX_TOKENS` from the start.

    Returns:
        At most `max_tokens` items, in their order.
    """
    if len(items) <= max_tokens:
        return list(items)
    head = max_tokens * HEAD_TOKENS // MAX_TOKENS
    return [*items[:head], *items[len(items) - (max_tokens - head) :]]


_LIKELY: Bounded[tuple[object, str], int] = Bounded(32 * 1024**2)
"""What unknown words were read as, of all vocabularies of this process."""


_LOADED: weakref.WeakValueDictionary[tuple[bytes, int], Vocabulary] = weakref.WeakValueDictionary()


class Vocabulary:
    """The words that a model knows, each with its index, and the rules that they were made by.

    Index 0 is padding and index 1 stands for every unknown word.
    """

    def __init__(self, words: Iterable[str], *, version: int = 1) -> None:
        """Takes the words in order of their index.

        Args:
            words: All entries, beginning with `<pad>` and `<unk>`.
            version: Of the rules for tokens, one of `TOKENS_VERSIONS`.

        Raises:
            CheckpointCorruptError: The first two entries are others, one stands twice, or the tokens of signs are
                missing from version 2.
        """
        self.words: tuple[str, ...] = tuple(words)
        self.version = version
        if self.words[:2] != (PAD, UNKNOWN):
            raise CheckpointCorruptError(
                f"A vocabulary begins with {PAD} and {UNKNOWN}; this one begins with {list(self.words[:2])}."
            )
        self.ids: dict[str, int] = {word: index for index, word in enumerate(self.words)}
        if len(self.ids) != len(self.words):
            twice = [word for word, n in collections.Counter(self.words).items() if n > 1][:3]
            raise CheckpointCorruptError(f"A vocabulary lists each word once; found more than once: {twice}.")
        missing = [token for token in SIGNS if token not in self.ids] if version == 2 else []
        if missing:
            raise CheckpointCorruptError(f"A vocabulary of version 2 holds every sign; not {', '.join(missing[:3])}.")
        self._key = object()  # names this vocabulary in what all remember together

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def build(cls, texts: Iterable[Sequence[str]], *, size: int = 20_000, version: int = 1) -> Vocabulary:
        """Counts tokens and keeps the most frequent.

        Args:
            texts: Token texts of each training document, made by the rules of this version.
            size: Entries in all, the special ones included.
            version: Of the rules for tokens, one of `TOKENS_VERSIONS`; by those of version 2 every sign is an entry,
                however rare it is in the texts.

        Returns:
            The vocabulary; words of equal count in alphabetical order.
        """
        signs = frozenset(SIGNS if version == 2 else ())
        counts = collections.Counter[str](dict.fromkeys(signs, 0))
        for tokens in texts:
            counts.update(tokens)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        words = [word for word in ranked if word not in signs]
        kept = signs.union(words[: size - 2 - len(signs)])
        return cls([PAD, UNKNOWN, *(word for word in ranked if word in kept)], version=version)

    @classmethod
    def load(cls, path: pathlib.Path, *, version: int = 1) -> Vocabulary:
        """Reads `vocab.txt`: one word a line, the line number its index. Who reads the same words shares them.

        Args:
            path: The file.
            version: Of the rules for tokens that the words were made by; `config.json` records it.

        Raises:
            CheckpointCorruptError: It is no vocabulary of this version.
        """
        content = path.read_text(encoding="utf-8")
        key = hashlib.sha256(content.encode()).digest(), version
        found = _LOADED.get(key)
        if found is None:
            found = _LOADED[key] = cls(content.removesuffix("\n").split("\n"), version=version)
        return found

    def save(self, path: pathlib.Path) -> None:
        """Writes `vocab.txt`."""
        path.write_text("\n".join(self.words) + "\n", encoding="utf-8", newline="\n")

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Looks up each token, a misspelt one under its likely spelling; unknown ones become `UNKNOWN_ID`."""
        return [self.ids[token] if token in self.ids else self._likely(token) for token in tokens]

    def _likely(self, token: str) -> int:
        """The index of the word that an unknown token is read as; `UNKNOWN_ID` where there is none."""
        if len(token) > MAX_LETTERS:  # quickly said again, and not worth remembering
            return likely(token, self.ids) or UNKNOWN_ID
        found = _LIKELY.get((self._key, token))
        if found is None:
            found = likely(token, self.ids) or UNKNOWN_ID
            _LIKELY.put((self._key, token), found, sys.getsizeof(token))
        return found

    def read(self, text: str, *, max_tokens: int = MAX_TOKENS) -> Reading:
        """Turns a text into what a model reads of it.

        Args:
            text: Any Unicode text.
            max_tokens: Tokens kept; of a longer text the head and the tail.

        Returns:
            The reading; it may hold no token at all.
        """
        return self.look_up(cut(text, max_tokens=max_tokens, version=self.version))

    def look_up(self, found: Cut) -> Reading:
        """What a model that knows these words reads of a text that was cut into tokens by the rules of its version."""
        ids = np.array(self.encode(token.text for token in found.tokens), dtype=np.int64)
        corrected = {
            token.text: self.words[index]
            for token, index in zip(found.tokens, ids, strict=True)
            if index != UNKNOWN_ID and self.words[index] != token.text and not is_english(token.text)
        }
        return Reading(**vars(found), ids=ids, corrected=corrected)

    def require(self, text: str, *, max_tokens: int = MAX_TOKENS) -> Reading:
        """Like `read`, but refuses a text without a single token.

        Raises:
            TextError: The text holds no word.
        """
        require_text(text)
        reading = self.read(text, max_tokens=max_tokens)
        require_words(reading)
        return reading

    @functools.cached_property
    def sentence_end_ids(self) -> frozenset[int]:
        """Indices of the marks that end a sentence."""
        return frozenset(self.ids[mark] for mark in SENTENCE_ENDS if mark in self.ids)


def read_with(vocabularies: Mapping[str, Vocabulary], text: str, *, max_tokens: int = MAX_TOKENS) -> dict[str, Reading]:
    """What each model reads of a text: it is cut once by each version of the rules, and looked up in each vocabulary.

    Args:
        vocabularies: Name of a model → the words that it knows.
        text: Any Unicode text.
        max_tokens: Tokens kept; of a longer text the head and the tail.

    Returns:
        Name of the model → its reading; those whose vocabularies are of one version have the same tokens.
    """
    different = {id(words): words for words in vocabularies.values()}
    versions = {words.version for words in different.values()}
    found = {version: cut(text, max_tokens=max_tokens, version=version) for version in versions}
    readings = {key: words.look_up(found[words.version]) for key, words in different.items()}
    return {name: readings[id(words)] for name, words in vocabularies.items()}
