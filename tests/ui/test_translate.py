"""The page that turns dates into ISO: what is sent to the browser, and the page around it."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

import seqdemo
from seqdemo.checkpoints import manifest, translator
from seqdemo.checkpoints.translator import Answer, Translation
from seqdemo.data import dates
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig
from seqdemo.ui import resources
from seqdemo.ui.translate import translate
from seqdemo.ui.translate.translate import Session

PAGE = "../../pages/translate.py"
SHARE = {"accuracy": 0.5, "interval": [0.4, 0.6], "n": 100}
METRICS = {
    "test_accuracy": 0.9,
    "test_interval": [0.85, 0.95],
    "test_n": 100,
    "typos": SHARE,
    "held_out": SHARE,
    "forms": [
        {"form": form, "example": dates.example(form), "held_out": form in dates.HELD_OUT, **SHARE}
        for form in (*dates.TRAINED, *dates.HELD_OUT)
    ],
    "lengths": [{"from": low, "to": low + 9, **SHARE} for low in range(11, 101, 10)],
    "times": SHARE,
    "doubt": {
        "threshold": 0.4,
        "dates_marked": {"share": 0.01, "interval": [0.005, 0.02], "n": 100},
        "sure_right": {"share": 0.99, "interval": [0.98, 1.0], "n": 99},
        "kinds": [
            {"kind": kind, "example": "so", "passed": passed, "interval": [0.0, 0.2], "n": 50}
            for kind, passed in (("two dates", 0.1), ("a part missing", 0.02))
        ],
    },
    "validation_n": 100,
    "epochs": 2,
    "seconds": 60.0,
    "device": "cpu",
    "seed": 1,
}
HISTORY = [
    {"way": way, "epoch": epoch, "train_loss_nats": 1.0 / epoch, "validation_accuracy": accuracy}
    for way, accuracies in (("teacher", (0.2, 0.95)), ("own", (0.1, 0.5)))
    for epoch, accuracy in enumerate(accuracies, start=1)
]


@pytest.fixture
def translators(pretrained):
    """Two small untrained translators beside the small classifiers."""
    for name in (translate.ATTENTION, translate.PLAIN):
        torch.manual_seed(0)
        shape = Seq2SeqConfig(
            n_inputs=len(dates.INPUTS), n_outputs=len(dates.OUTPUTS), d_hidden=8, attention=name == translate.ATTENTION
        )
        history = [entry for entry in HISTORY if name == translate.ATTENTION or entry["way"] == "teacher"]
        settings = {"texts": 100, "other_share": 0.25}
        model = Seq2Seq(shape)
        metrics = {**METRICS, "parameters": sum(parameter.numel() for parameter in model.parameters())}
        translator.save(pretrained / name, model=model, metrics=metrics, history=history, training=settings)
    yield pretrained
    resources.translator.clear()
    resources.arrays_kept.clear()


@pytest.fixture
def page(translators, ready):
    """The page with every model loaded."""
    ready.switch_page(PAGE).run()
    assert not ready.exception
    return ready


def sent(app):
    """The header and the arrays that the component was sent."""
    (proto,) = [part.proto for part in app.get("bidi_component") if part.proto.component_name == "translate"]
    length = int.from_bytes(proto.bytes[:4], "little")
    header, body = json.loads(proto.bytes[4 : 4 + length]), proto.bytes[4 + length :]
    return header, {
        name: np.frombuffer(body, place["dtype"], place["size"], place["offset"])
        for name, place in header["arrays"].items()
    }


def type_in(app, text, *, width=5, n=1, length=None):
    """What the box would report for this text; gives what is sent back."""
    edit = {"text": text, "length": length or len(text), "width": width, "rev": sent(app)[0]["rev"], "n": n}
    app.session_state["translate"] = {"edit": edit}
    app.run()
    assert not app.exception
    return sent(app)


def translation(text="3 Mar 87", answer="1987-03-03", *, looks_at=2, probability=0.9, unknown=()):
    """A made-up translation whose month is written while looking at one character."""
    characters = [*answer, ""]
    weights = np.full((len(characters), len(text)), 0.01, dtype=np.float32)
    weights[5:7, looks_at : looks_at + 3] = 0.3
    return Translation(
        text=text,
        n_characters=len(text),
        unknown=np.isin(np.arange(len(text)), unknown),
        answers=(Answer(text=answer, probability=probability, ended=True),),
        characters=tuple(characters),
        signals={"attention": weights},
    )


def test_an_example_is_worked_out_before_any_click(page):
    header, arrays = sent(page)
    assert header["kind"] == "translation"
    assert "".join(header["characters"]) == translate.EXAMPLES[0][1]
    n, m = len(header["characters"]), len(header["written"])
    assert arrays["attention"].size == arrays["energy"].size == n * m
    assert arrays["query"].size == m * header["d_attention"]
    assert arrays["key"].size == n * header["d_attention"]
    assert arrays["encoder"].size == n * 2 * header["d_hidden"]
    assert arrays["state"].size == (m + 1) * header["d_hidden"]
    assert arrays["probability"].size == m * len(header["outputs"])


def test_what_is_sent_is_enough_to_work_out_every_energy_and_context(page):
    header, arrays = sent(page)
    n, m, d, h = len(header["characters"]), len(header["written"]), header["d_attention"], header["d_hidden"]
    query, key = arrays["query"].reshape(m, 1, d), arrays["key"].reshape(1, n, d)
    energy = np.tanh(query + key) @ arrays["v"]
    np.testing.assert_allclose(energy.ravel(), arrays["energy"], atol=1e-5)
    weights = np.exp(energy) / np.exp(energy).sum(1, keepdims=True)
    np.testing.assert_allclose(weights.ravel(), arrays["attention"], atol=1e-5)
    context = weights @ arrays["encoder"].reshape(n, 2 * h)
    np.testing.assert_allclose(context.ravel(), arrays["context"], atol=1e-5)


def test_an_edit_is_answered_with_its_number_and_an_old_one_is_not(page):
    header, _ = type_in(page, "3 Mar 87", n=2)
    assert ("".join(header["characters"]), header["n"]) == ("3 Mar 87", 2)
    header, _ = type_in(page, "4 Mar 87", n=1)
    assert "".join(header["characters"]) == "3 Mar 87"
    header, _ = type_in(page, "4 Mar 87", n=3, width=1)
    assert header["width"] == 1
    assert len(header["answers"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f600",
        "三月三日",
        "3 мая",
        "'; DROP TABLE",
        "<img src=x onerror=alert(1)>",
        "\ud83d",
        "\u202e3 Mar",
        ".",
    ],
)
def test_any_text_gets_an_answer_with_its_unknown_characters_named(page, text):
    header, _ = type_in(page, text)
    assert header["kind"] == "translation"
    assert bool(header["unknown"]) == any(
        "nknown" in notice or "none of these" in notice for notice in header["notices"]
    )


def test_an_empty_box_invites(page):
    header, arrays = type_in(page, "   ")
    assert header["kind"] == "nothing"
    assert header["title"].startswith("Type a date")
    assert arrays == {}


def test_a_long_text_is_cut_and_says_so(page):
    header, _ = type_in(page, "x" * dates.MAX_CHARACTERS, length=5_000)
    assert f"Only the first {dates.MAX_CHARACTERS} of 5,000 characters are read." in header["notices"]
    assert len(header["characters"]) == dates.MAX_CHARACTERS


def test_a_link_opens_its_text_and_beam(app, translators, loaded):
    app.run()
    loaded()
    app.query_params["text"], app.query_params["beam"] = "4 May 1999", "10"
    app.switch_page(PAGE).run()
    header, _ = sent(app)
    assert ("".join(header["characters"]), header["width"]) == ("4 May 1999", 10)


@pytest.mark.parametrize("beam", ["", "0", "7", "-1", "x", "²", "9" * 5_000])
def test_a_wrong_beam_in_a_link_is_left_out(beam):
    assert translate.start({"beam": beam, "text": "x"}).width == translate.DEFAULT_WIDTH


def test_the_box_keeps_its_text_on_the_way_to_another_page_and_back(page):
    type_in(page, "4 May 1999")
    page.switch_page("../../pages/memory.py").run()
    page.switch_page(PAGE).run()
    header, _ = sent(page)
    assert header["given"] == "4 May 1999"
    assert header["n"] == 0


def test_everything_measured_is_on_the_page_with_its_n_and_seed(page):
    headers = [header.value for header in page.header]
    assert "What is teacher forcing?" in headers  # free running never gets 9 of 10
    assert any("90.0" in header and "50.0" in header for header in headers)
    assert len(page.get("vega_lite_chart")) == 3
    words = " ".join(part.value for part in [*page.markdown, *page.caption])
    assert "seed 1" in words
    assert "below 40\u00a0%" in words
    for rule in dates.RULES:
        assert rule in words


def test_without_the_plain_model_the_page_still_answers(page, translators):
    (translators / translate.PLAIN / "config.json").unlink()
    resources.translator.clear()
    header, _ = type_in(page, "3 Mar 87")
    assert header["kind"] == "translation"
    assert "could not be loaded" in header["plain"]
    assert str(translators) not in header["plain"]


def test_without_the_model_the_page_says_so(page, translators):
    (translators / translate.ATTENTION / "model.safetensors").write_bytes(b"cut")
    resources.translator.clear()
    header, _ = type_in(page, "3 Mar 87")
    assert header["kind"] == "nothing"
    assert "model.safetensors is not a safetensors file" in header["title"]
    assert not page.exception


def test_a_damaged_model_is_refused_in_a_sentence_and_the_other_one_still_loads(page, translators):
    manifest.update(translators)
    weights = translators / translate.ATTENTION / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 0x80]))
    resources.translator.clear()
    header, _ = type_in(page, "3 Mar 87")
    assert header["kind"] == "nothing"
    assert "model.safetensors of pretrained/dates-attention is not the file that the manifest names" in header["title"]
    assert not page.exception
    assert resources.translator(str(translators / translate.PLAIN))


def test_a_low_probability_and_an_impossible_day_are_doubtful():
    metrics = {"doubt": {"threshold": 0.4}}
    assert translate.doubts(Answer(text="1987-03-03", probability=0.41, ended=True), metrics) == ""
    assert "39\u00a0%, below 40\u00a0%" in translate.doubts(
        Answer(text="1987-03-03", probability=0.39, ended=True), metrics
    )
    assert "no day of the calendar" in translate.doubts(
        Answer(text="1987-02-30", probability=0.99, ended=True), metrics
    )
    assert "finds no date here and writes nothing" in translate.doubts(
        Answer(text="", probability=0.99, ended=True), metrics
    )


def test_the_title_says_where_the_month_came_from():
    said = translate.title(translation(), doubt=False)
    assert said.startswith("\u201c3 Mar 87\u201d is 1987-03-03; to write the month 03 the model looks most at the ")
    assert said.endswith(" the \u201cM\u201d of \u201cMar\u201d")
    numbers = translation("3.4.1987", "1987-04-03")
    assert translate.title(numbers, doubt=False).endswith("the model looks most at \u201c4\u201d")
    assert translate.title(translation(), doubt=True) == "The model has no sure answer to \u201c3 Mar 87\u201d"
    long = translation("3 Mar 87 " + "and so on " * 9)
    assert len(translate.title(long, doubt=False)) < 140


def test_notices_name_what_is_unknown_once_each():
    found = translation("3 M\u00e4r \u00e487 \u0000", unknown=(3, 6, 10))
    (notice,) = translate.notices(found, 11)
    assert notice.endswith("character: \u00e4 '\\x00'")


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (1.0, ">\u00a099\u00a0%"),
        (0.995, ">\u00a099\u00a0%"),
        (0.994, "99\u00a0%"),
        (0.125, "13\u00a0%"),
        (0.004, "<\u00a01\u00a0%"),
    ],
)
def test_probabilities_are_never_shown_as_certain(probability, said):
    assert translate.percent(probability) == said


def test_the_finding_about_both_ways_of_training_follows_the_curves():
    def table(teacher, own):
        return pd.DataFrame(
            [
                {"series": series, "epoch": epoch, "validation_accuracy": accuracy}
                for series, accuracies in (("teacher forcing", teacher), ("free running", own))
                for epoch, accuracy in enumerate(accuracies, start=1)
            ]
        )

    said = translate.ways_finding(table([0.1, 0.95], [0.1, 0.2, 0.92]))
    assert said == "Teacher forcing gets 9 dates of 10 right after 2 epochs, free running after 3"
    said = translate.ways_finding(table([0.1, 0.2, 0.91], [0.95]))
    assert said == "Free running gets 9 dates of 10 right after 1 epoch, teacher forcing after 3"
    assert (
        translate.ways_finding(table([0.95], [0.95])) == "Both ways of training get 9 dates of 10 right after 1 epoch"
    )
    assert translate.ways_finding(table([0.1], [0.95])) == "What is teacher forcing?"


def test_edits_of_the_wrong_shape_change_nothing():
    session = Session("3 Mar 87")
    for edit in (None, "x", {}, {"text": 3}, {"text": "x", "length": 1, "width": 99, "rev": session.rev, "n": 1}):
        session.take(edit)
    assert (session.text, session.n, session.width) == ("3 Mar 87", 0, translate.DEFAULT_WIDTH)


@pytest.mark.parametrize("name", [translate.ATTENTION, translate.PLAIN])
def test_what_is_no_date_that_the_shipped_models_read_is_doubtful_with_the_range_stated(name):
    model = translator.load(seqdemo.PRETRAINED / name)
    for text in (
        "4 July 1776",
        "1 January 2150",
        "14. Mai 1991",
        "3 août 1999",
        "12 de marzo de 2001",
        "14 bananas 1991",
        "30 February 2024",
        "3 March 1987 and 4 April 1990",
        "March 1987",
        "pizza for two",
    ):
        said = translate.doubts(model.translate(text, width=5).answers[0], model.metrics)
        assert said.startswith("Doubtful"), text
        assert "1900 to 2099" in said


@pytest.mark.parametrize("name", [translate.ATTENTION, translate.PLAIN])
def test_the_shipped_models_read_past_a_time_of_day(name):
    model = translator.load(seqdemo.PRETRAINED / name)
    for text in ("3 March 1987", "3 March 1987 14:30", "3 March 1987 at 5pm", "14:30 3 March 1987"):
        answer = model.translate(text, width=5).answers[0]
        assert answer.text == "1987-03-03"
        assert translate.doubts(answer, model.metrics) == ""
