"""Dates, answered by a route: what is sent of a text, and what is said of it."""

import shutil

import numpy as np
import pytest

import seqdemo
from seqdemo import paths
from seqdemo.checkpoints import manifest, translator
from seqdemo.checkpoints.store import ModelStore
from seqdemo.checkpoints.translator import Answer, Translation
from seqdemo.data import dates
from seqdemo.serve import translate
from seqdemo.serve.routes import API
from tests.small_translators import write_translators
from tests.unpacked import unpacked

EXAMPLE = "the third of March, 1987"


@pytest.fixture
def translators(pretrained, tmp_path, monkeypatch):
    """Two small untrained translators beside the small classifiers."""
    root = tmp_path / "pretrained"
    shutil.copytree(pretrained, root)
    write_translators(root)
    monkeypatch.setattr(paths, "PRETRAINED", root)
    return root


@pytest.fixture
def answer(translators, ask):
    """The header and the arrays that a text is answered with."""
    return lambda text, **more: unpacked(ask("translate", {"text": text, **more}))


def test_an_answer_holds_every_number(answer):
    header, arrays = answer(EXAMPLE)
    assert header["kind"] == "translation"
    assert "".join(header["characters"]) == EXAMPLE
    n, m = len(header["characters"]), len(header["written"])
    assert arrays["attention"].size == arrays["energy"].size == n * m
    assert arrays["query"].size == m * header["d_attention"]
    assert arrays["key"].size == n * header["d_attention"]
    assert arrays["encoder"].size == n * 2 * header["d_hidden"]
    assert arrays["state"].size == (m + 1) * header["d_hidden"]
    assert arrays["probability"].size == m * len(header["outputs"])


def test_what_is_sent_is_enough_to_work_out_every_energy_and_context(answer):
    header, arrays = answer(EXAMPLE)
    n, m, d, h = len(header["characters"]), len(header["written"]), header["d_attention"], header["d_hidden"]
    query, key = arrays["query"].reshape(m, 1, d), arrays["key"].reshape(1, n, d)
    energy = np.tanh(query + key) @ arrays["v"]
    np.testing.assert_allclose(energy.ravel(), arrays["energy"], atol=1e-5)
    weights = np.exp(energy) / np.exp(energy).sum(1, keepdims=True)
    np.testing.assert_allclose(weights.ravel(), arrays["attention"], atol=1e-5)
    context = weights @ arrays["encoder"].reshape(n, 2 * h)
    np.testing.assert_allclose(context.ravel(), arrays["context"], atol=1e-5)


@pytest.mark.parametrize("width", translate.WIDTHS)
def test_as_many_answers_come_as_beam_search_keeps_beginnings(answer, width):
    header, _ = answer(EXAMPLE, width=width)
    assert header["width"] == width
    assert len(header["answers"]) == width


@pytest.mark.parametrize("width", [0, 7, -1, 10**40])
def test_another_width_is_refused_with_those_that_there_are(client, width):
    refused = client.post(f"{API}/translate", json={"text": EXAMPLE, "width": width})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("The entry 'width' is one of 1, 3, 5, 10; this is ")


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
def test_any_text_gets_an_answer_with_its_unknown_characters_named(answer, text):
    header, _ = answer(text)
    assert header["kind"] == "translation"
    assert bool(header["unknown"]) == any(
        "nknown" in notice or "none of these" in notice for notice in header["notices"]
    )


def test_an_empty_box_invites(answer):
    header, arrays = answer("   ")
    assert header["kind"] == "nothing"
    assert header["title"].startswith("Type a date")
    assert arrays == {}


def test_a_long_text_is_cut_and_says_so(answer):
    header, _ = answer("x" * dates.MAX_CHARACTERS, length=5_000)
    assert f"Only the first {dates.MAX_CHARACTERS} of 5,000 characters are read." in header["notices"]
    assert len(header["characters"]) == dates.MAX_CHARACTERS
    whole, _ = answer("x" * 5_000)
    assert whole["notices"] == header["notices"]


def test_without_the_plain_model_the_other_one_answers(answer, translators):
    (translators / translate.PLAIN / "config.json").unlink()
    header, _ = answer(EXAMPLE)
    assert header["kind"] == "translation"
    assert "could not be loaded" in header["plain"]
    assert str(translators) not in header["plain"]


def test_without_the_model_the_answer_says_so(answer, translators):
    (translators / translate.ATTENTION / "model.safetensors").write_bytes(b"cut")
    header, _ = answer(EXAMPLE)
    assert header["kind"] == "nothing"
    assert "model.safetensors is not a safetensors file" in header["title"]


def test_a_damaged_model_is_refused_in_a_sentence_and_the_other_one_still_loads(answer, service, translators):
    manifest.update(translators)
    weights = translators / translate.ATTENTION / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 0x80]))
    header, _ = answer(EXAMPLE)
    assert header["kind"] == "nothing"
    assert "model.safetensors of pretrained/dates-attention is not the file that the manifest names" in header["title"]
    assert service.translator(translate.PLAIN)


def test_while_the_models_load_the_answer_says_so(answer, service):
    service.store = ModelStore()
    header, _ = answer(EXAMPLE)
    assert (header["kind"], header["loading"]) == ("nothing", [translate.ATTENTION])


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
