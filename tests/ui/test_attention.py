import json

import numpy as np
import pytest

from seqdemo.explain import rollout
from seqdemo.text import MAX_TOKENS
from seqdemo.ui import resources
from seqdemo.ui.attention import attention
from seqdemo.ui.shared import old_box
from seqdemo.ui.shared.examples import EXAMPLES

PAGE = "../../pages/attention.py"


def unpack(message):
    length = int.from_bytes(message[:4], "little")
    header, body = json.loads(message[4 : 4 + length]), message[4 + length :]
    return header, {
        name: np.frombuffer(body, place["dtype"], place["size"], place["offset"])
        for name, place in header["arrays"].items()
    }


def sent(app):
    """The message that the component was sent."""
    (proto,) = [element.proto for element in app.get("bidi_component") if element.proto.component_name == "attention"]
    return proto.bytes


def header_of(app):
    return unpack(sent(app))[0]


def type_in(app, text, *, n=1, settled=True):
    """What the box would report for this text."""
    (box,) = [element.proto for element in app.get("bidi_component") if element.proto.component_name == "review_box"]
    (data,) = json.loads(box.json)
    edit = {"text": text, "length": len(text), "rev": data["rev"], "n": n, "settled": settled}
    app.session_state["attention_box"] = {"edit": edit}
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def page(ready):
    """The page with every model loaded."""
    ready.switch_page(PAGE).run()
    assert not ready.exception
    return ready


def test_something_is_on_screen_before_anything_is_typed(page):
    header = header_of(page)
    assert header["kind"] == "looks"
    assert header["title"]
    assert len(header["words"]) > 20
    assert (header["n_layers"], header["n_heads"]) == (2, 2)  # of the small model: as its checkpoint says
    assert len(page.get("vega_lite_chart")) >= 2


