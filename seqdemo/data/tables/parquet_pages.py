"""How much the pages of a Parquet file unpack to, read from their headers before any of them is unpacked.

The footer of a file says so too, but a file that was made to do harm says it wrongly there; the header of each page
is what a reader makes room by. Headers are Thrift structures in the compact protocol
(github.com/apache/parquet-format, "PageHeader").
"""

from __future__ import annotations

from typing import Any

from seqdemo.errors import DataError
from seqdemo.sizes import megabytes

_UNPACKED_SIZE, _PACKED_SIZE, _DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_2 = 2, 3, 5, 7, 8
_N_VALUES, _ENCODING, _ENCODING_2 = 1, 2, 4
_DELTA_BYTE_ARRAY = 7
"""Each value repeats the start of the one before: a page can stand for any amount of text."""
_MAX_DEPTH = 16


def check(content: bytes, footer: Any, *, max_values: int, max_bytes: int) -> None:
    """Refuses a file that unpacks to too much.

    Args:
        content: The Parquet file.
        footer: Its metadata, as pyarrow reads it.
        max_values: Values of all columns.
        max_bytes: Bytes of all pages.

    Raises:
        DataError: It does, or its pages are not where they should be.
    """
    n_values = n_bytes = 0
    for group in range(footer.num_row_groups):
        for place in range(footer.num_columns):
            chunk = footer.row_group(group).column(place)
            schema = footer.schema.column(place)
            starts = [chunk.data_page_offset, chunk.dictionary_page_offset or 0]
            at = min(start for start in starts if start > 0) if max(starts) > 0 else 0
            end = at + chunk.total_compressed_size
            of_chunk = 0
            while at < end and of_chunk < max(1, chunk.num_values):
                header, at = _header(content, at)
                page, encoding = _page(header)
                unpacked, packed = header.get(_UNPACKED_SIZE, 0), header.get(_PACKED_SIZE, 0)
                if min(page, unpacked, packed) < 0:
                    raise _damaged()
                if encoding == _DELTA_BYTE_ARRAY:
                    raise DataError("This Parquet file is packed in an unusual way (DELTA_BYTE_ARRAY). Save it as CSV.")
                n_bytes += unpacked
                of_chunk += page
                at += packed
            n_values += of_chunk
            if schema.physical_type == "FIXED_LEN_BYTE_ARRAY":
                n_bytes += of_chunk * schema.length
            if n_bytes > max_bytes:
                raise DataError(
                    f"This Parquet file has more than {megabytes(max_bytes)} unpacked. Leave out some rows."
                )
            if n_values > max_values:
                raise DataError(f"This Parquet file has more than {max_values:,} values. Leave out rows or columns.")


def _page(header: dict[int, Any]) -> tuple[int, int]:
    """How many values a page holds, and how they are encoded; a dictionary's are not those of rows."""
    if _DATA_PAGE in header:
        return header[_DATA_PAGE].get(_N_VALUES, 0), header[_DATA_PAGE].get(_ENCODING, 0)
    if _DATA_PAGE_2 in header:
        return header[_DATA_PAGE_2].get(_N_VALUES, 0), header[_DATA_PAGE_2].get(_ENCODING_2, 0)
    return 0, header.get(_DICTIONARY_PAGE, {}).get(_ENCODING, 0)


def _header(content: bytes, at: int) -> tuple[dict[int, Any], int]:
    try:
        return _structure(content, at, 0)
    except IndexError:
        raise _damaged() from None


def _structure(content: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """Fields of a Thrift structure by their number, and where it ends."""
    if depth > _MAX_DEPTH:
        raise _damaged()
    found: dict[int, Any] = {}
    field = 0
    while content[at]:
        kind, step = content[at] & 15, content[at] >> 4
        at += 1
        if step:
            field += step
        else:
            field, at = _signed(content, at)
        if kind in (1, 2):  # a truth value stands in its kind
            found[field] = kind == 1
        else:
            found[field], at = _value(content, at, kind, depth)
    return found, at + 1


def _value(content: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind == 3:
        return content[at], at + 1
    if kind in (4, 5, 6):
        return _signed(content, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        length, at = _unsigned(content, at)
        return None, at + length
    if kind == 12:
        return _structure(content, at, depth + 1)
    raise _damaged()  # page headers hold no lists or maps


def _unsigned(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at
        if shift > 63:
            raise _damaged()


def _signed(content: bytes, at: int) -> tuple[int, int]:
    number, at = _unsigned(content, at)
    return (number >> 1) ^ -(number & 1), at


def _damaged() -> DataError:
    return DataError("This Parquet file is damaged: its pages are not where they should be. Save the table as CSV.")
