"""What every page shows of fixed texts with the shipped models, as stored in `shown/`: rebuilding a page changes none.

`SEQDEMO_WRITE_SHOWN=1 pytest tests/ui/test_shown.py` stores anew what is shown now.
"""

import json
import math
import os
import pathlib

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from seqdemo.models.registry import MODELS
from seqdemo.serve.routes import API, routes
from seqdemo.serve.sentiment import LEAD
from seqdemo.ui import resources
from seqdemo.ui.shared.marks import plain
from tests.conftest import PATIENCE_S
from tests.ui.conftest import wait_until_timed
from tests.unpacked import unpacked

HERE = pathlib.Path(__file__).parent
PAGES = HERE.parents[1] / "pages"
REVIEWS = {
    "short": "A splendid romp, and the zorblax is a joy.",
    "contrast": (
        "The photography is gorgeous and the first half made me laugh out loud, but then the plot falls apart, the "
        "hero whispers through endless speeches, and by the last scene I was bored, tired and angry that I had paid."
    ),
    "long": (
        "I rented “The Lighthouse Keeper's Daughter” because a colleague would not stop talking about it, and for "
        "the first twenty minutes I couldn't see why. A man mends a net, a girl counts ships, the wind blows. Then a "
        "stranger is washed ashore, and what looked like a postcard turns into a patient, clever thriller. The "
        "dialogue is dry and funny, the two leads trust each other completely, and the storm, shot without any "
        "computer effects, is one of the finest things I have seen in years. It isn't flawless: the uncle is a "
        "cliché, the middle drags a little, and the “surprise” about the letters won't surprise anyone who was awake. "
        "But the ending is earned, the music stays with you, and my son, who hates slow films, asked to watch it "
        "again the next day. A small, warm and beautifully made film. 8/10, and I recommend it to everybody."
    ).replace("'", "\u2019"),
}
DATES = {
    "short": "9 nov 61",
    "words": "the twenty-first of August, 1954",
    "sentence": "we met on Friday, May 7, 2021",
}
TEXTS = dict.fromkeys(("sentiment", "stepper", "attention", "memory"), REVIEWS) | {
    "sentence": {name: REVIEWS[name] for name in ("short", "long")},  # the long one is refused
    "translate": DATES,
}
_OF_POLLING_EDITS_AND_ORDER = {"again", "asked", "delta", "id", "loading", "n", "order", "rev", "stale"}
_OF_THE_BOX = {"examples", "given", "link_characters", "max_characters", "review", "text_id", "width", "widths"}
LEFT_OUT = _OF_POLLING_EDITS_AND_ORDER | _OF_THE_BOX
"""Fields that are no part of an answer; of an array, what follows the last full stop of its name."""
AT_MOST = 1e-4
"""By how much a number may differ, of itself where it is above 1: processors differ in the last digits."""
IN_FULL = 32
"""A longer list of numbers is stored as the means of so many parts, and about as many of its numbers."""


def shown(page, text):
    """What a page shows of a text: names → texts, numbers, and lists of these."""
    return ANSWERS[page](text)


def verdicts(text):
    question = {"text": text}
    with TestClient(Starlette(routes=routes(resources.service))) as client:
        found = {kind: client.post(f"{API}/{kind}", json=question).json() for kind in ("verdicts", "curves")}
    said = found["verdicts"]
    cards = [
        {
            "name": name,
            "label": said["labels"][name],
            "colour": spec.colour,
            "dash": spec.dash,
            "percent": said["verdicts"][name]["percent"],
            "verdict": said["verdicts"][name]["verdict"],
            "problem": said["failed"].get(name, ""),
        }
        for name, spec in MODELS.items()
    ]
    return {
        "verdicts": {"note": said["note"], "notices": said["notices"], "lead": LEAD, "cards": cards}
        | {"summary": said["summary"]},
        "curves": found["curves"],
    }


def steps(text):
    found = {}
    with TestClient(Starlette(routes=routes(resources.service))) as client:
        for left, right in (("rnn", "lstm"), ("gru", "bilstm")):
            question = {"text": text, "left": {"model": left}, "right": {"model": right}}
            found[f"{left}, {right}"] = {
                component: together(client.post(f"{API}/{kind}", json=question).content)
                for component, kind in (("stepper", "steps"), ("stepper_units", "units"))
            }
    return found


def looks(text):
    with TestClient(Starlette(routes=routes(resources.service))) as client:
        found = {"attention": together(client.post(f"{API}/looks", json={"text": text}).content)}
        for name, choice in {
            "attributions": {"model": "transformer"},
            "of every model": {"model": "all", "method": "gradient_x_input"},
        }.items():
            found[name] = client.post(f"{API}/attributions", json={"text": text, **choice}).json()["rows"]
    return found


def memory(text):
    with TestClient(Starlette(routes=routes(resources.service))) as client:
        edit = client.post(f"{API}/edit", json={"text": text}).json()
    parts = [part.split(": ", 1) for part in edit["parts"]]
    at = settled(open_("memory", review=text), "memory_jobs")
    return {
        "finding": edit["finding"],
        "word": edit["word"],
        "parts": [f"{lead}: {plain(words)}" for lead, words in parts],  # as they were stored, for Markdown
        "after": {
            column: [line[entry] for line in edit["lines"]]
            for column, entry in (("model", "label"), ("before", "before"), ("after", "after"))
        },
        **{column: table_with(at, column) for column in ("gradient", "gate")},
    }


