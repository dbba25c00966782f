import pytest
import torch

from seqdemo.errors import ConfigError
from seqdemo.models.recurrent import RecurrentConfig

LENGTHS = torch.tensor([1, 4, 9, 6])


def some_ids():
    torch.manual_seed(3)
    ids = torch.randint(2, 30, (len(LENGTHS), int(LENGTHS.max())))
    return ids.masked_fill(torch.arange(ids.shape[1])[None, :] >= LENGTHS[:, None], 0)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "bilstm"])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_last_steps_verdict_is_the_models_verdict(build_small, name, n_layers):
    model, ids = build_small(name, n_layers=n_layers), some_ids()
    steps = model.step_logits(ids, LENGTHS)
    assert steps.shape == (4, 9, 1)
    last = steps[torch.arange(4), LENGTHS - 1]
    torch.testing.assert_close(last, model(ids, LENGTHS), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_verdict_after_a_word_is_the_verdict_on_the_text_up_to_it(build_small, name, n_layers):
    model, ids = build_small(name, n_layers=n_layers), some_ids()
    assert model.has_prefix_states
    steps = model.step_logits(ids, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        for t in range(1, length + 1):
            prefix = model(ids[row : row + 1, :t], torch.tensor([t]))
            torch.testing.assert_close(steps[row, t - 1 : t], prefix, atol=1e-6, rtol=0)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_step_of_both_directions_has_read_as_many_last_words_as_first_ones(build_small, n_layers):
    model, ids = build_small("bilstm", n_layers=n_layers), some_ids()
    assert not model.has_prefix_states
    steps = model.step_logits(ids, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        _, signals = model.record(ids[row, :length])
        forward, backward = signals["hidden"][-1], signals["hidden_backward"][-1].flip(0)
        wanted = model.head(torch.cat([forward, backward], dim=-1))
        torch.testing.assert_close(steps[row, :length], wanted, atol=1e-5, rtol=0)


def test_each_direction_reads_from_its_own_end(build_small):
    model, ids = build_small("bilstm"), torch.tensor([5, 9, 7, 12])
    changed = torch.tensor([5, 9, 7, 3])  # only the last word is another
    (_, one), (_, other) = model.record(ids), model.record(changed)
    torch.testing.assert_close(one["hidden"][0, :3], other["hidden"][0, :3], atol=0, rtol=0)
    assert (one["hidden"][0, 3] - other["hidden"][0, 3]).abs().max() > 1e-3
    assert ((one["hidden_backward"] - other["hidden_backward"]).abs().amax(-1) > 1e-6).all()


@pytest.mark.parametrize("readout", ["mean", "max", "mean+max"])
def test_a_pooling_readout_has_no_verdict_at_each_word_and_says_so(build_small, readout):
    model = build_small("gru", readout=readout)
    assert not model.has_prefix_states
    with pytest.raises(ConfigError, match="Only the last-state readout has a verdict at each word"):
        model.step_logits(some_ids(), LENGTHS)


@pytest.mark.parametrize(("readout", "pool"), [("mean", lambda h: h.mean(0)), ("max", lambda h: h.amax(0))])
def test_a_pooling_readout_pools_the_real_words_only(build_small, readout, pool):
    model, ids = build_small("gru", readout=readout), some_ids()
    logits = model(ids, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        _, signals = model.record(ids[row, :length])
        torch.testing.assert_close(logits[row], model.head(pool(signals["hidden"][-1])), atol=1e-5, rtol=0)


def test_dropout_acts_in_training_only_and_drops_the_same_entries_at_every_step(build_small):
    model, ids = build_small("rnn", embed_dropout=0.5, dropout=0.0), some_ids()
    torch.testing.assert_close(model(ids, LENGTHS), model(ids, LENGTHS), atol=0, rtol=0)
    seen = []
    hook = model.left_to_right[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.train()(ids, LENGTHS)
    hook.remove()
    dropped = seen[0] == 0  # (B, T, d_embed); no weight of a real word is exactly 0
    assert 0.2 < dropped[2].float().mean() < 0.8
    assert (dropped[2] == dropped[2, :1]).all()


def test_the_recurrent_matrix_starts_orthogonal_and_the_forget_bias_at_one():
    from seqdemo.models import registry

    model = registry.build("lstm", registry.make_config("lstm", vocab_size=9, d_hidden=16))
    layer = model.left_to_right[0]
    for matrix in layer.weight_hh_l0.chunk(4):
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(16), atol=1e-5, rtol=0)
    i, f, g, o = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4)
    assert (f == 1).all()
    assert not torch.cat([i, g, o]).any()


def test_the_update_gate_of_a_gru_starts_where_its_setting_says():
    from seqdemo.models import registry

    for entries, wanted in (({}, 1.0), ({"update_bias": -2.0}, -2.0)):
        layer = registry.build("gru", registry.make_config("gru", vocab_size=9, d_hidden=16, **entries)).left_to_right[
            0
        ]
        r, z, n = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(3)
        assert (z == wanted).all()
        assert not torch.cat([r, n]).any()


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"cell": "elman"}, "cell is one of rnn, gru, lstm; got 'elman'."),
        ({"readout": "first"}, "readout is one of last, mean, max, mean+max; got 'first'."),
        ({"d_hidden": 0}, "d_hidden is a whole number of at least 1; got 0."),
        ({"n_layers": 1.5}, "n_layers is a whole number of at least 1; got 1.5."),
        ({"dropout": -0.1}, "dropout is at least 0 and below 1; got -0.1."),
        ({"embed_dropout": 1}, "embed_dropout is at least 0 and below 1; got 1."),
    ],
)
def test_a_shape_that_cannot_be_built_is_refused(entries, sentence):
    with pytest.raises(ConfigError) as caught:
        RecurrentConfig(**{"cell": "lstm", "vocab_size": 9, **entries})
    assert str(caught.value) == sentence
