"""Dates to ISO by an encoder-decoder: the page's live part, and what was measured of the two models.

Each edit reports 60 ms after the last key; the answer comes back as one binary message with
every number of it, so that stepping through it asks the server nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from seqdemo import paths
from seqdemo.charts import translate as charts
from seqdemo.data import dates
from seqdemo.errors import CheckpointError
from seqdemo.serve.http import well_formed
from seqdemo.serve.message import pack
from seqdemo.ui import resources
from seqdemo.ui.shared import address, sources
from seqdemo.ui.shared.component import component

if TYPE_CHECKING:
    from seqdemo.checkpoints.translator import Answer, Translation, Translator

ATTENTION, PLAIN = "dates-attention", "dates-plain"
"""Folders of the two models in `pretrained/`."""
_translate = component("translate/translate.js", "shared/js/desk.css translate/translate.css")
"""A box for a date, its answer and every number; its data is an `answer_message`.

Its state `edit` holds {text, length, width, rev, n}."""
WIDTHS = (1, 3, 5, 10)
DEFAULT_WIDTH = 5
EXAMPLES = (
    ("words", "the third of March, 1987"),
    ("short", "3 mar 87"),
    ("weekday", "Tuesday 3.3.1987"),
    ("slashes", "3/4/1987"),
    ("sentence", "please answer by October 26, 1936 if all goes well"),
    ("time of day", "3 March 1987 at 5pm"),
    ("misspelt", "21 Febuary 2024"),
    ("new way of writing", "1987, March the 3rd"),
    ("no such day", "30 February 2024"),
    ("too early", "4 July 1776"),
    ("another language", "14. Mai 1991"),
    ("no date", "pizza for two"),
)
_SESSION = "translate_session"
_SERIES = {ATTENTION: "with attention", PLAIN: "without attention"}
_WAYS = {"teacher": "teacher forcing", "own": "free running"}
_SHOWN_CHARACTERS = 44
_MOST_CHARACTERS = 10**9
"""More than a box can hold."""
_SIGNALS = ("attention", "energy", "query", "key", "encoder", "context", "state", "probability")
_MONTH_STEPS = slice(5, 7)


@dataclass
class Session:
    """One visitor's text.

    Attributes:
        given: The text that Python last put into the box.
        width: Beginnings that beam search keeps.
        rev: Counts how often Python set the text; edits that carry another one came too late.
        n: The number of the last edit, counted by the box.
        text: What stands in the box, at most `dates.MAX_CHARACTERS` of it.
        n_characters: How many characters stand there.
    """

    given: str
    width: int = DEFAULT_WIDTH
    rev: int = 0
    n: int = 0
    text: str = ""
    n_characters: int = 0

    def __post_init__(self) -> None:
        """Begins with the given text."""
        self.give(self.given)

    def give(self, text: str) -> None:
        """Puts a text into the box; edits of an earlier one count no more."""
        self.n_characters = len(text)
        self.given = self.text = well_formed(text)[: dates.MAX_CHARACTERS]
        self.rev += 1
        self.n = 0

    def take(self, edit: object) -> None:
        """Takes what the box reported, unless it belongs to an earlier text or was seen."""
        match edit:
            case {
                "text": str(text),
                "length": int(length),
                "width": int(width),
                "rev": self.rev,
                "n": int(n),
            } if n > self.n and width in WIDTHS and length < _MOST_CHARACTERS:
                self.n, self.width = n, width
                self.text = well_formed(text)[: dates.MAX_CHARACTERS]
                self.n_characters = max(length, len(self.text))


def start(query: Mapping[str, str]) -> Session:
    """A visitor's first view.

    Args:
        query: The address: `text` and `beam`; the browser itself reads `step` and `char`.
    """
    width = address.choice(query, "beam", [str(width) for width in WIDTHS], str(DEFAULT_WIDTH))
    return Session(address.text(query, "text", EXAMPLES[0][1]), width=int(width))


def render() -> None:
    """Draws the box with everything that answers to it."""
    if _SESSION not in st.session_state:
        st.session_state[_SESSION] = start(st.query_params.to_dict())
    session: Session = st.session_state[_SESSION]
    if session.n > 0 and st.session_state.get("translate", {}).get("edit") is None:
        session.give(session.text)  # back from another page: the browser has a new box
    sources.live(_answer, lambda: not resources.store().settled)


def _answer() -> None:
    session: Session = st.session_state[_SESSION]
    session.take(st.session_state.get("translate", {}).get("edit"))
    _translate(key="translate", data=answer_message(session), on_edit_change=_nothing)


def answer_message(session: Session) -> bytes:
    """The answer to what stands in the box, with every number, as one binary message."""
    box = {
        "given": session.given,
        "rev": session.rev,
        "n": session.n,
        "width": session.width,
        "widths": list(WIDTHS),
        "examples": [{"kind": kind, "text": text} for kind, text in EXAMPLES],
        "max_characters": dates.MAX_CHARACTERS,
        "text_id": hashlib.sha256(session.text.encode()).hexdigest()[:12],
        "notices": [],
    }

    def nothing(title: str, *, loading: bool = False) -> bytes:
        return pack(box | {"kind": "nothing", "title": title, "loading": loading}, {})

    if not resources.store().settled:  # torch is on its way
        return nothing("Loading the model", loading=True)
    model, problem = _load(ATTENTION)
    if model is None:
        return nothing(f"The model could not be loaded. {problem}")
    if not session.text.strip():
        return nothing("Type a date, for example 3 March 1987, or try an example.")
    found = resources.translation(model, session.text, session.width)
    n_steps = len(found.characters)
    chosen = [1 if character == "" else 2 + dates.OUTPUTS.characters.index(character) for character in found.characters]
    best = found.answers[0]
    doubt = doubts(best, model.metrics)
    looked = looked_at(found)
    header = box | {
        "kind": "translation",
        "title": title(found, doubt=bool(doubt)),
        "notices": notices(found, session.n_characters),
        "characters": list(found.text),
        "unknown": np.flatnonzero(found.unknown).tolist(),
        "written": list(found.characters),
        "chosen": chosen,
        "percents": [percent(float(found.signals["probability"][step, index])) for step, index in enumerate(chosen)],
        "outputs": ["start", "end", *dates.OUTPUTS.characters],
        "start": min(_MONTH_STEPS.start, n_steps - 1) if looked else 0,
        "doubtful": bool(doubt),
        "says": doubt or f"P(answer) is {percent(best.probability)}: the product of the characters' probabilities.",
        "plain": _plain(session, found),
        "answers_title": _answers_title(found, session.width),
        "answers": [
            {
                "text": one.text,
                "percent": percent(one.probability),
                "probability": round(one.probability, 6),
                "note": "" if one.ended and dates.is_day(one.text) else _no_day(one.text),
            }
            for one in found.answers
        ],
        "answers_how": _answers_how(found, session.width),
        "map_words": map_words(found),
        "d_attention": model.model.config.d_attention,
        "d_hidden": model.model.config.d_hidden,
    }
    arrays = {name: found.signals[name] for name in _SIGNALS}
    return pack(header, arrays | {"v": model.model.v.numpy()})


def percent(probability: float) -> str:
    """A probability as whole per cents, and never as certain as it is not."""
    if probability >= 0.995:
        return ">\u00a099\u00a0%"
    return "<\u00a01\u00a0%" if probability < 0.005 else f"{int(100 * probability + 0.5)}\u00a0%"


def doubts(answer: Answer, metrics: Mapping[str, Any]) -> str:
    """Why an answer is doubtful, and what the model reads, in two sentences; empty where it is not."""
    if not answer.text:
        why = f"it finds no date here and writes nothing, with P(nothing) {percent(answer.probability)}"
    elif not dates.is_day(answer.text):
        why = f"{answer.text} is no day of the calendar"
    elif answer.probability < (threshold := metrics.get("doubt", {}).get("threshold", 0.5)):
        why = f"this may be no date, P(answer) is {percent(answer.probability)}, below {percent(threshold)}"
    else:
        return ""
    return f"Doubtful: {why}. It reads {dates.RANGE}."


def looked_at(found: Translation) -> str:
    """Which character was looked at most while the month was written, in words; empty where there is no month."""
    if not dates.is_day(found.answers[0].text):
        return ""
    at = int(found.signals["attention"][_MONTH_STEPS].mean(0).argmax())
    first, last = at, at
    while first > 0 and found.text[first - 1].isalnum():
        first -= 1
    while last + 1 < len(found.text) and found.text[last + 1].isalnum():
        last += 1
    character, word = found.text[at], found.text[first : last + 1]
    return f"“{character}”" if len(word) == 1 or not character.isalnum() else f"the “{character}” of “{word}”"


def title(found: Translation, *, doubt: bool) -> str:
    """What the answer shows, in one sentence."""
    text = found.text.strip()
    text = text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
    if doubt:
        return f"The model has no sure answer to “{text}”"
    month, looked = found.answers[0].text[5:7], looked_at(found)
    said = f"“{text}” is {found.answers[0].text}"
    return f"{said}; to write the month {month} the model looks most at {looked}" if looked else said


def notices(found: Translation, n_characters: int) -> list[str]:
    """What of a text is not read, in sentences."""
    said = []
    if n_characters > dates.MAX_CHARACTERS:
        said.append(f"Only the first {dates.MAX_CHARACTERS} of {n_characters:,} characters are read.")
    if len(found.text) > dates.TRAINED_CHARACTERS:
        said.append(
            f"This is longer than any text in training ({dates.TRAINED_CHARACTERS} characters). "
            "What that does is measured below."
        )
    strange = list(dict.fromkeys(character for character, no in zip(found.text, found.unknown, strict=True) if no))
    if found.unknown.all():
        said.append("The model knows none of these characters: each is read as the same unknown one.")
    elif strange:
        named = " ".join(character if character.isprintable() else repr(character) for character in strange[:8])
        more = " and others" if len(strange) > 8 else ""
        said.append(f"Unknown to the model, and all read as the same unknown character: {named}{more}")
    return said


def map_words(found: Translation) -> str:
    """The alignment map in words."""
    tops = found.signals["attention"].argmax(1)
    said = (
        f"{written or 'end'} at {found.text[top]} (character {top + 1})"
        for written, top in zip(found.characters, tops.tolist(), strict=True)
    )
    return (
        f"Weights of {len(found.characters)} steps on {len(found.text)} characters. Most looked at: {', '.join(said)}."
    )


def _no_day(text: str) -> str:
    return "no day of the calendar" if text else "no date that it reads"


def _plain(session: Session, found: Translation) -> str:
    if not (paths.PRETRAINED / PLAIN).is_dir():
        return ""  # a checkout without it; the other model answers alone
    plain, problem = _load(PLAIN)
    if plain is None:
        return f"The model without attention could not be loaded. {problem}"
    best = resources.translation(plain, session.text, session.width).answers[0]
    same = "the same" if best.text == found.answers[0].text else best.text or "nothing"
    return f"The model without attention writes {same} ({percent(best.probability)})."


def _answers_title(found: Translation, width: int) -> str:
    return "The answer it settles on" if width == 1 or len(found.answers) == 1 else "The likeliest answers it found"


def _answers_how(found: Translation, width: int) -> str:
    if width == 1:
        return (
            "Greedy: the likeliest character at each step. Beam search keeps several beginnings and may find a "
            "likelier answer."
        )
    rest = max(0.0, 1 - sum(one.probability for one in found.answers))
    return (
        f"Beam search kept the {width} likeliest beginnings at each step. All other answers together: {percent(rest)}. "
        "The map and the numbers below are of the first."
    )


def _load(name: str) -> tuple[Translator | None, str]:
    """A model, or why it cannot be used."""
    folder = paths.PRETRAINED / name
    try:
        return resources.translator(str(folder)), ""
    except CheckpointError as error:
        return None, str(error).replace(str(paths.PRETRAINED), "pretrained")


def _nothing() -> None:
    """A component's state is only declared where it has a callback."""


