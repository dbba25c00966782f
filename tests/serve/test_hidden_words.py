"""What would stand in the place of a word, answered by a route: read from both sides, or from before it alone."""

import pytest

import seqdemo
from seqdemo import paths
from seqdemo.checkpoints import language_model
from seqdemo.checkpoints.store import ModelStore
from seqdemo.serve import hidden_words
from seqdemo.serve.routes import API

TEXT = "I thought this movie was zyxq, and it isn't."
READERS = ["transformer", "rnn", "gru", "lstm"]


@pytest.fixture(autouse=True)
def shipped(service, monkeypatch):
    """The language models that came with the app."""
    monkeypatch.setattr(paths, "PRETRAINED", seqdemo.PRETRAINED)


@pytest.mark.parametrize("word", [0, 3, 8])
def test_each_says_what_it_would_put_there_and_how_likely_it_held_the_word_itself(ask, word):
    found = ask("hidden", {"text": TEXT, "word": word})
    assert list(found["models"]) == READERS
    assert (found["loading"], found["failed"]) == ([], {})
    tokens = ["i", "thought", "this", "movie", "was", "zyxq", ",", "and", "it", "isn't", "."]
    for name, each in found["models"].items():
        model = seqdemo.load_language_model(name)
        before = " ".join(tokens[:word])
        wanted = model.hidden_words(TEXT, word) if name == "transformer" else model.next_words(before)
        assert [guess["text"] for guess in each["words"]] == [guess.text for guess in wanted]
        assert [guess["p"] for guess in each["words"]] == pytest.approx(
            [guess.probability for guess in wanted], rel=1e-4
        )
        assert [guess["is_it"] for guess in each["words"]] == [guess.text == tokens[word] for guess in wanted]
        assert each["own"].startswith(f"“{found['word']}”: ")
    assert found["word"].lower() == tokens[word]


def test_an_unknown_word_is_said_to_be_one(ask):
    found = ask("hidden", {"text": TEXT, "word": 5})
    assert found["word"] == "zyxq"
    assert all(each["own"].startswith("An unknown word: ") for each in found["models"].values())
    assert not any(guess["is_it"] for each in found["models"].values() for guess in each["words"])


def test_of_a_long_text_the_words_are_those_that_surprise_names(ask):
    text = "It was good. " * 100
    surprise = ask("surprise", {"text": text})
    found = ask("hidden", {"text": text, "word": len(surprise["words"]) - 2})
    assert found["word"] == surprise["words"][-2] == "good"


@pytest.mark.parametrize("word", [-1, 11, 10**6])
def test_a_word_that_is_not_there_is_refused_with_a_sentence(client, word):
    answer = client.post(f"{API}/hidden", json={"text": TEXT, "word": word})
    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        f"The entry 'word' is from 0 to 10, since the text has 11 words here; got {word}."
    )


@pytest.mark.parametrize("text", ["", "  \n", "@#%"])
def test_where_there_is_no_word_there_is_nothing_to_hide(ask, text):
    found = ask("hidden", {"text": text})
    assert (found["title"], found["word"], found["models"]) == ("", "", {})


def test_while_models_load_it_says_so(service, ask):
    service.store = ModelStore()
    assert set(ask("hidden", {"text": TEXT})["loading"]) == set(READERS)


def test_the_title_says_who_expects_what():
    def guess(word):
        return hidden_words.Guesses(words=[language_model.Word(word, 0.5, 1)], own=0.1)

    found = {"transformer": guess("quartet"), "rnn": guess("of"), "gru": guess("of"), "lstm": guess("of")}
    assert hidden_words.finding(found, "cello") == (
        "In the place of “cello” the Transformer expects “quartet” and the RNN, the GRU and the LSTM expect “of”"
    )
