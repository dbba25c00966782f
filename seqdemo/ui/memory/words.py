"""How many neutral words until an opinion is lost: of a built-in sentence, or of the visitor's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from seqdemo.charts import memory as charts
from seqdemo.data.fillers import FILLERS
from seqdemo.errors import TextError
from seqdemo.serve.memory import ALONE, SWEEP
from seqdemo.studies import fillers
from seqdemo.studies.study import listed, read
from seqdemo.ui import resources
from seqdemo.ui.memory import review
from seqdemo.ui.shared import own_models, sources
from seqdemo.ui.shared.choices import one_of
from seqdemo.ui.shared.marks import plain

BOTH, OWN = "both", "own"
_MAX_SENTENCE = 400
OPINIONS = {
    BOTH: "Praise against scorn",
    **{kind: f"“{text}”" for kind, text in fillers.SENTENCES.items()},
    OWN: "Yours",
}


def render() -> None:
    """How many neutral words until an opinion is lost, for a built-in sentence or the visitor's own."""
    stored = read(fillers.STUDY.name)
    usable = fillers.usable(stored, resources.shipped()) if stored else []
    alone = {name: stored.results[fillers.ALONE][name] for name in usable} if stored else {}
    heading = st.container()
    choice = one_of("The opinion", OPINIONS, default=BOTH, key="opinion")
    if choice == OWN:
        sentence = _own_sentence()
        alone_of_theirs = {name: found for name, found in alone.items() if name not in own_models.views()}
        _ask_own_sentence(sentence, alone_of_theirs)
        sources.live(lambda: _own_words(alone_of_theirs), lambda: review.is_waiting("words"))
    elif stored and usable and choice == BOTH:
        praise, scorn = (
            {name: stored.results["sentences"][kind][name] for name in usable} for kind in fillers.SENTENCES
        )
        table = fillers.difference(praise, scorn)
        heading.subheader(fillers.difference_finding(table), anchor=False)
        _difference_charts(table)
    elif stored and usable:
        table = fillers.frame({name: stored.results["sentences"][choice][name] for name in usable}, alone)
        heading.subheader(fillers.finding(table), anchor=False)
        _words_charts(table)
    else:
        sources.not_measured(fillers.STUDY.name)
    if alone:
        st.caption(f"Neutral to people, not to the models: {fillers.alone_words(alone)}")
        if own_models.views():
            st.caption(f"{own_models.not_theirs()} Choose “{OPINIONS[OWN]}” to have a sentence measured on all.")
        with st.expander("The fillers alone, as a table"):
            table = fillers.alone_table(alone)
            shares = {column: st.column_config.NumberColumn(format="percent") for column in table.columns[1:]}
            st.dataframe(table, hide_index=True, column_config=shares)


def being_measured(alone: Sequence[str]) -> str:
    """What a visitor's sentence is waiting for.

    Args:
        alone: What to call the models that also read the neutral words without it, which nothing has stored of them.
    """
    more = f", and {fillers.N_ALONE} without your sentence by {listed(alone)}" if alone else ""
    return f"Being measured: {fillers.N_TEXTS} texts by each model{more}. This takes seconds, more when others ask too."


def _own_words(alone: Mapping[str, Any]) -> None:
    problem = st.session_state.get("memory_sentence_problem")
    result = review.result("words")
    if isinstance(result, Mapping):
        found: dict[str, dict[str, Any]] = {SWEEP: {}, ALONE: dict(alone)}
        for (kind, name), answer in result.items():
            found[kind][name] = answer
        table = fillers.frame(found[SWEEP], found[ALONE])
        st.subheader(own_models.in_words(fillers.finding(table)), anchor=False)
        _words_charts(own_models.with_names(table))
    elif problem:
        st.warning(plain(problem), icon=":material/info:")
    elif isinstance(result, Exception):
        st.warning("This could not be measured. Another sentence may work.", icon=":material/info:")
    elif review.is_waiting("words"):
        st.caption(plain(being_measured(st.session_state.get("memory_alone", []))))
        st.skeleton(height=360)
    else:
        st.caption("Write a sentence and have it measured.")


def _own_sentence() -> str:
    """What the visitor wrote and sent off, in the address as `sentence`; it is kept while another opinion is shown."""
    if (kept := st.session_state.get("memory_asked")) and "sentence" not in {*st.session_state, *st.query_params}:
        st.session_state["sentence"] = kept
    with st.form("memory_sentence_form", border=False):
        sentence = st.text_input(
            "Your opinion, in one sentence", key="sentence", max_chars=_MAX_SENTENCE, bind="query-params"
        )
        if st.form_submit_button("Measure it", icon=":material/play_arrow:") or sentence:
            st.session_state["memory_asked"] = sentence
    return sentence


def _ask_own_sentence(sentence: str, alone: Mapping[str, Any]) -> None:
    st.session_state["memory_sentence_problem"] = None
    models = own_models.answering()
    if not sentence or not models:
        if sentence == "" and "memory_asked" in st.session_state:
            st.session_state["memory_sentence_problem"] = "There is no word to read. Write an opinion in one sentence."
        review.forget("words")
        return
    try:
        checked = fillers.checked(sentence)
    except TextError as error:
        st.session_state["memory_sentence_problem"] = str(error)
        review.forget("words")
        return
    missing = {name: model for name, model in models.items() if name not in alone}
    st.session_state["memory_alone"] = [own_models.label(name) for name in missing]
    swept = {(SWEEP, name): (SWEEP, model, (checked,)) for name, model in models.items()}
    review.ask("words", {**swept, **{(ALONE, name): (ALONE, model, ()) for name, model in missing.items()}})


def _difference_charts(table: pd.DataFrame) -> None:
    title = "difference of P(positive), points"
    headings = {"first": "Opinion first, then neutral words", "last": "Neutral words, then the opinion"}
    for slot, (place, words) in zip(st.columns(2), headings.items(), strict=True):
        with slot:
            part = table[table["place"] == place]
            st.markdown(f"**{words}**")
            chart = charts.words_chart(part, title=title, unit="", rule_at=0.0)
            st.altair_chart(chart, width="stretch", alt=charts.words_alt(part, words, title))
    st.caption(
        f"How to read this: P(positive) with “{fillers.SENTENCES['positive']}” minus P(positive) with "
        f"“{fillers.SENTENCES['negative']}”, both beside the same neutral words. At 0 the model can no longer tell "
        f"them apart. Each line is the median over {len(FILLERS)} neutral passages, its band the middle half."
    )
    with st.expander("The data as a table"):
        st.dataframe(table.drop(columns=["name"]), hide_index=True)


def _words_charts(table: pd.DataFrame) -> None:
    places = {
        "first": ("Opinion first, then neutral words", "opinion first"),
        "last": ("Neutral words, then the opinion", "opinion last"),
        fillers.ALONE: ("Neutral words alone", "neutral words alone"),
    }
    columns = [st.container(), *st.columns(2)]
    for slot, (place, (heading, words)) in zip(columns, places.items(), strict=True):
        part = table[table["place"] == place]
        if part.empty:
            continue
        with slot:
            st.markdown(f"**{heading}**")
            st.altair_chart(charts.words_chart(part), width="stretch", alt=charts.words_alt(part, words))
    st.caption(
        f"How to read this: each line is the median over {len(FILLERS)} neutral passages, its band the middle half. An "
        f"opinion counts as lost where it moves P(positive) by less than {100 * fillers.LOST:.0f} points beside the "
        "same neutral words alone."
    )
    with st.expander("The data as a table"):
        st.dataframe(table.drop(columns=["name"]), hide_index=True)
