"""Plain text to learn a language from: the training and the unlabelled reviews as one stream of words.

No test review is among them, and neither are the labelled reviews held out for validation:
those measure the language models as well.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqdemo.data import imdb
from seqdemo.text import PAD_ID, Vocabulary, tokenize

VOCABULARY_SIZE = 30_000


@dataclass(frozen=True)
class Corpus:
    """Two streams of words; `PAD_ID` stands after each text and means its end.

    Attributes:
        vocabulary: The words, most frequent first.
        training: int64 (n_training_tokens,).
        validation: int64 (n_validation_tokens,).
    """

    vocabulary: Vocabulary
    training: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]


def load(
    folder: str | os.PathLike[str] | None = None,
    *,
    cache: pathlib.Path | None = None,
    version: int = 1,
    vocabulary: Vocabulary | None = None,
) -> Corpus:
    """Reads and encodes the corpus; reading 72,500 texts takes two minutes, from the cache a second.

    Args:
        folder: A folder in the Hub data set's layout; `SEQDEMO_IMDB` or the Hub by default.
        cache: A folder that keeps the encoded streams; not of a vocabulary that is given.
        version: Of the rules for tokens, one of `text.TOKENS_VERSIONS`.
        vocabulary: The words of models that are there already, by whose rules the texts are cut; None for those that
            the training texts give.

    Returns:
        The streams and their vocabulary.

    Raises:
        DataError: The reviews cannot be read.
    """
    version = version if vocabulary is None else vocabulary.version
    paths = [imdb.locate(split, folder) for split in ("train", "unsupervised")]
    what = f"{VOCABULARY_SIZE} {[path.stat().st_size for path in paths]}"
    if version != 1:  # streams that were kept when there were no other rules are found again
        what += f" tokens {version}"
    key = hashlib.sha256(what.encode()).hexdigest()[:12]
    kept = cache / f".corpus-{key}" if cache and vocabulary is None else None
    if kept and (kept / "vocab.txt").is_file():
        streams = [np.load(kept / f"{name}.npy").astype(np.int64) for name in ("training", "validation")]
        return Corpus(Vocabulary.load(kept / "vocab.txt", version=version), *streams)
    labelled, unlabelled = imdb.load("train", folder), imdb.load("unsupervised", folder)
    training_rows, validation_rows = imdb.split_validation(labelled.labels)
    texts = [*labelled.pick(training_rows).texts, *unlabelled.texts]
    training = [[token.text for token in tokenize(text, version=version)] for text in texts]
    if vocabulary is None:
        vocabulary = Vocabulary.build(training, size=VOCABULARY_SIZE, version=version)
    held_out = labelled.pick(validation_rows).texts
    validation = [[token.text for token in tokenize(text, version=version)] for text in held_out]
    corpus = Corpus(vocabulary, stream(training, vocabulary), stream(validation, vocabulary))
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        np.save(kept / "training.npy", corpus.training.astype(np.int32))
        np.save(kept / "validation.npy", corpus.validation.astype(np.int32))
        vocabulary.save(kept / "vocab.txt")  # last: its presence says that the others are whole
    return corpus


def stream(texts: list[list[str]], vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """All texts behind each other, each with `PAD_ID` at its end, int64 (n_tokens,)."""
    ids, ends = [np.empty(0, dtype=np.int64)], np.array([PAD_ID], dtype=np.int64)
    for text in texts:
        ids += [np.array(vocabulary.encode(text), dtype=np.int64), ends]
    return np.concatenate(ids)
