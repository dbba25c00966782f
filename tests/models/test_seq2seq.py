import itertools

import pytest
import torch
from torch import nn

from seqdemo.errors import ConfigError
from seqdemo.models.seq2seq import END_ID, START_ID, Seq2Seq, Seq2SeqConfig, additive_attention

SIZES = {"n_inputs": 9, "n_outputs": 7, "d_embed": 5, "d_hidden": 6, "d_attention": 4}
IDS = torch.tensor([[2, 5, 8, 3, 1], [4, 7, 0, 0, 0]])
LENGTHS = torch.tensor([5, 2])
ANSWERS = torch.tensor([[2, 6, 1], [3, 3, 1]])


@pytest.fixture(params=[True, False], ids=["attention", "plain"])
def model(request):
    return build(attention=request.param)


def build(seed=0, **overrides):
    torch.manual_seed(seed)
    model = Seq2Seq(Seq2SeqConfig(**SIZES, **overrides))
    with torch.no_grad():
        for parameter in model.parameters():  # biases too, which start at 0 and would hide mistakes
            parameter.add_(torch.randn_like(parameter) * 0.3)
        model.input_embedding.weight[0].zero_()
    return model.eval()


def test_the_equations_and_the_fused_layers_give_the_same_logits(model):
    with torch.inference_mode():
        logits = model(IDS, LENGTHS, ANSWERS)
    for row, length in enumerate(LENGTHS):
        recorded = model.record(IDS[row, :length], ANSWERS[row])
        torch.testing.assert_close(recorded["logits"], logits[row], atol=1e-5, rtol=0)


def test_padding_changes_no_answer(model):
    with torch.inference_mode():
        alone = model(IDS[1:, :2], LENGTHS[1:], ANSWERS[1:])
        beside = model(IDS, LENGTHS, ANSWERS)[1:]
    torch.testing.assert_close(alone, beside, atol=1e-6, rtol=0)


def test_weights_sum_to_one_over_real_characters_and_give_padding_nothing():
    model = build()
    with torch.inference_mode():
        encoded = model.encode(IDS, LENGTHS)
        looked = model.step(encoded, encoded.start, torch.tensor([0, 0])).attention
    torch.testing.assert_close(looked.weights.sum(-1), torch.ones(2))
    assert (looked.weights[1, 2:] == 0).all()
    assert (looked.weights[1, :2] > 0).all()


def test_additive_attention_is_its_formula_summed_by_hand():
    torch.manual_seed(0)
    s, h, v = torch.randn(6), torch.randn(5, 12), torch.randn(4)
    w_query, w_key = torch.randn(4, 6), torch.randn(4, 12)
    looked = additive_attention(s, h, h @ w_key.T, torch.ones(5, dtype=torch.bool), w_query, v)
    e = torch.stack([sum(v[k] * torch.tanh(w_query[k] @ s + w_key[k] @ h_j) for k in range(4)) for h_j in h])
    a = e.exp() / e.exp().sum()
    torch.testing.assert_close(looked.energies, e)
    torch.testing.assert_close(looked.weights, a)
    torch.testing.assert_close(looked.context, sum(a[j] * h[j] for j in range(5)))


def test_what_is_recorded_fits_together():
    model = build()
    recorded = {name: signal.clone() for name, signal in model.record(IDS[0], ANSWERS[0]).items()}
    shapes = {name: tuple(signal.shape) for name, signal in recorded.items()}
    assert shapes == {
        "encoder": (5, 12),
        "key": (5, 4),
        "state": (4, 6),
        "query": (3, 4),
        "energy": (3, 5),
        "attention": (3, 5),
        "context": (3, 12),
        "logits": (3, 7),
    }
    e = torch.tanh(recorded["query"][:, None] + recorded["key"]) @ model.v
    torch.testing.assert_close(e, recorded["energy"])
    torch.testing.assert_close(torch.softmax(e, -1), recorded["attention"])
    torch.testing.assert_close(recorded["attention"] @ recorded["encoder"], recorded["context"])
    torch.testing.assert_close(model.head(recorded["state"][1:]), recorded["logits"])


