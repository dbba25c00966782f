"""ZIP files, of which workbooks are a kind: opened, and unpacked no further than a limit, whatever they say."""

from __future__ import annotations

import io
import zipfile
import zlib

from seqdemo.data.tables.records import MAX_UNPACKED_BYTES, some
from seqdemo.errors import DataError
from seqdemo.sizes import megabytes

_TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json")
_ENTRY = b"PK\x01\x02"
"""What every entry of a ZIP's directory begins with."""
_CHUNK = 1 << 16
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def largest_table(content: bytes, part: str | None) -> tuple[bytes, str, tuple[str, ...]]:
    """The table in a ZIP file.

    Args:
        content: The ZIP.
        part: Which of its files; None for the largest table.

    Returns:
        The bytes of that file, its path in the ZIP, and the paths of all tables in it.

    Raises:
        DataError: There is none, it is too large unpacked, or it cannot be unpacked.
    """
    with unzip(content) as file:
        files = members(file)
        tables = [info for info in files if info.filename.lower().endswith(_TEXT_ENDINGS)]
        if not tables:
            names = [info.filename.rsplit("/", 1)[-1] for info in files]
            if any(name.lower().endswith((".xlsx", ".parquet", ".zip")) for name in names):
                raise DataError(
                    "This ZIP holds a file that is packed itself (a workbook, Parquet or another ZIP). Upload that "
                    "file without the ZIP."
                )
            what = some(names) or "it is empty"
            raise DataError(
                f"This ZIP holds no table: {what}. A file that ends in .csv, .tsv, .txt or .jsonl is needed."
            )
        chosen = next((info for info in tables if info.filename == part), None)
        chosen = chosen or max(tables, key=lambda info: info.file_size)
        found = unpack(file, chosen, MAX_UNPACKED_BYTES)
    return found, chosen.filename, tuple(info.filename for info in tables)


def unzip(content: bytes, most: int = 2_000) -> zipfile.ZipFile:
    """Opens a ZIP; nothing is unpacked yet.

    Args:
        content: The ZIP.
        most: Files that it may hold.

    Raises:
        DataError: It is damaged, or holds more files.
    """
    if content.count(_ENTRY) > most:  # before the reader makes an object of each
        raise DataError(f"This ZIP holds more than {most:,} files, and no more are read.")
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except _BROKEN as error:
        raise DataError("This file is a damaged ZIP or workbook. Save it again and try once more.") from error


def members(file: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of a ZIP, without what macOS and others leave in it."""
    return [info for info in file.infolist() if not info.is_dir() and not _is_litter(info.filename)]


def unpack(file: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """A file of a ZIP, of which never more than the limit is unpacked, whatever the ZIP says.

    Args:
        file: The ZIP.
        info: Which of its files.
        limit: Bytes that it may have.

    Raises:
        DataError: It has more, needs a password, or is damaged.
    """
    name = info.filename.rsplit("/", 1)[-1]
    if info.flag_bits & 1:
        raise DataError("This ZIP or workbook is protected by a password. Save it without one.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others unpack all at once
        raise DataError(f"“{name}” is packed in an unusual way. Pack it again as an ordinary ZIP.")
    too_large = f"“{name}” has more than {megabytes(limit)} unpacked; at most that much is read. Upload a part of it."
    if info.file_size > limit:
        raise DataError(too_large)
    found = bytearray()
    try:
        with file.open(info) as member:
            while chunk := member.read(_CHUNK):
                found += chunk
                if len(found) > limit:
                    raise DataError(too_large)
    except _BROKEN as error:
        raise DataError(f"“{name}” cannot be unpacked: this ZIP or workbook is damaged. Save it again.") from error
    return bytes(found)


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith((".", "~$"))
