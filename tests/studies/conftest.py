"""What studies are tested on: small untrained models, reviews of chosen lengths, and a language of a few words."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqdemo
from seqdemo.models.registry import MODELS
from tests.conftest import WORDS


@pytest.fixture(scope="session")
def models(checkpoint_folders):
    return {name: seqdemo.load(checkpoint_folders[name]) for name in MODELS}


@pytest.fixture(scope="session")
def write_reviews():
    """`(folder, lengths)` writes reviews of so many words each, as many again of the other label."""

    def write(folder, lengths):
        rng = np.random.default_rng(0)
        letters = [word for word in WORDS if word.isalpha()]
        texts = [" ".join(rng.choice(letters, n)) for n in lengths] * 2
        (folder / "plain_text").mkdir(parents=True)
        table = pa.table({"text": texts, "label": [0] * len(lengths) + [1] * len(lengths)})
        pq.write_table(table, folder / "plain_text/train-00000-of-00001.parquet")
        return folder

    return write


@pytest.fixture(scope="session")
def language(tmp_path_factory):
    """A folder of reviews, all splits, whose sentences come from a few words in likely orders."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("language")
    (folder / "plain_text").mkdir()
    subjects, verbs, ends = ("the film", "This story", "a Bergman"), ("is", "was not", "seems"), ("good .", "dull !")

    def text():
        return " ".join(" ".join(rng.choice(part) for part in (subjects, verbs, ends)) for _ in range(45))

    for split, n in (("train", 200), ("unsupervised", 20), ("test", 20)):
        table = pa.table({"text": [text() for _ in range(n)], "label": [k % 2 for k in range(n)]})
        pq.write_table(table, folder / f"plain_text/{split}-00000-of-00001.parquet")
    return folder


@pytest.fixture(scope="session")
def language_models(language):
    """An untrained RNN and GRU for the next word of that language."""
    import torch

    from seqdemo.checkpoints.language_model import LanguageModel
    from seqdemo.data import corpus
    from seqdemo.models.language import RecurrentLanguageModel
    from seqdemo.models.recurrent import RecurrentConfig

    vocabulary, found = corpus.load(language).vocabulary, {}
    for name in ("rnn", "gru"):
        torch.manual_seed(0)
        shape = RecurrentConfig(cell=name, vocab_size=len(vocabulary), d_embed=8, d_hidden=12)
        model = RecurrentLanguageModel(shape).eval().requires_grad_(False)
        found[name] = LanguageModel(name=name, model=model, vocabulary=vocabulary, metrics={}, sha256=f"{name}" * 10)
    return found