def measured() -> None:
    """The sections below the box: both ways of training, lengths, ways of writing, doubt."""
    if not resources.store().settled:
        return  # the page is drawn anew once it is
    loaded = {name: model for name in (ATTENTION, PLAIN) if (model := _load(name)[0]) is not None}
    models = {name: model for name, model in loaded.items() if "test_accuracy" in model.metrics}
    if ATTENTION not in models:
        return
    _teacher_forcing(models[ATTENTION])
    _by_length(models)
    _by_form(models)
    _rules(models[ATTENTION])


def _teacher_forcing(model: Translator) -> None:
    if not model.history:
        return
    table = ways_table(model)
    st.header(ways_finding(table), anchor=False, divider="gray")
    st.markdown(
        "While it learns, the decoder writes one character after the other, and at each step it is told which one "
        "stands before. **Teacher forcing**: it is told the right one, whatever it wrote itself. **Free running**: it "
        "is told its own, right or wrong, as it is when you use it. With the right one every step learns from a good "
        "beginning; but the model never sees its own mistakes in training (exposure bias)."
    )
    st.altair_chart(charts.ways_chart(table), width="stretch", alt=charts.ways_alt(table), key="ways")
    n = f"{model.metrics.get('validation_n', 0):,}"
    both = table["series"].nunique() == len(_WAYS)
    lines = "one line for each way of training, from the same starting weights" if both else "teacher forcing"
    st.caption(
        f"How to read this: {lines}; how many of {n} dates held back from training come out exactly right where the "
        "decoder is given its own characters (greedy), after each epoch. The weights on this page are of teacher "
        "forcing; one seed." + ("" if both else " Free running has not been measured here yet.")
    )
    with st.expander("The data as a table"):
        st.dataframe(table, hide_index=True)


