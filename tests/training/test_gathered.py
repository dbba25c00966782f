"""Batches that are put together on the device are those that NumPy pads, and no update waits for its device.

There is no GPU here. What would make a processor wait for one are reads of a number and sizes that depend on values;
a listener on every operation finds both on a CPU as well.
"""

import math

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from seqdemo.data import dates as written_dates
from seqdemo.data.corpus import Corpus
from seqdemo.data.examples import Examples, epoch_views, evaluation_views
from seqdemo.models import registry
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig
from seqdemo.text import Vocabulary
from seqdemo.training import dates, engine, pretrain
from seqdemo.training.config import PretrainingConfig, TrainingConfig
from seqdemo.training.gathered import Gathered
from seqdemo.training.problem import prepare
from seqdemo.training.sentiment import SentimentLearner
from seqdemo.training.settings import RunSettings
from seqdemo.training.task_run import TaskLearner

CPU = torch.device("cpu")
SIZES = {
    "recurrent": {"d_embed": 6, "d_hidden": 8},
    "transformer": {"d_model": 8, "n_heads": 2, "n_layers": 1, "d_ff": 8},
}


def make_examples(n, seed, *, soft=False):
    rng = np.random.default_rng(seed)
    ids = [rng.integers(2, 40, int(length)) for length in rng.integers(1, 30, n)]
    ends = [np.flatnonzero(text == 7) for text in ids]
    return Examples(ids, rng.integers(0, 2, n), ends, rng.random(n, dtype=np.float32) if soft else None)


def shape_of(name):
    torch.manual_seed(0)
    return registry.make_config(name, vocab_size=40, **SIZES[registry.MODELS[name].family.name])


@pytest.mark.parametrize("soft", [False, True])
def test_batches_of_an_epoch_are_those_that_numpy_pads(soft):
    views = epoch_views(
        make_examples(50, 0),
        batch_size=8,
        rng=np.random.default_rng(1),
        crop_share=0.5,
        word_dropout=0.2,
        max_tokens=20,
        beside=make_examples(13, 1, soft=soft),
    )
    gathered, padded = Gathered(views, CPU), list(views.padded())
    assert len(gathered) == len(padded) == math.ceil(63 / 8)
    assert gathered.n_words == sum(batch.lengths.sum() for batch in padded)
    for found, wanted in zip(gathered, padded, strict=True):
        for name in ("ids", "lengths", "labels", "decided_last"):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
            assert getattr(found, name).numpy().dtype == getattr(wanted, name).dtype
        assert found.is_padded == (0 in wanted.ids)


def test_a_part_of_a_batch_has_its_rows_and_first_steps():
    batch = Gathered(evaluation_views(make_examples(9, 0)), CPU)[0]
    part = batch.part(slice(1, 9, 3), 4)
    assert part.ids.tolist() == batch.ids[1::3, :4].tolist()
    assert part.lengths.tolist() == batch.lengths[1::3].clamp(max=4).tolist()
    assert part.labels.tolist() == batch.labels[1::3].tolist()


@pytest.mark.parametrize("name", registry.MODELS)
def test_a_model_needs_no_lengths_where_nothing_is_padded(name):
    model = registry.build(name, shape_of(name)).eval()
    words = model.embedding(torch.randint(2, 40, (3, 9)))
    wanted = model.logits_from_embeddings(words, torch.full((3,), 9))
    torch.testing.assert_close(model.logits_from_embeddings(words, None), wanted)


class Waits(TorchDispatchMode):
    """Writes down every operation for which a processor would wait for its device."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name.removeprefix("aten::")
        chosen = args[1] if name in {"index", "index_put", "index_put_", "_index_put_impl_"} else []
        by_truth = any(at is not None and at.dtype == torch.bool for at in chosen)
        if by_truth or name in {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2"}:
            self.found.append(name)
        return function(*args, **(kwargs or {}))


def reviews(name):
    examples = make_examples(24, 0)
    config = TrainingConfig(batch_size=8, adversarial=1.0, average_decay=0.9, precision="fp32")
    return SentimentLearner(registry.build(name, shape_of(name)), examples, examples, config)


def language(name, softmax="full"):
    stream = np.random.default_rng(0).integers(2, 40, 4_000)
    corpus = Corpus(Vocabulary(["<pad>", "<unk>", *map(str, range(2, 40))]), stream, stream[:400])
    config = PretrainingConfig(batch_size=8, window=16, softmax=softmax, n_frequent=8, n_sampled=4, precision="fp32")
    return pretrain.learner(registry.build_language_model(name, shape_of(name)), corpus, config, updates_an_epoch=2)


def task(name):
    settings = RunSettings(task="copy", model=name, length=8, d_hidden=8, device="cpu", precision="fp32")
    return TaskLearner(settings, prepare(settings))


def translator(way):
    sizes = {"n_inputs": len(written_dates.INPUTS), "n_outputs": len(written_dates.OUTPUTS)}
    config = dates.DatesConfig(texts=16, batch_size=8, way=way, precision="fp32")
    return dates.DatesLearner(Seq2Seq(Seq2SeqConfig(**sizes, d_embed=4, d_hidden=8, d_attention=4)), config)


def waits_in_an_update(learner):
    run = engine.Run(learner)
    batches = iter(learner.batches(0))
    run._update(next(batches))  # the first also makes what the optimiser keeps
    with Waits() as waits:
        run._update(next(batches))
    return waits.found


@pytest.mark.parametrize(
    ("make", "what"),
    [
        *((reviews, name) for name in registry.MODELS),
        *((language, name) for name in registry.MODELS),
        *((task, name) for name in registry.MODELS),
        *((translator, way) for way in dates.WAYS),
    ],
)
def test_no_update_waits_for_its_device(make, what):
    assert waits_in_an_update(make(what)) == []


def test_the_listener_hears_what_has_to_be_waited_for():
    assert "nonzero" in waits_in_an_update(language("transformer", softmax="candidates"))
    with Waits() as waits:
        torch.arange(3)[torch.tensor([True, False, True])].sum().item()
    assert "_local_scalar_dense" in waits.found
    assert len(waits.found) > 1


def test_hidden_words_whose_number_is_not_asked_for_have_the_loss_of_those_that_are_counted():
    learner = language("transformer")
    learner.model.eval()  # without dropout
    windows = learner._windows[:32]
    n = windows.numel()
    found, counted = (learner._guess(windows, 5, find) for find in (learner._places_at_most, learner._places))
    assert len(counted[1]) == counted[2] < len(found[1]) < n
    losses = [
        learner._word_loss(learner.model.decoder, states, targets, np.random.default_rng(0))
        for states, targets, _ in (found, counted)
    ]
    torch.testing.assert_close(losses[0], losses[1])
    assert sorted(found[1][found[1] >= 0].tolist()) == sorted(counted[1].tolist())
