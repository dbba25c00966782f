import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from seqdemo import paths
from seqdemo.studies import ablation
from seqdemo.studies.study import Inputs, Stored
from seqdemo.training.config import PretrainingConfig
from seqdemo.training.pretrain import pretrain

PRAISE = "It was really splendid. What a triumph! I adored it. We sat there in the third row again."
BLAME = "It was really dismal. What a fiasco! I loathed it. We sat there in the third row again."


@pytest.fixture
def reviews(tmp_path, monkeypatch):
    """Reviews of two kinds, and a small language model of them where the shipped one is looked for."""
    folder = tmp_path / "imdb"
    folder.mkdir()
    for split, n in (("train", 60), ("unsupervised", 4)):
        labels = np.full(n, -1) if split == "unsupervised" else np.repeat([0, 1], n // 2)
        texts = [PRAISE if label == 1 else BLAME for label in labels]
        pq.write_table(pa.table({"text": texts, "label": labels}), folder / f"{split}-00000-of-00001.parquet")
    monkeypatch.setattr(paths, "PRETRAINED", tmp_path)
    pretrain(
        "lstm",
        out=tmp_path / "lm-lstm",
        config=PretrainingConfig(epochs=1, batch_size=4, window=10),
        overrides={"d_embed": 8, "d_hidden": 8},
        data=str(folder),
        device=torch.device("cpu"),
    )
    return folder


def test_every_variant_is_trained_with_every_seed_and_measured_three_ways(reviews):
    said = []
    found = ablation.measure(Inputs(models={}, data=str(reviews), say=said.append))
    assert set(found.results) == set(ablation.VARIANTS)
    for runs in found.results.values():
        assert len(runs) == len(ablation.SEEDS)
        assert all(0 <= value <= 1 for entry in runs for value in entry.values())
        assert all(set(entry) == set(ablation.MEASURED) for entry in runs)
    assert len(said) == len(ablation.VARIANTS) * len(ablation.SEEDS)
    assert found.settings["typed_n"] >= 300


def test_every_variant_differs_from_the_recipe():
    base = ablation.base_config()
    for variant, settings in ablation.VARIANTS.items():
        for name, value in settings.items():
            if name not in {"pretrained", "padded_share"}:
                assert getattr(base, name) != value, f"{variant}: that is the recipe already"


def test_the_table_has_means_and_ranges():
    same = {"typed": 0.7, "negation": 0.5, "padded": 0.8}
    runs = [{"validation": 0.8, **same}, {"validation": 0.9, **same}]
    stored = Stored(study="ablation", checkpoints={}, n=1, seed=1, settings={}, results={"everything": runs})
    row = ablation.frame(stored).iloc[0]
    assert row["validation"] == pytest.approx(0.85)
    assert row["validation_spread"] == pytest.approx(0.1)
    assert row["typed_spread"] == 0
    assert ablation.frame(None).empty
