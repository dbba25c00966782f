import copy
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from seqdemo.checkpoints import folder as checkpoint
from seqdemo.checkpoints import language_model
from seqdemo.data.corpus import Corpus
from seqdemo.errors import CheckpointCorruptError, CheckpointMissingError, ConfigError, DataError, TrainingError
from seqdemo.models import registry
from seqdemo.text import PAD_ID, Vocabulary
from seqdemo.training import run
from seqdemo.training.config import PretrainingConfig, TrainingConfig
from seqdemo.training.events import Epoch, Step
from seqdemo.training.pretrain import bigram_perplexity, pretrain, unigram_perplexity

pytestmark = pytest.mark.usefixtures("every_state")
CPU = torch.device("cpu")
SIZES = {"d_embed": 16, "d_hidden": 16}
QUICK = {"window": 8, "learning_rate": 2e-2, "n_frequent": 8, "n_sampled": 4}
RHYME = "one two three four five six seven eight nine ten . "


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """Texts in which the next word is always the same."""
    folder = tmp_path_factory.mktemp("imdb")
    for split, n in (("train", 40), ("test", 8), ("unsupervised", 40)):
        labels = np.full(n, -1) if split == "unsupervised" else np.repeat([0, 1], n // 2)
        texts = [RHYME * 3 + ("praise" if label == 1 else "blame") for label in labels]
        pq.write_table(pa.table({"text": texts, "label": labels}), folder / f"{split}-00000-of-00001.parquet")
    return folder


def learn(name, reviews, out, *, epochs=4.0, batch_size=4, **options):
    sizes = SIZES if name != "transformer" else {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16}
    config = PretrainingConfig(epochs=epochs, batch_size=batch_size, precision="fp32", **QUICK)
    pretrain(name, out=out, config=config, overrides=sizes, data=str(reviews), device=CPU, tokens=1, **options)
    return language_model.load(out)


@pytest.fixture(scope="module")
def lstm(reviews, tmp_path_factory):
    out = tmp_path_factory.mktemp("language") / "lstm"
    learn("lstm", reviews, out)
    return out


def test_a_language_model_records_which_rules_made_its_tokens_and_refuses_others(lstm, tmp_path):
    damaged = tmp_path / "lstm"
    shutil.copytree(lstm, damaged)
    config = json.loads((damaged / "config.json").read_text(encoding="utf-8"))
    assert config["tokens"] == 1
    (damaged / "config.json").write_text(json.dumps({**config, "tokens": 3}), encoding="utf-8")
    with pytest.raises(CheckpointCorruptError, match="trained on tokens of version 3"):
        language_model.load(damaged)


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_too_few_words_are_refused_in_a_sentence(name, tmp_path):
    for split, labels in (("train", [0, 1]), ("unsupervised", [-1, -1])):
        table = pa.table({"text": ["A film.", "The end."], "label": labels})
        pq.write_table(table, tmp_path / f"{split}-00000-of-00001.parquet")
    with pytest.raises(DataError, match="cannot be learned or measured on"):
        learn(name, tmp_path, tmp_path / "out")


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "bilstm"])
def test_a_recurrent_model_learns_the_order_of_words_that_frequencies_do_not_tell(name, reviews, tmp_path):
    found = learn(name, reviews, tmp_path / name)
    assert found.metrics["validation_perplexity"] < 0.6 * found.metrics["unigram_perplexity"]


def test_the_transformer_learns_to_guess_hidden_words(reviews, tmp_path):
    found = learn("transformer", reviews, tmp_path / "transformer", epochs=14, batch_size=8)
    assert found.metrics["validation_perplexity"] < 0.5 * found.metrics["unigram_perplexity"]


@pytest.mark.parametrize("name", ["lstm", "gru", "bilstm", "transformer"])
def test_a_resumed_run_learns_exactly_what_an_uninterrupted_one_does(name, reviews, tmp_path):
    class CutError(Exception):
        pass

    def cut(event):
        if isinstance(event, Epoch) and event.more["update"] >= 13:
            raise CutError

    learn(name, reviews, tmp_path / "whole", epochs=2)
    out = tmp_path / "cut"
    with pytest.raises(CutError):
        learn(name, reviews, out, epochs=2, on_event=cut)
    assert not out.exists()
    told = []
    learn(name, reviews, out, epochs=2, resume=True, on_event=told.append)
    assert min(event.update for event in told if isinstance(event, Step)) > 13, "it did not begin again"
    one, other = (language_model.load(tmp_path / name).model.state_dict() for name in ("whole", "cut"))
    for key, tensor in one.items():  # what is read from a file lies elsewhere in memory, which moves last digits
        torch.testing.assert_close(other[key], tensor, atol=1e-3, rtol=1e-3)
    assert not list(tmp_path.glob(".*.state*"))


