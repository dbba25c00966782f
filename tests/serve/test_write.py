"""What language models hold likely next and write on, answered by routes."""

import base64

import numpy as np
import pytest

import seqdemo
from seqdemo.bounded import Bounded
from seqdemo.checkpoints import language_model
from seqdemo.checkpoints.store import ModelStore
from seqdemo.data import words_not_shown
from seqdemo.models import writing
from seqdemo.serve import write
from seqdemo.serve.routes import API
from seqdemo.text import Vocabulary, tokenize

WRITERS = ("rnn", "gru", "lstm")
TEXT = "I thought this movie was"


def collect(pieces):
    """The result of a computation in pieces, and how many there were."""
    n = 1
    while True:
        try:
            next(pieces)
        except StopIteration as done:
            return done.value, n
        n += 1


def test_bars_and_what_is_beside_them_are_all_there_is(shipped, ask):
    found = ask("next", {"text": TEXT, "temperature": 0.8})
    assert list(found["models"]) == list(WRITERS)
    assert (found["loading"], found["failed"], found["notices"]) == ([], {}, [])
    for name, each in found["models"].items():
        model = seqdemo.load_language_model(name)
        assert [word["text"] for word in each["words"]] == [word.text for word in model.next_words(TEXT)]
        assert [word["p"] for word in each["words"]] == pytest.approx(
            [w.probability for w in model.next_words(TEXT)], rel=1e-5
        )
        assert each["words"][0]["drawn"] > each["words"][0]["p"], "below 1 the likely become likelier"
        assert all(word["written"] == f" {word['text']}" for word in each["words"])
        next_, _ = collect(write.next_pieces(model, (model.read(TEXT).ids, 1.0, 0, 1.0), Bounded(0)))
        chances = np.array([word.probability for word, _ in next_.words])
        drawn = np.array([drawn for _, drawn in next_.words])
        assert drawn == pytest.approx(chances / (1 - next_.not_shown), rel=1e-9)
        assert next_.n_others + len(next_.words) + len(model.left_out()) == len(model.vocabulary)
        assert next_.n_drawn == next_.n_others + len(next_.words)


def test_of_what_is_cut_nothing_is_drawn(shipped, ask):
    for each in ask("next", {"text": TEXT, "top_k": 3})["models"].values():
        assert [word["drawn"] > 0 for word in each["words"]] == [True] * 3 + [False] * 7
        assert sum(word["drawn"] for word in each["words"]) == pytest.approx(1)
        assert each["others"].endswith("3 words may be drawn.")
    for each in ask("next", {"text": TEXT, "temperature": 0})["models"].values():
        assert [word["drawn"] for word in each["words"]] == [1.0] + [0.0] * 9


def test_words_that_are_not_shown_are_offered_and_written_where_the_setting_says_so(shipped, monkeypatch):
    model = seqdemo.load_language_model("gru")
    ids = model.read("softcore").ids
    at_once = (ids, 1.0, 0, 1.0)

    def offered():
        return {word.text for word, _ in collect(write.next_pieces(model, at_once, Bounded(0)))[0].words}

    def written():
        found, _ = collect(write.writing_pieces(model, (ids, 1, 1.0, 0, 1.0, 1), Bounded(0)))
        return {other.text for word, others in found.words for other in (word, *others)}

    assert not (offered() | written()) & words_not_shown.words()
    monkeypatch.setenv("SEQDEMO_UNFILTERED", "1")
    assert offered() & words_not_shown.words()
    assert written() & words_not_shown.words()


def test_a_word_that_is_added_costs_one_step_and_gives_the_chances_of_a_full_reading(shipped, monkeypatch):
    read = []
    real = writing._states

    def counted(model, ids, state):
        read.append(len(ids))
        return real(model, ids, state)

    monkeypatch.setattr(writing, "_states", counted)
    for name in WRITERS:
        model, known = seqdemo.load_language_model(name), Bounded(10**7)
        ids = np.random.default_rng(0).integers(2, 5_000, size=203)
        collect(write.next_pieces(model, (ids[:200], 1.0, 0, 1.0), known))
        assert sum(read) == 201, "and the end of the text before"
        for n in (201, 202, 203):
            read.clear()
            found, _ = collect(write.next_pieces(model, (ids[:n], 1.0, 0, 1.0), known))
            assert read == [1]
            whole, _ = collect(write.next_pieces(model, (ids[:n], 1.0, 0, 1.0), Bounded(0)))
            chances = [[word.probability for word, _ in each.words] for each in (found, whole)]
            assert chances[0] == pytest.approx(chances[1], rel=1e-5)
        read.clear()
        collect(write.next_pieces(model, (np.array([*ids[:201], 7]), 1.0, 0, 1.0), known))
        assert read == [1], "another last word goes on from before it"
        read.clear()
        collect(write.next_pieces(model, (np.array([7, *ids[1:201]]), 1.0, 0, 1.0), known))
        assert sum(read) == 202, "another first word is another text"
        read.clear()


