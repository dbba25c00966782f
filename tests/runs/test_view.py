"""What is shown of a run, made from its events."""

from seqdemo.runs.view import View, side_by_side
from seqdemo.training.settings import RunSettings

SMALL = RunSettings(model="rnn", epochs=3)


def test_a_resumed_run_tells_its_epochs_once():
    view = View(id="", settings=SMALL)
    for epoch in (0, 1, 2, 1, 2, 3):
        view.take({"event": "epoch", "epoch": epoch, "at": epoch})
    assert [entry["epoch"] for entry in view.epochs] == [0, 1, 2, 3]


def test_a_run_of_which_nothing_is_known_yet_has_a_row_without_results():
    (row,) = side_by_side([View(id="x", settings=SMALL)])
    assert (row["model"], row["state"], row["epochs"], row["seconds"]) == ("rnn", "queued", 0, 0.0)
    for name in ("parameters", "best_epoch", "validation_accuracy", "test_accuracy", "test_loss"):
        assert row[name] is None


def test_the_reason_of_an_early_end_becomes_a_sentence():
    view = View(id="", settings=SMALL)
    view.take({"event": "done", "reason": "early", "folder": None, "at": 1.0})
    assert view.has_ended
    assert view.message.startswith("Stopped early: ")
