"""A table that a visitor uploaded, before it is used: how it was read, and the pickers that change that."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from seqdemo.data.review_table import Source
from seqdemo.data.tables import ENCODINGS, Table
from seqdemo.errors import DataError
from seqdemo.ui.shared.marks import plain

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_ROWS_SHOWN = 5
_CHARACTERS_SHOWN = 300
_NOTES_SHOWN = 8
_WIDTH = 260


@dataclass(frozen=True)
class Preview:
    """A table as it was read, its rows cut to the first few; or why it cannot be read."""

    table: Table | None
    n_rows: int = 0
    problem: str = ""


class TableSource:
    """The table of one uploader and how its visitor wants it read; what was chosen is kept in the session."""

    def __init__(self, key: str, *, texts: str, labels: str = "") -> None:
        """Draws nothing.

        Args:
            key: What the keys of the pickers begin with.
            texts: What the picker of the column with the texts is called.
            labels: The same of the labels; none is offered where it is empty.
        """
        self._texts, self._labels = texts, labels
        self.encoding, self.header, self.part, self.text, self.label, self.preview = (
            f"{key}_{name}" for name in ("encoding", "header", "part", "text", "label", "preview")
        )

    def forget(self) -> None:
        """Takes away what was chosen and read for the file before."""
        for key in (self.encoding, self.header, self.part, self.text, self.label, self.preview):
            st.session_state.pop(key, None)

    def offer(self, upload: UploadedFile) -> tuple[Source, Table | None]:
        """Draws what was understood of a file, or why it cannot be read, with the pickers that fit it.

        Returns:
            The file under the visitor's choices, and the table with its first rows alone; None where there is none.
        """
        source, preview = self._read(upload)
        table = preview.table
        if preview.problem:
            st.error(plain(preview.problem), icon=":material/error:")
        if table is not None:
            rows, columns = _count(preview.n_rows, "row"), _count(len(table.columns), "column")
            st.text(f"{rows} and {columns}: {table.described()}.")
        self._choose(table)
        if table is not None:
            if table.notes:
                st.caption("  \n".join(plain(note) for note in table.notes[:_NOTES_SHOWN]))
            cells = {column: [row[index] for row in table.rows] for index, column in enumerate(table.columns)}
            st.dataframe(cells, hide_index=True, width="stretch")
        return source, table

    def n_rows(self, upload: UploadedFile) -> int:
        """How many rows the table has."""
        return self._read(upload)[1].n_rows

    def text_column(self, table: Table) -> int | None:
        """Index of the chosen column with the texts; None where no cell of the table holds a letter."""
        return None if table.text_column is None else table.columns.index(st.session_state[self.text])

    def label_column(self, table: Table) -> int | None:
        """Index of the chosen column with the labels; None where none was chosen."""
        name = st.session_state.get(self.label)
        return table.columns.index(name) if name in table.columns else None

    def _read(self, upload: UploadedFile) -> tuple[Source, Preview]:
        """The table under the visitor's choices; read once for each of them."""
        state = st.session_state
        if state.get(self.preview, ("",))[0] != upload.file_id:
            state[self.preview] = (upload.file_id, {})
        known: dict[tuple[object, ...], Preview] = state[self.preview][1]
        encoding, header, part = (state.get(key) for key in (self.encoding, self.header, self.part))
        detected = known.get((None, None, part))
        if detected is not None and detected.table is not None:
            # What was found without a choice is no choice: it bears a damaged byte, for example.
            encoding = None if encoding == detected.table.encoding else encoding
            header = None if header == detected.table.has_header else header
        source = Source(content=upload.getvalue(), file_name=upload.name, encoding=encoding, header=header, part=part)
        if (encoding, header, part) not in known:
            try:
                table = source.read()
            except DataError as error:
                preview = Preview(None, problem=str(error))
            else:
                rows = [[cell[:_CHARACTERS_SHOWN] for cell in row] for row in table.rows[:_ROWS_SHOWN]]
                preview = Preview(dataclasses.replace(table, rows=rows), len(table))
            known[encoding, header, part] = preview
        return source, known[encoding, header, part]

    def _choose(self, table: Table | None) -> None:
        """The pickers that fit the file. One that led to a refusal stays, so that it can be taken back."""
        state = st.session_state
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if table is not None and len(table.parts) > 1:
                what = "Sheet" if table.kind == "xlsx" else "File in the ZIP"
                state.setdefault(self.part, table.part)
                st.selectbox(what, table.parts, key=self.part, on_change=self._other_part, width=_WIDTH)
            if table is not None:
                self._choose_columns(table)
            if table is not None and table.can_lack_header:
                state.setdefault(self.header, table.has_header)
                st.selectbox(
                    "First row",
                    (True, False),
                    format_func=lambda names: "Names of the columns" if names else "A row like the others",
                    key=self.header,
                    on_change=self._other_columns,
                    width=_WIDTH,
                )
            if self.encoding in state or (table is not None and table.encoding is not None):
                if table is not None:
                    state.setdefault(self.encoding, table.encoding)
                st.selectbox(
                    "Encoding",
                    list(ENCODINGS),
                    format_func=lambda encoding: ENCODINGS[encoding],
                    key=self.encoding,
                    on_change=self._other_columns,
                    width=_WIDTH,
                )

    def _choose_columns(self, table: Table) -> None:
        state = st.session_state
        if state.get(self.text) not in table.columns:
            state[self.text] = table.columns[table.text_column or 0]
        st.selectbox(self._texts, table.columns, key=self.text, width=_WIDTH)
        if not self._labels:
            return
        if state.get(self.label) not in table.columns:
            state[self.label] = None if table.label_column is None else table.columns[table.label_column]
        st.selectbox(self._labels, table.columns, key=self.label, width=_WIDTH, placeholder="Choose")

    def _other_columns(self) -> None:
        for key in (self.text, self.label):
            st.session_state.pop(key, None)

    def _other_part(self) -> None:
        self._other_columns()
        for key in (self.header, self.encoding):
            st.session_state.pop(key, None)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
