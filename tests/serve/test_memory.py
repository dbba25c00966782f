"""One word changed, answered by a route: five verdicts before and after, and whatever is asked instead."""

import numpy as np
import pytest

from seqdemo.checkpoints.store import ModelStore
from seqdemo.explain import edits
from seqdemo.models.registry import MODELS
from seqdemo.serve import memory, worker
from seqdemo.serve.routes import API
from seqdemo.studies import fillers, gradient_by_distance
from tests.conftest import PATIENCE_S

TEXT = "This film was great . It is a long story , slow and dull at first , but the end is very good !"


@pytest.fixture
def edit(ask):
    """What a text is answered with, one word of it changed."""
    return lambda text=TEXT, **more: ask("edit", {"text": text, **more})


@pytest.mark.parametrize("kind", memory.EDITS)
def test_every_edit_gives_each_model_s_verdicts_before_and_after(edit, service, kind):
    found = edit(word=3, edit=kind, put="dull")
    reading = service.answering({}).read(TEXT)["rnn"]
    edited = {
        "delete": edits.delete(reading, 3),
        "negate": edits.negate(reading, 3),
        "replace": edits.replace(reading, 3, "dull"),
    }[kind]
    assert [line["label"] for line in found["lines"]] == [spec.label for spec in MODELS.values()]
    for name, line in zip(MODELS, found["lines"], strict=True):
        model = service.answering({}).models[name]
        before, after = model.predict_proba([TEXT])[0], model.predict_proba([edited])[0]
        assert line["before"] == pytest.approx(before, abs=1e-5)
        assert line["after"] == pytest.approx(after, abs=1e-5)
    assert found["word"] == 3
    at = TEXT.index("great")
    assert found["parts"] == [f"Before: {memory.around(TEXT, at)}", f"After: {memory.around(edited, at)}"]
    assert found["finding"] == memory.finding(found["lines"])


def test_the_words_to_choose_from_are_no_marks(edit):
    found = edit("Good , bad")
    assert found["words"] == [[0, "1 · Good"], [2, "3 · bad"]]


def test_where_none_is_asked_for_it_is_the_word_on_which_the_verdicts_rest_most(edit, service):
    answering = service.answering({})
    readings = answering.read(TEXT)
    found = {
        name: service.worker.submit(memory.GRADIENTS, model, readings[name].ids).result()
        for name, model in answering.models.items()
    }
    assert edit()["word"] == gradient_by_distance.own(readings, found).standout


@pytest.mark.parametrize("word", [4, 99, -1, 10**30])
def test_where_there_is_no_such_word_another_one_is_shown_and_said(edit, word):
    found = edit(word=word)
    assert found["trouble"] == f"The text has no word {str(word + 1)[:20]}. Another one is shown."
    assert found["word"] == edit()["word"]
    assert len(found["lines"]) == len(MODELS)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"edit": "shout"}, "The entry 'edit' is one of delete, negate, replace; this is 'shout'."),
        ({"word": "three"}, "The entry 'word' is a JSON whole number; this is a str."),
        ({"word": True}, "The entry 'word' is a JSON whole number; this is a bool."),
        ({"put": 3, "edit": "replace"}, "The entry 'put' is a JSON string; this is a int."),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(client, more, said):
    refused = client.post(f"{API}/edit", json={"text": TEXT, **more})
    assert refused.status_code == 422
    assert refused.json()["detail"] == said


def test_an_empty_replacement_is_answered_in_a_sentence(edit):
    found = edit(word=3, edit="replace", put="  ")
    assert "no word to put in its place" in found["trouble"]
    assert found["lines"] == []


def test_deleting_the_only_word_is_answered_in_a_sentence(edit):
    assert "only word" in edit("good", edit="delete")["trouble"]


@pytest.mark.parametrize(("text", "said"), [("   ", "Write a sentence"), ("@#%", "no word to read")])
def test_a_text_without_a_word_is_answered_in_a_sentence(edit, text, said):
    assert said in edit(text)["said"]


def test_while_models_load_and_where_none_could_be_loaded_the_answer_says_so(edit, service, without):
    loaded = service.store
    service.store = ModelStore()
    assert edit() == {"said": "The models are loading.", "loading": list(MODELS)}
    service.store = ModelStore(names=())  # as in the moment between the last model and the word that all were tried
    assert edit() == {"said": "The models are loading.", "loading": list(MODELS)}, "or the page would not ask again"
    service.store.start()
    assert service.store.wait(PATIENCE_S)
    assert edit() == {"said": "No model could be loaded.", "loading": []}
    service.store = loaded
    without("lstm", "model.safetensors")
    assert [line["label"] for line in edit()["lines"]] == ["RNN", "GRU", "BiLSTM", "Transformer"]


def test_an_own_model_goes_by_its_own_name(edit, own_model):
    found = edit(models={"lstm": own_model("lstm")})
    assert found["lines"][2]["label"] == "First try (LSTM)"


def line(name, before, after):
    return {"name": name, "before": before, "after": after}


def test_the_finding_names_who_moves_most_and_how_many_verdicts_turn():
    said = memory.finding([line("the RNN", 0.8, 0.78), line("the GRU", 0.9, 0.4)])
    assert said == "The GRU moves most, \u221250 points; one verdict turns"
    said = memory.finding([line("the RNN", 0.2, 0.7), line("First try (GRU)", 0.3, 0.9)])
    assert said == "First try (GRU) moves most, +60 points; all verdicts turn"
    assert memory.finding([line("the RNN", 0.5, 0.501)]) == "No model changes its verdict by a point"


@pytest.mark.parametrize(
    ("text", "at", "shown"),
    [
        ("a good film", 2, "a good film"),
        ("word " * 40, 100, "… word word word word word word word word word word word word word word word word word …"),
    ],
)
def test_some_words_around_an_edit_are_whole_words(text, at, shown):
    assert memory.around(text, at) == shown


def test_what_charts_ask_the_worker_is_what_the_studies_compute(service):
    model, submit = service.answering({}).models["lstm"], service.worker.submit
    sentence = fillers.checked("I liked it")
    assert submit(memory.SWEEP, model, (sentence,)).result() == fillers.sweep({"lstm": model}, sentence)["lstm"]
    assert submit(memory.ALONE, model, ()).result() == fillers.sweep_alone({"lstm": model})["lstm"]
    found = submit(memory.SPECTRUM, model, ()).result()
    assert list(found["trained"]) == ["input gate", "forget gate", "candidate", "output gate"]
    assert all(np.all(np.diff(block.singular_values) <= 0) for block in found["trained"].values())
    assert not any(array.flags.writeable for array in worker.arrays_in(found)), "all visitors get the same arrays"
