"""Slow computations: one at a time, each once, and a failure is the asker's to see."""

import threading

import pytest

from seqdemo.ui.shared.background import Background
from tests.conftest import PATIENCE_S


def test_what_was_computed_is_known_from_then_on():
    background, calls = Background(), []

    def compute():
        calls.append(1)
        return 7

    assert background.ask(("a",), compute).result(PATIENCE_S) == 7
    assert background.ask(("a",), compute).result(PATIENCE_S) == 7
    assert len(calls) == 1


def test_only_one_thing_is_computed_at_a_time():
    background, running, most = Background(), [], []

    def compute():
        running.append(1)
        most.append(len(running))
        running.pop()

    for future in [background.ask((str(k),), compute) for k in range(20)]:
        future.result(PATIENCE_S)
    assert max(most) == 1


def test_what_was_cancelled_in_the_queue_is_begun_again_by_the_next_who_asks():
    background, gate = Background(), threading.Event()
    first = background.ask(("slow",), gate.wait)
    waiting = background.ask(("b",), lambda: 1)
    assert waiting.cancel()
    again = background.ask(("b",), lambda: 2)
    gate.set()
    assert first.result(PATIENCE_S)
    assert again.result(PATIENCE_S) == 2


def test_a_failure_reaches_whoever_asked_and_the_next_question_is_answered(caplog):
    background = Background()
    with pytest.raises(ValueError, match="broken"):
        background.ask(("bad",), lambda: int("broken")).result(PATIENCE_S)
    assert "failed" in caplog.text
    assert background.ask(("good",), lambda: 1).result(PATIENCE_S) == 1


def test_the_oldest_results_are_forgotten():
    background = Background(max_kept=2)
    for key in ("a", "b", "c"):
        background.ask((key,), lambda key=key: key).result(PATIENCE_S)
    assert background.ask(("c",), lambda: "new").result(PATIENCE_S) == "c"
    assert background.ask(("a",), lambda: "new").result(PATIENCE_S) == "new"
