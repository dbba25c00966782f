import math

import pytest
import torch

from seqdemo.errors import ConfigError
from seqdemo.models import registry
from seqdemo.models.transformer import TransformerConfig, sinusoidal_positions


def test_positions_follow_the_papers_formula():
    n_steps, d_model = 60, 10
    wanted = torch.empty(n_steps, d_model)
    for t in range(n_steps):
        for i in range(d_model // 2):
            angle = t / 10_000 ** (2 * i / d_model)
            wanted[t, 2 * i], wanted[t, 2 * i + 1] = math.sin(angle), math.cos(angle)
    torch.testing.assert_close(sinusoidal_positions(n_steps, d_model), wanted, atol=1e-5, rtol=0)


def test_positions_are_not_trained_and_not_stored(build_small):
    model = build_small("transformer")
    assert "positions" not in model.state_dict()
    assert "positions" not in dict(model.named_parameters())
    torch.testing.assert_close(model.positions, sinusoidal_positions(400, 16))


def test_the_order_of_words_matters(build_small):
    model = build_small("transformer")
    ids = torch.tensor([[5, 9, 7, 12]])
    lengths = torch.tensor([4])
    assert (model(ids, lengths) - model(ids.flip(1), lengths)).abs() > 1e-4


@pytest.mark.parametrize(("preset", "d_model", "n_heads", "d_ff"), [("compact", 128, 4, 256), ("full", 512, 8, 1024)])
def test_both_presets_build_with_twelve_layers(preset, d_model, n_heads, d_ff):
    config = registry.make_config("transformer", vocab_size=20_000, preset=preset)
    with torch.device("meta"):
        model = registry.build("transformer", config)
    assert len(model.layers) == 12
    assert torch.equal(model.positions, sinusoidal_positions(400, d_model))  # real, since nothing loads them
    for layer in model.layers:
        assert layer.attention.n_heads == n_heads
        assert layer.attention.qkv.weight.shape == (3 * d_model, d_model)
        assert layer.feed_forward[0].weight.shape == (d_ff, d_model)
    each = 4 * d_model * d_model + 4 * d_model + 2 * d_model * d_ff + d_ff + d_model + 4 * d_model
    wanted = 20_000 * d_model + 12 * each + 2 * d_model + d_model + 1
    assert sum(parameter.numel() for parameter in model.parameters()) == wanted


def test_compact_is_the_preset_by_default_and_full_has_the_published_dropout():
    assert registry.make_config("transformer", vocab_size=9).d_model == 128
    assert registry.make_config("transformer", vocab_size=9, preset="full").dropout == 0.15


def test_each_layer_normalises_before_its_sub_layers(build_small):
    model = build_small("transformer")
    _, signals = model.record(torch.tensor([5, 9, 7]))
    x = model.embedding(torch.tensor([5, 9, 7])) * 4 + model.positions[:3]  # √d_model = 4
    layer = model.layers[0]
    x = x + layer.attention.record(layer.attention_norm(x)[None], torch.ones(1, 1, 1, 3, dtype=bool))[0][0]
    x = x + layer.feed_forward(layer.feed_forward_norm(x))
    torch.testing.assert_close(signals["residual"][0], x, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"d_model": 0}, "d_model is a whole number of at least 1; got 0."),
        ({"n_layers": 2.5}, "n_layers is a whole number of at least 1; got 2.5."),
        ({"d_model": 30, "n_heads": 4}, "d_model is an even multiple of n_heads; got d_model=30, n_heads=4."),
        ({"dropout": 1.0}, "dropout is at least 0 and below 1; got 1.0."),
        ({"embed_dropout": math.nan}, "embed_dropout is at least 0 and below 1; got nan."),
    ],
)
def test_a_shape_that_cannot_be_built_is_refused(entries, sentence):
    with pytest.raises(ConfigError) as caught:
        TransformerConfig(vocab_size=9, **entries)
    assert str(caught.value) == sentence