def test_the_encoder_is_torchs_gru_in_both_directions():
    model = build()
    two_way = nn.GRU(5, 6, batch_first=True, bidirectional=True)
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        getattr(two_way, name).data = getattr(model.left_to_right, name).data
        getattr(two_way, f"{name}_reverse").data = getattr(model.right_to_left, name).data
    h, _ = two_way(model.input_embedding(IDS[:1]))
    recorded = model.record(IDS[0], ANSWERS[0])["encoder"]
    torch.testing.assert_close(recorded, h[0].detach(), atol=1e-6, rtol=0)


def test_without_attention_every_step_is_given_the_same_summary():
    model = build(attention=False)
    recorded = model.record(IDS[0], ANSWERS[0])
    assert "attention" not in recorded
    summary = torch.cat([recorded["encoder"][-1, :6], recorded["encoder"][0, 6:]])
    assert (recorded["context"] == summary).all()


def test_free_running_is_given_what_the_model_wrote(model):
    with torch.inference_mode():
        own = model(IDS, LENGTHS, ANSWERS, own=True)
        written = own.argmax(-1)
        torch.testing.assert_close(model(IDS, LENGTHS, written), own)
        assert not torch.equal(written, ANSWERS)
        assert not torch.allclose(model(IDS, LENGTHS, ANSWERS), own)


def test_greedy_writes_the_likeliest_character_and_stops_at_the_end(model):
    ids, log_probability = model.greedy(IDS, LENGTHS, 6)
    with torch.inference_mode():
        logits = model(IDS, LENGTHS, ids)
    for row in range(2):
        written = ids[row].tolist()
        n = written.index(END_ID) + 1 if END_ID in written else 6
        assert set(written[n:]) <= {END_ID}
        assert (1 + logits[row, :n, 1:].argmax(-1)).tolist() == written[:n]  # the start is never written
        expected = torch.log_softmax(logits[row, :n], -1)[:, 1:].max(-1).values.sum()
        torch.testing.assert_close(log_probability[row], expected)


def test_a_beam_of_one_is_greedy(model):
    for row, length in enumerate(LENGTHS):
        (found,) = model.beam(IDS[row, :length], 1, 6)
        ids, log_probability = model.greedy(IDS[row : row + 1, :length], length[None], 6)
        assert found.ids == ids[0, : len(found.ids)].tolist()
        assert found.log_probability == pytest.approx(log_probability.item(), abs=1e-5)


def test_a_wide_beam_finds_the_likeliest_of_all_answers(model):
    letters = [y for y in range(7) if y not in (START_ID, END_ID)]
    every = [
        (*start, last)
        for n in range(3)
        for start in itertools.product(letters, repeat=n)
        for last in ([END_ID] if n < 2 else [END_ID, *letters])
    ]

    def log_probability(answer):
        with torch.inference_mode():
            logits = model(IDS[:1], LENGTHS[:1], torch.tensor([answer]))
        return torch.log_softmax(logits[0], -1).gather(1, torch.tensor(answer)[:, None]).sum().item()

    best = max(every, key=log_probability)
    found = model.beam(IDS[0], 400, 3)
    assert tuple(found[0].ids) == best
    assert [one.log_probability for one in found] == sorted((one.log_probability for one in found), reverse=True)
    assert len({tuple(one.ids) for one in found}) == len(found)
    for one in found[:5]:
        assert one.log_probability == pytest.approx(log_probability(one.ids), abs=1e-5)


def test_reading_writes_nothing_to_the_module(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    names = set(vars(model))
    model.record(IDS[0], ANSWERS[0])
    model.beam(IDS[0], 3, 5)
    assert set(vars(model)) == names
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_every_weight_learns_something(model):
    loss = nn.functional.cross_entropy(model(IDS, LENGTHS, ANSWERS).flatten(0, 1), ANSWERS.flatten())
    loss.backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"d_hidden": 0}, "d_hidden"), ({"attention": "yes"}, "attention"), ({"d_embed": 2.5}, "d_embed")],
)
def test_an_impossible_shape_is_refused_by_name(wrong, said):
    with pytest.raises(ConfigError, match=said):
        Seq2SeqConfig(**{**SIZES, **wrong})
