import subprocess
import sys
import threading

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.errors import ConfigError, UnknownModelError
from seqdemo.models import registry
from seqdemo.models.registry import MODELS
from seqdemo.trace import SIGNALS

SHAPES = [
    *((name, {}) for name in MODELS),
    *((name, {"n_layers": 2}) for name in ("rnn", "gru", "lstm", "bilstm")),
    ("rnn", {"readout": "mean"}),
    ("gru", {"readout": "max"}),
    ("lstm", {"readout": "mean+max", "n_layers": 2}),
    ("bilstm", {"readout": "mean+max", "n_layers": 3}),
    ("gru", {"bidirectional": True, "n_layers": 2}),
    ("lstm", {"n_outputs": 3}),
    ("transformer", {"n_layers": 12, "n_heads": 1}),
    ("transformer", {"n_outputs": 3, "n_heads": 8}),
]
IDS = [f"{name} {' '.join(f'{k}={v}' for k, v in overrides.items())}".strip() for name, overrides in SHAPES]
every_shape = pytest.mark.parametrize(("name", "overrides"), SHAPES, ids=IDS)
every_model = pytest.mark.parametrize("name", MODELS)

LENGTHS = [1, 12, 5, 8]


def some_texts(lengths=LENGTHS, seed=5):
    torch.manual_seed(seed)
    return [torch.randint(2, 36, (length,)) for length in lengths]


def batch_of(texts, extra=0, filler=0):
    steps = max(len(text) for text in texts) + extra
    ids = torch.stack([F.pad(text, (0, steps - len(text)), value=filler) for text in texts])
    return ids, torch.tensor([len(text) for text in texts])


@every_shape
def test_the_fused_pass_equals_the_recorded_equations(build_small, name, overrides):
    model = build_small(name, **overrides)
    for text in some_texts():
        logits, signals = model.record(text)
        torch.testing.assert_close(logits, model(*batch_of([text]))[0], atol=1e-5, rtol=0)
        for signal_name, signal in signals.items():
            spec = SIGNALS[signal_name]
            for axis, length in zip(spec.axes, signal.shape, strict=True):
                assert axis not in {"step", "query", "key"} or length == len(text)
                assert axis != "layer" or length == model.config.n_layers
            assert spec.low is None or signal.min() >= spec.low
            assert spec.high is None or signal.max() <= spec.high + 1e-6


@every_model
def test_the_two_readings_are_equal_at_full_size_on_the_longest_text(name):
    torch.manual_seed(0)
    model = registry.build(name, registry.make_config(name, vocab_size=500)).eval()
    text = torch.randint(2, 500, (400,))
    with torch.inference_mode():
        torch.testing.assert_close(model.record(text)[0], model(*batch_of([text]))[0], atol=1e-5, rtol=0)


@every_shape
def test_padding_changes_no_answer(build_small, name, overrides):
    model, texts = build_small(name, **overrides), some_texts()
    alone = torch.cat([model(*batch_of([text])) for text in texts])
    for extra, filler in ((0, 0), (7, 0), (7, 3)):  # a filler of 3 is a real word, which must not be read
        torch.testing.assert_close(model(*batch_of(texts, extra, filler)), alone, atol=1e-5, rtol=0)


@every_shape
def test_every_parameter_gets_a_gradient(build_small, name, overrides):
    model = build_small(name, **overrides).train()
    model(*batch_of(some_texts())).square().sum().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    assert not model.embedding.weight.grad[0].any()


@every_model
def test_each_model_overfits_one_batch(build_small, name):
    model = build_small(name, embed_dropout=0.0, dropout=0.0).train()
    ids, lengths = batch_of(some_texts([3, 12, 7, 9, 5, 10, 8, 6]))
    labels = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(80):
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(ids, lengths)[:, 0], labels)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.05
    assert ((model.eval()(ids, lengths)[:, 0] > 0) == labels.bool()).all()


def contents(model):
    """Every attribute of every part, and how often each tensor was written to."""
    parts = {name: dict(vars(part)) for name, part in model.named_modules()}
    inner = {name: {k: dict(v) for k, v in part.items() if isinstance(v, dict)} for name, part in parts.items()}
    versions = {name: tensor._version for name, tensor in [*model.named_parameters(), *model.named_buffers()]}
    return parts, inner, versions


