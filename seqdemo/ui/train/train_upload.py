"""A visitor's own file to train on: its columns, its labels, and which of them is the positive one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from seqdemo.data import labels, own_words, tables
from seqdemo.data.own_csv import MAX_LABELS, MAX_ROWS, MIN_OF_EACH, Choice, LabelledTexts, TwoColumns, Which
from seqdemo.errors import DataError
from seqdemo.runs.limits import Limits
from seqdemo.sizes import MB, megabytes
from seqdemo.ui.shared.marks import plain
from seqdemo.ui.shared.table_source import TableSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from seqdemo.data.own_words import OwnWords
    from seqdemo.data.review_table import Source

_TABLE = TableSource("train_table", texts="Column with the texts", labels="Column with the labels")
_COLUMNS, _TEXTS, _AS, _LABELS, _POSITIVE, _WHICH = (
    f"train_table_{part}" for part in ("columns", "texts", "as", "labels", "positive", "which")
)

_WORDS = "train_words_read"
_MOST_PILLS = 12


def draw(limits: Limits) -> LabelledTexts | None:
    """Draws the uploader and what can be chosen of its file.

    Args:
        limits: How long a run's files are kept.

    Returns:
        The texts that will be trained on; None where there are none yet.
    """
    upload = st.file_uploader(
        f"A table with a text and its label in each row, up to {megabytes(tables.MAX_BYTES)}: {tables.KINDS}",
        max_upload_size=tables.MAX_BYTES // MB,
        key="train_upload",
        on_change=_forget,
    )
    if upload is None:
        _say_how_long_kept("What is learned of it", limits)
        return None
    source, table = _TABLE.offer(upload)
    if table is None:
        return None
    places = _TABLE.text_column(table), _TABLE.label_column(table)
    try:
        columns = _columns(upload, source, *places)
        choice = _choose(columns)
        return None if choice is None else _labelled(columns, choice, _which(columns, choice))
    except DataError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def draw_words(limits: Limits) -> OwnWords | None:
    """Draws the uploader of a text whose words are to be foretold.

    Args:
        limits: How long a run's files are kept.

    Returns:
        The text; None where there is none yet, or it cannot be used.
    """
    upload = st.file_uploader(
        f"A text of at least {own_words.MIN_WORDS:,} words, up to {megabytes(own_words.MAX_BYTES)}: TXT",
        type="txt",
        max_upload_size=own_words.MAX_BYTES // MB,
        key="train_upload_words",
    )
    if upload is None:
        _say_how_long_kept("The text", limits)
        return None
    state = st.session_state
    if state.get(_WORDS, ("", None))[0] != upload.file_id:
        try:
            state[_WORDS] = (upload.file_id, own_words.parse(upload.getvalue()))
        except DataError as error:
            state[_WORDS] = (upload.file_id, str(error))
    found: OwnWords | str = state[_WORDS][1]
    if isinstance(found, str):
        st.error(plain(found), icon=":material/error:")
        return None
    st.text(found.summary())
    return found


def _say_how_long_kept(what: str, limits: Limits) -> None:
    st.caption(
        f"{what} is stored on the server with the run, and deleted with it: after {limits.kept_hours:g} hours, or "
        f"{limits.saved_days:g} days if you save the run."
    )


def _forget() -> None:
    """Takes away what belongs to the file before: its choices, its texts and its problems."""
    _TABLE.forget()
    for key in (_COLUMNS, _TEXTS, _AS, _LABELS, _POSITIVE, _WHICH):
        st.session_state.pop(key, None)


def _columns(upload: UploadedFile, source: Source, text: int | None, label: int | None) -> TwoColumns:
    """What the chosen columns hold; read once for each choice, which takes back what was chosen of other labels."""
    state = st.session_state
    key = (upload.file_id, source.encoding, source.header, source.part, text, label)
    if state.get(_COLUMNS, (None,))[0] != key:
        state[_COLUMNS] = (key, TwoColumns.of(source.read(), text, label))
        for chosen in (_TEXTS, _AS, _LABELS, _POSITIVE):
            state.pop(chosen, None)
    found: TwoColumns = state[_COLUMNS][1]
    return found


def _choose(columns: TwoColumns) -> Choice | None:
    """Which labels are learned, and as what; None while it is asked which one is the positive one.

    Raises:
        DataError: The labels cannot be learned as they were chosen.
    """
    groups = columns.groups()
    if groups is not None:
        n = len(columns.frequent)
        as_two = st.radio(
            "What to learn",
            (True, False),
            format_func=lambda as_two: "Negative or positive" if as_two else f"All {n} labels as they are",
            key=_AS,
            horizontal=True,
        )
        if as_two:
            return _two_groups(columns, groups)
    keys = _labels(columns)
    if len(keys) == 2:
        st.session_state.setdefault(_POSITIVE, labels.positive_of(keys))
        yes = _positive(columns, {key: [key] for key in keys})
        return None if yes is None else columns.chosen(keys, yes)
    found = columns.chosen(keys)
    st.info(
        f"With {len(keys)} labels the result can be tested on this page; the others, such as Live sentiment, want two.",
        icon=":material/info:",
    )
    return found


def _two_groups(columns: TwoColumns, groups: Mapping[str, int]) -> Choice | None:
    """Groups of labels as negative and positive, or the other way round."""
    sides = {name: [key for key in groups if groups[key] == side] for name, side in (("no", 0), ("yes", 1))}
    st.session_state.setdefault(_POSITIVE, "yes")
    chosen = _positive(columns, sides)
    if chosen is None:
        return None
    return columns.grouped(groups if chosen == "yes" else {key: 1 - side for key, side in groups.items()})


def _positive(columns: TwoColumns, sides: Mapping[str, Sequence[str]]) -> str | None:
    """Which of two sides, each of one label or several, is the positive one."""
    if st.session_state[_POSITIVE] not in sides:
        st.session_state[_POSITIVE] = None
    found = st.segmented_control(
        "Positive is",
        list(sides),
        format_func=lambda side: ", ".join(labels.short(columns.found[key].name) for key in sides[side]),
        key=_POSITIVE,
    )
    if found is None:
        st.warning("Which label is the positive one? Choose it above.", icon=":material/help:")
    return found


def _labels(columns: TwoColumns) -> list[str]:
    """Keys of the labels that are learned."""
    if len(columns.found) <= 2:
        return list(columns.found)
    st.session_state.setdefault(_LABELS, columns.frequent)
    title = f"Labels to learn: two to ten, each in at least {MIN_OF_EACH} rows; the others are left out"
    keys = list(columns.found)

    def named(key: str) -> str:
        return f"{labels.short(columns.found[key].name)} ({columns.found[key].n:,})"

    if len(keys) <= _MOST_PILLS:  # all of them in sight
        return st.pills(title, keys, selection_mode="multi", format_func=named, key=_LABELS, wrap=True)
    return st.multiselect(title, keys, format_func=named, max_selections=MAX_LABELS, key=_LABELS)


def _which(columns: TwoColumns, choice: Choice) -> Which:
    """Which rows, where they are more than are trained on."""
    n = sum(columns.found[key].n for key in choice.class_of)
    if n <= MAX_ROWS:
        return "random"
    words: dict[Which, str] = {"random": f"{MAX_ROWS:,} at random", "first": f"The first {MAX_ROWS:,}"}
    return st.radio(
        f"Which of the {n:,} rows?", list(words), format_func=lambda name: words[name], key=_WHICH, horizontal=True
    )


def _labelled(columns: TwoColumns, choice: Choice, which: Which) -> LabelledTexts:
    """The texts under these choices, with what is read as positive; found out once.

    Raises:
        DataError: They are too few.
    """
    state = st.session_state
    key = (choice.classes, tuple(choice.class_of.items()), which)
    if state.get(_TEXTS, (None,))[0] != key:
        state.pop(_TEXTS, None)
        state[_TEXTS] = (key, columns.labelled(choice, which))
    found: LabelledTexts = state[_TEXTS][1]
    st.text(found.summary())
    return found
