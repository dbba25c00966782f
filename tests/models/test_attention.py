import pathlib
import re

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

import seqdemo
from seqdemo.models.attention import MultiHeadAttention, scaled_dot_product_attention


def random_heads(steps=11, batch=3, heads=2, d_head=8):
    torch.manual_seed(0)
    return torch.randn(3, batch, heads, steps, d_head).unbind()


def mask_of(lengths, steps):
    return (torch.arange(steps)[None, :] < torch.tensor(lengths)[:, None])[:, None, None, :]


@pytest.mark.parametrize("mask", [None, mask_of([11, 1, 6], 11)], ids=["all words", "with padding"])
def test_from_scratch_attention_equals_torchs_fused_one(mask):
    q, k, v = random_heads()
    mixed, _ = scaled_dot_product_attention(q, k, v, mask)
    torch.testing.assert_close(mixed, F.scaled_dot_product_attention(q, k, v, attn_mask=mask), atol=1e-5, rtol=0)


def test_the_weights_of_each_word_sum_to_one_and_padding_gets_nothing():
    q, k, v = random_heads()
    mask = mask_of([11, 1, 6], 11)
    _, weights = scaled_dot_product_attention(q, k, v, mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, 11), atol=1e-6, rtol=0)
    assert (weights[(~mask).expand_as(weights)] == 0).all()
    assert (weights[mask.expand_as(weights)] > 0).all()


def test_a_query_along_one_key_takes_that_keys_value():
    k = torch.eye(3)[None]
    v = torch.tensor([[[1.0], [2.0], [3.0]]])
    mixed, weights = scaled_dot_product_attention(100 * k[:, 1:2], k, v)
    assert weights[0, 0].argmax() == 1
    torch.testing.assert_close(mixed, torch.tensor([[[2.0]]]))


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_multi_head_attention_gives_the_same_with_and_without_its_steps(training):
    torch.manual_seed(0)
    attention = MultiHeadAttention(d_model=24, n_heads=3).train(training)
    x, mask = torch.randn(2, 7, 24), mask_of([7, 4], 7)
    recorded, steps = attention.record(x, mask)
    torch.testing.assert_close(attention(x, mask), recorded, atol=1e-5, rtol=0)
    assert steps.query.shape == steps.key.shape == steps.value.shape == (2, 3, 7, 8)
    assert steps.attention.shape == (2, 3, 7, 7)


def test_each_head_works_in_its_own_slice_of_the_vector():
    torch.manual_seed(0)
    attention = MultiHeadAttention(d_model=6, n_heads=2)
    x, mask = torch.randn(1, 5, 6), mask_of([5], 5)
    q, k, v = attention.qkv(x).chunk(3, dim=-1)
    heads = [
        torch.softmax(q[..., part] @ k[..., part].transpose(1, 2) / 3**0.5, dim=-1) @ v[..., part]
        for part in (slice(0, 3), slice(3, 6))
    ]
    torch.testing.assert_close(attention(x, mask), attention.out(torch.cat(heads, dim=-1)), atol=1e-6, rtol=0)


def test_no_ready_made_transformer_of_torch_is_used_anywhere():
    package = pathlib.Path(seqdemo.__file__).parent
    sources = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    assert "F.scaled_dot_product_attention" in sources[package / "models" / "attention.py"]
    ready_made = re.compile(
        r"nn\.Transformer|\bMultiheadAttention\b|multi_head_attention_forward|TransformerEncoderLayer"
    )
    assert [str(path) for path, source in sources.items() if ready_made.search(source)] == []
