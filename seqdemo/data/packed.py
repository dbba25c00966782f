"""Everything that training needs, in one small folder: texts as word indices, labels, vocabulary, checksums.

A machine with a GPU is often lent for minutes, has no network and no library that reads tables. So texts are turned
into tokens once, where there is time, and travel as numbers. The test reviews are not among them.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from seqdemo.data import corpus, imdb, opinions
from seqdemo.data.examples import Examples, tokenize_all
from seqdemo.errors import DataError
from seqdemo.text import NEWEST_TOKENS, PAD_ID, Vocabulary

FORMAT = 1
MAX_BYTES = 50_000_000
_MANIFEST, _VOCABULARY, _TEXTS = "pack.json", "vocab.txt", "texts.safetensors"
_N_SHORT = 2_000
_PARTS = ("unlabelled", "training", "validation", "short")


@dataclass(frozen=True)
class Texts:
    """Texts one behind the other.

    Attributes:
        ids: Word indices, uint16 (n_tokens,).
        starts: Where each text begins, and the end of the last, int64 (n + 1,).
        labels: Of each text, float16 (n,): 0, 1, or between where opinions are mixed; NaN where there is none.
    """

    ids: npt.NDArray[np.uint16]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, texts: Sequence[npt.NDArray[np.int64]], labels: npt.NDArray[np.floating]) -> Texts:
        """Puts encoded texts behind each other.

        Raises:
            DataError: A word's index is too large to be stored.
        """
        starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        ids = np.concatenate([*texts, np.empty(0, dtype=np.int64)])
        if ids.max(initial=0) > np.iinfo(np.uint16).max:
            raise DataError(f"A pack holds at most {np.iinfo(np.uint16).max + 1:,} words; found index {ids.max():,}.")
        return cls(ids.astype(np.uint16), starts, labels.astype(np.float16))

    def stream(self) -> npt.NDArray[np.int64]:
        """All texts behind each other, each with `PAD_ID` at its end, int64 (n_tokens + n,)."""
        found = np.full(len(self.ids) + len(self), PAD_ID, dtype=np.int64)
        found[np.arange(len(self.ids)) + np.repeat(np.arange(len(self)), np.diff(self.starts))] = self.ids
        return found

    def examples(self, ends: Sequence[int] = ()) -> Examples:
        """The texts one by one.

        Args:
            ends: Indices of the marks that end a sentence; without any, no text can be cropped.
        """
        ids = self.ids.astype(np.int64)
        is_end = np.isin(ids, list(ends))
        places = [slice(start, stop) for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True)]
        labels = self.labels.astype(np.float32)
        soft = None if np.array_equal(labels, labels.round()) else labels
        found_ends = [np.flatnonzero(is_end[place]) for place in places]
        return Examples([ids[place] for place in places], (labels >= 0.5).astype(np.int64), found_ends, soft)


@dataclass(frozen=True, kw_only=True)
class Pack:
    """What `write` writes and `read` reads.

    Attributes:
        vocabulary: The words, most frequent first.
        training: Labelled reviews to learn from.
        unlabelled: Further reviews for language models.
        validation: Labelled reviews that choose.
        short: Generated opinions that nothing learns from: short texts beside the validation reviews.
        opinions: Generated opinions, one set for each epoch.
        sha256: Of the whole pack; what was trained on another is told apart by it.
    """

    vocabulary: Vocabulary
    training: Texts
    unlabelled: Texts
    validation: Texts
    short: Texts
    opinions: Sequence[Texts]
    sha256: str = ""

    @property
    def sentence_ends(self) -> list[int]:
        """Indices of the marks that end a sentence."""
        return sorted(self.vocabulary.sentence_end_ids)


def make(
    *,
    data: str | None = None,
    epochs: int = 5,
    seed: int = 1,
    limit: int | None = None,
    size: int = corpus.VOCABULARY_SIZE,
    tokens: int = NEWEST_TOKENS,
) -> Pack:
    """Turns the film reviews into tokens and draws opinions; takes some minutes.

    Args:
        data: A folder in the Hub data set's layout; `SEQDEMO_IMDB` or the Hub by default.
        epochs: Sets of opinions to draw; their words are learned from all training reviews, whatever the limit.
        seed: Of the opinions.
        limit: Reviews of each split to use, evenly spread; all by default.
        size: Words in the vocabulary.
        tokens: Version of the rules for tokens.

    Raises:
        DataError: The reviews cannot be read.
    """
    everything, unlabelled = imdb.load("train", data), imdb.load("unsupervised", data).some(limit)
    labelled = everything.some(limit)
    training_rows, validation_rows = imdb.split_validation(labelled.labels)
    cut = functools.partial(tokenize_all, version=tokens)
    words = {
        "training": cut(labelled.pick(training_rows)),
        "unlabelled": cut(unlabelled),
        "validation": cut(labelled.pick(validation_rows)),
    }
    labels = {
        "training": labelled.labels[training_rows].astype(np.float32),
        "unlabelled": np.full(len(unlabelled), np.nan),
        "validation": labelled.labels[validation_rows].astype(np.float32),
    }
    learned_from = itertools.chain(words["training"], words["unlabelled"])
    vocabulary = Vocabulary.build(learned_from, size=size, version=tokens)
    encoded = {
        name: Texts.of([np.array(vocabulary.encode(text), dtype=np.int64) for text in texts], labels[name])
        for name, texts in words.items()
    }
    short = Texts.of([], np.empty(0))
    sets: list[Texts] = []
    if epochs:
        rows = imdb.split_validation(everything.labels)[0]
        known = words["training"] if labelled is everything else cut(everything.pick(rows))
        lexicon = opinions.Lexicon.learn(known, everything.labels[rows])
        n = len(training_rows)

        def drawn(n: int, part: int) -> Texts:
            rng = np.random.default_rng((seed, part))
            found = opinions.draw(lexicon, vocabulary, n, rng, kinds=opinions.kinds_of(vocabulary))
            return Texts.of(found.ids, found.targets.astype(np.float32))

        short, sets = drawn(min(n, _N_SHORT), 0), [drawn(n, 1 + epoch) for epoch in range(epochs)]
    return Pack(
        vocabulary=vocabulary,
        short=short,
        opinions=sets,
        training=encoded["training"],
        unlabelled=encoded["unlabelled"],
        validation=encoded["validation"],
    )


def write(folder: pathlib.Path, pack: Pack) -> int:
    """Writes a pack.

    Args:
        folder: An empty or new folder.
        pack: What goes in.

    Returns:
        Its size in bytes.

    Raises:
        DataError: It would be larger than `MAX_BYTES`.
    """
    named = {name: getattr(pack, name) for name in _PARTS}
    named |= {f"opinions-{epoch}": texts for epoch, texts in enumerate(pack.opinions)}
    arrays = {
        f"{name}.{field.name}": getattr(texts, field.name)
        for name, texts in named.items()
        for field in dataclasses.fields(Texts)
    }
    n_bytes = sum(array.nbytes for array in arrays.values())
    if n_bytes > MAX_BYTES:
        raise DataError(f"The pack would have {n_bytes / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:g} MB are wanted.")
    folder.mkdir(parents=True, exist_ok=True)
    pack.vocabulary.save(folder / _VOCABULARY)
    safetensors.numpy.save_file(arrays, folder / _TEXTS)
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (_VOCABULARY, _TEXTS)}
    manifest = {"format": FORMAT, "tokens": pack.vocabulary.version, "opinions": len(pack.opinions), "files": files}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8", newline="\n")
    return sum(path.stat().st_size for path in folder.iterdir())


def read(folder: pathlib.Path) -> Pack:
    """Reads a pack and checks it.

    Raises:
        DataError: A file is missing or is not what was written.
    """
    try:
        content = (folder / _MANIFEST).read_bytes()
        manifest = json.loads(content)
        if manifest["format"] != FORMAT:
            raise DataError(f"{folder / _MANIFEST} is of format {manifest['format']!r}; format {FORMAT} is read.")
        _check(folder, manifest["files"])
        arrays = safetensors.numpy.load_file(folder / _TEXTS)
        vocabulary = Vocabulary.load(folder / _VOCABULARY, version=manifest["tokens"])
        parts = {name: _texts(arrays, name) for name in _PARTS}
        opinions = [_texts(arrays, f"opinions-{epoch}") for epoch in range(manifest["opinions"])]
    except OSError as error:
        raise DataError(
            f"{folder} is no pack: {error.strerror or error}. Make one with `python -m seqdemo pack`."
        ) from error
    except (ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise DataError(f"{folder} is no pack that can be read: {error}.") from error
    return Pack(vocabulary=vocabulary, opinions=opinions, sha256=hashlib.sha256(content).hexdigest(), **parts)


def _check(folder: pathlib.Path, files: Mapping[str, str]) -> None:
    for name in (_VOCABULARY, _TEXTS):
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != files[name]:
            raise DataError(f"{folder / name} is not what was packed; its checksum differs.")


def _texts(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> Texts:
    return Texts(**{field.name: arrays[f"{name}.{field.name}"] for field in dataclasses.fields(Texts)})
