"""Writing on in a real browser: words taken by key and click, texts written, played, gone back in, and linked."""

import csv
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

import seqdemo

BEGINNING = "The plot is thin, but"


@pytest.fixture(scope="module")
def lstm():
    return seqdemo.load_language_model("lstm")


def bars(page, label="LSTM"):
    return page.get_by_role("region", name=f"Next words of the {label}").locator(".bar-button")


def shown(page, label="LSTM"):
    return bars(page, label).locator(".word").all_inner_texts()


@pytest.fixture
def opened(visit, expect):
    def open_(path="/write", **settings):
        visited = visit(path, **settings)
        expect(bars(visited.page)).to_have_count(10)
        return visited

    return open_


def box(page):
    return page.get_by_role("textbox", name="Beginning")


def expect_bars(page, expect, model, text):
    """Waits until the bars are those of this text."""
    expect(bars(page).locator(".word")).to_have_text([word.text for word in model.next_words(text)])


def test_next_words_appear_as_one_types_and_a_key_of_streamlit_is_only_a_letter(opened, expect, lstm):
    visited = opened()
    page = visited.page
    box(page).fill("")
    box(page).press_sequentially("rare actors")
    expect_bars(page, expect, lstm, "rare actors")
    expect(box(page)).to_have_value("rare actors")
    expect(box(page)).to_be_focused()
    assert visited.complaints == []


