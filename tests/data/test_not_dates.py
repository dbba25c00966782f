import datetime
import re

import numpy as np
import pytest

from seqdemo.data import dates, not_dates


def texts(kind, n=300, *, held_out=False, seed=0):
    found = not_dates.draw(np.random.default_rng(seed), n, "train", kinds=[kind], held_out=held_out)
    assert {one.form for one in found} == {kind}
    return found


OTHER_YEARS, OTHER_LANGUAGES, OTHER_WORDS, NO_SUCH_DAY, PARTS, TWO_DATES, NOTHING = not_dates.KINDS


@pytest.mark.parametrize("held_out", [False, True])
def test_every_kind_is_drawn_and_fits_what_training_reads(held_out):
    drawn = not_dates.draw(np.random.default_rng(1), 2_000, "train", held_out=held_out)
    assert {one.form for one in drawn} == set(not_dates.KINDS)
    assert all(one.text.strip() and len(one.text) <= dates.TRAINED_CHARACTERS for one in drawn)
    assert len({one.text for one in drawn}) > 1_800


@pytest.mark.parametrize("kind", not_dates.KINDS)
def test_what_is_no_date_has_no_day_of_the_calendar_as_its_answer(kind):
    for one in texts(kind) + texts(kind, held_out=True):
        assert not dates.is_day(one.iso)
        assert not one.iso or kind == NO_SUCH_DAY


@pytest.fixture(scope="module")
def written():
    """Dates as training writes them."""
    return {one.text for one in dates.draw(np.random.default_rng(2), 30_000, "train", filler_share=0.0)}


@pytest.mark.parametrize("kind", not_dates.KINDS)
def test_no_text_that_is_no_date_is_a_way_of_writing_a_date(kind, written):
    """Undone by any text that a date of the calendar is written as, in a way that training has."""
    assert not written & {one.text for one in texts(kind, 2_000)}


def test_the_years_that_are_measured_are_no_years_of_training():
    def years(held_out):
        found = (re.search(r"(?<!\d)\d{4}(?!\d)", one.text) for one in texts(OTHER_YEARS, 1_000, held_out=held_out))
        return {int(year[0]) for year in found if year}

    trained, measured = years(False), years(True)
    assert not trained & measured
    assert not any(dates.FIRST_YEAR <= year <= dates.LAST_YEAR for year in trained | measured)
    assert any(1700 <= year < 1800 for year in measured)
    assert not any(1600 <= year < 1800 for year in trained)


def test_a_month_in_another_language_keeps_the_day_that_is_meant():
    for one in texts(OTHER_LANGUAGES, held_out=True):
        assert dates.is_day(one.meant)
        assert one.meant[:4] in one.text
    trained = " ".join(one.text.lower() for one in texts(OTHER_LANGUAGES, 2_000))
    assert "mai " in trained
    assert "août" in trained
    assert "marzo" in trained
    assert "oktober" not in trained  # too near to October to be learned as no date
    assert "maggio" not in trained
    assert "haziran" not in trained


def test_a_day_that_a_month_does_not_have_is_copied_and_any_other_gets_no_answer():
    copied = [one for one in texts(NO_SUCH_DAY, 1_000) if one.iso]
    assert 100 < len(copied) < 900
    for one in copied:
        year, month, day = map(int, one.iso.split("-"))
        assert dates.FIRST_YEAR <= year <= dates.LAST_YEAR
        assert 1 <= month <= 12
        assert 29 <= day <= 31
        with pytest.raises(ValueError, match="day"):
            datetime.date(year, month, day)


def test_words_of_the_measured_stock_stand_in_no_training_text():
    trained = {word for one in texts(OTHER_WORDS, 2_000) for word in re.findall("[a-z]{5,}", one.text.lower())}
    measured = {word for one in texts(OTHER_WORDS, 500, held_out=True) for word in re.findall("[a-z]{5,}", one.text)}
    assert {"pizza", "guitar", "bananas"} <= measured
    assert not {"pizza", "guitar", "bananas"} & trained


def test_a_text_that_breaks_off_leaves_no_whole_date():
    found = [one.text for one in texts(PARTS, 3_000)]
    assert any(re.fullmatch(r"\d+ [A-Z][a-z]+ ", text) for text in found)  # 3 March
    assert any(re.fullmatch(r"\d+[./-]\d+[./-]\d{3}", text) for text in found)  # 3.3.198
    assert not any(re.fullmatch(r"\d+[./-]\d+[./-](\d\d|\d{4})", text) for text in found)


def test_two_dates_hold_two_dates():
    found = [one.text for one in texts(TWO_DATES, 500)]
    assert any(re.fullmatch(r"(\d{4}-\d\d-\d\d) (and|to|or|-|until) (\d{4}-\d\d-\d\d)", text) for text in found)
    assert any(re.search(r"^\d+-\d+ [A-Z][a-z]+ \d{4}$", text) for text in found)  # 3-5 March 1987


def test_the_same_seed_draws_the_same_texts():
    assert texts(NOTHING, 50, seed=3) == texts(NOTHING, 50, seed=3) != texts(NOTHING, 50, seed=4)
