import datetime
import re

import numpy as np
import pytest

from seqdemo.data import dates

DAY = datetime.date(1987, 3, 23)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_no_day_of_the_test_or_of_validation_is_ever_an_answer_in_training():
    splits = {name: set(dates.days(name).tolist()) for name in ("train", "validation", "test")}
    assert sum(map(len, splits.values())) == len(set.union(*splits.values())) == 73_049  # 1900 to 2099
    assert len(splits["validation"]) == dates.N_VALIDATION
    assert len(splits["test"]) == dates.N_TEST
    drawn = dates.draw(rng(), 2_000, "train", time_share=0.1)
    assert {datetime.date.fromisoformat(one.iso).toordinal() for one in drawn} <= splits["train"]


def test_held_out_ways_of_writing_are_never_drawn_in_training():
    drawn = dates.draw(rng(), 3_000, "train")
    assert {one.form for one in drawn} == set(dates.TRAINED)
    assert not set(dates.TRAINED) & set(dates.HELD_OUT)
    assert {one.form for one in dates.draw(rng(), 500, "test", forms=dates.HELD_OUT)} == set(dates.HELD_OUT)


@pytest.mark.parametrize(
    ("form", "day", "possible"),
    [
        ("{D} {Month} {YYYY}", DAY, {"23 March 1987"}),
        ("{D} {Mon} {YY}", DAY, {"23 Mar 87", "23 Mar '87", "23 Mar. 87", "23 Mar. '87"}),
        ("the {nth} of {Month}, {YYYY}", DAY, {"the 23rd of March, 1987"}),
        ("the {ordinal} of {Month} {words}", DAY, {"the twenty-third of March nineteen eighty-seven"}),
        ("{Weekday} {D}.{M}.{YYYY}", DAY, {"Monday 23.3.1987", "Monday 23.03.1987"}),
        ("{Month} {nth}, {YYYY}", datetime.date(2011, 11, 11), {"November 11th, 2011"}),
        ("{Month} {nth}, {YYYY}", datetime.date(2011, 11, 22), {"November 22nd, 2011"}),
        ("{Mon} {D}, {YYYY}", datetime.date(2011, 5, 30), {"May 30, 2011"}),
        ("{Month} the {ordinal}, {YYYY}", datetime.date(2011, 5, 30), {"May the thirtieth, 2011"}),
        ("{Month} the {ordinal} {YYYY}", datetime.date(476, 5, 20), {"May the twentieth 476"}),
        (
            "{words}, {Month} {D}",
            datetime.date(1066, 5, 30),
            {"one thousand and sixty-six, May 30", "ten sixty-six, May 30"},
        ),
        ("{words}, {Month} {D}", datetime.date(1776, 5, 30), {"seventeen seventy-six, May 30"}),
        ("{words}, {Month} {D}", datetime.date(2100, 5, 30), {"twenty-one hundred, May 30"}),
        ("{words}, {Month} {D}", datetime.date(1900, 5, 30), {"nineteen hundred, May 30"}),
        ("{words}, {Month} {D}", datetime.date(1907, 5, 30), {"nineteen oh seven, May 30"}),
        ("{words}, {Month} {D}", datetime.date(2000, 5, 30), {"two thousand, May 30"}),
        ("{words}, {Month} {D}", datetime.date(2004, 5, 30), {"two thousand and four, May 30"}),
        (
            "{words}, {Month} {D}",
            datetime.date(2040, 5, 30),
            {"two thousand and forty, May 30", "twenty forty, May 30"},
        ),
    ],
)
def test_a_day_is_written_as_people_write_it(form, day, possible):
    assert {dates.write(form, day, rng(seed)) for seed in range(40)} == possible


def test_the_stated_rules_leave_no_text_with_two_meanings():
    assert not dates.fits("{D}/{M}/{YYYY}", datetime.date(1987, 3, 12))
    assert dates.fits("{D}/{M}/{YYYY}", datetime.date(1987, 3, 13))
    assert not dates.fits("{D}.{M}.{YY}", datetime.date(1949, 3, 3))
    assert dates.fits("{D}.{M}.{YY}", datetime.date(2049, 3, 3))
    meanings = {}
    for one in dates.draw(rng(), 20_000, "train", forms=[form for form in dates.TRAINED if "{M}" in form]):
        assert meanings.setdefault(one.text, one.iso) == one.iso


def test_texts_stay_within_what_training_reads():
    drawn = dates.draw(rng(), 2_000, "train", filler_share=1.0, typo_share=0.5, time_share=0.5)
    assert min(len(one.text) for one in drawn) > 0
    assert max(len(one.text) for one in drawn) <= dates.TRAINED_CHARACTERS + 1  # a doubled letter


def test_a_time_of_day_stands_before_the_date_or_behind_it_and_the_date_stays_whole():
    texts = {dates.with_time("3 March 1987", rng(seed)) for seed in range(300)}
    assert {text.replace("3 March 1987", "*")[0] for text in texts} >= {"*", "a", "n", "1"}
    assert all("3 March 1987" in text for text in texts)
    assert any(re.fullmatch(r"3 March 1987 \d?\d:\d\d", text) for text in texts)
    assert any(re.fullmatch(r"3 March 1987 at \d?\dpm", text) for text in texts)
    assert any(re.match(r"1987-03-23T\d\d:\d\d:\d\d$", dates.with_time("1987-03-23", rng(k))) for k in range(20))
    unseen = {dates.with_time("3 March 1987", rng(seed), held_out=True) for seed in range(300)}
    shapes = [{re.sub(r"\d", "0", text) for text in part} for part in (texts, unseen)]
    assert len(shapes[1] - shapes[0]) > 20


def test_a_text_of_a_wanted_length_has_it_and_holds_its_date():
    for one in dates.draw_of_length(rng(), 50, "test", 81, 90, forms=["{YYYY}-{MM}-{DD}"]):
        assert 81 <= len(one.text) <= 90
        assert one.iso in one.text


def test_a_misspelt_text_differs_by_one_letter_of_a_long_word():
    source = rng()
    assert dates.misspelt("3.3.1987", source) == "3.3.1987"
    found = {dates.misspelt("3 March 1987", source) for _ in range(200)}
    assert "3 Mrch 1987" in found
    assert all(text.startswith("3 M") and text.endswith(" 1987") and len(text) in (11, 12, 13) for text in found)


def test_characters_are_looked_up_one_by_one_whatever_they_are():
    assert len(dates.INPUTS.encode("3 Mar \U0001f600 İ Ⅷ ß")) == 13
    assert dates.INPUTS.encode("MAR").tolist() == dates.INPUTS.encode("mar").tolist()
    assert dates.INPUTS.encode("三\u0000")[:].tolist() == [1, 1]
    assert dates.OUTPUTS.decode([*dates.OUTPUTS.encode("1987-03-23"), dates.END_ID, 5]) == "1987-03-23"


@pytest.mark.parametrize(
    ("text", "answer"), [("1987-02-28", True), ("1987-02-29", False), ("1987", False), ("", False)]
)
def test_only_a_day_of_the_calendar_is_a_day(text, answer):
    assert dates.is_day(text) is answer


def test_an_example_is_always_the_same():
    for form in (*dates.TRAINED, *dates.HELD_OUT):
        assert dates.example(form) == dates.example(form) != ""
