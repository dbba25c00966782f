"""What people call the columns of texts and of labels, and how a row of names differs from a row of data."""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence

_TEXT_NAMES = (
    *("text", "reviewtext", "reviewbody", "reviewcontent", "review", "reviews", "fulltext", "textcontent"),
    *("content", "body", "comment", "comments", "commenttext", "tweet", "tweettext", "tweetcontent", "sentence"),
    *("sentences", "feedback", "opinion", "message", "msg", "post", "posttext", "statement", "utterance", "phrase"),
    *("document", "response", "answer", "remark", "remarks", "note", "notes", "verbatim", "quote", "description"),
    *("summary", "reviewsummary", "headline", "reviewtitle", "title", "subject"),
)
_LABEL_NAMES = (
    *("label", "labels", "sentiment", "sentimentlabel", "polarity", "target", "class", "rating", "ratings"),
    *("starrating", "stars", "star", "reviewrating", "reviewscore", "score", "scores", "overall", "grade"),
    *("recommended", "isrecommended", "recommend", "verdict", "mood", "emotion", "feeling", "category", "y"),
)
_TEXT_RANK = {name: rank for rank, name in enumerate(_TEXT_NAMES)}
_LABEL_RANK = {name: rank for rank, name in enumerate(_LABEL_NAMES)}
_OTHER_NAMES = frozenset({"id", "index", "date", "time", "user", "username", "author", "name", "url", "lang", "source"})

_NUMBER = re.compile(r"[+\-\u2212]?\d[\d.,:/\u00a0 \-]*(?:[eE][+-]?\d+)?\s*[%*\u2605]?")
_LONGEST_NUMBER = 60
_SAMPLE = 500
_MOST_LABELS = 20


def text_rank(name: str) -> int | None:
    """How usual a name is for a column of texts, 0 the most; None where it is not."""
    return _rank(name, _TEXT_RANK)


def label_rank(name: str) -> int | None:
    """How usual a name is for a column of labels, 0 the most; None where it is not."""
    return _rank(name, _LABEL_RANK)


def is_name(cell: str) -> bool:
    """Whether a cell holds a word that columns are usually called by."""
    return text_rank(cell) is not None or label_rank(cell) is not None or _plain(cell) in _OTHER_NAMES


def is_number(cell: str) -> bool:
    """Whether a cell holds a number, a date or a time."""
    return len(cell) <= _LONGEST_NUMBER and _NUMBER.fullmatch(cell.strip()) is not None


def looks_like_data(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether the first row of a table is data rather than the names of its columns.

    Args:
        first: The cells of the first row.
        others: Some of the rows that follow.
    """
    if any(is_name(cell) for cell in first):
        return False
    if all(is_number(cell) or not cell.strip() for cell in first):
        return True
    for place, cell in enumerate(first):
        if not cell.strip():
            continue
        below = [row[place].strip() for row in others if len(row) > place]
        if is_number(cell) and below and sum(map(is_number, below)) > len(below) / 2:
            return True
        if cell.strip() in below or len(cell.split()) > 6 or _is_sentence(cell):
            return True
    return len(first) == 1 and len(first[0].split()) > 3


def shown(names: Sequence[str]) -> tuple[str, ...]:
    """Names under which columns can be told apart: none empty, none twice."""
    found: list[str] = []
    taken = {" ".join(name.split()) for name in names}
    used: set[str] = set()
    for place, name in enumerate(names, start=1):
        plain = " ".join(name.split()) or f"column {place}"
        candidate, n = plain, 1
        while candidate in used or (candidate != " ".join(name.split()) and candidate in taken):
            n += 1
            candidate = f"{plain} ({n})"
        used.add(candidate)
        found.append(candidate)
    return tuple(found)


def propose_text(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """The column that probably holds the texts: by its name, else the one with the longest texts.

    Args:
        names: Of the columns; empty ones say nothing.
        rows: Each as long as `names`.

    Returns:
        Its index; None where no cell holds a letter.
    """
    lengths = [_mean_length([row[place] for row in rows[:_SAMPLE]]) for place in range(len(names))]
    if not any(lengths):  # the first rows may be empty
        lengths = [_mean_length([row[place] for row in rows]) for place in range(len(names))]
    ranked = [
        (rank, place) for place, name in enumerate(names) if lengths[place] and (rank := text_rank(name)) is not None
    ]
    if ranked:
        return min(ranked)[1]
    longest = max(range(len(names)), key=lambda place: lengths[place], default=None)
    return longest if longest is not None and lengths[longest] else None


def propose_label(names: Sequence[str], rows: Sequence[Sequence[str]], text_column: int | None) -> int | None:
    """The column that probably holds the labels: by its name, one with few different labels before others.

    Args:
        names: Of the columns.
        rows: Each as long as `names`.
        text_column: The column that holds the texts.
    """
    ranked = []
    for place, name in enumerate(names):
        rank = label_rank(name)
        if rank is None or place == text_column:
            continue
        different = {row[place].strip().lower() for row in rows[:_SAMPLE]} - {""}
        if different or not rows:
            ranked.append((len(different) > _MOST_LABELS, rank, place))
    return min(ranked)[2] if ranked else None


def usual_length(rows: Sequence[Sequence[str]]) -> int:
    """How many cells most rows have."""
    return collections.Counter(map(len, rows)).most_common(1)[0][0] if rows else 0


def _mean_length(cells: Sequence[str]) -> float:
    """Characters of the cells that hold letters, over all cells."""
    return sum(len(cell) for cell in cells if any(map(str.isalpha, cell[:200]))) / len(cells) if cells else 0.0


def _is_sentence(cell: str) -> bool:
    return len(cell.split()) > 1 and cell.rstrip()[-1:] in tuple(".!?\u2026")


def _rank(name: str, ranks: dict[str, int]) -> int | None:
    plain = _plain(name)
    if plain in ranks:
        return ranks[plain]
    # "Customer Review", "airline_sentiment": the last word says what it is.
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    return len(ranks) + ranks[last] if 1 < len(words) <= 4 and (last := words[-1].lower()) in ranks else None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
