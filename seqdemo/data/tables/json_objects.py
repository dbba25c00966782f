"""Tables as JSON: a line for each row, or one array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from seqdemo.data.tables.records import Records, cell, check_size
from seqdemo.errors import DataError


def is_json(text: str, file_name: str) -> bool:
    """Whether a text is JSON, by its name or because it begins with an object."""
    if file_name.lower().endswith((".jsonl", ".ndjson", ".json")):
        return True
    first = text.lstrip()[:100_000].split("\n", 1)[0]
    if not first.startswith(("{", "[")):
        return False
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) or (isinstance(found, list) and bool(found) and isinstance(found[0], dict))


def objects(text: str) -> list[dict[str, Any]]:
    """The objects of JSON Lines or of a JSON array.

    Raises:
        DataError: Something else stands there; the sentence names the first places.
    """
    found: list[dict[str, Any]] = []
    problems: list[str] = []
    for place, item in _array(text) if is_array(text) else _json_lines(text):
        if isinstance(item, dict):
            found.append(item)
        else:
            problems.append(f"{place} {item}" if isinstance(item, _Problem) else f"{place} is not an object")
    if problems:
        more = f", and {len(problems) - 3:,} more" if len(problems) > 3 else ""
        raise DataError(
            f"This JSON cannot be read: {'; '.join(problems[:3])}{more}. Each row needs an object of its own, such as "
            '{"text": "…", "label": "…"}.'
        )
    return found


def is_array(text: str) -> bool:
    """Whether JSON text is one array rather than lines."""
    return text.lstrip().startswith("[")


class _Problem(str):
    """Why a piece of JSON could not be read."""

    __slots__ = ()


def _array(text: str) -> Iterator[tuple[str, Any]]:
    found = _loads(text)
    if isinstance(found, _Problem):
        yield "the file", found
        return
    for n, item in enumerate(found, start=1):
        yield f"item {n:,}", item


def _json_lines(text: str) -> Iterator[tuple[str, Any]]:
    for n, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"line {n:,}", _loads(line)


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = (
            f"line {error.lineno:,}, character {error.colno:,}" if error.lineno > 1 else f"character {error.colno:,}"
        )
        return _Problem(f"is not JSON ({error.msg}, {place})")
    except (ValueError, RecursionError):
        return _Problem("is nested too deeply or holds too long a number")


def from_json(text: str, max_cells: int) -> Records:
    """A table of JSON objects: each key a column, in the order in which they first appear.

    Args:
        text: JSON Lines, or an array of objects.
        max_cells: Cells that may be made.

    Raises:
        DataError: It is not, or holds too much.
    """
    found = objects(text)
    names = list(dict.fromkeys(key for item in found for key in item))
    check_size(len(found), len(names), max_cells)
    rows = [[_json_cell(item[name]) if name in item else "" for name in names] for item in found]
    return Records(names=tuple(map(_well_formed, names)), rows=rows)


def line(item: dict[str, Any]) -> str:
    """An object as one line of JSON."""
    found = json.dumps(item, ensure_ascii=False)
    return found if _well_formed(found) == found else json.dumps(item)


def _json_cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return _well_formed(json.dumps(value, ensure_ascii=False))
    if isinstance(value, bool):
        return "true" if value else "false"
    return _well_formed(cell(value))


def _well_formed(text: str) -> str:
    """Half a surrogate pair, which JSON can write as an escape and no encoding knows, becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
