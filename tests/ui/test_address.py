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
def test_whatever_stands_in_the_address_the_default_is_taken_and_said_and_nothing_raises(word):
    query = {"n": word}
    asked = address.Asked(query)
    assert asked.integer("n", 1, 9, 7) == 7
    assert asked.integers("n", 1, 9, most=2) == []
    assert asked.choice("n", ("rnn", "lstm"), "lstm") == "lstm"
    said = f"The address asks for n “{word[:40]}”; it can be "
    assert asked.refused == ([f"{said}1 to 9."] * 2 + [f"{said}one of rnn, lstm."] if word else [])
    assert address.ids(query, "n", most=4) == []
    assert len(address.text(query, "n")) <= address.MAX_TEXT


def test_numbers_are_taken_from_their_bounds_and_not_beyond():
    words = ("0", "1", "9", "10", "-3", "+4", "3-4")
    assert [address.Asked({"n": word}).integer("n", 1, 9, 7) for word in words] == [7, 1, 9, 7, 7, 4, 7]
    assert address.Asked({}).integer("n", 1, 9, 7) == 7


def test_several_numbers_are_one_entry():
    assert address.Asked({"n": "3-17"}).integers("n", 1, 99, most=2) == [3, 17]
    assert address.Asked({"n": "3-17-5"}).integers("n", 1, 99, most=2) == [3, 17]
    beyond = address.Asked({"n": "3-100"})
    assert beyond.integers("n", 1, 99, most=2) == []
    assert beyond.refused == ["The address asks for n “3-100”; it can be 1 to 99."]


def test_what_can_be_used_or_is_not_asked_for_is_not_spoken_of():
    asked = address.Asked({"left": "gru", "left_unit": "4"})
    assert (asked.choice("left", ("rnn", "gru"), "rnn"), asked.integers("left_unit", 1, 9, most=2)) == ("gru", [4])
    assert (asked.choice("right", ("rnn", "gru"), "rnn"), asked.integers("right_unit", 1, 9, most=2)) == ("rnn", [])
    assert asked.refused == []


def test_decimal_numbers_are_read_within_a_few_digits():
    assert [address.as_number(word) for word in ("-1.5", ".25", "1e-3", "1e999", "nan", "1" * 5_000)] == [
        -1.5,
        0.25,
        0.001,
        None,
        None,
        None,
    ]


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