def test_a_word_is_taken_by_click_and_by_key_and_taken_back(opened, expect, lstm):
    page = opened().page
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    box(page).fill(BEGINNING)
    expect_bars(page, expect, lstm, BEGINNING)
    second = lstm.next_words(BEGINNING)[1].text
    bars(page).nth(1).click()
    after = f"{BEGINNING} {second}"
    expect(box(page)).to_have_value(after)
    expect_bars(page, expect, lstm, after)

    bars(page).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(bars(page).nth(2)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    taken = lstm.next_words(after)[1].text
    expect(box(page)).to_have_value(re.compile(re.escape(after) + f" ?{re.escape(taken)}$"))
    undo.click()
    expect(box(page)).to_have_value(after)
    undo.click()
    expect(box(page)).to_have_value(BEGINNING)
    expect(undo).to_be_disabled()
    expect_bars(page, expect, lstm, BEGINNING)


def test_each_model_writes_on_and_one_can_go_back_to_any_word(opened, expect, lstm):
    page = opened("/write?text=It+begins&words=12&seed=3&temperature=0.8").page
    page.get_by_role("button", name="Write on").click()
    expect(page.locator(".where")).to_have_text("word 12 of 12")
    written = page.get_by_role("region", name="What the LSTM writes").locator(".written")
    wanted = list(lstm.generate("It begins", n_words=12, seed=3, temperature=0.8))
    expect(written).to_have_text([word.text for word in wanted])
    written.nth(4).focus()
    expect(page.get_by_role("region", name="What the LSTM writes").locator(".about")).to_contain_text("Instead: ")

    page.get_by_role("button", name="To start").click()
    expect(page.locator(".where")).to_have_text("word 1 of 12")
    expect(written.nth(0)).to_be_visible()
    expect(written.nth(1)).to_be_hidden()
    page.get_by_role("button", name="To end").click()
    written.nth(4).click()
    words = box(page).input_value()
    assert words.startswith("It begins")
    assert [token.text for token in seqdemo.text.tokenize(words)][2:] == [word.text for word in wanted[:4]]
    expect_bars(page, expect, lstm, words)
    expect(written).to_have_count(0)


def left(page):
    return page.locator(".branch")


def test_another_word_branches_a_text_and_both_ways_stay_side_by_side(opened, expect, lstm):
    page = opened("/write?text=It+begins&words=8&seed=3").page
    page.get_by_role("button", name="Write on").click()
    expect(page.locator(".where")).to_have_text("word 8 of 8")
    written = page.get_by_role("region", name="What the LSTM writes").locator(".written")
    one_way = [word.text for word in lstm.generate("It begins", n_words=8, seed=3, temperature=0.8)]
    written.nth(4).click()
    expect(left(page).locator(".read-word")).to_have_text(one_way)
    expect(left(page).locator(".fork")).to_have_text([one_way[4]])
    words = box(page).input_value()
    expect_bars(page, expect, lstm, words)
    bars(page).nth(1).click()
    expect(page.locator(".where")).to_have_text("word 8 of 8")
    other_words = box(page).input_value()
    assert other_words.startswith(words)
    other_way = [word.text for word in lstm.generate(other_words, n_words=8, seed=3, temperature=0.8)]
    expect(written).to_have_text(other_way)
    expect(left(page).locator(".read-word")).to_have_text(one_way)

    expect(page).to_have_url(re.compile("written=yes.*branches=lstm-9-8-3-5|branches=lstm-9-8-3-5.*written=yes"))
    linked = opened(urlsplit(page.url)._replace(scheme="", netloc="").geturl()).page
    expect(left(linked).locator(".read-word")).to_have_text(one_way)
    expect(left(linked).locator(".fork")).to_have_text([one_way[4]])
    unwritten = opened(f"/write?{urlencode({'text': words, 'words': 8, 'seed': 3, 'branches': 'lstm-9-8-3-5'})}").page
    expect(left(unwritten).locator(".read-word")).to_have_text(one_way)
    expect(unwritten.locator(".written")).to_have_count(0)
    linked.get_by_role("button", name="Remove").click()
    expect(left(linked)).to_have_count(0)
    expect(linked).not_to_have_url(re.compile("branches"))

    page.get_by_role("button", name="Go back to this").click()
    expect(box(page)).to_have_value("It begins")
    expect(written).to_have_text(one_way)
    expect(left(page)).to_have_count(0)


def test_four_ways_stay_and_another_beginning_ends_them(opened, expect):
    page = opened("/write?text=It+begins&words=8&seed=3").page
    written = page.get_by_role("region", name="What the GRU writes").locator(".written")
    for n in range(5):
        page.get_by_role("button", name="Write on").click()
        expect(page.locator(".where")).to_have_text("word 8 of 8")
        written.nth(1).click()
        expect(left(page)).to_have_count(min(n + 1, 4))
    expect(page.get_by_role("heading", name="4 ways that were left")).to_be_visible()
    box(page).fill("Something else")
    expect(left(page)).to_have_count(0)


def test_the_gates_and_the_state_of_the_cell_that_writes_follow_its_words(opened, expect, lstm):
    page = opened("/write?text=It+begins&words=8&seed=3&written=yes&step=8").page
    cell = page.get_by_role("region", name="What the cell of the LSTM does")
    words = [word.text for word in lstm.generate("It begins", n_words=8, seed=3, temperature=0.8)]
    signals = lstm.trace(" ".join(["It begins", *words])).signals
    kept = signals["forget_gate"][0, -8:].mean(axis=1)
    expect(cell.locator(".now")).to_have_text(f"{kept[-1]:.2f}")
    page.get_by_role("button", name="Step back").click()
    expect(cell.locator(".now")).to_have_text(f"{kept[-2]:.2f}")
    plot = cell.locator(".state")
    box_ = plot.bounding_box()
    plot.click(position={"x": box_["width"] * 2.5 / 8, "y": 10})
    expect(page.locator(".where")).to_have_text("word 3 of 8")
    expect(cell.locator(".now")).to_have_text(f"{kept[2]:.2f}")
    canvas = cell.locator("canvas")
    expect(canvas).to_have_attribute("aria-label", "Hidden state of the LSTM: 48 units by 8 words")
    assert canvas.evaluate("node => [node.width, node.height]") == [8, 48]
    colours = "node => new Set(new Uint32Array(node.getContext('2d').getImageData(0, 0, 8, 48).data.buffer)).size"
    assert canvas.evaluate(colours) > 100
    rnn = page.get_by_role("region", name="What the cell of the RNN does")
    expect(rnn.get_by_text("No gate keeps anything")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^The .*the RNN has no gate that keeps any$"))).to_be_visible()
    with page.expect_download() as download:
        cell.get_by_role("button", name="Save picture (PNG)").click()
    assert download.value.suggested_filename == "lstm-hidden-state-while-writing.png"
    assert download.value.path().read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_what_a_cell_wrote_can_be_stepped_through(opened, expect, lstm):
    page = opened("/write?text=It+begins&words=8&seed=3&written=yes&step=8").page
    words = [word.text for word in lstm.generate("It begins", n_words=8, seed=3, temperature=0.8)]
    cell = page.get_by_role("region", name="What the cell of the LSTM does")
    cell.get_by_role("link", name="Step through it").click()
    expect(page).to_have_url(re.compile("/stepper.*left=lm-lstm"))
    strip = page.locator(".strip .word")
    expect(strip).to_have_text(["It", "begins", *words])
    left = page.locator(".panel.verdict[data-side=left]")
    expect(left.locator("select")).to_have_value("lm-lstm")
    expect(left.get_by_text("likely", exact=True)).to_be_visible()
    page.get_by_role("button", name="To end").click()
    text = "It begins" + "".join(f" {word}" for word in words)
    chance = lstm.surprise(text)[-1].probability
    said = "< 1" if chance < 0.005 else f"{int(100 * chance + 0.5)}"
    expect(left.locator(".said")).to_have_text(f"{said}\u00a0%")
    expect(page.locator(".panel.equations[data-side=left] .term").last).not_to_be_empty()
    page.locator(".panel.verdict[data-side=right] select").select_option("lm-rnn")
    expect(page.get_by_role("heading", name=re.compile("that foretells words is most surprised by"))).to_be_visible()


def test_what_was_written_is_a_table_and_a_file(opened, expect, lstm):
    page = opened("/write?text=It+begins&words=8&seed=3&written=yes&step=8").page
    summary = page.get_by_text("The texts as a table")
    summary.click()
    details = page.locator("details").filter(has=summary)
    expect(details.locator("tbody tr")).to_have_count(24)
    with page.expect_download() as download:
        details.get_by_role("button", name="Save as CSV").click()
    head, *rows = csv.reader(download.value.path().read_text("utf-8-sig").splitlines())
    assert head == ["Model", "Word", "Probability", "Bits", "Kept of its state"]
    words = list(lstm.generate("It begins", n_words=8, seed=3, temperature=0.8))
    assert [row[:2] for row in rows[16:]] == [[f"LSTM, word {k + 1}", word.text] for k, word in enumerate(words)]
    assert [float(row[2]) for row in rows[16:]] == pytest.approx([word.probability for word in words], rel=1e-3)
    assert [bool(row[4]) for row in rows] == [False] * 8 + [True] * 16


def test_one_cursor_stands_in_the_chart_of_surprise_and_in_the_words(opened, expect, lstm):
    page = opened("/write?text=The+string+quartet+was+bad").page
    bits = [word.bits for word in lstm.surprise("The string quartet was bad")]
    row = page.get_by_role("region", name="How surprised the LSTM is")
    words = row.locator(".read-word")
    words.nth(3).hover()
    expect(row.locator(".now")).to_have_text(f"{bits[3]:.1f} bits at “was”")
    expect(page.locator(".now-read")).to_have_text(["was"] * 3)
    slider = page.get_by_role("slider", name="Word of the text")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuenow", "3")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^quartet: RNN .*, GRU .*, LSTM .* bits$"))
    page.keyboard.press("Home")
    expect(row.locator(".now")).to_have_text(f"{bits[0]:.1f} bits at “The”")
    expect(page.locator(".bits text").get_by_text("counting")).to_be_visible()
    page.locator(".surprise summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save chart as SVG").click()
    assert download.value.path().read_text("utf-8").count("<path") == 3


