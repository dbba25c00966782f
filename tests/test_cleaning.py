import time

import pytest

from seqdemo.cleaning import clean
from seqdemo.text import MAX_CHARACTERS, cut, tokenize


def words(text):
    return [token.text for token in tokenize(text)]


@pytest.mark.parametrize(
    ("mangled", "meant"),
    [
        ("It isn\u00e2\u20ac\u2122t", "It isn\u2019t"),  # UTF-8 read as Windows-1252
        ("It isn\u00e2\x80\x99t", "It isn\u2019t"),  # and as Latin-1
        ("caf\u00c3\u00a9", "caf\u00e9"),
        ("\u00e2\u20ac\u0153good\u00e2\u20ac\x9d", "\u201cgood\u201d"),
        ("\u00e2\u20ac\u0153good\u00e2\u20ac.", "\u201cgood\u201d."),  # the third byte has no character there
        ("\u00c2\u00a35", "\u00a35"),
        ("Hello.\u00c2\u00a0 World\u00c2 .", "Hello.\u00a0 World ."),
        ("\u00f0\u0178\u02dc\u20ac", "\U0001f600"),
        ("\u00e2\u02dc\u2026", "\u2605"),
        ("isn\u00c3\u00a2\u00e2\u201a\u00ac\u00e2\u201e\u00a2t", "isn\u2019t"),  # misread twice
        ("\u00ef\u00bb\u00bfgood", "good"),
        ("isn\u0092t it\u0085 \u0096 \u0093yes\u0094 \u0081", "isn\u2019t it\u2026 \u2013 \u201cyes\u201d "),
        ("isn\ufffdt, isn\ufffd\ufffd\ufffdt, \ufffdgood\ufffd", "isn't, isn't,  good "),
        ("it\u2018s it\u02bcs it\u00b4s it`s it\u2032s it\uff07s", "it's it's it's it's it's it's"),
        ("\uff47\uff4f\uff4f\uff44\uff01 \uff17\uff0f\uff11\uff10", "good! 7/10"),
        ("\ufeffgood", "good"),
        ("won\u200bder\u00adful\u2060", "wonderful"),
        ("g\x00o\x00o\x00d\x00", "good"),
        ("&quot;it&#39;s&quot; &amp; &hellip; &amp;quot;", '"it\'s" & \u2026 "'),
    ],
)
def test_what_programs_mangled_is_mended(mangled, meant):
    assert clean(mangled).text == meant


@pytest.mark.parametrize(
    "honest",
    [
        "Spa\u00df\u00bb \u201eSpa\u00df\u201c Spa\u00df\u2026 \u00dc\u201c",
        "\u00ab\u00a0\u00c9T\u00c9\u00a0\u00bb CAF\u00c9\u2026 caf\u00e9\u2026\u00bb voil\u00e0\u2026",
        "IRM\u00c3\u201d MANH\u00c3\u2026 N\u00c3O \u00c2GE CH\u00c2TEAU",
        "It\u2019s \u201cgood\u201d \u2013 really\u2026 5\u203210\u2033",
        "\u042d\u0442\u043e\u0442 \u0444\u0438\u043b\u044c\u043c, \u3053\u306e\u6620\u753b",
        "a < b and c > d, <3, <pad> <unk>, <sarcasm>great</sarcasm>",
        "AT&T; R&B &unknownthing;",
        "he was awful.community spirit, e.g. this, well.done",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "one line.<br />Another<br>",
    ],
)
def test_an_honest_text_stays_as_it_is(honest):
    cleaned = clean(honest)
    assert (cleaned.text, cleaned.left_out, cleaned.starts) == (honest, {}, None)


@pytest.mark.parametrize(
    ("text", "left_out", "read"),
    [
        ("Look: http://www.imdb.com/title/tt1/.", {"web address": 1}, ["look", ":", "."]),
        ("at www.great-films.org/best?x=1, or", {"web address": 1}, ["at", ",", "or"]),
        ("IMDB.com loves it, Amazon.com's too", {"web address": 2}, ["loves", "it", ",", "too"]),
        ("ask bad.taste@awful.co.uk!", {"e-mail address": 1}, ["ask", "!"]),
        ("<a href=\"http://bad.com\" title='awful'>here</a>", {"tag": 2}, ["here"]),
        ('<p class=boring>A <b>good</b> film<br class="bad"/></p>', {"tag": 5}, ["a", "good", "film"]),
        ("good<!-- awful -->", {"tag": 1}, ["good"]),
        ("&lt;b&gt;good&lt;/b&gt;", {"tag": 2}, ["good"]),
    ],
)
def test_addresses_and_markup_are_left_out_and_counted(text, left_out, read):
    assert cut(text).left_out == left_out
    assert words(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("It isn\u00e2\u20ac\u2122t caf\u00c3\u00a9", ["It", "isn\u00e2\u20ac\u2122t", "caf\u00c3\u00a9"]),
        ("\ufeffA won\u00adder \uff01", ["A", "won\u00adder", "\uff01"]),
        ("see http://a.com/b. &quot;Good&quot;", ["see", ".", "&quot;", "Good", "&quot;"]),
        (
            "a\u00c3\u00a2\u00e2\u201a\u00ac\u00e2\u201e\u00a2b c",
            ["a\u00c3\u00a2\u00e2\u201a\u00ac\u00e2\u201e\u00a2b", "c"],
        ),
        ("<b>A</b>\u0096<i>B</i>\u0085", ["A", "B", "\u0085"]),
    ],
)
def test_a_token_of_a_cleaned_text_points_into_the_text_as_it_was_typed(text, read):
    assert cut(text).words == read


def test_cleaning_twice_changes_nothing_more():
    text = "\ufeffIt isn\u00e2\u20ac\u2122t <b>bad</b> &amp; http://a.com \uff17 it`s\u0085"
    assert clean(clean(text).text).text == clean(text).text


HOSTILE = {
    "tags": "<a " * 16_000,
    "attributes": "<a " + "x=1 " * 12_000,
    "open quotes": '<a x="' * 8_000,
    "comments": "<!--" * 12_500,
    "at signs": "a@" * 25_000,
    "dots": "a." * 25_000,
    "no domain": "a.b-" * 12_500,
    "www": "www." * 12_500,
    "addresses": "http://" * 7_000,
    "real addresses": "http://a.com " * 3_800,
    "entities": "&amp" * 12_500,
    "apostrophes": "a`" * 25_000,
    "lost characters": "a\ufffd" * 25_000,
    "full width": "\uff01\uff47" * 25_000,
    "mojibake": "isn\u00e2\u20ac\u2122t " * 6_000,
    "beginnings of mojibake": "\u00c3" * 50_000,
    "invisible": "\u200b" * 50_000,
}


def cost_s(text, work=clean):
    def once():
        started = time.thread_time()
        work(text)
        return time.thread_time() - started

    return min(once() for _ in range(3))


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_text_takes_more_than_linear_time_to_clean(kind):
    half, whole = HOSTILE[kind][: len(HOSTILE[kind]) // 2], HOSTILE[kind]
    assert cost_s(whole) < max(5 * cost_s(half), 0.5)


def test_cleaning_a_plain_text_costs_little_beside_splitting_it_into_tokens():
    plain = ("It was not a bad film, I think. " * 1_600)[:MAX_CHARACTERS]
    assert cost_s(plain) < cost_s(plain, tokenize) / 4