def ways_table(model: Translator) -> pd.DataFrame:
    """One row for each epoch of each way of training, teacher forcing first."""
    table = pd.DataFrame(list(model.history))
    table.insert(0, "series", table.pop("way").map(_WAYS))
    return table


def ways_finding(table: pd.DataFrame) -> str:
    """Which way of training reached nine dates of ten first, in one sentence."""
    reached = {
        str(name): rows[rows["validation_accuracy"] >= 0.9]["epoch"].min()
        for name, rows in table.groupby("series", sort=False)
    }
    if len(reached) < 2 or any(pd.isna(epoch) for epoch in reached.values()):
        return "What is teacher forcing?"
    (first, sooner), (second, later) = sorted(reached.items(), key=lambda item: int(item[1]))
    if sooner == later:
        return f"Both ways of training get 9 dates of 10 right after {_count(int(sooner), 'epoch')}"
    after = _count(int(sooner), "epoch")
    return f"{_capital(first)} gets 9 dates of 10 right after {after}, {second} after {int(later)}"


def _by_length(models: Mapping[str, Translator]) -> None:
    parts = [_shares(name, model.metrics.get("lengths", [])) for name, model in models.items()]
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        return
    trained_to = dates.TRAINED_CHARACTERS
    st.header(lengths_finding(table, trained_to), anchor=False, divider="gray")
    if PLAIN in models:
        st.markdown(
            "The same model without attention is given one summary of the whole text (the encoder's two last states) "
            "at every step. All else is equal: data, sizes, seed, updates."
        )
    st.altair_chart(
        charts.lengths_chart(table, trained_to=trained_to),
        width="stretch",
        alt=charts.lengths_alt(table),
        key="lengths",
    )
    st.caption(
        f"How to read this: unseen calendar days in trained ways of writing, with words around them until the text "
        f"has that length; {int(table['n'].min()):,} texts a point, the bars are 95\u00a0% intervals. Training "
        f"texts had at most {trained_to} characters. {_parameters(models)}"
    )
    with st.expander("The data as a table"):
        st.dataframe(
            table, hide_index=True, column_config={"accuracy": st.column_config.NumberColumn(format="percent")}
        )


