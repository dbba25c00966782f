import json

import numpy as np
import pytest
import torch

from seqdemo.checkpoints import schema, translator
from seqdemo.data import dates
from seqdemo.errors import CheckpointCorruptError, TextError
from seqdemo.models.seq2seq import Seq2Seq, Seq2SeqConfig


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Seq2Seq(
        Seq2SeqConfig(n_inputs=len(dates.INPUTS), n_outputs=len(dates.OUTPUTS), d_hidden=8, d_embed=4)
    ).eval()


@pytest.fixture
def folder(tmp_path, model):
    path = tmp_path / "dates"
    translator.save(path, model=model, metrics={"test_n": 1}, history=[{"epoch": 1}], training={"seed": 1})
    return path


def rewrite(path, change):
    entries = json.loads(path.read_text())
    change(entries)
    path.write_text(json.dumps(entries))


def test_what_is_read_is_what_was_written(folder, model):
    found = translator.load(folder)
    assert {path.name for path in folder.iterdir()} == set(schema.KINDS[translator.KIND].files)
    assert found.metrics == {"test_n": 1}
    assert found.history == [{"epoch": 1}]
    assert found.config["training"] == {"seed": 1}
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(found.model.state_dict()[name], tensor, atol=1e-3, rtol=1e-3)
    assert not any(parameter.requires_grad for parameter in found.model.parameters())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda config: config.update(kind="reviews"), "reviews"),
        (lambda config: config.update(input_characters="abc"), "characters"),
        (lambda config: config["architecture"].update(n_inputs=5), "characters"),
        (lambda config: config["architecture"].update(attention=False), "not known: U, W, v"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder, change, said):
    rewrite(folder / "config.json", change)
    with pytest.raises(CheckpointCorruptError, match=said):
        translator.load(folder)


def test_a_translation_holds_every_number_of_its_likeliest_answer(folder):
    found = translator.load(folder)
    answer = found.translate("3 Mar 87", width=4)
    n = len(answer.characters)
    assert "".join(answer.characters) == answer.answers[0].text
    assert answer.answers[0].ended == (answer.characters[-1] == "")
    assert 1 < len(answer.answers) <= 4
    probabilities = [one.probability for one in answer.answers]
    assert probabilities == sorted(probabilities, reverse=True)
    chosen = [
        answer.signals["probability"][step, 1 if character == "" else 2 + dates.OUTPUTS.characters.index(character)]
        for step, character in enumerate(answer.characters)
    ]
    assert np.prod(chosen, dtype=float) == pytest.approx(probabilities[0], rel=1e-4)
    assert answer.signals["attention"].shape == (n, 8)
    np.testing.assert_allclose(answer.signals["attention"].sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(answer.signals["probability"].sum(1), 1, atol=1e-5)
    assert {signal.dtype for signal in answer.signals.values()} == {np.dtype("float32")}


@pytest.mark.parametrize(
    "text", ["?", "\U0001f600\U0001f600", "三月三日", "x" * 5_000, "3\u0000 Mar\n87", "\ud800 3 Mar 87"]
)
def test_any_text_gets_an_answer(folder, text):
    answer = translator.load(folder).translate(text, width=2)
    assert answer.text == text[: dates.MAX_CHARACTERS]
    assert answer.n_characters == len(text)
    assert len(answer.unknown) == len(answer.text)
    assert answer.unknown.all() == (not any(character in dates.INPUTS.characters for character in text.lower()))
    assert 0 <= answer.answers[0].probability <= 1


@pytest.mark.parametrize("text", ["", "  \n "])
def test_nothing_to_read_is_refused_with_a_sentence(folder, text):
    with pytest.raises(TextError, match="nothing to read"):
        translator.load(folder).translate(text)
