import pathlib
import subprocess
import sys
import time

import pytest

from seqdemo import spelling, text
from seqdemo.spelling import MAX_LETTERS, is_english, likely
from seqdemo.text import PAD, UNKNOWN, UNKNOWN_ID, Vocabulary

DATA = pathlib.Path(spelling.__file__).parent / "data"
KNOWN = {word: index for index, word in enumerate(["forgive", "harbor", "colored", "state", "best", "boring", "good"])}


@pytest.mark.parametrize("word", ["forgave", "harbour", "coloured", "skate", "bets", "rugby", "paris", "pretentious"])
def test_an_english_word_is_never_called_misspelt(word):
    vocabulary = Vocabulary([PAD, UNKNOWN, *KNOWN])
    assert is_english(word)
    assert vocabulary.read(word).corrected == {}


@pytest.mark.parametrize(("written", "read_as"), [("harbour", "harbor"), ("coloured", "colored")])
def test_a_british_spelling_is_read_as_its_american_one_and_the_reverse(written, read_as):
    assert likely(written, KNOWN) == KNOWN[read_as]
    assert likely(read_as, {written: 7}) == 7


@pytest.mark.parametrize("word", ["forgave", "skate", "bets", "paris"])
def test_an_english_word_that_no_vocabulary_knows_is_unknown_rather_than_another_word(word):
    assert likely(word, KNOWN) is None
    assert Vocabulary([PAD, UNKNOWN, *KNOWN]).read(word).unknown.all()


@pytest.mark.parametrize(("typed", "meant"), [("borng", "boring"), ("goooood", "good"), ("harbr", "harbor")])
def test_a_word_that_is_not_english_is_read_as_the_likely_one(typed, meant):
    assert not is_english(typed)
    assert likely(typed, KNOWN) == KNOWN[meant]


def test_no_likely_spelling_is_searched_beyond_30_letters():
    assert MAX_LETTERS == 30
    assert likely("a" + "bc" * 14 + "x", {"a" + "bc" * 14: 3}) == 3  # 30 letters
    assert likely("a" + "bc" * 15, {"a" + "bc" * 14 + "b": 3}) is None  # 31
    assert likely("g" + "o" * 60 + "d", KNOWN) == KNOWN["good"]  # letters held down are folded all the same


@pytest.mark.parametrize("letters", ["ab" * 8_000, "abcdefgh" * 2_000, "a" * 16_000])
def test_a_word_of_16_000_letters_is_read_at_once(letters):
    vocabulary = Vocabulary([PAD, UNKNOWN, *KNOWN])
    plain = ("It was not a bad film, I think. " * 500)[: len(letters)]

    def cost_s(text):
        started = time.thread_time()
        vocabulary.read(text)
        return time.thread_time() - started

    assert vocabulary.read(letters).ids.tolist() == [UNKNOWN_ID]
    vocabulary.read(plain)  # what is read once, is read
    assert min(cost_s(letters) for _ in range(5)) < min(cost_s(plain) for _ in range(5)), "as ordinary text is"


def test_what_unknown_words_were_read_as_is_remembered_within_so_many_bytes():
    vocabulary = Vocabulary([PAD, UNKNOWN, *KNOWN])
    before = len(text._LIKELY)
    vocabulary.encode(["qqzq", "qqzq", "q" * 16_000])
    assert len(text._LIKELY) == before + 1
    assert text._LIKELY.n_bytes <= text._LIKELY.max_bytes == 32 * 1024**2


def test_every_word_of_the_list_is_one_that_could_be_called_misspelt():
    lines = [line.split(" ") for line in (DATA / "english_words.txt").read_text(encoding="utf-8").splitlines()]
    words = [line[0] for line in lines]
    assert len(words) == len(set(words)) == 74_674
    assert all(3 <= len(word) <= MAX_LETTERS and word.isascii() and word.isalpha() and word.islower() for word in words)
    pairs = [line for line in lines if len(line) > 1]
    assert len(pairs) == 1_875
    assert {american for _, american in pairs} <= set(words)
    assert all(british != american for british, american in pairs)


def test_the_word_list_comes_with_its_licence():
    licence = (DATA / "english_words_licence.txt").read_text(encoding="utf-8")
    assert "They are modified" in licence
    assert "Copyright 2000-2018 by Kevin Atkinson" in licence
    assert "Permission to use, copy, modify, distribute and sell" in licence


def test_the_word_list_is_read_only_when_a_word_is_unknown():
    code = (
        "from seqdemo import spelling, text\n"
        "words = text.Vocabulary(['<pad>', '<unk>', 'good'])\n"
        "words.read('good')\n"
        "print(spelling._english.cache_info().currsize)\n"
        "words.read('harbour')\n"
        "print(spelling._english.cache_info().currsize)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1"]