def test_a_long_text_is_read_in_pieces_with_the_same_answer(shipped):
    model = seqdemo.load_language_model("gru")
    ids = np.random.default_rng(0).integers(2, 5_000, size=300)
    found, n_pieces = collect(write.next_pieces(model, (ids, 1.0, 0, 1.0), Bounded(0)))
    assert n_pieces == 4
    text = " ".join(model.vocabulary.words[k] for k in ids)
    wanted = model.next_words(text)
    assert [word.text for word, _ in found.words] == [word.text for word in wanted]
    assert [word.probability for word, _ in found.words] == pytest.approx([w.probability for w in wanted], rel=1e-4)


def test_a_text_is_written_on_as_from_python(shipped, ask):
    settings = {"temperature": 0.7, "top_k": 40, "top_p": 0.95}
    found = ask("write", {"text": TEXT, "words": 12, "seed": 3, **settings})
    assert found["title"].startswith("Invented by the models")
    for name, each in found["models"].items():
        words = list(seqdemo.load_language_model(name).generate(TEXT, n_words=12, seed=3, **settings))
        assert [word["text"] for word in each["words"]] == [word.text for word in words]
        assert [word["p"] for word in each["words"]] == pytest.approx([w.probability for w in words], rel=1e-5)
        text = TEXT + "".join(word["written"] for word in each["words"])
        assert [token.text for token in tokenize(text)][5:] == [word.text for word in words]
        for word in each["words"]:
            named = [entry.rpartition("\u00a0")[0] for entry in word["instead"].split(", ")]
            assert len(named) >= write.INSTEAD
            assert word["text"] not in {entry.split(" ")[0] for entry in named}


def test_what_the_cell_did_at_each_written_word_is_what_its_equations_say_of_the_whole_text(shipped, ask):
    found = ask("write", {"text": TEXT, "words": 30, "seed": 3})["models"]
    for name, each in found.items():
        model = seqdemo.load_language_model(name)
        signals = model.trace(TEXT + "".join(word["written"] for word in each["words"])).signals
        hidden = signals["hidden"][0, -30:]
        levels = np.frombuffer(base64.b64decode(each["hidden"]), dtype=np.uint8).reshape(each["units"], 30)
        rows = levels.astype(float) / 127 - 128 / 127
        assert each["units"] == write.UNITS_SHOWN
        near = np.abs(rows[:, None] - hidden.T[None]).max(axis=2)  # of each row and each unit
        assert near.min(axis=1).max() < 0.005
        shown = near.argmin(axis=1)
        assert hidden.std(axis=0)[shown].min() >= np.delete(hidden.std(axis=0), shown).max()
        most_active = np.abs(hidden[:, shown]).argmax(axis=0).tolist()
        assert most_active == sorted(most_active)
        gate = next((signals[name][0, -30:] for name in write.KEEPING if name in signals), None)
        if gate is None:
            assert (name, each["kept"]) == ("rnn", [])
            assert each["keeps"] == "No gate: each word writes the whole state anew."
        else:
            assert each["kept"] == pytest.approx(gate.mean(axis=1), abs=1e-4)
            word = each["words"][int(np.argmin(each["kept"]))]["text"]
            least = np.floor(100 * min(each["kept"]) + 0.5)
            assert each["keeps"].endswith(f"least at \u201c{word}\u201d, {least:.0f}\u00a0%.")


def test_the_same_seed_writes_the_same_and_another_one_something_else(writers, ask):
    def written(**more):
        found = ask("write", {"text": "a good film", "words": 30, **more})["models"]
        return {name: [word["text"] for word in each["words"]] for name, each in found.items()}

    assert written(seed=1) == written(seed=1)
    assert written(seed=1) != written(seed=2)


