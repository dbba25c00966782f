"""The IMDB Large Movie Review Dataset (Maas et al., ACL 2011), from the Hub or a folder.

25,000 reviews for training and 25,000 for testing, half positive, in the layout of
`stanfordnlp/imdb`: parquet files with the columns `text` and `label`, negatives first.
In that order the reviews of one film stand next to each other, so validation rows are
contiguous blocks at the end of each class: random rows would share films with the
training rows and flatter every model.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seqdemo import environment
from seqdemo.errors import DataError

REPOSITORY = "stanfordnlp/imdb"
REVISION = "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"
VALIDATION_SHARE = 0.1

Split = Literal["train", "test", "unsupervised"]
OnProgress = Callable[[int, int], None]
"""Called with the bytes that have come and the bytes in all."""
_LABELLED: tuple[Split, ...] = ("train", "test")
_LABELLED_BYTES = 21_024_620


@dataclass(frozen=True)
class Reviews:
    """Reviews with their labels.

    Attributes:
        texts: The reviews as published, `<br />` included.
        labels: 0 negative, 1 positive, -1 where there is none; int64 (n,).
    """

    texts: Sequence[str]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.texts)

    def pick(self, rows: npt.NDArray[np.int64]) -> Reviews:
        """The reviews at these rows."""
        return Reviews([self.texts[row] for row in rows], self.labels[rows])

    def some(self, limit: int | None) -> Reviews:
        """Every k-th review, so that both classes stay in; all of them without a limit."""
        if limit is None or limit >= len(self):
            return self
        return self.pick(np.linspace(0, len(self) - 1, limit).astype(np.int64))


def find_folder(folder: str | os.PathLike[str] | None = None) -> pathlib.Path | None:
    """The local data set: the folder given, else `SEQDEMO_IMDB`, else None."""
    return pathlib.Path(folder) if folder else environment.IMDB.read()


def load(split: Split, folder: str | os.PathLike[str] | None = None, on_progress: OnProgress | None = None) -> Reviews:
    """Reads one split from a local folder, or from the Hub where none is named.

    Args:
        split: `train`, `test` or `unsupervised`.
        folder: A folder in the Hub data set's layout; `SEQDEMO_IMDB` by default.
        on_progress: Told how far a download has come.

    Returns:
        The reviews in their published order.

    Raises:
        DataError: The files are not there, not parquet, or lack a column; or the Hub
            did not answer.
    """
    return _read(locate(split, folder, on_progress))


def is_here(split: Split, folder: str | os.PathLike[str] | None = None) -> bool:
    """Whether `load` would find the split without a network: in the folder, or in the Hub's cache."""
    if find_folder(folder) is not None:
        try:
            return locate(split, folder).is_file()
        except DataError:
            return False
    import huggingface_hub

    found = huggingface_hub.try_to_load_from_cache(
        REPOSITORY, _file_name(split), revision=REVISION, repo_type="dataset"
    )
    return isinstance(found, str)


def locate(
    split: Split, folder: str | os.PathLike[str] | None = None, on_progress: OnProgress | None = None
) -> pathlib.Path:
    """Finds the parquet file of one split, and fetches it from the Hub where no folder is named.

    Args:
        split: `train`, `test` or `unsupervised`.
        folder: A folder in the Hub data set's layout; `SEQDEMO_IMDB` by default.
        on_progress: Told how far a download has come.

    Returns:
        The file's path.

    Raises:
        DataError: It is not in the folder, or the Hub did not answer.
    """
    chosen = find_folder(folder)
    name = _file_name(split)
    if chosen is None:
        return _download(name, on_progress)
    path = next((p for p in (chosen / name, chosen / pathlib.Path(name).name) if p.is_file()), None)
    if path is None:
        raise DataError(
            f"{chosen} holds no {name}. Name a folder in the layout of the Hub data set {REPOSITORY}, "
            "with --data or SEQDEMO_IMDB."
        )
    return path


def whereabouts() -> str:
    """Where the training and test splits are, in words, without asking the Hub; empty where they are not here."""
    folder = find_folder()
    if folder is not None:
        try:
            for split in _LABELLED:
                locate(split, folder)
        except DataError:
            return ""
        return "from a local folder"
    return "" if None in map(_cached, _LABELLED) else "from the Hub's cache on this machine"


def share_fetched() -> float:
    """How much of the training and test splits has come from the Hub so far, from 0 to 1."""
    from huggingface_hub.constants import HF_HUB_CACHE

    blobs = pathlib.Path(HF_HUB_CACHE) / f"datasets--{REPOSITORY.replace('/', '--')}" / "blobs"
    n_bytes = 0
    for path in blobs.glob("*"):
        with contextlib.suppress(OSError):  # renamed in this moment
            n_bytes += path.stat().st_size
    return min(1.0, n_bytes / _LABELLED_BYTES)


def _cached(split: Split) -> pathlib.Path | None:
    import huggingface_hub

    name = f"plain_text/{split}-00000-of-00001.parquet"
    found = huggingface_hub.try_to_load_from_cache(REPOSITORY, name, repo_type="dataset", revision=REVISION)
    return pathlib.Path(found) if isinstance(found, str) else None


def split_validation(labels: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Takes the last tenth of each class, as one block, for validation.

    Args:
        labels: The labels of the training split in published order, (n,).

    Returns:
        Training rows and validation rows, both in order.
    """
    held_out = [
        rows[len(rows) - round(len(rows) * VALIDATION_SHARE) :]
        for rows in (np.flatnonzero(labels == label) for label in np.unique(labels))
    ]
    validation = np.sort(np.concatenate(held_out))
    return np.setdiff1d(np.arange(len(labels)), validation), validation


def _file_name(split: Split) -> str:
    return f"plain_text/{split}-00000-of-00001.parquet"


def _download(name: str, on_progress: OnProgress | None = None) -> pathlib.Path:
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    import huggingface_hub

    try:
        return pathlib.Path(
            huggingface_hub.hf_hub_download(
                REPOSITORY,
                name,
                repo_type="dataset",
                revision=REVISION,
                tqdm_class=None if on_progress is None else _telling(on_progress),
            )
        )
    except Exception as error:  # the client lets errors of several libraries escape
        raise DataError(
            f"The Hub did not give {name} of {REPOSITORY} ({type(error).__name__}: {error}). "
            "Name a local copy with --data or SEQDEMO_IMDB."
        ) from error


def _telling(on_progress: OnProgress) -> Any:
    """A progress bar that is not drawn: the client of the Hub knows no other way to say how far it is."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    class Telling(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, name: str | None = None, **options: Any) -> None:  # noqa: ARG002
            super().__init__(*args, **{**options, "disable": False, "file": io.StringIO()})

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            on_progress(int(self.n), int(self.total or 0))
            return shown

    return Telling


def _read(path: pathlib.Path) -> Reviews:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=["text", "label"])
    except Exception as error:  # pyarrow raises several kinds for a broken or foreign file
        raise DataError(f"{path} is not a parquet file with the columns text and label: {error}") from error
    text, label = table.column("text"), table.column("label")
    is_text = pa.types.is_string(text.type) or pa.types.is_large_string(text.type)
    if not is_text or not pa.types.is_integer(label.type) or text.null_count or label.null_count or not len(text):
        raise DataError(
            f"{path} has {len(text)} rows with text of type {text.type} and label of type {label.type}; "
            "needed are one string and one whole number in every row."
        )
    return Reviews(text.to_pylist(), label.to_numpy().astype(np.int64))