def test_another_setting_writes_anew_at_once(opened, expect, lstm):
    page = opened("/write?text=It+begins&words=6&written=yes").page
    written = page.get_by_role("region", name="What the LSTM writes").locator(".written")
    expect(written).to_have_count(6)
    page.get_by_label("Temperature", exact=True).select_option("0")
    expect(written).to_have_text([word.text for word in lstm.generate("It begins", n_words=6, temperature=0)])
    expect(bars(page).nth(0)).not_to_have_class(re.compile("cut"))
    expect(bars(page).nth(1)).to_have_class(re.compile("cut"))


def test_a_setting_changed_while_they_write_counts(opened, expect, lstm):
    page = opened("/write?text=It+begins&words=6").page
    held = []
    page.route("**/api/v1/write", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/api/v1/write"):
        page.get_by_role("button", name="Write on").click()
    page.get_by_label("Temperature", exact=True).select_option("0")
    written = page.get_by_role("region", name="What the LSTM writes").locator(".written")
    expect(written).to_have_text([word.text for word in lstm.generate("It begins", n_words=6, temperature=0)])


def test_a_link_opens_the_same_words_elsewhere(opened, expect):
    page = opened("/write?text=It+begins&words=8&seed=5").page
    page.get_by_role("button", name="Write on").click()
    expect(page.locator(".where")).to_have_text("word 8 of 8")
    page.get_by_role("button", name="Step back").click()
    expect(page).to_have_url(re.compile("step=7"))
    query = parse_qs(urlsplit(page.url).query)
    assert {name: query[name] for name in ("text", "words", "seed", "written")} == {
        "text": ["It begins"],
        "words": ["8"],
        "seed": ["5"],
        "written": ["yes"],
    }
    texts = page.locator(".words").all_inner_texts()
    other = opened(f"/write?{urlsplit(page.url).query}").page
    expect(other.locator(".where")).to_have_text("word 7 of 8")
    expect(other.locator(".words")).to_have_text(texts, use_inner_text=True)


def test_the_link_is_shown_where_it_cannot_be_copied(opened, expect):
    page = opened("/write?text=It+begins").page
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.get_by_label("Seed", exact=True).fill("77")
    page.get_by_label("Seed", exact=True).press("Enter")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copy this link:")).to_be_visible()
    query = parse_qs(urlsplit(page.get_by_label("Link to copy").input_value()).query)
    assert (query["text"], query["seed"], query["temperature"]) == (["It begins"], ["77"], ["0.8"])
    assert page.url == page.get_by_label("Link to copy").input_value()


def test_what_was_begun_stands_there_again_after_another_page(opened, expect):
    page = opened().page
    box(page).fill(BEGINNING)
    page.get_by_label("Seed", exact=True).fill("12345678")
    page.get_by_label("Seed", exact=True).press("Tab")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("9999")
    expect(page).to_have_url(re.compile("seed=9999"))
    page.get_by_role("link", name="Translate").click()
    expect(page.locator(".tile").first).to_be_visible()
    page.get_by_role("link", name="Write").click()
    expect(box(page)).to_have_value(BEGINNING)
    expect(page.get_by_label("Seed", exact=True)).to_have_value("9999")


def test_what_one_wrote_is_coloured_by_how_surprising_it_is(opened, expect, lstm):
    page = opened().page
    box(page).fill("The string quartet was zyxq.")
    row = page.get_by_role("region", name="How surprised the LSTM is")
    expect(row.locator(".read-word")).to_have_text(["The", "string", "quartet", "was", "zyxq", "."])
    bits = [word.bits for word in lstm.surprise("The string quartet was zyxq.")]
    titles = row.locator(".read-word").evaluate_all("words => words.map(word => parseFloat(word.title))")
    assert titles == pytest.approx(bits, abs=0.06)
    expect(row.locator(".unknown")).to_have_text(["zyxq"])
    expect(page.get_by_role("heading", name=re.compile("is most surprised by “"))).to_be_visible()
    page.locator(".surprise summary").click()
    expect(page.locator(".surprise tbody tr")).to_have_count(6)
    box(page).fill("")
    expect(row).to_be_hidden()


def test_a_word_is_hidden_and_the_models_say_what_would_stand_there(opened, expect):
    text = "The string quartet plays the cello out of tune."
    page = opened(f"/write?text={text.replace(' ', '+')}").page
    places = page.get_by_role("group", name="The word to hide").get_by_role("button")
    expect(places).to_have_text([*text.rstrip(".").split(), "."])
    chosen = page.locator(".place[aria-pressed=true]")
    expect(chosen).to_have_count(1)  # a word that surprises, before anyone has picked one
    assert "word=" not in page.url

    def guesses(label):
        column = page.get_by_role("region", name=f"What the {label} would put there")
        return column.get_by_role("listitem").locator(".word")

    def wanted(name, word):
        model = seqdemo.load_language_model(name)
        before = " ".join(text.split()[:word])
        found = model.hidden_words(text, word) if name == "transformer" else model.next_words(before)
        return [each.text for each in found]

    places.nth(2).click()
    expect(guesses("Transformer")).to_have_text(wanted("transformer", 2))
    expect(guesses("LSTM")).to_have_text(wanted("lstm", 2))
    expect(page.get_by_role("heading", name=re.compile("In the place of “quartet”"))).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(chosen).to_have_text("plays")
    expect(chosen).to_be_focused()
    expect(guesses("Transformer")).to_have_text(wanted("transformer", 3))
    expect(page).to_have_url(re.compile("word=4"))
    other = opened(urlsplit(page.url)._replace(scheme="", netloc="").geturl()).page
    expect(other.locator(".place[aria-pressed=true]")).to_have_text("plays")
    asked = []
    other.on("request", lambda request: asked.append(request.url))
    held = other.locator(".hidden-words.stale")
    box(other).fill("Another text")
    expect(held).to_be_visible()
    other.locator(".place").first.evaluate("place => place.click()")  # of the text before
    expect(other.locator(".place")).to_have_text(["Another", "text"])
    assert not [
        url for url in asked[: next(k for k, url in enumerate(asked) if url.endswith("/surprise"))] if "hidden" in url
    ]
    box(other).fill("")
    expect(other.get_by_role("group", name="The word to hide")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_is_cut_at_any_width(opened, expect, width, scheme):
    page = opened(
        "/write?text=It+begins&words=20&written=yes&branches=lstm-2-40-1-7_gru-5-12-3-5",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    ).page
    expect(page.locator(".where")).to_have_text("word 20 of 20")
    expect(left(page)).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for name in (".columns", ".gates", ".branches", ".surprise", ".settings", ".transport", ".head"):
        for node in page.locator(name).all():
            assert node.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), name
    if width >= 1280:
        size = page.locator(".written").first.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
        assert size >= 18
