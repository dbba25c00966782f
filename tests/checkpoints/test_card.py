from __future__ import annotations

import pathlib
from typing import Any

import huggingface_hub
import pytest

from seqdemo import paths
from seqdemo.checkpoints import card
from seqdemo.errors import UnknownModelError

CONFIG: dict[str, Any] = {
    "max_tokens": 321,
    "int8_tables": [],
    "architecture": {"vocab_size": 12345, "cell": "lstm", "d_hidden": 77},
    "training": {"epochs": 9, "learning_rate": 0.0042, "preset": None},
}
METRICS: dict[str, Any] = {
    "test_accuracy": 0.87654,
    "test_interval": [0.8724, 0.8805],
    "test_n": 24999,
    "test_loss_nats": 0.3217,
    "validation_accuracy": 0.8812,
    "parameters": 2345678,
    "seconds": 754.2,
    "epochs": 6,
    "best_epoch": 5,
    "device": "cpu (some machine)",
    "precision": "bf16",
    "seed": 41,
    "commit": "0123abcd",
    "torch": "9.9.9",
}
BASELINE = {"test_accuracy": 0.9012, "test_interval": [0.8975, 0.9049]}


def write(**changes: Any) -> str:
    return card.model_card(name="lstm", config=CONFIG, metrics={**METRICS, **changes}, baseline=BASELINE)


def test_the_hub_reads_its_metadata_and_its_result() -> None:
    data = huggingface_hub.ModelCard(write()).data
    assert (data.license, data.language, data.library_name) == ("mit", "en", "seqdemo")
    assert (data.pipeline_tag, data.datasets, data.metrics) == (
        "text-classification",
        ["stanfordnlp/imdb"],
        ["accuracy"],
    )
    assert data.model_name == "seqdemo-lstm-imdb"
    assert data.eval_results is not None
    [result] = data.eval_results
    assert (result.metric_type, result.metric_value) == ("accuracy", 0.87654)
    assert (result.dataset_type, result.dataset_split) == ("stanfordnlp/imdb", "test")


@pytest.mark.parametrize(
    "figure",
    [
        "87.7 % (87.2 to 88.0 %)",
        "24,999 reviews",
        "0.322 nats",
        "88.1 %",
        "2,345,678",
        "12,345 words",
        "321 tokens",
        "6 epochs, of which epoch 5",
        "13 min",
        "cpu (some machine), bf16",
        "seed 41, torch 9.9.9, code 0123abcd",
        "| `learning_rate` | 0.0042 |",
        "| `d_hidden` | 77 |",
        "90.1 % (89.8 to 90.5 %)",
        'seqdemo.load("lstm")',
        "No review text",
    ],
)
def test_it_tells_what_was_measured(figure: str) -> None:
    assert figure in write()


def test_every_figure_comes_from_the_arguments() -> None:
    other = write(test_accuracy=0.5, test_interval=[0.4, 0.6])
    assert "87.7" not in other
    assert "50.0 % (40.0 to 60.0 %)" in other


def test_a_commit_that_is_not_known_is_said_so() -> None:
    assert "code outside of a checkout" in write(commit=None)


def test_a_mean_of_runs_says_so_and_where_they_differ() -> None:
    parts = [
        {"training": {"seed": seed, "epochs": 9}, "dropout": 0.1, "validation_accuracy": share, "commit": None}
        for seed, share in ((4, 0.861), (7, 0.873))
    ]
    told = " ".join(write(averaged=parts).split())
    assert "the mean of 2 such runs" in told
    assert "`seed` 4 (86.1 % of the validation reviews); `seed` 7 (87.3 % of the validation reviews)" in told
    assert "such runs" not in write()


def test_tables_in_int8_are_named() -> None:
    config = {**CONFIG, "int8_tables": ["embedding.weight"]}
    assert "`embedding.weight` as int8" in card.model_card(name="lstm", config=config, metrics=METRICS)


def test_the_baseline_is_the_measured_one_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(paths, "PRETRAINED", tmp_path)
    assert "bag-of-words" not in card.model_card(name="lstm", config=CONFIG, metrics=METRICS)
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "bag_of_words.json").write_text(
        '{"test_accuracy": 0.77, "test_interval": [0.76, 0.78]}', encoding="utf-8"
    )
    assert "baseline has 77.0 % (76.0 to 78.0 %)" in card.model_card(name="lstm", config=CONFIG, metrics=METRICS)


def test_an_unknown_model_has_no_card() -> None:
    with pytest.raises(UnknownModelError, match="known are"):
        card.model_card(name="cnn", config=CONFIG, metrics=METRICS)
