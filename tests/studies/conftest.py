"""What studies are tested on: five small untrained models, and reviews of chosen lengths."""

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
