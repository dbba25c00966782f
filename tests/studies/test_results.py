"""Figures read from the checkpoints' files, whatever state they are in."""

import json
import types

import pytest

from seqdemo.models.registry import MODELS
from seqdemo.studies import results


def write(folder, name, **metrics):
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


def write_history(folder, name, accuracies):
    entries = [{"epoch": epoch, "validation_accuracy": a} for epoch, a in enumerate(accuracies, start=1)]
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "history.json").write_text(json.dumps(entries), encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    for rank, name in enumerate(MODELS):
        accuracy = 0.80 + 0.01 * rank
        write(
            tmp_path,
            name,
            test_accuracy=accuracy,
            test_interval=[accuracy - 0.005, accuracy + 0.005],
            test_n=25000,
            parameters=1000 + rank,
        )
        write_history(tmp_path, name, [0.6, 0.7 + 0.01 * rank, 0.65])
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/bag_of_words.json").write_text(
        json.dumps({"test_accuracy": 0.91, "test_interval": [0.90, 0.92], "test_n": 25000, "parameters": 7})
    )
    return tmp_path


def test_five_models_and_the_baseline_stand_in_the_registrys_order(folder):
    table = results.accuracies(folder=folder)
    assert list(table["name"]) == [*MODELS, "bag_of_words"]
    assert list(table["model"])[-1] == "Bag of words"
    assert table["test_accuracy"].round(2).tolist() == [0.80, 0.81, 0.82, 0.83, 0.84, 0.91]
    assert table["parameters"].tolist() == [1000, 1001, 1002, 1003, 1004, 7]
    assert (table["low"] < table["test_accuracy"]).all()
    assert (table["test_accuracy"] < table["high"]).all()


@pytest.mark.parametrize(
    "content", ["{cut", "[1, 2]", '{"test_accuracy": "high"}', '{"test_accuracy": NaN}', '{"test_accuracy": true}']
)
def test_metrics_that_cannot_be_read_leave_a_gap(folder, content):
    (folder / "lstm/metrics.json").write_text(content, encoding="utf-8")
    table = results.accuracies(folder=folder).set_index("name")
    assert table["test_accuracy"].isna().to_dict() == {name: name == "lstm" for name in table.index}


def test_an_empty_folder_gives_rows_without_figures(tmp_path):
    table = results.accuracies(folder=tmp_path)
    assert len(table) == 6
    assert table[["parameters", "test_accuracy", "low", "high"]].isna().all(axis=None)
    assert results.training_curves(folder=tmp_path).empty
    assert results.accuracy_finding(table) == "Five models read the same film review"


def test_weights_in_use_speak_for_themselves(folder):
    newer = types.SimpleNamespace(metrics={"test_accuracy": 0.95}, history=[{"epoch": 1, "validation_accuracy": 0.94}])
    table = results.accuracies({"gru": newer}, folder).set_index("name")
    curves = results.training_curves({"gru": newer}, folder)
    assert table.loc["gru", "test_accuracy"] == 0.95
    assert table.loc["rnn", "test_accuracy"] == pytest.approx(0.80)
    assert curves.loc[curves["name"] == "gru", "validation_accuracy"].tolist() == [0.94]


def test_the_kept_epoch_is_the_first_of_the_best(folder):
    write_history(folder, "rnn", [0.6, 0.8, 0.7, 0.8])
    curves = results.training_curves(folder=folder)
    assert curves.loc[(curves["name"] == "rnn") & curves["best"], "epoch"].tolist() == [2]
    assert curves.groupby("name")["best"].sum().eq(1).all()


def test_the_finding_sets_the_best_model_beside_the_baseline(folder):
    finding = results.accuracy_finding(results.accuracies(folder=folder))
    assert finding == (
        "The best of five models, the Transformer, gets 84.0\u00a0% of film reviews right; "
        "counting words and word pairs gets 91.0\u00a0%"
    )


def test_models_that_their_intervals_cannot_tell_apart_lead_together():
    finding = results.accuracy_finding(results.accuracies())  # the shipped ones
    assert finding.startswith("Of five models the GRU and the BiLSTM lead together, with 92.2\u00a0% of film reviews")


def test_without_a_baseline_nothing_is_claimed_of_it(folder):
    (folder / "studies/bag_of_words.json").unlink()
    assert "counting" not in results.accuracy_finding(results.accuracies(folder=folder))


def test_the_training_finding_names_first_and_last(folder):
    write_history(folder, "gru", [0.9])
    write_history(folder, "transformer", [0.5, 0.6, 0.7, 0.8])
    finding = results.training_finding(results.training_curves(folder=folder))
    assert finding == "The GRU was at its best after 1 epoch, the Transformer after 4"


def test_models_that_were_done_in_the_same_epoch_are_named_together(folder):
    write_history(folder, "rnn", [0.5, 0.6, 0.7, 0.8])
    write_history(folder, "bilstm", [0.5, 0.6, 0.7])
    finding = results.training_finding(results.training_curves(folder=folder))
    assert finding == "The GRU, the LSTM and the Transformer were at their best after 2 epochs, the RNN after 4"


def test_what_is_said_of_the_baseline_is_what_its_file_says():
    table = results.accuracies().set_index("name")
    assert table.loc[results.BASELINE, "summary"] == results.BASELINE_SUMMARY


def test_models_done_at_once_share_one_number(folder):
    assert results.training_finding(results.training_curves(folder=folder)) == "Best after 2 epochs"
