"""What stands in an address is read within bounds, whatever it is, and written without loss."""

import pytest

from seqdemo.ui.shared import address

ODD = [
    "",
    " ",
    "abc",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "1e999",
    "1" * 5_000,
    "-" * 5_000,
    "-1" * 5_000,
    "0x10",
    "1_0",
    "\u0663",
    "\uff11",
    "\u00b2",
    "1\n",
    "1,5",
    "\x00",
    "\ud800",
    "None",
    "[]",
]


@pytest.mark.parametrize("word", ODD)
def test_whatever_stands_in_the_address_the_default_is_taken_and_nothing_raises(word):
    query = {"n": word}
    assert address.integer(query, "n", 1, 9, 7) == 7
    assert address.integers(query, "n", 1, 9, most=2) == []
    assert address.number(query, "n", 0.0, 9.0, 0.5) == 0.5
    assert address.choice(query, "n", ("rnn", "lstm"), "lstm") == "lstm"
    assert address.ids(query, "n", most=4) == []
    assert len(address.text(query, "n")) <= address.MAX_TEXT


def test_numbers_are_taken_from_their_bounds_and_not_beyond():
    assert [address.integer({"n": word}, "n", 1, 9, 7) for word in ("0", "1", "9", "10", "-3", "+4")] == [
        7,
        1,
        9,
        7,
        7,
        4,
    ]
    assert [address.number({"n": word}, "n", -1.5, 2.0, 0.5) for word in ("-1.5", "2", "2.01", ".25", "1e-3")] == [
        -1.5,
        2.0,
        0.5,
        0.25,
        0.001,
    ]
    assert address.integer({}, "n", 1, 9, 7) == 7


def test_several_numbers_are_one_entry():
    assert address.integers({"n": "3-17"}, "n", 1, 99, most=2) == [3, 17]
    assert address.integers({"n": "3-17-5"}, "n", 1, 99, most=2) == [3, 17]
    assert address.integers({"n": "3-100"}, "n", 1, 99, most=2) == []


def test_ids_are_sixteen_characters_and_come_once():
    one, other = "abcdefgh12345678", "ABCDEFGH_-345678"
    assert address.ids({"own": f"{one},short,{other},{one}"}, "own", most=4) == [one, other]
    assert address.ids({"own": f"{one},{other}"}, "own", most=1) == [one]


def test_a_text_is_cut_and_blanks_are_none():
    assert address.text({"review": "x" * 100_000}, "review", most=10) == "x" * 10
    assert address.text({"review": " \n"}, "review", "as it was") == "as it was"


def test_the_entries_of_a_page_say_which_ones_to_take_out():
    assert address.entries({"seed": 3, "models": "rnn"}, ["models", "seed", "vary"]) == {
        "models": "rnn",
        "seed": "3",
        "vary": "",
    }