@pytest.mark.parametrize(
    "text", ["", " ", "\U0001f3ac\U0001f3ac", "zyx " * 50, "a" * 60_000, "word " * 9_000, "\ud83d"]
)
def test_any_text_gets_next_words_and_is_written_on(writers, ask, text):
    found = ask("next", {"text": text})
    assert all(len(each["words"]) == write.BARS for each in found["models"].values())
    assert found["title"].endswith("next" if text.strip() else "to begin with")
    assert all(len(each["words"]) == 3 for each in ask("write", {"text": text, "words": 3})["models"].values())


def test_what_is_not_read_and_not_known_is_said(writers, ask):
    assert ask("next", {"text": "film " * 2_500})["notices"] == [
        "Only the last 2,000 of 2,500 words and marks are read."
    ]
    assert ask("next", {"text": "zyxq film qqzx zyxq"})["notices"] == [
        "Unknown to the models, and read as one unknown word: zyxq, qqzx."
    ]
    cut, *_ = ask("next", {"text": "film " * 100, "length": 70_000})["notices"]
    assert cut == "Only the first 50,000 of 70,000 characters are looked at."


@pytest.mark.parametrize(
    ("kind", "entries", "sentence"),
    [
        ("next", {"temperature": 2.5}, "temperature is from 0 to 2; got 2.5."),
        ("next", {"temperature": "hot"}, "'temperature' and 'top_p' are JSON numbers"),
        ("next", {"temperature": True}, "are JSON numbers"),
        ("next", {"top_k": -1}, "top_k is a whole number from 1 on"),
        ("next", {"top_k": 1.5}, "'top_k' is a JSON whole number"),
        ("next", {"top_p": 0}, "top_p is above 0 and at most 1"),
        ("write", {"words": 81}, "'words' is from 1 to 80; this is 81."),
        ("write", {"words": 0}, "'words' is from 1 to 80"),
        ("write", {"words": 10**400}, "'words' is from 1 to 80"),
        ("write", {"words": 1.5}, "'words' is a JSON whole number"),
        ("write", {"seed": -1}, "'seed' is from 0 to 9,999; this is -1."),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(writers, client, kind, entries, sentence):
    answer = client.post(f"{API}/{kind}", json={"text": "a", **entries})
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize("name", ["temperature", "top_k", "top_p"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "-Infinity"])
def test_a_setting_that_is_no_number_is_refused(writers, client, name, number):
    headers = {"content-type": "application/json"}
    answer = client.post(f"{API}/next", content=f'{{"text": "a", "{name}": {number}}}', headers=headers)
    assert answer.status_code == 422, answer.text


def test_each_word_has_the_surprise_that_it_has_from_python(shipped, ask):
    text = "The cello was not as good as I thought, and zyxq."
    found = ask("surprise", {"text": text})
    assert found["words"] == ["The", "cello", "was", "not", "as", "good", "as", "I", "thought", ",", "and", "zyxq", "."]
    for name, each in found["models"].items():
        words = seqdemo.load_language_model(name).surprise(text)
        assert each["bits"] == pytest.approx([word.bits for word in words], abs=0.02)
        assert each["unknown"] == [11]
        perplexity = seqdemo.load_language_model(name).perplexity([text])
        assert each["says"].startswith(f"Perplexity {perplexity:,.0f}: as if")
    assert "is most surprised by “cello”" in found["title"]


def test_of_a_long_text_the_surprise_of_the_last_words_is_told_having_read_all(shipped, ask):
    model = seqdemo.load_language_model("rnn")
    words = [model.vocabulary.words[k] for k in np.random.default_rng(0).integers(100, 900, size=500)]
    text = " ".join(word for word in words if word.isalpha())
    found = ask("surprise", {"text": text})
    assert found["words"] == text.split()[-write.MOST_SURPRISING :]
    wanted = [word.bits for word in model.surprise(text)][-write.MOST_SURPRISING :]
    assert found["models"]["rnn"]["bits"] == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("text", ["", " ", "()"])
def test_where_there_is_no_word_nothing_surprises(writers, ask, text):
    found = ask("surprise", {"text": text})
    assert (found["words"], found["models"], found["title"]) == ([], {}, "")


def test_unknown_words_are_said_of_the_models_that_do_not_know_them(vocabulary):
    fewer = Vocabulary([word for word in vocabulary.words if word != "dull"])
    text = "a dull zyxq film"
    readings = {"rnn": fewer.read(text), "gru": vocabulary.read(text), "lstm": vocabulary.read(text)}
    assert write.notices(readings, len(text)) == [
        "Unknown to the RNN, and read as one unknown word: dull.",
        "Unknown to the models, and read as one unknown word: zyxq.",
    ]


def test_the_most_surprising_word_is_one_that_the_model_knows_where_there_is_one():
    bits = {"rnn": np.array([3.0, 20.0, 9.0]), "gru": np.array([4.0, 11.0, 8.0])}
    unknown = {"rnn": np.array([False, True, False]), "gru": np.array([False, False, True])}
    assert write.surprise_finding(bits, unknown, "abc") == "In your text the GRU is most surprised by “b”, 11 bits"
    unknown = {name: np.array([True] * 3) for name in bits}
    assert write.surprise_finding(bits, unknown, "abc") == "In your text the RNN is most surprised by “b”, 20 bits"


def test_while_models_load_it_says_so(writers, service, ask):
    service.store = ModelStore()  # nothing began to load
    found = ask("next", {"text": TEXT})
    assert (found["title"], found["loading"], found["models"]) == ("The models are loading", list(WRITERS), {})


def test_a_model_that_cannot_be_loaded_says_why_and_the_others_answer(writers, ask):
    (writers / "lm-gru" / "vocab.txt").unlink()
    found = ask("next", {"text": TEXT})
    assert list(found["models"]) == ["rnn", "lstm"]
    assert "vocab.txt" in found["failed"]["gru"]
    assert str(writers) not in found["failed"]["gru"]


def test_without_any_language_model_the_page_says_so(pretrained, ask):
    found = ask("next", {"text": TEXT})
    assert (found["title"], found["models"]) == ("No language model is here.", {})


@pytest.mark.parametrize(
    ("first", "text", "title"),
    [
        ("aaa", "It is", "All 3 expect “a” next"),
        ("aab", "It is", "The RNN and the GRU expect “a”, the LSTM expects “b” next"),
        ("abc", " ", "The RNN expects “a”, the GRU expects “b”, the LSTM expects “c” to begin with"),
    ],
)
def test_the_title_says_who_expects_what(first, text, title):
    found = {
        name: write.Next(words=[(language_model.Word(word, 0.5, 1), 0.5)], not_shown=0.1, n_others=10, n_drawn=11)
        for name, word in zip(WRITERS, first, strict=True)
    }
    assert write.finding(found, text) == title


def wrote(words, gate=None, kept=()):
    said = [(language_model.Word(word, 0.5, 1), []) for word in words]
    return write.Written(
        words=said,
        gate=gate,
        kept=np.array(kept, dtype=np.float32),
        hidden=np.empty((0, 0), dtype=np.uint8),
    )


def test_the_title_of_what_was_written_names_who_repeats_itself_least():
    found = {"rnn": wrote("aab"), "gru": wrote("abc"), "lstm": wrote("aaa")}
    assert write.written_finding(found).endswith("the GRU repeats itself least, 3 different words among 3")
    found = {"rnn": wrote("abc"), "gru": wrote("abc"), "lstm": wrote("aaa")}
    assert write.written_finding(found).endswith(
        "the RNN and the GRU repeat themselves least, 3 different words among 3"
    )
    assert (
        write.written_finding({"rnn": wrote("aa")}) == "Invented by the models: 1 different words among 2 in each text"
    )
    assert write.says(wrote("aab")) == "1.0 bits of surprise a word, 2 different words."


@pytest.mark.parametrize(
    ("kept", "title"),
    [
        (
            {"rnn": (), "gru": (0.5, 0.44), "lstm": (0.42,)},
            "The GRU keeps 47\u00a0% of its state from word to word, the LSTM keeps 42\u00a0%, "
            "the RNN has no gate that keeps any",
        ),
        ({"gru": (0.5,), "lstm": (0.5,)}, "The GRU and the LSTM keep 50\u00a0% of their states"),
        ({"rnn": ()}, "The RNN has no gate that keeps any"),
        ({}, ""),
    ],
)
def test_the_title_of_the_cells_says_how_much_each_keeps(kept, title):
    found = {name: wrote("ab", "forget_gate" if each else None, each) for name, each in kept.items()}
    assert write.kept_finding(found) == title