def test_a_bilstm_keeps_the_forward_direction_it_is_given_and_learns_the_other(reviews, lstm, tmp_path):
    found = learn("bilstm", reviews, tmp_path / "bilstm", start=lstm)
    given = language_model.load(lstm).model.state_dict()
    taken = found.model.state_dict()
    for name in ("embedding.weight", "left_to_right.0.weight_hh_l0"):
        torch.testing.assert_close(taken[name], given[name], atol=1e-3, rtol=0)
    assert found.metrics["validation_perplexity"] < 3


@pytest.mark.parametrize("name", ["lstm", "bilstm", "transformer"])
def test_a_language_model_goes_on_from_an_earlier_one_of_its_kind(name, reviews, tmp_path):
    learn(name, reviews, tmp_path / "earlier", epochs=2)
    later = learn(name, reviews, tmp_path / "later", epochs=0.2, start=tmp_path / "earlier")
    fresh = learn(name, reviews, tmp_path / "fresh", epochs=0.2)
    assert later.metrics["validation_perplexity"] < 0.8 * fresh.metrics["validation_perplexity"]


def test_another_vocabulary_cannot_be_started_from(lstm, tmp_path):
    other = tmp_path / "imdb"
    other.mkdir()
    for split, n in (("train", 20), ("unsupervised", 4)):
        texts, labels = ["quite another text . " * 20] * n, np.arange(n) % 2
        pq.write_table(pa.table({"text": texts, "label": labels}), other / f"{split}-00000-of-00001.parquet")
    with pytest.raises(TrainingError, match="another vocabulary"):
        learn("gru", other, tmp_path / "gru", start=lstm)


def test_a_classifier_starts_from_the_weights_of_its_language_model(reviews, lstm, tmp_path):
    settings = TrainingConfig(epochs=1, learning_rate=1e-9, batch_size=8, word_dropout=0, crop_share=0)
    found = run.train("lstm", out=tmp_path / "lstm", config=settings, data=str(reviews), device=CPU, init=lstm)
    given = language_model.load(lstm)
    assert found.vocabulary.words == given.vocabulary.words
    torch.testing.assert_close(
        found.model.left_to_right[0].weight_hh_l0, given.model.left_to_right[0].weight_hh_l0, atol=1e-3, rtol=0
    )
    assert found.metrics["pretrained_on"]["sha256"] == given.sha256
    assert found.model.embedding.weight[PAD_ID].abs().max() < 1e-6


def test_a_classifier_can_take_the_words_alone(reviews, lstm, tmp_path):
    given = language_model.load(lstm)
    before = registry.build("lstm", registry.make_config("lstm", vocab_size=len(given.vocabulary), **SIZES))
    model = copy.deepcopy(before)
    language_model.start_from(model, given, words_only=True)
    torch.testing.assert_close(model.embedding.weight[2:], given.model.embedding.weight[2:])
    torch.testing.assert_close(model.left_to_right[0].weight_hh_l0, before.left_to_right[0].weight_hh_l0)


def test_a_classifier_cannot_start_from_the_language_model_of_another(reviews, lstm, tmp_path):
    with pytest.raises(ConfigError, match="its own language model; this one is of lstm"):
        run.train("gru", out=tmp_path / "gru", config=TrainingConfig(), data=str(reviews), device=CPU, init=lstm)


def test_a_language_model_is_no_classifier_and_a_classifier_no_language_model(lstm, checkpoint_folders, tmp_path):
    with pytest.raises(CheckpointCorruptError):
        checkpoint.load(lstm)
    with pytest.raises(CheckpointCorruptError, match="is a classifier; a language model is needed"):
        language_model.load(checkpoint_folders["lstm"])
    with pytest.raises(CheckpointMissingError, match=r"config\.json"):
        language_model.load(tmp_path)


def test_the_baselines_are_those_that_one_counts_by_hand():
    corpus = Corpus(Vocabulary(["<pad>", "<unk>", "x", "y"]), np.array([2, 3, 2, 3, 2, 3]), np.array([2, 3]))
    assert unigram_perplexity(corpus) == pytest.approx(10 / 4)  # (3 + 1) / (6 + 4) for either word
    after_x = (3 - 0.75) / 3 + 0.75 * 1 / 3 * 0.4
    assert bigram_perplexity(corpus) == pytest.approx(1 / after_x)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"masked_share": 1.0}, {"learning_rate": -1}])
def test_settings_that_cannot_be_run_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        PretrainingConfig(**wrong)


def test_a_batch_without_a_hidden_word_is_no_reason_to_stop(reviews, tmp_path):
    """Of few words in a window, sometimes none is picked."""
    config = PretrainingConfig(epochs=0.3, batch_size=1, window=4, masked_share=0.05, learning_rate=1e-3, n_frequent=64)
    sizes = {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16}
    pretrain("transformer", out=tmp_path / "out", config=config, overrides=sizes, data=str(reviews), device=CPU)
    found = language_model.load(tmp_path / "out")
    assert found.metrics["validation_perplexity"] > 1
    assert found.vocabulary.version == 2, "what is trained from here on reads the newest tokens"
