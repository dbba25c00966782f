"""bf16 is taken where forward and backward work and are clearly faster; everywhere else all is computed in fp32."""

import dataclasses
import json
import types

import numpy as np
import pytest
import safetensors
import torch
from safetensors.torch import save_file
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from seqdemo.data.corpus import Corpus
from seqdemo.data.examples import Examples
from seqdemo.errors import ConfigError, TrainingError
from seqdemo.models import registry
from seqdemo.models.registry import MODELS
from seqdemo.models.seq2seq import Seq2SeqConfig
from seqdemo.text import Vocabulary
from seqdemo.training import dates, engine, events, pretrain, sentiment, task_run
from seqdemo.training import precision as precision_module
from seqdemo.training.config import PretrainingConfig, TrainingConfig
from seqdemo.training.dates import DatesConfig
from seqdemo.training.precision import Trial, autocast, choose_precision, keep_precision
from seqdemo.training.settings import RunSettings
from tests.conftest import SMALL

pytestmark = pytest.mark.usefixtures("every_state")
CPU = torch.device("cpu")
SHORT = {"epochs": 2, "batch_size": 8, "patience": 50}
DATES = {"epochs": 1, "texts": 64, "batch_size": 16}
SMALL_DATES = Seq2SeqConfig(
    n_inputs=len(dates.dates.INPUTS), n_outputs=len(dates.dates.OUTPUTS), d_embed=4, d_hidden=8, d_attention=4
)
TASK = RunSettings(task="first_token", model="gru", length=6, d_hidden=8, d_embed=4, epochs=2, device="cpu")


def lstm_works_in_bf16():
    """Whether torch itself has an LSTM in bf16 for this processor, tried without this package."""
    layer = nn.LSTM(4, 4, batch_first=True)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            loss = layer(torch.randn(2, 3, 4))[0].float().sum()
        loss.backward()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            layer.eval()(torch.randn(2, 3, 4))
    except RuntimeError:
        return False
    return True


@pytest.fixture
def clock(monkeypatch):
    """By which passes are timed: only models of these tests move it."""
    found = types.SimpleNamespace(now=0.0, perf_counter=lambda: found.now)
    monkeypatch.setattr(precision_module, "time", found)
    return found


class Works(nn.Module):
    """A layer that takes the given times in fp32 and in bf16, on any processor."""

    def __init__(self, clock, fp32_s=0.0, bf16_s=0.0):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.clock, self.fp32_s, self.bf16_s = clock, fp32_s, bf16_s

    def forward(self, x):
        self.clock.now += self.bf16_s if torch.is_autocast_enabled("cpu") else self.fp32_s
        return self.linear(x)


class ForwardAlone(nn.Module):
    """A layer whose backward pass does not exist in bf16, on any processor."""

    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(_, x):
            return 2 * x

        @staticmethod
        def backward(_, gradient):
            if gradient.dtype == torch.bfloat16:
                raise RuntimeError("no backward pass in bf16. And a second sentence.")
            return 2 * gradient

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.Doubled.apply(self.linear(x))


def trial_of(model, rows=32, steps=8):
    x = torch.ones(rows, steps, 4)
    return Trial(model=model, rows=rows, steps=steps, loss=lambda r, s: model(x[:r, :s]).float().sum())


@pytest.mark.parametrize(
    ("fp32_s", "bf16_s", "wanted"), [(0.05, 0.01, "bf16"), (0.02, 0.2, "fp32"), (0.05, 0.045, "fp32")]
)
def test_bf16_is_taken_where_it_is_clearly_faster_and_not_where_chance_could_make_the_difference(
    clock, fp32_s, bf16_s, wanted
):
    assert choose_precision(trial_of(Works(clock, fp32_s, bf16_s))) == wanted


def test_other_work_on_the_machine_does_not_decide_for_bf16(clock):
    class Disturbed(Works):
        passes = 0

        def forward(self, x):
            if self.training and not torch.is_autocast_enabled("cpu"):
                self.passes += 1
                clock.now += 0.06 if self.passes % 3 else 0.0  # two of three are slowed by something else
            return super().forward(x)

    assert choose_precision(trial_of(Disturbed(clock, 0.02, 0.02))) == "fp32"


def test_a_layer_whose_backward_pass_fails_in_bf16_is_trained_in_fp32():
    assert choose_precision(trial_of(ForwardAlone())) == "fp32"
    with pytest.raises(TrainingError) as caught:
        choose_precision(trial_of(ForwardAlone()), "bf16")
    assert str(caught.value) == (
        "bf16 does not work for this model on this cpu (no backward pass in bf16). "
        "--precision auto takes what works, fp32 always does."
    )


def test_torch_s_own_lstm_is_asked_rather_than_the_processor():
    layer = nn.LSTM(4, 4, batch_first=True)
    x = torch.randn(8, 6, 4)
    trial = Trial(model=layer, rows=8, steps=6, loss=lambda r, s: layer(x[:r, :s])[0].float().sum())
    if lstm_works_in_bf16():
        assert choose_precision(trial, "bf16") == "bf16"
        return
    assert choose_precision(trial) == "fp32"
    with pytest.raises(TrainingError, match="bf16 does not work for this model on this cpu"):
        choose_precision(trial, "bf16")


