"""Parquet files: those of their columns that hold text, numbers, dates, or yes and no."""

from __future__ import annotations

from typing import Any

from seqdemo.data.tables import parquet_pages
from seqdemo.data.tables.records import MAX_UNPACKED_BYTES, Records, cell, check_size, some
from seqdemo.errors import DataError
from seqdemo.sizes import megabytes


def read(content: bytes, max_cells: int) -> Records:
    """The columns of a Parquet file that hold text, numbers, dates or yes and no.

    Args:
        content: The file.
        max_cells: Cells that may be made.

    Raises:
        DataError: It cannot be read, or holds too much.
    """
    table, left_out = plain_columns(content, max_cells)
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            columns.append([cell(value) for value in column.to_pylist()])
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"The column “{name[:40]}” holds dates or times that cannot be shown. Leave it out."
            ) from error
    if not columns:
        raise DataError(f"This Parquet file has no column of text: {some(left_out)} hold other things.")
    notes: tuple[str, ...] = ()
    if left_out:
        notes = (f"Left out, since cells hold neither text nor a number: {some(left_out)}.",)
    return Records(names=tuple(table.column_names), rows=[list(row) for row in zip(*columns, strict=True)], notes=notes)


def plain_columns(content: bytes, max_cells: int) -> tuple[Any, list[str]]:
    """The plain columns of a Parquet file, text as strings, and the names of the others.

    Args:
        content: The file.
        max_cells: Cells that may be made.

    Raises:
        DataError: It cannot be read, or holds too much.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    damaged = "This Parquet file cannot be read; it may be damaged. Save the table as CSV."
    try:
        footer = pq.read_metadata(pa.BufferReader(content))
        check_size(footer.num_rows, footer.num_columns, max_cells)
        parquet_pages.check(content, footer, max_values=max_cells, max_bytes=MAX_UNPACKED_BYTES)
        texts = [
            footer.schema.column(place).path
            for place in range(footer.num_columns)
            if footer.schema.column(place).physical_type == "BYTE_ARRAY"
        ]
        # A text that is stored once stays one text, however many rows hold it.
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        fields = list(file.schema_arrow)
        flat = [field.name for field in fields if not pa.types.is_nested(field.type)]
        table = file.read(columns=flat, use_threads=False)
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise DataError(damaged) from error
    kept, names = [], []
    n_bytes = 0
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            for chunk in column.chunks:
                lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
                n_bytes += pc.sum(lengths.cast(pa.int64())).as_py() or 0
            if n_bytes > MAX_UNPACKED_BYTES:
                raise DataError(
                    f"This Parquet file holds more than {megabytes(MAX_UNPACKED_BYTES)} of text. Leave out rows."
                )
            try:
                kept.append(column.cast(pa.string()))
            except pa.ArrowException:  # pictures and the like
                continue
        elif _is_plain(column.type):
            kept.append(column)
        else:
            continue
        names.append(name)
    left_out = [field.name for field in fields if field.name not in names]
    return pa.table(kept, names=names), left_out


def _is_plain(kind: Any) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
        or pa.types.is_time(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_string(kind)
    )