def lengths_finding(table: pd.DataFrame, trained_to: int) -> str:
    """Accuracy at the longest trained and at the longest length, of each model, in one sentence."""
    ends = {}
    for name, rows in table.sort_values("from").groupby("series", sort=False):
        within = rows[rows["to"] <= trained_to]["accuracy"]
        ends[str(name)] = (float(within.min()), float(rows["accuracy"].iloc[-1]))
    longest = int(table["to"].max())
    said = [f"{_one(end)} {name}" for name, (_, end) in ends.items()]
    return f"At {longest} characters it is right in {', '.join(said)}"


def _by_form(models: Mapping[str, Translator]) -> None:
    parts = [_shares(name, model.metrics.get("forms", [])) for name, model in models.items()]
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        return
    held_out = table[table["held_out"].astype(bool)].drop(columns=["held_out", "form"])
    metrics = models[ATTENTION].metrics
    together = metrics["held_out"]
    both = " and ".join(
        f"{_interval(model.metrics['test_accuracy'], model.metrics['test_interval'])} {_SERIES[name]}"
        for name, model in models.items()
    )
    st.header(
        f"{_one(metrics['test_accuracy'])} right on days it never saw; {_one(together['accuracy'])} where the way of "
        "writing is new as well",
        anchor=False,
        divider="gray",
    )
    st.markdown(
        f"Of {metrics['test_n']:,} dates, of calendar days that were never an answer in training, written in the "
        f"{len(dates.TRAINED)} ways that training has, {both} come out exactly right; with one misspelt word "
        f"{_one(metrics['typos']['accuracy'])}, with a time of day written as in no training text "
        f"{_one(metrics['times']['accuracy'])}. The "
        f"{len(dates.HELD_OUT)} ways of writing below stood in no training text: together "
        f"{_interval(together['accuracy'], together['interval'])} of {together['n']:,}."
    )
    st.altair_chart(charts.forms_chart(held_out), width="stretch", alt=charts.forms_alt(held_out), key="forms")
    st.caption(
        "How to read this: each row is a way of writing that was kept out of training, shown by one day. Circles: with "
        f"attention; diamonds: without. {int(held_out['n'].min()):,} unseen days a row; bars are 95\u00a0% intervals."
    )
    with st.expander("All ways of writing as a table"):
        st.dataframe(
            table.drop(columns=["form"]),
            hide_index=True,
            column_config={"accuracy": st.column_config.NumberColumn(format="percent")},
        )


