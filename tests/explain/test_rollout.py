import numpy as np
import pytest

from seqdemo.checkpoints import folder
from seqdemo.errors import ConfigError
from seqdemo.explain import rollout

TEXT = "this film was not good , the plot was dull and the end was the worst ."


@pytest.fixture(scope="module")
def transformer(checkpoint_folders):
    return folder.load(checkpoint_folders["transformer"])


@pytest.fixture(scope="module")
def attention(transformer):
    return transformer.trace(TEXT).signals["attention"]


def test_rollout_is_the_product_of_half_attention_and_half_identity(attention):
    expected = np.eye(attention.shape[-1])
    for layer in attention.astype(float):
        expected = (0.5 * layer.mean(axis=0) + 0.5 * np.eye(len(expected))) @ expected
    np.testing.assert_allclose(rollout.rollout(attention), expected, atol=1e-6)


def test_rows_of_rollout_and_shares_of_words_sum_to_one(attention):
    np.testing.assert_allclose(rollout.rollout(attention).sum(axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(rollout.received(attention).sum(axis=-1), 1, atol=1e-5)


def test_later_layers_are_followed_back_through_earlier_ones():
    first = np.array([[0, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)  # word 0 takes word 1
    second = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], dtype=np.float32)  # then word 2 takes word 0
    followed = rollout.rollout(np.stack([first, second])[:, None])
    np.testing.assert_allclose(followed[2], [0.25, 0.25, 0.5])


def test_even_weights_have_the_entropy_of_all_words_and_one_word_has_none():
    even = np.full((1, 1, 8, 8), 1 / 8, dtype=np.float32)
    assert rollout.entropy_bits(even)[0, 0] == pytest.approx(3)
    one = np.eye(8, dtype=np.float32)[None, None]
    assert rollout.entropy_bits(one)[0, 0] == 0


@pytest.mark.parametrize("n", [1, 2, 9])
def test_even_weights_look_as_far_as_the_formula_says(n):
    even = np.full((1, 1, n, n), 1 / n, dtype=np.float32)
    assert rollout.distance_words(even)[0, 0] == pytest.approx(rollout.even_distance_words(n), abs=1e-6)


def test_a_head_that_looks_at_the_word_before_looks_one_word_away():
    before = np.eye(10, k=-1, dtype=np.float32)
    before[0, 0] = 1
    assert rollout.distance_words(before) == pytest.approx(0.9)


@pytest.mark.parametrize(("n", "side"), [(1, 1), (50, 50), (51, 50), (400, 50)])
def test_small_pictures_keep_the_largest_weight_in_its_place(n, side):
    weights = np.full((2, 3, n, n), 1e-4, dtype=np.float32)
    weights[1, 2, n // 3, n - 1] = 0.75
    levels, peaks = rollout.thumbnails(weights)
    assert levels.shape == (2, 3, side, side)
    assert peaks[1, 2] == 0.75
    row, column = divmod(int(levels[1, 2].argmax()), side)
    assert column == side - 1
    assert abs(row - n // 3 * side / n) <= 1
    assert (levels.max(axis=(-2, -1)) == 255).all()


def look(classifier, text):
    """All pieces of a look, and how many there were."""
    pieces = rollout.look(classifier, classifier.read(text).ids)
    for n in range(1_000):
        try:
            next(pieces)
        except StopIteration as done:
            return done.value, n
    raise AssertionError("it does not end")


def test_what_is_kept_of_a_text_gives_its_weights_back(transformer, attention):
    looks, n_pauses = look(transformer, TEXT)
    assert n_pauses > len(attention), "others can be answered between its layers"
    for layer, heads in enumerate(attention):
        for head, weights in enumerate(heads):
            np.testing.assert_allclose(looks.weights(layer, head), weights, atol=1e-6)
    np.testing.assert_allclose(looks.received, attention.mean(axis=2), atol=1e-6)
    np.testing.assert_allclose(looks.entropy_bits, rollout.entropy_bits(attention), atol=1e-6)
    np.testing.assert_allclose(looks.distance_words, rollout.distance_words(attention), atol=1e-5)
    assert looks.probability == pytest.approx(float(transformer.predict_proba([TEXT])[0]), abs=1e-5)
    assert looks.stream.shape == (2, len(transformer.read(TEXT).tokens))


def test_a_model_without_attention_is_refused(checkpoint_folders):
    with pytest.raises(ConfigError, match="LSTM has no attention"):
        look(folder.load(checkpoint_folders["lstm"]), TEXT)
