"""The mean of several fine-tunings: their weights' mean, told as such, and only of runs that belong together."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from seqdemo.__main__ import main
from seqdemo.checkpoints import folder
from seqdemo.errors import ConfigError
from seqdemo.training import run
from seqdemo.training.average import average
from seqdemo.training.config import PretrainingConfig, TrainingConfig
from seqdemo.training.pretrain import pretrain

CPU = torch.device("cpu")
SMALL = {"d_embed": 8, "d_hidden": 8}


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """A data set in which one word decides; its test split cannot be read."""
    place = tmp_path_factory.mktemp("imdb")
    for split, n in (("train", 120), ("unsupervised", 4)):
        labels = np.full(n, -1) if split == "unsupervised" else np.repeat([0, 1], n // 2)
        texts = [
            f"A {'splendid' if label == 1 else 'dismal'} film, seen on day {i}. The end."
            for i, label in enumerate(labels)
        ]
        pq.write_table(pa.table({"text": texts, "label": labels}), place / f"{split}-00000-of-00001.parquet")
    (place / "test-00000-of-00001.parquet").write_bytes(b"opened")
    return str(place)


@pytest.fixture(scope="module")
def trained(reviews, tmp_path_factory):
    """Trains in a folder of its own: from a language model of this seed, or from none."""
    root = tmp_path_factory.mktemp("runs")

    def train(name, *, language=1, **settings):
        lm, out = root / f"lm-{language}", root / name
        if language and not lm.exists():
            config = PretrainingConfig(epochs=1, batch_size=4, window=10, seed=language)
            pretrain("lstm", out=lm, config=config, overrides=SMALL, data=reviews, device=CPU)
        config = TrainingConfig(epochs=2, batch_size=16, **settings)
        given = {"init": lm} if language else {"overrides": SMALL}
        run.train("lstm", out=out, config=config, data=reviews, device=CPU, test=False, **given)
        return out

    return train


@pytest.fixture(scope="module")
def pair(trained):
    return [trained("one", seed=1), trained("other", seed=2, word_dropout=0.3)]


def test_its_weights_are_the_mean_and_its_head_has_one_temperature(pair, reviews, tmp_path):
    found = average(pair, out=tmp_path / "mean", data=reviews, test=False)
    parts = [folder.load(path) for path in pair]
    warmth = [part.metrics["temperature"] for part in parts]
    for name, tensor in found.model.state_dict().items():
        one, other = (part.model.state_dict()[name] for part in parts)
        if name.startswith("head."):
            one, other = one * warmth[0], other * warmth[1]
            tensor = tensor * found.metrics["temperature"]
        torch.testing.assert_close(tensor, (one + other) / 2, atol=2e-3, rtol=2e-3)
    assert folder.load(tmp_path / "mean").sha256 == found.sha256


def test_it_tells_what_it_was_made_of(pair, reviews, tmp_path):
    found = average(pair, out=tmp_path / "mean", data=reviews, test=False)
    told = found.metrics["averaged"]
    assert [part["training"]["seed"] for part in told] == [1, 2]
    assert [part["training"]["word_dropout"] for part in told] == [0.1, 0.3]
    assert found.history == folder.load(pair[0]).history
    assert found.metrics["seconds"] == pytest.approx(
        sum(folder.load(path).metrics["seconds"] for path in pair), abs=0.1
    )
    assert "test_accuracy" not in found.metrics


def test_runs_that_do_not_share_a_language_model_are_refused(pair, trained, reviews, tmp_path):
    for other in (trained("stranger", language=2), trained("without", language=0)):
        with pytest.raises(ConfigError, match="did not start from the language model"):
            average([pair[0], other], out=tmp_path / "mean", data=reviews, test=False)
    with pytest.raises(ConfigError, match="at least two checkpoints; got 1"):
        average(pair[:1], out=tmp_path / "mean", data=reviews, test=False)
    assert not (tmp_path / "mean").exists()


def test_the_command_writes_it_and_opens_the_test_reviews_only_where_it_may(pair, reviews, tmp_path, capsys):
    command = ["average", *map(str, pair), "--out", str(tmp_path / "mean"), "--data", reviews]
    assert main([*command, "--no-test"]) == 0
    assert "the test reviews stayed closed" in capsys.readouterr().out
    assert main(command) == 1
    assert "is not a parquet file" in capsys.readouterr().err
