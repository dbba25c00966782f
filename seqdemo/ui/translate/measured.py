"""What was measured of the two models of dates: both ways of training, lengths, ways of writing, doubt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from seqdemo.charts import translate as charts
from seqdemo.data import dates
from seqdemo.serve.translate import ATTENTION, PLAIN, loaded, percent
from seqdemo.ui import resources

if TYPE_CHECKING:
    from seqdemo.checkpoints.translator import Translator

_SERIES = {ATTENTION: "with attention", PLAIN: "without attention"}
_WAYS = {"teacher": "teacher forcing", "own": "free running"}


def render() -> None:
    """Draws a section for each, once the models are there."""
    if not resources.store().settled:
        return  # the page is drawn anew once it is
    found = {name: loaded(resources.service(), name)[0] for name in (ATTENTION, PLAIN)}
    models = {name: model for name, model in found.items() if model is not None and "test_accuracy" in model.metrics}
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
    table = _shares(models, "lengths")
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
    table = _shares(models, "forms")
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
        f"Checkpoint {model.sha256[:12]}. It was trained by `python -m seqdemo train --task dates`."
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


def _shares(models: Mapping[str, Translator], of: str) -> pd.DataFrame:
    """One row for each model and each entry of `of` in its metrics, its interval as `low` and `high`."""
    rows = [{"series": _SERIES[name], **row} for name, model in models.items() for row in model.metrics.get(of, [])]
    table = pd.DataFrame(rows)
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
