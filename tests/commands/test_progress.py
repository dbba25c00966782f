import json

import pytest

from seqdemo.commands import progress
from seqdemo.training import events

START = events.Start(
    task="reviews", label="LSTM", parameters=1234, device="cpu", precision="fp32", epochs=2, updates=40, batch_size=8
)
DONE = {"reason": "finished", "epochs": 2, "best_epoch": 1, "folder": "runs/lstm"}


def shown(capsys, *told):
    bar = progress.Bar()
    for event in told:
        bar(event)
    return capsys.readouterr().out


def test_the_start_says_what_is_trained_where_and_how_long(capsys):
    said = shown(capsys, START, events.Precision(precision="fp32", says="The run goes on in fp32, as it began."))
    assert said == (
        "LSTM: 1,234 parameters on cpu, in fp32, 40 updates of 8 sequences.\nThe run goes on in fp32, as it began.\n"
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"validation_loss": 0.5, "validation_accuracy": 0.75}, "validation loss 0.5000  accuracy 75.00%  3 s"),
        ({"update": 20, "validation_perplexity": 37.25}, "training loss 0.6000  validation perplexity 37.2  3 s"),
        ({"update": 20}, "epoch  1  training loss 0.6000  3 s"),
    ],
)
def test_an_epoch_shows_what_was_measured_of_it(capsys, more, said):
    event = events.Epoch(epoch=1, train_loss=0.6, gradient_norm=1.0, seconds=3.1, best_epoch=1, more=more)
    assert shown(capsys, event).endswith(f"{said}\n")


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (
            {"test_accuracy": 0.9, "test_interval": [0.89, 0.91]},
            "Test accuracy 90.00% (95 % interval 89.00% to 91.00%).",
        ),
        ({"validation_perplexity": 37.25}, "Validation perplexity 37.2."),
        ({"validation_accuracy": 0.9}, "Validation accuracy 90.00%; the test reviews stayed closed."),
    ],
)
def test_the_end_says_what_was_reached_and_where_it_is(capsys, metrics, said):
    assert shown(capsys, events.Done(**DONE, metrics=metrics)) == f"{said} runs/lstm\n"


def test_a_run_without_an_epoch_says_that_nothing_is_kept(capsys):
    said = shown(capsys, events.Done(**{**DONE, "folder": None}, metrics={}))
    assert said == "The run ended before its first epoch did; nothing is kept.\n"


def test_another_program_gets_one_object_a_line(capsys):
    listen = progress.listener("jsonl")
    listen(START)
    listen(events.Testing())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["start", "testing"]
    assert lines[0] == START.plain()
