import numpy as np
import pytest
import torch

from seqdemo.errors import ConfigError
from seqdemo.models import writing
from seqdemo.models.language import MaskedLanguageModel, RecurrentLanguageModel
from seqdemo.models.recurrent import RecurrentConfig
from seqdemo.models.transformer import TransformerConfig
from seqdemo.models.writing import Sampling
from seqdemo.text import UNKNOWN_ID

CHANCES = np.array([0.4, 0.1, 0.3, 0.2])


@pytest.fixture(params=["rnn", "gru", "lstm"])
def model(request):
    torch.manual_seed(0)
    return RecurrentLanguageModel(RecurrentConfig(cell=request.param, vocab_size=30, d_embed=6, d_hidden=5)).eval()


@pytest.mark.parametrize(
    ("sampling", "wanted"),
    [
        (Sampling(), CHANCES),
        (Sampling(temperature=0), [1, 0, 0, 0]),
        (Sampling(temperature=0.5), np.array([16, 1, 9, 4]) / 30),
        (Sampling(temperature=2), np.sqrt(CHANCES) / np.sqrt(CHANCES).sum()),
        (Sampling(top_k=2), [4 / 7, 0, 3 / 7, 0]),
        (Sampling(top_k=9), CHANCES),
        (Sampling(top_p=0.4), [1, 0, 0, 0]),
        (Sampling(top_p=0.41), [4 / 7, 0, 3 / 7, 0]),
        (Sampling(top_p=0.91), CHANCES),
        # Of the two likeliest, 4/7 and 3/7, the first alone holds half.
        (Sampling(top_k=2, top_p=0.5), [1, 0, 0, 0]),
        (Sampling(temperature=0.5, top_k=3, top_p=0.6), [16 / 25, 0, 9 / 25, 0]),
    ],
)
def test_words_are_drawn_with_chances_that_are_sharpened_and_then_cut(sampling, wanted):
    if sampling == Sampling(temperature=0.5, top_k=3, top_p=0.6):
        assert 16 / 29 < 0.6 < 25 / 29, "of the three likeliest two are needed"
    np.testing.assert_allclose(sampling.drawn_with(CHANCES), wanted, atol=1e-12)
    np.testing.assert_array_equal(CHANCES, [0.4, 0.1, 0.3, 0.2], "what was given stays as it is")


@pytest.mark.parametrize("top_k", [None, 1, 5, 50, 400])
@pytest.mark.parametrize("top_p", [0.3, 0.9, 0.99, 1.0])
def test_what_is_kept_is_what_a_sort_of_all_words_keeps(top_k, top_p):
    rng, sampling = np.random.default_rng(0), Sampling(top_k=top_k, top_p=top_p)
    for digits in (2, 12):  # with two there are many equal ones
        chances = rng.dirichlet(np.full(300, 0.05)).round(digits)
        chances /= chances.sum()
        likeliest = np.argsort(-chances, kind="stable")[:top_k]
        held = chances[likeliest].cumsum() / chances[likeliest].sum()
        kept = likeliest[: 1 + int((held < top_p).sum())] if top_p < 1 else likeliest
        wanted = np.zeros(300)
        wanted[kept] = chances[kept] / chances[kept].sum()
        np.testing.assert_allclose(sampling.drawn_with(chances), wanted, atol=1e-12)


def test_a_word_that_must_not_be_written_is_never_drawn():
    chances = np.array([0.7, 0.0, 0.2, 0.1])
    for sampling in (Sampling(), Sampling(temperature=2), Sampling(temperature=0.1), Sampling(top_k=4, top_p=0.99)):
        assert sampling.drawn_with(chances)[1] == 0


def test_a_temperature_near_nothing_overflows_nowhere():
    np.testing.assert_array_equal(Sampling(temperature=1e-6).drawn_with(CHANCES), [1, 0, 0, 0])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"temperature": -0.1}, "temperature is from 0 to 2"),
        ({"temperature": float("nan")}, "temperature is from 0 to 2"),
        ({"temperature": 2.01}, "got 2.01"),
        ({"top_k": 0}, "top_k is a whole number from 1 on"),
        ({"top_k": 2.0}, "top_k is a whole number"),
        ({"top_p": 0}, "top_p is above 0 and at most 1"),
        ({"top_p": 1.1}, "got 1.1"),
    ],
)
def test_what_cannot_be_drawn_with_is_refused(settings, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Sampling(**settings)


def test_reading_on_gives_the_chances_of_reading_all_again(model):
    ids = np.array([0, 5, 7, 9, 4, 3, 8])
    _, state = writing.read_on(model, ids[:4])
    for k in range(4, len(ids)):
        chances, state = writing.read_on(model, ids[k : k + 1], state)
        again, _ = writing.read_on(model, ids[: k + 1])
        np.testing.assert_allclose(chances, again, atol=1e-6)
        assert chances.sum() == pytest.approx(1, abs=1e-12)


def test_each_word_of_a_text_has_the_chance_and_the_rank_that_it_had_when_it_was_the_next(model, monkeypatch):
    monkeypatch.setattr(writing, "_ROWS_AT_ONCE", 2)
    ids = np.array([0, 5, 7, 9, 4, 3])
    p, ranks, state = writing.chances_in_text(model, ids)
    for k in range(1, len(ids)):
        chances, before = writing.read_on(model, ids[:k])
        assert p[k - 1] == pytest.approx(chances[ids[k]], rel=1e-5)
        assert ranks[k - 1] == 1 + (chances > chances[ids[k]]).sum()
    goes_on, wanted = writing.read_on(model, ids[-1:], state)[0], writing.read_on(model, ids[-1:], before)[0]
    np.testing.assert_allclose(goes_on, wanted, atol=1e-6)


def test_perplexity_is_that_of_so_many_equally_likely_words():
    assert writing.perplexity(np.full(7, 1 / 20)) == pytest.approx(20)
    assert writing.perplexity(np.array([1 / 2, 1 / 8])) == pytest.approx(4)


def test_a_hidden_word_is_not_looked_at():
    torch.manual_seed(0)
    config = TransformerConfig(vocab_size=30, d_model=8, n_heads=2, n_layers=1, d_ff=16)
    model = MaskedLanguageModel(config).eval()
    ids = np.array([5, 7, 9, 4])
    found = writing.hidden_chances(model, ids, 2)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    for other in (3, UNKNOWN_ID):
        np.testing.assert_array_equal(found, writing.hidden_chances(model, np.array([5, 7, other, 4]), 2))
    assert not np.allclose(found, writing.hidden_chances(model, np.array([5, 7, 9, 3]), 2)), "but what follows is"
    np.testing.assert_array_equal(ids, [5, 7, 9, 4])


def test_the_gates_of_the_equations_give_the_states_that_are_written_from(model):
    ids = torch.tensor([0, 5, 7, 9, 4])
    with torch.inference_mode():
        recorded, (states, _) = model.record(ids), model.states(ids[None])
    torch.testing.assert_close(recorded["hidden"][0], states[0], atol=1e-6, rtol=0)