def test_a_loss_that_is_no_number_in_bf16_is_no_reason_to_take_it(clock):
    class Overflows(Works):
        def forward(self, x):
            found = super().forward(x)
            return found * torch.nan if found.dtype == torch.bfloat16 else found

    assert choose_precision(trial_of(Overflows(clock, fp32_s=0.05))) == "fp32"


def test_fp32_is_taken_without_a_try():
    def loss(rows, steps):
        raise AssertionError

    assert choose_precision(Trial(model=nn.Linear(1, 1), rows=1, steps=1, loss=loss), "fp32") == "fp32"


def test_a_try_is_no_larger_than_it_must_be(clock):
    seen = []
    model = Works(clock, fp32_s=0.02)
    x = torch.ones(512, 400, 4)

    def loss(rows, steps):
        seen.append((rows, steps))
        return model(x[:rows, :steps]).float().sum()

    choose_precision(Trial(model=model, rows=512, steps=400, loss=loss))
    assert max(seen) == (16, 4), "a pass that is long enough is not made longer"
    seen.clear()
    choose_precision(Trial(model=nn.Linear(4, 4), rows=3, steps=2, loss=lambda r, s: seen.append((r, s)) or loss(r, s)))
    assert max(seen) == (3, 2)


def test_an_interrupted_run_goes_on_in_the_precision_it_had_where_that_works(clock):
    works, fails = trial_of(Works(clock)), trial_of(ForwardAlone())
    assert keep_precision(works, "bf16") == ("bf16", "The run goes on in bf16, as it began.")
    assert keep_precision(works, "fp32") == ("fp32", "The run goes on in fp32, as it began.")
    assert keep_precision(fails, "bf16") == (
        "fp32",
        "The run began in bf16, which does not work here; it goes on in fp32.",
    )
    assert keep_precision(works, "bf16", "fp32") == ("fp32", "The run goes on in fp32, as asked for.")
    with pytest.raises(TrainingError, match="bf16 does not work"):
        keep_precision(fails, "fp32", "bf16")


def make_examples(n=24, seed=0):
    rng = np.random.default_rng(seed)
    ids = [rng.integers(2, 30, int(length)) for length in rng.integers(3, 30, n)]
    return Examples(ids, rng.integers(0, 2, n), [np.array([len(text) - 1]) for text in ids])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("is_training", [True, False])
def test_asking_leaves_weights_gradients_mode_and_chance_as_they_are(build_small, name, is_training):
    model = build_small(name, dropout=0.3).train(is_training)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    torch.manual_seed(3)
    drawn, drawn_by_numpy = torch.get_rng_state(), np.random.get_state()
    trial = sentiment.SentimentLearner(model, make_examples(), make_examples(), TrainingConfig(batch_size=8)).trial()
    choose_precision(trial)
    keep_precision(trial, "bf16")
    assert torch.equal(torch.get_rng_state(), drawn)
    assert np.array_equal(np.random.get_state()[1], drawn_by_numpy[1])
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.training is is_training


def without_time(history):
    return [{name: value for name, value in entry.items() if name != "seconds"} for entry in history]


@pytest.mark.parametrize("name", ["gru", "lstm", "transformer"])
def test_a_classifier_learns_the_same_whether_its_precision_was_chosen_or_set(build_small, name):
    def one(precision):
        config = TrainingConfig(precision=precision, **SHORT)
        return sentiment.fit(build_small(name), make_examples(), make_examples(seed=1), config, device=CPU)

    chosen = one("auto")
    assert without_time(chosen.history) == without_time(one(chosen.precision).history)


def test_a_translator_of_dates_learns_the_same_whether_its_precision_was_chosen_or_set():
    _, chosen = dates.fit(SMALL_DATES, DatesConfig(**DATES))
    _, again = dates.fit(SMALL_DATES, DatesConfig(precision=chosen.precision, **DATES))
    assert without_time(chosen.history) == without_time(again.history)


def test_a_task_learns_the_same_whether_its_precision_was_chosen_or_set(tmp_path):
    def one(settings):
        told = []
        done = task_run.train(settings, out=tmp_path / "result", on_event=told.append)
        curve = without_time([event.plain() for event in told if isinstance(event, events.Epoch)])
        return done.metrics["precision"], curve, next(e for e in told if isinstance(e, events.Start)).precision

    chosen, curve, said = one(TASK)
    assert chosen == said
    assert one(dataclasses.replace(TASK, precision=chosen)) == (chosen, curve, said)