def test_the_message_holds_what_the_trace_holds(page):
    header, arrays = unpack(sent(page))
    model = resources.models()[attention.NAME]
    traced = model.trace(attention.DEFAULT.text)
    n = len(header["words"])
    for name in ("query", "key", "value"):
        np.testing.assert_array_equal(arrays[name].reshape(traced.signals[name].shape), traced.signals[name])
    weights = traced.signals["attention"]
    np.testing.assert_allclose(arrays["received"].reshape(2, n), weights.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(arrays["entropy"].reshape(2, 2), rollout.entropy_bits(weights), atol=1e-5)
    followed = arrays["rollout"].reshape(n, n) / 65535
    np.testing.assert_allclose(followed, rollout.rollout(weights), atol=1e-5)
    levels = arrays["thumbnails"].reshape(2, 2, n, n) / 255
    peaks = arrays["peaks"].reshape(2, 2, 1, 1)
    np.testing.assert_allclose(levels * peaks, weights, atol=0.5 / 255 + 1e-6)


def test_the_title_names_the_head_with_the_least_entropy_and_where_it_is_to_be_seen(page):
    header = header_of(page)
    looks = rollout.look(resources.models()[attention.NAME], attention.DEFAULT.text)
    start = header["start"]
    assert looks.entropy_bits[start["layer"], start["head"]] == looks.entropy_bits.min()
    assert f"head {start['head'] + 1} of layer {start['layer'] + 1}" in header["title"]
    row = looks.weights(start["layer"], start["head"])[start["word"]]
    others = np.delete(row, start["word"]).max()
    elsewhere = looks.weights(start["layer"], start["head"]) * (1 - np.eye(len(row)))
    assert others >= 0.9 * elsewhere.max()


def looks_of(weights):
    """Looks of one head with these weights."""
    logits = np.log(np.maximum(weights, 1e-9)).astype(np.float32)
    n = len(weights)
    blank = np.zeros((1, 1), np.float32)
    return rollout.Looks(
        tokens=tuple("abcdefgh"[:n]),
        probability=0.5,
        query=(logits * np.sqrt(n))[None, None],
        key=np.eye(n, dtype=np.float32)[None, None],
        value=np.eye(n, dtype=np.float32)[None, None],
        stream=np.ones((1, n), np.float32),
        entropy_bits=rollout.entropy_bits(weights[None, None].astype(np.float32)),
        distance_words=blank,
        received=weights.mean(axis=0)[None, None].astype(np.float32),
        rollout=weights.astype(np.float32),
        thumbnails=np.zeros((1, 1, n, n), np.uint8),
        peaks=blank,
    )


def test_a_head_that_all_words_use_for_one_word_is_said_to_do_so(vocabulary):
    weights = np.full((4, 4), 0.02)
    weights[:, 2] = 0.94
    title, (layer, head, word) = attention.finding(vocabulary.read("a b c d"), looks_of(weights))
    assert title.endswith("gives 94\u00a0% of its attention to “c”")
    assert (layer, head) == (0, 0)
    assert word != 2


def test_a_head_without_a_favourite_is_said_to_spread(vocabulary):
    ring = np.roll(np.eye(8), 1, axis=1)
    title, _ = attention.finding(vocabulary.read("a b c d e f g h"), looks_of(ring))
    assert title.endswith("spreads its attention over 1.0 of 8 words")


@pytest.mark.parametrize("text", ["", "   ", "()", "\u200b"])
def test_a_text_without_a_word_gets_a_sentence(page, text):
    type_in(page, text)
    header = header_of(page)
    assert header["kind"] == "nothing"
    assert header["said"].endswith("Write a sentence about a film, or try an example.")
    assert header_of(type_in(page, "good", n=2))["words"] == ["good"]


@pytest.mark.parametrize("text", ["good", "\U0001f600", "zyzzyva qwertz", "\U0001f600 good \u4f60\u597d"])
def test_short_and_strange_texts_are_looked_at(page, text):
    header = header_of(type_in(page, text))
    assert header["kind"] == "looks"
    assert "".join(header["words"]) == text.replace(" ", "")


def test_of_a_long_text_head_and_tail_are_read_and_pictures_stay_small(page):
    header, arrays = unpack(sent(type_in(page, "good film " * 300)))
    assert len(header["words"]) == MAX_TOKENS
    assert header["gap"] == 128
    assert "first 128 and the last 272 of 600" in header["notices"][0]
    assert len(arrays["thumbnails"]) == 4 * rollout.THUMBNAIL**2


def test_nothing_is_computed_while_somebody_types(page):
    before = sent(page)
    type_in(page, "good", settled=False)
    assert sent(page) == before


def test_the_text_goes_to_the_other_pages_and_comes_from_them(page):
    type_in(page, "a good film")
    assert page.session_state["review"] == "a good film"
    page.session_state["review"] = "a bad film"
    page.run()
    assert header_of(page)["words"] == ["a", "bad", "film"]


def test_a_link_opens_its_text_and_what_was_left_untouched_elsewhere_does_not(app, loaded):
    app.query_params["review"] = "a good film"
    app.session_state["review"] = EXAMPLES[0].text
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert header_of(app)["words"] == ["a", "good", "film"]


def test_while_the_models_load_the_page_says_so(app, gate):
    app.run()
    app.switch_page(PAGE).run()
    assert not app.exception
    header = header_of(app)
    assert (header["said"], header["loading"]) == ("Loading the models", True)
    gate.set()


def test_a_model_that_cannot_be_loaded_is_said_to_be_missing(app, loaded, pretrained):
    (pretrained / attention.NAME / "vocab.txt").unlink()
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert "vocab.txt" in header_of(app)["said"]


def test_the_page_says_what_kind_of_transformer_it_is(page):
    said = " ".join(markdown.value for markdown in page.markdown)
    for part in ("encoder", "padding mask", "no causal mask", "mean readout", "Where it looked, not why"):
        assert part.lower() in said.lower()


def test_an_own_transformer_goes_by_its_own_name(app, loaded, own_model):
    app.query_params["own"] = own_model("transformer")
    app.run()
    loaded()
    app.switch_page(PAGE).run()
    assert not app.exception
    header = header_of(app)
    assert header["title"].startswith("First try (Transformer): the sharpest of 4 heads")
    assert "First try (Transformer) says" in header["note"]
    said = "".join(part.value for part in [*app.caption, *app.markdown]).replace("\\", "")
    assert said.count("read by First try (Transformer)") == 2
    assert "read by" not in "".join(part.value for part in app.header)


def test_the_first_text_fits_a_link_and_is_read_in_full(vocabulary):
    assert vocabulary.read(attention.DEFAULT.text).n_skipped == 0
    assert len(attention.DEFAULT.text) < old_box.LINK_CHARACTERS
