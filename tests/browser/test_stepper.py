import decimal
import functools
import pathlib
import re
import urllib.parse

import pytest
import torch

from seqdemo.checkpoints import folder
from seqdemo.explain import steps
from seqdemo.models.cells import Weights, unroll
from seqdemo.ui.stepper.stepper import LONG_PLOT

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PATH = "/stepper"
PRETRAINED = pathlib.Path(__file__).parents[2] / "pretrained"
MINUS = "\u2212"
SYMBOLS = {"forget_gate": "f", "input_gate": "i", "output_gate": "o", "reset_gate": "r", "update_gate": "z"}


def link(**query):
    return f"{PATH}?{urllib.parse.urlencode(query)}"


def printed(value):
    """A number to two digits, as the page prints it: halves away from 0, a true minus, no -0.00."""
    rounded = decimal.Decimal(float(value)).quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)
    return f"{abs(rounded)}" if rounded >= 0 or rounded == 0 else f"{MINUS}{-rounded}"


@functools.cache
def model(name):
    return folder.load(PRETRAINED / name)


def where(page):
    return page.locator(".transport .where")


def at_word(page):
    return int(re.search(r"word ([\d,]+) of", where(page).text_content()).group(1).replace(",", ""))


@pytest.fixture(scope="module")
def wait(expect):
    """Waits until both cells of a page have their numbers."""

    def wait(page):
        expect(where(page)).to_contain_text(re.compile(r"word \d+ of \d+"))
        for side in ("left", "right"):
            expect(page.locator(f".panel.equations[data-side={side}] .term").last).not_to_be_empty()

    return wait


@pytest.fixture
def by_hand(opened_once):
    """Shows a cell to work out by hand as it starts: in one window for all tests that use nothing else of the page."""

    def start(cell="lstm"):
        page = opened_once
        page.get_by_label("Cell", exact=True).select_option(cell)
        page.get_by_role("button", name="Reset numbers").click()
        back = page.get_by_role("button", name="Previous", exact=True)
        while back.is_enabled():
            back.click()
        return page

    return start


@pytest.fixture
def frames(ready, wait, said_to_python):
    """Opens the page and notes what goes over the websocket: what it says from now on, what it was told (payloads)."""

    def open_(path=PATH):
        visited = ready(path)
        received = []
        visited.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
        visited.page.reload()
        wait(visited.page)
        return visited, said_to_python(visited.page), received

    return open_


def settle(page, ms=800):
    """Longer than the page waits before it writes the address: what is sent late would be sent by then."""
    page.evaluate(f"new Promise(done => setTimeout(done, {ms}))")