def test_every_trainer_computes_in_bf16_when_told_to_and_measures_in_it_too(build_small, tmp_path):
    """A GRU and a Transformer work in bf16 everywhere, if only imitated."""
    for name in ("gru", "transformer"):
        losses = {}
        for precision in ("fp32", "bf16"):
            config = TrainingConfig(precision=precision, **SHORT)
            progress = sentiment.fit(build_small(name), make_examples(), make_examples(seed=1), config, device=CPU)
            assert progress.precision == precision
            losses[precision] = progress.history[-1]["validation_loss"]
        assert losses["bf16"] != losses["fp32"]
        assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.1)
    _, progress = dates.fit(SMALL_DATES, DatesConfig(precision="bf16", **DATES))
    assert progress.precision == "bf16"
    assert np.isfinite(progress.history[0]["validation_loss_own_nats"])
    done = task_run.train(dataclasses.replace(TASK, precision="bf16"), out=tmp_path / "result")
    assert done.metrics["precision"] == "bf16"


class CutError(Exception):
    """Ends a run from outside."""


def test_a_run_that_began_in_bf16_elsewhere_is_resumed_and_says_how(build_small, tmp_path):
    path = tmp_path / "state.safetensors"
    config = TrainingConfig(**SHORT)

    def cut(event):
        if isinstance(event, events.Epoch):
            raise CutError

    def fit(model, **options):
        training, validation = make_examples(), make_examples(seed=1)
        return sentiment.fit(model, training, validation, config, device=CPU, state_file=path, **options)

    with pytest.raises(CutError):
        fit(build_small("lstm"), on_event=cut)
    with safetensors.safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metadata["progress"] = json.dumps({**json.loads(metadata["progress"]), "precision": "bf16"})
    save_file(tensors, path, metadata)
    told = []
    found = fit(build_small("lstm"), resume=True, on_event=told.append)
    assert found.precision == ("bf16" if lstm_works_in_bf16() else "fp32")
    said = "goes on in bf16, as it began." if lstm_works_in_bf16() else "began in bf16, which does not work here"
    assert said in told[1].says
    assert [event.epoch for event in told if isinstance(event, events.Epoch)] == [1, 2]


def test_a_resumed_task_says_its_precision_after_its_start(tmp_path):
    def cut(event):
        if isinstance(event, events.Epoch) and event.epoch == 1:
            raise CutError

    bf16 = dataclasses.replace(TASK, precision="bf16", epochs=3)
    with pytest.raises(CutError):
        task_run.train(bf16, out=tmp_path / "result", on_event=cut)
    told = []
    settings = dataclasses.replace(bf16, precision="auto")
    task_run.train(settings, out=tmp_path / "result", resume=True, on_event=told.append)
    assert [type(event) for event in told[:3]] == [events.Loading, events.Start, events.Precision]
    assert told[1].precision == "bf16"
    assert told[2].says == "The run goes on in bf16, as it began."


class NoDoubles(TorchDispatchMode):
    """Refuses double precision, as Apple's GPUs do."""

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        found = function(*arguments, **(options or {}))
        for tensor in found if isinstance(found, tuple | list) else [found]:
            assert not (isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float64), function
        return found


@pytest.mark.parametrize("name", ["gru", "transformer"])
def test_no_trainer_needs_double_precision_which_apple_s_gpus_do_not_have(name, build_small, tmp_path):
    vocabulary = Vocabulary(["<pad>", "<unk>", *(f"w{k}" for k in range(28))])
    stream = np.random.default_rng(0).integers(0, 30, 200)
    shape = registry.make_config(name, vocab_size=30, **SMALL[MODELS[name].family.name])
    with NoDoubles(), pytest.raises(AssertionError):
        torch.zeros(1).double()
    with NoDoubles():
        config = TrainingConfig(adversarial=1.0, average_decay=0.5, **SHORT)
        sentiment.fit(build_small(name), make_examples(), make_examples(seed=1), config, device=CPU)
        dates.fit(SMALL_DATES, DatesConfig(**DATES))
        for task in ("adding", "first_token", "copy"):
            task_run.train(dataclasses.replace(TASK, task=task, model=name, epochs=1), out=tmp_path / task)
        kinds = {"gru": (pretrain.RecurrentLanguageModel, pretrain.NextWordLearner)}
        model_kind, learner_kind = kinds.get(name, (pretrain.MaskedLanguageModel, pretrain.HiddenWordLearner))
        learning = PretrainingConfig(epochs=1, batch_size=4, window=8, n_frequent=8, n_sampled=4)
        learner = learner_kind(model_kind(shape), Corpus(vocabulary, stream, stream), learning)
        engine.Run(learner, state_file=tmp_path / "language").go()


@pytest.mark.parametrize("config", [TrainingConfig, PretrainingConfig, DatesConfig])
def test_a_precision_that_is_none_is_refused(config):
    with pytest.raises(ConfigError, match="precision is one of auto, fp32, bf16; got 'fp16'"):
        config(precision="fp16")


def test_forward_passes_run_in_the_precision_asked_for():
    layer = nn.Linear(2, 2)
    for precision, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(CPU, precision):
            assert layer(torch.ones(1, 2)).dtype == kind
