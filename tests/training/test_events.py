import json

from seqdemo.training import events

STEP = events.Step(
    epoch=1,
    update=2,
    updates=8,
    loss=0.5,
    gradient_norm=1.0,
    learning_rate=1e-3,
    samples_per_s=9.0,
    seconds=0.1,
    seconds_left=0.3,
)


def test_every_event_has_a_name_of_its_own_in_lower_case():
    kinds = events.Event.__subclasses__()
    assert len({kind.__name__.lower() for kind in kinds}) == len(kinds) > 10
    assert events.Paused().plain() == {"event": "paused"}


def test_an_event_becomes_plain_values_and_what_only_its_run_has_stands_beside_the_rest():
    ended = events.Epoch(epoch=1, train_loss=None, gradient_norm=None, seconds=0.1, best_epoch=1, more={"update": 7})
    assert ended.plain() == {
        "event": "epoch",
        "epoch": 1,
        "train_loss": None,
        "gradient_norm": None,
        "seconds": 0.1,
        "best_epoch": 1,
        "update": 7,
    }
    assert json.loads(json.dumps(STEP.plain())) == STEP.plain()
    assert STEP.plain()["event"] == "step"
