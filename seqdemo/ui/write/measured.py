"""What was measured of the language models on many reviews: how well they foretell, how far they look back, copying."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from seqdemo import paths
from seqdemo.charts import write as charts
from seqdemo.checkpoints import find, manifest, schema
from seqdemo.errors import CheckpointError
from seqdemo.models.registry import MODELS
from seqdemo.studies import context, copies, next_word
from seqdemo.studies.study import Stored, listed, read
from seqdemo.ui.shared import sources

_TEMPERATURE = 0.8
"""At which texts are drawn; the table has the others."""


def render() -> None:
    """Three charts, each with its finding; what was measured on other weights is left out."""
    weights = _weights()
    _part(next_word, _foretelling, weights)
    _part(context, _reach, weights)
    _part(copies, _copying, weights)


def bits_of_counting() -> float | None:
    """How many bits a word costs, on average, who counts runs of five words; None where it was not measured."""
    stored = read(next_word.STUDY.name)
    if stored is None:
        return None
    table = next_word.frame(stored, _weights())
    found = table[(table["name"] == "five_gram") & (table["kind"] == "all")]["perplexity"]
    return None if found.empty else round(math.log2(found.iloc[0]), 2)


def _weights() -> dict[str, str]:
    """Model name → sha256 of its language model that came with the app; where the manifest is damaged none is known."""
    try:
        known = manifest.read(paths.PRETRAINED)
    except CheckpointError:
        return {}
    files = {name: known[f"lm-{name}"].files for name in find.writers() if f"lm-{name}" in known}
    return {name: of[schema.WEIGHTS].sha256 for name, of in files.items() if schema.WEIGHTS in of}


def _part(study: Any, draw: Callable[[Stored, pd.DataFrame], None], weights: Mapping[str, str]) -> None:
    """One study: the module that has its `STUDY`, `frame` and `finding`, and what draws its table."""
    stored = read(study.STUDY.name)
    table = study.frame(stored, weights) if stored is not None else pd.DataFrame({"name": []})
    there = [name for name in MODELS if name in set(table["name"])]
    if stored is None or not there:
        sources.not_measured(study.STUDY.name)
        return
    st.subheader(study.finding(table), anchor=False)
    if missing := [MODELS[name].label for name in weights if name not in there]:
        st.caption(f"{listed(missing)}: measured on other weights than those in use, so not shown.")
    draw(stored, table)


def _foretelling(stored: Stored, table: pd.DataFrame) -> None:
    every, kinds = table[table["kind"] == "all"], table[table["kind"] != "all"]
    every = every[every["name"] != "unigram"].assign(row="", value=every["perplexity"])
    _bars(every.assign(shown=every["value"].map("{:.0f}".format)), "Perplexity: less is better")
    kinds = kinds[~kinds["baseline"] | (kinds["name"] == "five_gram")].assign(row=kinds["words"], value=kinds["top1"])
    kinds = kinds.assign(low=kinds["value"], high=kinds["value"], shown=[_per_cent(each, 0) for each in kinds["value"]])
    _bars(
        kinds.assign(label=kinds["label"].where(~kinds["baseline"], "counting")), "Named at first try: more is better"
    )
    settings = stored.settings
    st.caption(
        f"How to read this: {stored.n:,} words of the first {settings['reviews_read']:,} test reviews, from which no "
        "model has learned. Perplexity: among how many equally likely words a model might as well choose; a thin line "
        "is the 95\u00a0% interval over reviews. Grey is counting: how often runs of words stand in the "
        f"{settings['counted_words'] / 1e6:.0f} million words that the models have learned from (Kneser-Ney). Of the "
        f"words {_per_cent(settings['unknown_share'], 1)} are unknown, and right where a model expects an unknown one. "
        f"Elsewhere: {settings['published']}."
    )
    with st.expander("All figures as a table"):
        st.dataframe(table.drop(columns=["name", "kind", "baseline"]), hide_index=True)


def _reach(stored: Stored, table: pd.DataFrame) -> None:
    losses = table[["nats", "low", "high"]].rename(columns={"nats": "perplexity"})
    table = table[["name", "model", "way", "k"]].join(losses.apply(np.exp).mul(table["all"], axis=0))
    st.altair_chart(charts.reach_chart(table), width="stretch", alt=charts.reach_alt(table))
    st.caption(
        f"How to read this: the next word at {stored.n:,} places of test reviews, foretold from the last words alone. "
        "Where a thick line lies flat, words farther back are of no more use. Thin line: they are there, but shuffled; "
        "where it lies no higher, their order is of no use. A model uses as many words as bring it within "
        f"{_per_cent(stored.settings['no_loss_nats'], 0)} of its perplexity with all of them. Band: the 95\u00a0% "
        "interval of the difference. After Khandelwal et al. (2018)."
    )
    with st.expander("The data as a table"):
        st.dataframe(table.drop(columns=["name"]), hide_index=True)


def _copying(stored: Stored, table: pd.DataFrame) -> None:
    some = table[(table["temperature"] == _TEMPERATURE) | (table["name"] == copies.REVIEWS)].sort_values(
        ["n", "temperature"], kind="stable"
    )
    rows, shown = [f"runs of {n} words" for n in some["n"]], [_per_cent(share, 1) for share in some["share"]]
    _bars(
        some.assign(row=rows, label=some["model"], value=some["share"], shown=shown),
        "Share that stands in what they have read",
    )
    tamest = table[(table["n"] == max(copies.RUNS)) & (table["temperature"] == table["temperature"].min())]
    most = tamest.sort_values("share").iloc[-1]
    st.caption(
        f"How to read this: {stored.n} texts of {stored.settings['words']} words by each model, written from nothing "
        f"at temperature {_TEMPERATURE:g}, and as many excerpts of reviews that none has learned from. Short runs are "
        "everybody's; who recites has more of the long ones than people do. A thin line is the 95\u00a0% interval over "
        f"texts. At temperature {most['temperature']:g}, where they write what is likeliest, "
        f"{_per_cent(most['share'], 1)} of the {most['model']}'s runs of {most['n']} words stand there."
    )
    with st.expander("All temperatures, and how varied the texts are, as a table"):
        st.dataframe(table.drop(columns=["name"]), hide_index=True)


def _bars(table: pd.DataFrame, title: str) -> None:
    st.altair_chart(charts.bars(table, title=title), width="stretch", alt=charts.bars_alt(table, title))


def _per_cent(share: float, digits: int) -> str:
    return f"{100 * share:.{digits}f}\u00a0%"