@pytest.mark.parametrize(
    ("name", "reading"),
    [(name, reading) for name in MODELS for reading in ("forward", "record")]
    + [(name, "step_logits") for name in ("rnn", "gru", "lstm", "bilstm")],
)
def test_reading_writes_nothing_to_the_module(build_small, name, reading):
    model, text = build_small(name), some_texts()[1]
    before, state = contents(model), {k: v.clone() for k, v in model.state_dict().items()}
    with torch.no_grad():
        getattr(model, reading)(*([text] if reading == "record" else batch_of([text])))
    after = contents(model)
    assert before[2] == after[2]
    for old, new in zip(before[:2], after[:2], strict=True):
        assert old.keys() == new.keys()
        for part in old:
            assert old[part].keys() == new[part].keys()
            for key, value in old[part].items():
                found = new[part][key]
                same = found.keys() == value.keys() if isinstance(value, dict) else found is value
                assert same, f"{part}.{key} was written to"
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


@every_model
def test_threads_that_share_a_model_get_the_answers_they_would_get_alone(build_small, name):
    model = build_small(name)
    texts = some_texts([4, 9, 6, 12, 3, 7])
    with torch.no_grad():
        alone = [(model(*batch_of([text])), model.record(text)[0]) for text in texts]
    start = threading.Barrier(len(texts))
    wrong: list[int] = []

    def read(k):
        start.wait()
        with torch.inference_mode():
            for _ in range(10):
                answers = (model(*batch_of([texts[k]])), model.record(texts[k])[0])
                if not all(torch.allclose(a, b, atol=1e-6) for a, b in zip(answers, alone[k], strict=True)):
                    wrong.append(k)

    threads = [threading.Thread(target=read, args=(k,)) for k in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@every_shape
def test_a_config_survives_being_written_as_plain_values(name, overrides):
    import dataclasses
    import json

    config = registry.make_config(name, vocab_size=9, **overrides)
    assert registry.config_from_dict(name, json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownModelError) as caught:
        registry.make_config("lstmm", vocab_size=9)
    assert str(caught.value) == "There is no model called 'lstmm'; known are rnn, gru, lstm, bilstm, transformer."


@pytest.mark.parametrize(
    ("name", "entries", "sentence"),
    [
        ("gru", {"preset": "full"}, "GRU has the presets standard; got 'full'."),
        ("transformer", {"preset": "huge"}, "Transformer has the presets compact, full; got 'huge'."),
        ("lstm", {"n_heads": 4}, "unknown: n_heads; missing: none."),
        ("lstm", {"cell": "gru"}, "LSTM has cell='lstm'; got 'gru'."),
        ("bilstm", {"bidirectional": False}, "BiLSTM has bidirectional=True; got False."),
        ("lstm", {"d_hidden": "many"}, "d_hidden is a whole number of at least 1; got 'many'."),
        ("transformer", {"dropout": "some"}, "The config of Transformer holds a value of the wrong type"),
    ],
)
def test_a_wrong_entry_is_refused_with_what_is_allowed(name, entries, sentence):
    with pytest.raises(ConfigError) as caught:
        registry.make_config(name, vocab_size=9, **entries)
    assert sentence in str(caught.value)


def test_a_config_that_lacks_an_entry_says_which():
    with pytest.raises(ConfigError, match=r"unknown: none; missing: cell, vocab_size\."):
        registry.config_from_dict("lstm", {})


def test_models_differ_in_name_label_colour_and_dash():
    assert list(MODELS) == ["rnn", "gru", "lstm", "bilstm", "transformer"]
    for attribute in ("name", "label", "colour", "dash", "summary"):
        assert len({getattr(spec, attribute) for spec in MODELS.values()}) == len(MODELS)
    assert all(name == spec.name for name, spec in MODELS.items())


def test_the_registry_is_read_without_importing_torch():
    code = "import sys, seqdemo.models.registry as r; r.spec('lstm'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
