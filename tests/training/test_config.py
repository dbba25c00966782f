import dataclasses
import math

import pytest

from seqdemo.errors import ConfigError
from seqdemo.training.config import RECIPES, TrainingConfig, recipe


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("epochs", 0, "epochs is at least 1; got 0."),
        ("batch_size", -4, "batch_size is at least 1; got -4."),
        ("patience", 0, "patience is at least 1; got 0."),
        ("learning_rate", 0.0, "learning_rate is above 0; got 0.0."),
        ("weight_decay", -0.1, "weight_decay is 0 or more; got -0.1."),
        ("clip_norm", -1, "clip_norm is 0 or more; got -1."),
        ("label_smoothing", 1.0, "label_smoothing is at least 0 and below 1; got 1.0."),
        ("warmup_share", -0.01, "warmup_share is at least 0 and below 1; got -0.01."),
        ("word_dropout", math.nan, "word_dropout is at least 0 and below 1; got nan."),
        ("crop_share", 1.5, "crop_share is from 0 to 1; got 1.5."),
        ("step_loss", -1, "step_loss is from 0 to 1; got -1."),
        ("schedule", "linear", "schedule is one of cosine, plateau; got 'linear'."),
        ("precision", "fp16", "precision is one of auto, fp32, bf16; got 'fp16'."),
    ],
)
def test_a_setting_outside_what_is_allowed_is_refused(name, value, sentence):
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**{name: value})
    assert str(caught.value) == sentence


def test_settings_cannot_be_changed_after_the_check():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().epochs = 0


def test_a_models_recipe_gives_way_to_what_the_caller_wants():
    assert recipe("lstm", "standard") == TrainingConfig()
    full = recipe("transformer", "full")
    assert (full.learning_rate, full.weight_decay) == (9e-5, 1e-2)
    assert recipe("transformer", "full", learning_rate=1e-3).learning_rate == 1e-3


def test_every_recipe_belongs_to_a_preset_of_a_model():
    from seqdemo.models.registry import MODELS

    for name, preset in RECIPES:
        assert preset in MODELS[name].presets
        assert recipe(name, preset) != TrainingConfig(), "else it need not be there"
