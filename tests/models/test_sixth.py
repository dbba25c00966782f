"""A sixth model costs one file and one entry in the registry."""

import dataclasses

import numpy as np
import pytest
import torch

from seqdemo.checkpoints import folder, language_model
from seqdemo.data.examples import Examples
from seqdemo.errors import ConfigError
from seqdemo.models import registry
from seqdemo.models.registry import MODELS
from seqdemo.text import Vocabulary
from seqdemo.training import engine, sentiment, settings, task_run
from seqdemo.training.config import TrainingConfig
from seqdemo.training.settings import RunSettings
from seqdemo.ui.shared import own_models
from tests.models.mean_of_words import SPEC


@pytest.fixture(autouse=True)
def sixth(monkeypatch):
    monkeypatch.setitem(MODELS, SPEC.name, SPEC)
    monkeypatch.setitem(settings.CHOICES, "model", tuple(MODELS))  # made of the registry when it is imported


def test_it_is_trained_by_the_same_loop_for_ten_updates():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 40)
    ids = [np.array([2 + label, *rng.integers(4, 9, 5)]) for label in labels]
    examples = Examples(ids, labels, [np.array([5]) for _ in ids])
    torch.manual_seed(0)
    model = registry.build("mean", registry.make_config("mean", vocab_size=9))
    config = TrainingConfig(epochs=10, batch_size=40, learning_rate=0.1, adversarial=0.5, keep="last", precision="fp32")
    learner = sentiment.SentimentLearner(model, examples, examples, config)
    run = engine.Run(learner)
    run.go()
    assert run.progress.update == 10
    assert run.progress.history[-1]["train_loss"] < run.progress.history[0]["train_loss"]


def test_it_is_trained_saved_loaded_and_asked_by_what_the_five_go_through(tmp_path):
    wanted = RunSettings(task="synthetic", model="mean", distance=4, samples=200, epochs=2, device="cpu")
    done = task_run.train(wanted, out=tmp_path / "result")
    classifier = folder.load(tmp_path / "result")
    assert classifier.name == "mean"
    assert classifier.metrics["test_accuracy"] == done.metrics["test_accuracy"]
    assert 0 <= classifier.predict_proba(["a fine film"])[0] <= 1


def test_it_starts_from_its_own_language_model(tmp_path):
    words = Vocabulary(["<pad>", "<unk>", "film"])
    given = registry.build_language_model("mean", registry.make_config("mean", vocab_size=3, d_embed=5))
    language_model.save(
        tmp_path / "lm", name="mean", model=given, vocabulary=words, metrics={}, history=[], training={}
    )
    found = language_model.load(tmp_path / "lm")
    sizes = language_model.sizes(found, "mean")
    assert sizes == {"d_embed": 5}
    model = registry.build("mean", registry.make_config("mean", vocab_size=3, **sizes))
    head = model.head.weight.clone()
    language_model.start_from(model, found)
    assert torch.equal(model.embedding.weight[1:], found.model.body.embedding.weight[1:])
    assert torch.equal(model.head.weight, head)


def test_one_without_a_language_model_is_told_so(monkeypatch):
    family = dataclasses.replace(SPEC.family, language_model="")
    monkeypatch.setitem(MODELS, "mean", dataclasses.replace(SPEC, family=family))
    with pytest.raises(ConfigError, match=r"^Mean of words has no language model\.$"):
        registry.build_language_model("mean", registry.make_config("mean", vocab_size=3))


def test_pages_offer_it_where_it_can_answer():
    assert set(own_models.pages_for("mean")) == {"sentiment", "memory"}
    assert set(own_models.pages_for("lstm")) == {"sentiment", "stepper", "memory"}
    assert set(own_models.pages_for("transformer")) == {"sentiment", "attention", "memory"}


def test_no_shipped_model_is_without_states_or_attention():
    assert all(spec.has_states or spec.has_attention for name, spec in MODELS.items() if name != "mean")