def _rules(model: Translator) -> None:
    metrics, doubt = model.metrics, model.metrics.get("doubt")
    st.header("What it was taught, and when it doubts", anchor=False, divider="gray")
    st.markdown("\n".join(f"- {rule}" for rule in dates.RULES))
    if doubt:
        marked, right, share = doubt["dates_marked"], doubt["sure_right"], model.config["training"]["other_share"]
        st.markdown(
            f"{100 * share:.0f}\u00a0% of its training texts look like dates and name no day that it reads. There the "
            "right answer is to write nothing, so that doubt is learned too. An answer is marked as doubtful where "
            "nothing is written, where it is no day of the calendar, or where P(answer) is below "
            f"{percent(doubt['threshold'])}; one date of a hundred is below that on validation days. On the test this "
            f"marks {_interval(marked['share'], marked['interval'])} of {marked['n']:,} dates, and of the others "
            f"{_one(right['share'])} are right."
        )
        table = doubt_table(doubt["kinds"])
        st.markdown(
            f"**{doubt_finding(table)}** These texts are made of years, languages and words that no training text has."
        )
        with st.expander("What is no date, as a table"):
            st.dataframe(
                table,
                hide_index=True,
                column_config={
                    name: st.column_config.NumberColumn(format="percent")
                    for name in ("taken for a date", "low", "high")
                },
            )
    st.caption(
        f"A GRU reads the text in both directions, another writes the answer (Bahdanau, Cho and Bengio 2015): "
        f"{metrics['parameters']:,} parameters, {metrics['epochs']} epochs of {model.config['training']['texts']:,} "
        f"made-up texts, {metrics['seconds'] / 60:.0f} minutes on {metrics['device']}, seed {metrics['seed']}. "
        f"Checkpoint {model.sha256[:12]}. Train it yourself: `python -m seqdemo train --task dates`."
    )


def doubt_table(kinds: list[dict[str, Any]]) -> pd.DataFrame:
    """One row for each kind of text that is no date: how often it gets a wrong day that is not marked."""
    return pd.DataFrame(
        [
            {
                "text": row["kind"],
                "example": row["example"],
                "taken for a date": row["passed"],
                "low": row["interval"][0],
                "high": row["interval"][1],
                "n": row["n"],
            }
            for row in kinds
        ]
    )


def doubt_finding(table: pd.DataFrame) -> str:
    """How often what is no date is taken for one, and where most often, in one sentence."""
    passed = table["taken for a date"]
    worst = table.iloc[int(passed.argmax())]
    return (
        f"Of {int(table['n'].sum()):,} texts that are no dates, {_one(passed.mean())} get a day that is not marked; "
        f"most often {worst['text']}: {_one(worst['taken for a date'])}."
    )


def _shares(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame([{"series": _SERIES[name], **row} for row in rows])
    if not table.empty:
        table["low"], table["high"] = table["interval"].str[0], table["interval"].str[1]
        table = table.drop(columns=["interval"])
    if "form" in table:
        table["example"] = table["form"].map(dates.example)
    return table


def _parameters(models: Mapping[str, Translator]) -> str:
    counts = [f"{model.metrics['parameters']:,} parameters {_SERIES[name]}" for name, model in models.items()]
    return f"{', '.join(counts)}; one seed each."


def _one(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"


def _interval(share: float, interval: list[float]) -> str:
    return f"{_one(share)} (95\u00a0% interval {100 * interval[0]:.1f} to {_one(interval[1])})"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"