def sentence(text):
    at = open_("memory", review=REVIEWS["short"])
    at.segmented_control(key="opinion").set_value("own").run()
    at.text_input(key="sentence").set_value(text)
    next(button for button in at.button if button.label == "Measure it").click().run()
    settled(at, "memory_jobs")
    if at.warning:
        return {"problem": at.warning[0].value}
    return {"finding": at.subheader[0].value, "table": table_with(at, "place")}


def translation(text):
    with TestClient(Starlette(routes=routes(resources.service))) as client:
        return together(client.post(f"{API}/translate", json={"text": text}).content)


ANSWERS = {
    "sentiment": verdicts,
    "stepper": steps,
    "attention": looks,
    "memory": memory,
    "sentence": sentence,
    "translate": translation,
}
"""How each page is asked."""


def table_with(at, column):
    """The first table that has a column, by columns."""
    return next(table.value.to_dict("list") for table in at.dataframe if column in table.value)


def open_(page, **query):
    """A page as a link opens it."""
    at = AppTest.from_file(PAGES / f"{page}.py", default_timeout=PATIENCE_S)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def settled(at, jobs):
    """The page once nothing is being computed for it any more."""
    asked = None
    while asked != at.session_state[jobs]:
        asked = dict(at.session_state[jobs])
        for future in asked.values():
            for one in getattr(future, "futures", {"": future}).values():
                one.result(timeout=PATIENCE_S)
        at.run()
    assert not at.exception
    return at


def sent(at, name):
    """What a component was given: its JSON, or the header and the arrays of its binary message."""
    (proto,) = [part.proto for part in at.get("bidi_component") if part.proto.component_name == name]
    return together(proto.bytes) if proto.bytes else json.loads(proto.json)[0]


def together(message):
    """The header and the arrays of a binary message, by name."""
    header, arrays = unpacked(message)
    return header | arrays


def stored_form(value, name=""):
    """A value as it is stored: without what is left out, numbers to five digits, long lists in short."""
    if isinstance(value, dict):
        return {key: stored_form(one, key) for key, one in value.items() if key.rpartition(".")[2] not in LEFT_OUT}
    if isinstance(value, np.ndarray) or name == "permille" or is_long(value):
        return in_short(np.asarray(value), name)
    if isinstance(value, list):
        return [stored_form(one) for one in value]
    return digits(value) if isinstance(value, float) else value


def digits(number):
    """Five digits of a number; None where it is none."""
    return float(f"{number:.5g}") if math.isfinite(number) else None


def is_long(value):
    return isinstance(value, list) and len(value) > IN_FULL and all(isinstance(one, int | float) for one in value)


def in_short(values, name):
    """An array by its size, the means of its parts and a sample; whole levels as the shares they stand for."""
    levels = 1000 if name == "permille" else np.iinfo(values.dtype).max if values.dtype.kind == "u" else None
    shares = values.astype(float) / (levels or 1)
    n_parts = min(IN_FULL, len(shares))
    return {
        "size": len(shares),
        "step": 1 / levels if levels else 0.0,
        "means": [digits(part.mean()) for part in np.array_split(shares, n_parts)] if n_parts else [],
        "sample": [digits(share) for share in shares[:: max(1, len(shares) // IN_FULL)]],
    }


def differences(found, stored, at="", step=0.0):
    """Where two stored forms differ, one line each."""
    numbers = isinstance(found, int | float) and isinstance(stored, int | float)
    if numbers and abs(found - stored) <= AT_MOST * max(1.0, abs(stored)) + step:
        return []
    if isinstance(found, dict) and isinstance(stored, dict) and found.keys() == stored.keys():
        step = stored["step"] if "sample" in stored else 0.0
        return [line for key in stored for line in differences(found[key], stored[key], f"{at}/{key}", step)]
    if isinstance(found, list) and isinstance(stored, list) and len(found) == len(stored):
        pairs = enumerate(zip(found, stored, strict=True))
        return [line for k, (one, other) in pairs for line in differences(one, other, f"{at}/{k}", step)]
    return [] if found == stored else [f"{at}: {found!r:.200} instead of {stored!r:.200}"]


@pytest.fixture(scope="module")
def shipped():
    """The models that came with the app, loaded."""
    resources.store.clear()
    resources.milliseconds.clear()
    assert resources.store().wait(PATIENCE_S)
    yield
    wait_until_timed()
    resources.store.clear()
    resources.milliseconds.clear()


@pytest.mark.parametrize("page", TEXTS)
def test_a_page_shows_the_texts_and_numbers_that_it_showed_before(shipped, page):
    found = {name: stored_form(shown(page, text)) for name, text in TEXTS[page].items()}
    path = HERE / "shown" / f"{page}.json"
    if os.environ.get("SEQDEMO_WRITE_SHOWN"):
        path.parent.mkdir(exist_ok=True)
        lines = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        path.write_text(f"{lines}\n", encoding="utf-8")
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert not differences(found, stored)
