"""Where a Transformer looked in a text: the message of the route, and the sentence above it."""

import numpy as np
import pytest

from seqdemo.checkpoints.store import ModelStore
from seqdemo.explain import rollout
from seqdemo.serve import attention
from seqdemo.serve.routes import API
from seqdemo.text import MAX_TOKENS, NEWEST_TOKENS, Vocabulary
from tests.unpacked import unpacked

TEXT = "This film was great . It is a long story , slow and dull at first , but the end is very good !"


@pytest.fixture
def look(ask):
    """Header and arrays of what is answered about a text."""
    return lambda text=TEXT, **more: unpacked(ask("looks", {"text": text, **more}))


@pytest.fixture
def transformer(service):
    """The model that attends."""
    return service.store.get(attention.NAME)


def test_the_message_says_what_was_read_and_how_many_heads_there_are(look):
    header, _ = look()
    assert header["kind"] == "looks"
    assert header["title"]
    assert header["words"] == TEXT.split()
    assert (header["n_layers"], header["n_heads"]) == (2, 2)  # of the small model: as its checkpoint says


def test_the_message_holds_what_the_trace_holds(look, transformer):
    header, arrays = look()
    traced = transformer.trace(TEXT)
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


def test_the_title_names_the_head_with_the_least_entropy_and_where_it_is_to_be_seen(look, transformer):
    header, _ = look()
    weights = transformer.trace(TEXT).signals["attention"]
    bits = rollout.entropy_bits(weights)
    layer, head, word = (header["start"][name] for name in ("layer", "head", "word"))
    assert bits[layer, head] == pytest.approx(bits.min(), abs=1e-6)
    assert f"head {head + 1} of layer {layer + 1}" in header["title"]
    elsewhere = weights[layer, head] * (1 - np.eye(len(header["words"])))
    assert elsewhere[word].max() >= 0.9 * elsewhere.max()


def looks_of(weights):
    """Looks of one head with these weights."""
    logits = np.log(np.maximum(weights, 1e-9)).astype(np.float32)
    n = len(weights)
    blank = np.zeros((1, 1), np.float32)
    return rollout.Looks(
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
def test_a_text_without_a_word_gets_a_sentence(look, text):
    header, _ = look(text)
    assert (header["kind"], header["loading"]) == ("nothing", [])
    assert header["said"].endswith("Write a sentence about a film, or try an example.")


@pytest.mark.parametrize(
    "text", ["good", "\U0001f600", "zyzzyva qwertz", "\U0001f600 good \u4f60\u597d", "good \ud83d"]
)
def test_short_and_strange_texts_are_looked_at(look, text):
    header, _ = look(text)
    assert header["kind"] == "looks"
    assert "".join(header["words"]) == text.replace(" ", "").removesuffix("\ud83d")


def test_of_a_long_text_head_and_tail_are_read_and_pictures_stay_small(look):
    header, arrays = look("good film " * 300)
    assert len(header["words"]) == MAX_TOKENS
    assert header["gap"] == 128
    assert "first 128 and the last 272 of 600" in header["notices"][0]
    assert len(arrays["thumbnails"]) == 4 * rollout.THUMBNAIL**2


def test_of_too_long_a_text_is_said_how_much_is_looked_at(look):
    header, _ = look("good film", length=60_000)
    assert header["notices"][0] == "Only the first 50,000 of 60,000 characters are looked at."


def test_words_that_the_model_does_not_know_are_marked(look):
    header, _ = look("a zyzzyva film")
    assert header["unknown"] == [1]
    assert "unknown: zyzzyva" in header["note"]


def test_while_the_models_load_the_answer_says_so(look, service):
    service.store = ModelStore()  # not begun
    header, _ = look()
    assert (header["said"], header["loading"]) == ("Loading the models", [attention.NAME])


def test_a_model_that_cannot_be_loaded_is_said_to_be_missing(look, without):
    without(attention.NAME, "vocab.txt")
    header, _ = look()
    assert header["said"].startswith("The Transformer could not be loaded.")
    assert "vocab.txt" in header["said"]
    assert header["loading"] == []


def test_an_own_transformer_goes_by_its_own_name(look, own_model):
    header, _ = look(models={attention.NAME: own_model(attention.NAME)})
    assert header["title"].startswith("First try (Transformer): the sharpest of 4 heads")
    assert "First try (Transformer) says" in header["note"]


def test_the_newest_rules_for_words_are_as_good(look, use, build_small, vocabulary):
    text = "This film is 2 out of 10, good."
    words = Vocabulary.build([vocabulary.words[2:]] * 5, version=NEWEST_TOKENS)
    assert len(words.read(text).tokens) != len(vocabulary.read(text).tokens), "otherwise this shows nothing"
    use(attention.NAME, build_small(attention.NAME, vocab_size=len(words)), words)
    header, arrays = look(text)
    n = len(words.read(text).tokens)
    assert len(header["words"]) == n
    assert arrays["rollout"].size == n * n


def test_a_text_that_is_none_is_refused(client):
    answer = client.post(f"{API}/looks", json={"text": 1})
    assert answer.status_code == 422
    assert "the text to read" in answer.json()["detail"]


def test_what_is_kept_of_a_text_counts_with_all_its_arrays(look, service):
    before = service.worker._kept.n_bytes
    _, arrays = look("a good film " * 50)
    assert service.worker._kept.n_bytes - before >= sum(arrays[name].nbytes for name in ("query", "key", "value")) > 0
