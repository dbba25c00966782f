import numpy as np
import pytest

from seqdemo.checkpoints import folder
from seqdemo.errors import ConfigError, TextError
from seqdemo.models.registry import MODELS
from seqdemo.trace import SIGNALS, Trace

TEXTS = [
    "Not bad at all.",
    "good",
    "The plot was slow and dull, but I liked the end! " * 4,
    "the worst film ever, zzyzx",
    "a great story; " * 200,  # longer than a model reads
]


@pytest.fixture(scope="module", params=MODELS)
def classifier(request, checkpoint_folders):
    return folder.load(checkpoint_folders[request.param])


def test_probabilities_are_float32_one_for_each_text(classifier):
    probabilities = classifier.predict_proba(TEXTS)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(TEXTS),)
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert len(set(probabilities.tolist())) == len(TEXTS)


def test_no_texts_give_no_probabilities(classifier):
    assert classifier.predict_proba([]).shape == (0,)


def test_one_text_may_come_without_a_list(classifier):
    assert classifier.predict_proba(TEXTS[0]) == pytest.approx(classifier.predict_proba([TEXTS[0]]), abs=1e-6)


def test_answers_do_not_depend_on_the_texts_beside_them(classifier):
    texts = TEXTS * 9  # more than one batch
    order = np.random.default_rng(0).permutation(len(texts))
    together = classifier.predict_proba([texts[k] for k in order])
    alone = np.concatenate([classifier.predict_proba([text]) for text in TEXTS] * 9)
    np.testing.assert_allclose(together, alone[order], atol=1e-5)


@pytest.mark.parametrize("texts", [[""], ["good", " \n"], ["(--)"]])
def test_a_text_without_a_word_is_refused(classifier, texts):
    with pytest.raises(TextError, match="There is no word to read"):
        classifier.predict_proba(texts)


def test_a_trace_says_the_same_as_the_prediction(classifier):
    for text in TEXTS:
        trace = classifier.trace(text)
        assert isinstance(trace, Trace)
        assert trace.tokens == tuple(token.text for token in classifier.read(text).tokens)
        assert trace.probability == pytest.approx(float(classifier.predict_proba([text])[0]), abs=1e-5)
        for name, signal in trace.signals.items():
            low, high = SIGNALS[name].low, SIGNALS[name].high
            assert np.isfinite(signal).all()
            assert low is None or (signal.min() >= low and signal.max() <= high + 1e-6)


def test_tracing_an_empty_text_is_refused(classifier):
    with pytest.raises(TextError):
        classifier.trace("")


def test_a_trace_holds_what_its_model_has(classifier):
    lstm = {"hidden", "cell", "input_gate", "forget_gate", "output_gate", "candidate"}
    assert (
        set(classifier.trace("not bad").signals)
        == {
            "rnn": {"hidden", "probability"},
            "gru": {"hidden", "reset_gate", "update_gate", "candidate", "probability"},
            "lstm": lstm | {"probability"},
            "bilstm": lstm | {f"{name}_backward" for name in lstm},
            "transformer": {"attention", "query", "key", "value", "residual"},
        }[classifier.name]
    )


def test_the_probability_after_each_word_is_the_same_by_both_ways(classifier):
    reading = classifier.read(TEXTS[2])
    if not classifier.has_prefix_states:
        assert classifier.name in {"bilstm", "transformer"}
        with pytest.raises(ConfigError, match=f"{classifier.label} has no state of a prefix"):
            classifier.prefix_proba(reading.ids)
        return
    along = classifier.prefix_proba(reading.ids)
    assert along.dtype == np.float32
    np.testing.assert_allclose(along, classifier.trace(TEXTS[2]).signals["probability"], atol=1e-5)
    np.testing.assert_allclose(
        along, classifier.predict_ids([reading.ids[:t] for t in range(1, len(reading.ids) + 1)]), atol=1e-5
    )


def test_a_loaded_model_is_frozen_and_counts_its_parameters(classifier):
    assert not classifier.model.training
    assert not any(parameter.requires_grad for parameter in classifier.model.parameters())
    assert classifier.n_parameters == sum(tensor.numel() for tensor in classifier.model.state_dict().values())