def test_it_opens_on_a_finding_with_two_models_and_asks_only_this_machine(ready, expect):
    visited = ready()
    page = visited.page
    expect(page.locator("h2.title")).to_have_text(
        re.compile(r"^The RNN .+ the LSTM .+$")  # which of them loses it is for the weights to say
    )
    named = re.search(r"by word (\d+)", page.locator("h2.title").text_content())
    assert named is None or at_word(page) == int(named[1]), "the cursor stands where the title says"
    expect(page.get_by_label("Left model")).to_have_value("rnn")
    expect(page.get_by_label("Right model")).to_have_value("lstm")
    for name in ("Play", "Step back", "Step forward", "To start", "To end"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()
    expect(page.get_by_label("Speed", exact=True)).to_be_in_viewport()
    hosts = {urllib.parse.urlsplit(url).hostname for url in visited.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert visited.complaints == []


def test_playing_stepping_and_scrubbing_send_nothing(frames, expect):
    visited, said, received = frames()
    page = visited.page
    assert max(len(payload) for payload in received) < 3_000_000
    page.get_by_role("button", name="To start", exact=True).click()
    page.get_by_label("Speed", exact=True).fill("30")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("""() => {
      const hosts = [...document.querySelectorAll("*")].filter((node) => node.shadowRoot)
      const bar = hosts.map((host) => host.shadowRoot.querySelector(".transport")).find(Boolean)
      if (Number(bar.querySelector(".where").textContent.match(/word (\\d+)/)[1]) <= 45) return false
      bar.querySelector("[aria-label=Pause]").click() // from here, since it may be at the end before a click gets there
      return true
    }""")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    stopped = at_word(page)
    settle(page)
    assert at_word(page) == stopped
    page.get_by_role("button", name="Step forward", exact=True).click()
    assert at_word(page) == stopped + 1
    page.get_by_role("button", name="Step back", exact=True).click()
    page.get_by_role("button", name="Step back", exact=True).click()
    assert at_word(page) == stopped - 1
    page.get_by_label("Token", exact=True).fill("12")
    assert at_word(page) == 12
    page.get_by_role("button", name="To end", exact=True).click()
    assert at_word(page) == len(model("rnn").read(LONG_PLOT.text).tokens)
    settle(page)
    assert said == []
    assert visited.complaints == []


def test_keys_step_jump_and_play(ready, expect):
    page = ready(link(token=10)).page
    for key, word in (("ArrowRight", 11), ("ArrowLeft", 10), ("ArrowLeft", 9), ("Home", 1), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        assert at_word(page) == word
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(where(page)).not_to_have_text(re.compile("^word 1 of"))
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_label("Token", exact=True).focus()
    page.keyboard.press("End")
    assert at_word(page) == len(model("rnn").read(LONG_PLOT.text).tokens)
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def test_keys_typed_into_a_field_stay_there(ready):
    page = ready(link(token=10)).page
    page.get_by_label(re.compile("^Unit of the RNN")).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert at_word(page) == 10


def test_a_link_opens_on_its_step_and_a_pause_writes_one(ready, wait, expect):
    page = ready(link(token=57, left="gru", right="lstm", left_unit=4, right_unit=200)).page
    assert at_word(page) == 57
    expect(page.get_by_label("Left model")).to_have_value("gru")
    expect(page.get_by_label(re.compile("^Unit of the GRU"))).to_have_value("4")
    expect(page.get_by_label(re.compile("^Unit of the LSTM"))).to_have_value("200")
    page.get_by_role("button", name="Step forward", exact=True).click()
    page.wait_for_url("**/stepper?*token=58*")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)
    assert query == {"left": ["gru"], "right": ["lstm"], "left_unit": ["4"], "right_unit": ["200"], "token": ["58"]}
    page.reload()
    wait(page)
    assert at_word(page) == 58


def test_a_text_of_ones_own_is_in_the_link(ready, expect):
    page = ready(link(review="I liked the first half, not the second.", token=3)).page
    assert where(page).text_content() == "word 3 of 10"
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**token=4**")
    assert "review=I+liked+the+first+half" in page.url


def lines(page, side):
    """The equations of one side, by what they define: lists of the printed text."""
    rows = page.locator(f".panel.equations[data-side={side}] .equation")
    return [(row.get_attribute("data-equation"), row.locator(".line").text_content()) for row in rows.all()]


def test_printed_equations_equal_the_trace(ready):
    token, units = 20, {"rnn": 7, "lstm": 33, "gru": 101}
    text = LONG_PLOT.text
    for left, right in (("rnn", "lstm"), ("gru", "lstm")):
        query = {"left": left, "right": right, "left_unit": units[left], "right_unit": units[right]}
        page = ready(link(token=token, **query)).page
        for side, name in (("left", left), ("right", right)):
            traced = model(name).trace(text)
            unit, step = units[name] - 1, token - 1
            numbers = steps.unit_steps(model(name), traced, model(name).read(text).ids, unit)
            at = {key: values[step] for key, values in numbers.series.items()}
            before = {key: values[step - 1] for key, values in numbers.series.items()}
            found = dict(lines(page, side))
            gates = {
                SYMBOLS.get(gate, {"candidate": "n" if name == "gru" else "g", "hidden": "h"}.get(gate)): gate
                for gate in steps.GATES[name]
            }
            for symbol, gate in gates.items():
                squash = "tanh" if gate in {"candidate", "hidden"} else "\u03c3"
                bias = sum(numbers.biases[gate])
                assert_close(found[symbol], [at[f"{gate}.x"]], 0)
                assert f"= {squash}({printed(at[f'{gate}.sum'])}) = {printed(at[gate])}" in " ".join(
                    found[symbol].split()
                )
                if not (name == "gru" and symbol == "n"):
                    assert_close(found[symbol], [at[f"{gate}.x"], at[f"{gate}.h"], bias], 0)
            if name == "lstm":
                products = [at["forget_gate"], before["cell"], at["input_gate"], at["candidate"], at["cell"]]
                assert_close(found["c"], products, 0)
            if name == "gru":
                z = at["update_gate"]
                assert_close(found["h"], [1 - z, at["candidate"], z, before["hidden"], at["hidden"]], 1)
        page.context.close()


def assert_close(line, values, skip):
    """The numbers in a line of text begin, after `skip` of them, with these values to two digits."""
    plain = line.replace(f"{MINUS} ", MINUS)
    found = re.findall(rf"{MINUS}?\d+\.\d\d", plain)
    expected = [printed(value) for value in values]
    assert any(found[start : start + len(values)] == expected for start in range(len(found))), (line, expected, skip)


def test_another_unit_is_one_small_exchange_and_does_not_move_the_cursor(frames, expect):
    visited, said, _ = frames(link(token=30))
    page, answers = visited.page, []
    page.on(
        "response", lambda answer: "/api/" in answer.url and answers.append((answer.url.rpartition("/")[2], answer))
    )
    chosen = page.get_by_label(re.compile("^Unit of the LSTM"))
    before = lines(page, "right")
    chosen.fill("11")
    chosen.press("Enter")
    expect(page.locator(".panel.equations[data-side=right] [data-equation=f] .line")).not_to_have_text(before[0][1])
    settle(page)
    assert at_word(page) == 30
    assert [kind for kind, _ in answers] == ["units"]
    assert len(answers[0][1].body()) < 120_000
    assert said == [], "no word to Python"


def test_a_late_answer_takes_nothing_from_who_types_the_next_unit(ready, expect):
    page = ready(link(token=30)).page
    field = page.get_by_label(re.compile("^Unit of the LSTM"))
    line = page.locator(".panel.equations[data-side=right] [data-equation=f] .line")
    before = line.text_content()
    held = []
    page.route("**/api/v1/units", lambda route: held.append(route))
    with page.expect_request("**/api/v1/units"):
        field.fill("11")
        field.press("Enter")
    field.fill("12")
    with page.expect_response("**/api/v1/units"):
        held[0].continue_()
    expect(line).not_to_have_text(before)
    expect(field).to_have_value("12")
    page.unroute("**/api/v1/units")
    with page.expect_request(lambda asked: "/units" in asked.url and asked.post_data_json["right"]["units"] == [11]):
        field.press("Tab")
    expect(field).to_have_value("12")


def test_a_row_of_the_map_picks_its_unit(ready, expect):
    page = ready(link(token=30)).page
    chosen = page.get_by_label(re.compile("^Unit of the LSTM"))
    before = chosen.input_value()
    page.locator(".panel.hidden[data-side=right] .plot.map").click(position={"x": 50, "y": 4})
    expect(chosen).not_to_have_value(before)
    assert at_word(page) == 30


def test_another_model_comes_on_the_same_word(ready, expect):
    page = ready(link(token=30)).page
    page.get_by_label("Left model").select_option("bilstm")
    expect(page.locator(".panel.drawing[data-side=left] svg.cell")).to_have_count(2)
    expect(page.locator(".panel.equations[data-side=left] .term").last).not_to_be_empty()
    assert at_word(page) == 30
    expect(page.locator(".panel.drawing[data-side=left]")).to_contain_text("Reading backwards")


def test_pointing_at_a_term_marks_its_part_of_the_drawing_and_the_reverse(ready, expect):
    page = ready().page
    term = page.locator(".panel.equations[data-side=right] [data-equation=f] .term").last
    valve = page.locator(".panel.drawing[data-side=right] g.part[data-part=f]").filter(has=page.locator(".ring"))
    term.hover()
    expect(valve).to_have_class(re.compile("marked"))
    page.locator(".panel.equations[data-side=right] h3").hover()
    expect(valve).not_to_have_class(re.compile("marked"))
    valve.hover()
    expect(term).to_have_class(re.compile("marked"))


def test_a_click_on_a_word_goes_there(ready, expect):
    page = ready().page
    page.locator(".strip .word").nth(4).click()
    assert at_word(page) == 5
    expect(page.locator(".strip .word.now")).to_have_text(page.locator(".strip .word").nth(4).text_content())
    expect(page.locator(".strip .word.ahead")).to_have_count(page.locator(".strip .word").count() - 5)


def test_the_step_is_announced_when_it_rests(ready, expect):
    page = ready(link(token=30)).page
    page.keyboard.press("ArrowRight")
    expect(page.locator(".spoken").filter(has_text="Word 31 of")).to_contain_text("per cent positive")


def test_the_table_and_the_csv_hold_this_steps_numbers(ready, expect):
    page = ready(link(token=2, review="good film", right_unit=5)).page
    page.get_by_text("This step's numbers as a table").click()
    traced = model("lstm").trace("good film")
    row = (
        page.locator("table", has_text="LSTM, unit 5").get_by_role("row").filter(has_text=re.compile(r"^c-?\u2212?\d"))
    )
    shown = float(row.locator("td").text_content().replace(MINUS, "-"))
    assert shown == pytest.approx(float(traced.signals["cell"][0, 1, 4]), abs=1e-6)
    with page.expect_download() as download:
        page.get_by_role("button", name="All steps as CSV").click()
    saved = pathlib.Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert saved[0].startswith("word number,word,P(positive) RNN (left)")
    assert [line.split(",")[1] for line in saved[1:]] == ["good", "film"]


def test_the_drawing_and_the_map_can_be_saved(ready):
    page = ready().page
    with page.expect_download() as download:
        page.get_by_role("button", name="Save drawing (SVG)").last.click()
    svg = pathlib.Path(download.value.path()).read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "var(" not in svg
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture (PNG)").last.click()
    assert pathlib.Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_in_either_theme(ready, width, scheme):
    visited = ready(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = visited.page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth <= main.clientWidth")
    paper = page.locator(".transport").evaluate("node => getComputedStyle(node).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 384) == (scheme == "dark")
    assert visited.complaints == []


def test_a_text_can_be_emptied_and_written_anew(ready, expect):
    visited = ready()
    page = visited.page
    page.get_by_text("Change the text").click()
    page.get_by_label("Review", exact=True).fill("")
    expect(page.locator("h2.title")).to_have_text("Write a sentence about a film, or try an example.")
    page.get_by_label("Review", exact=True).fill("<img src=x onerror=alert(1)> good \U0001f600")
    expect(page.locator(".strip .word").last).to_have_text("\U0001f600")
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert visited.complaints == []


def toy_numbers(page):
    """The toy cell's printed states at its step: {"h1": …}."""
    found = {}
    for row in page.locator(".body-grid .equation").all():
        found[row.get_attribute("data-equation")] = row.locator(".line").text_content().rsplit("= ", 1)[1]
    return {name: float(text.replace(MINUS, "-")) for name, text in found.items()}


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_hand_calculation_equals_the_cell(by_hand, cell):
    page = by_hand(cell)
    gates = {"rnn": "h", "gru": "rzn", "lstm": "ifgo"}[cell]
    page.get_by_label(f"{gates[0]}1 wh2", exact=True).fill("-1.75")
    page.get_by_label("Input of step 2", exact=True).fill("0.5")

    def field(name):
        return float(page.get_by_label(name, exact=True).input_value())

    def stacked(read):
        return torch.tensor([read(gate, unit) for gate in gates for unit in (1, 2)], dtype=torch.float64)

    own = {gate: ("bx", "bh") if cell == "gru" and gate == "n" else ("b", None) for gate in gates}
    weights = Weights(
        stacked(lambda gate, unit: [field(f"{gate}{unit} wx")]),
        stacked(lambda gate, unit: [field(f"{gate}{unit} wh{k}") for k in (1, 2)]),
        stacked(lambda gate, unit: field(f"{gate}{unit} {own[gate][0]}")),
        stacked(lambda gate, unit: field(f"{gate}{unit} {own[gate][1]}") if own[gate][1] else 0.0),
    )
    inputs = torch.tensor([[field(f"Input of step {k}")] for k in range(1, 6)], dtype=torch.float64)
    signals = unroll(cell, inputs, weights)
    symbols = SYMBOLS | {"candidate": "n" if cell == "gru" else "g", "hidden": "h", "cell": "c"}
    for step in range(5):
        shown = toy_numbers(page)
        for signal, values in signals.items():
            for unit in (1, 2):
                expected = values[step, unit - 1].item()
                assert shown[f"{symbols[signal]}{unit}"] == pytest.approx(expected, abs=0.005 + 1e-9), (signal, step)
        if step < 4:
            page.get_by_role("button", name="Next", exact=True).click()


@pytest.mark.parametrize("typed", ["-1.25", "\u22121.25", "\u22121,25", " -125e-2 "])
def test_any_finite_number_is_taken_with_a_true_minus_or_a_decimal_comma_too(by_hand, expect, typed):
    page = by_hand()
    field = page.get_by_label("f1 b", exact=True)
    field.fill(typed)
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(page.locator(".problem[role=status]")).to_be_empty()
    expect(page.locator(".body-grid [data-equation=f1] .line")).to_contain_text(f"\u03c3({MINUS}1.25) = 0.22")
    page.get_by_label("f1 wx", exact=True).fill("123456789012")
    expect(page.locator(".body-grid [data-equation=f1] .line")).to_contain_text("1.23e11")


def test_what_is_no_number_is_named_until_it_is_one(by_hand, expect):
    page = by_hand()
    before = toy_numbers(page)
    problem, field = page.locator(".problem[role=status]"), page.get_by_label("f1 b", exact=True)
    for typed in ("", "two", "1e999", "1,000,000", "NaN"):
        field.fill(typed)
        expect(problem).to_contain_text(f"f1 b needs a number, for example {MINUS}1.25")
        expect(field).to_have_attribute("aria-invalid", "true")
    page.get_by_label("f2 b", exact=True).fill("2")
    expect(problem).to_contain_text("f1 b")
    assert toy_numbers(page) == before
    page.get_by_role("button", name="Reset numbers").click()
    expect(problem).to_be_empty()


def test_arrow_keys_change_a_number_by_a_tenth(by_hand, expect):
    page = by_hand()
    field = page.get_by_label("f1 wh1", exact=True)
    field.press("ArrowUp")
    expect(field).to_have_value("0.3")
    for _ in range(4):
        field.press("ArrowDown")
    expect(field).to_have_value("-0.1")


def test_the_link_names_the_models_just_chosen_and_opens_on_them(ready, wait, expect):
    page = ready(link(token=30)).page
    page.get_by_label("Left model").select_option("gru")
    page.get_by_label("Right model").select_option("bilstm")  # before the first choice was answered
    page.wait_for_function("""() => {
      const found = new URL(location.href).searchParams
      return found.get("left") === "gru" && found.get("right") === "bilstm"
        && found.get("left_unit") && found.get("right_unit")?.includes("-")
    }""")
    shown = [page.get_by_label(re.compile("^Unit of the")).nth(k).input_value() for k in range(3)]
    page.reload()
    wait(page)
    expect(page.get_by_label("Left model")).to_have_value("gru")
    expect(page.get_by_label("Right model")).to_have_value("bilstm")
    assert [page.get_by_label(re.compile("^Unit of the")).nth(k).input_value() for k in range(3)] == shown
    assert at_word(page) == 30


def test_the_address_of_the_hand_calculation_leads_to_it_although_what_stands_above_comes_later(ready, expect):
    page = ready(f"{link(embed='true')}#hand").page
    heading = page.get_by_role("heading", name="Work it out by hand")
    expect(heading).to_be_in_viewport()
    settle(page, 1500)
    expect(heading).to_be_in_viewport()
    above = page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop")
    assert above > 1000
    page.mouse.move(640, 300)
    page.mouse.wheel(0, -above)
    expect(page.locator("h2.title")).to_be_in_viewport()
    page.get_by_label("Left model").select_option("bilstm")  # the page grows
    expect(page.locator(".panel.drawing[data-side=left] svg.cell")).to_have_count(2)
    settle(page)
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop") < 1000, "led once, not held"
    assert page.url.endswith("#hand")
    assert "embed=true" in page.url
