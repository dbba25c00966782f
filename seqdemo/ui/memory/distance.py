"""Accuracy by distance: small models trained afresh on tasks of a given length, from the stored result."""

from __future__ import annotations

import streamlit as st

from seqdemo.charts import distance as charts
from seqdemo.data.tasks import CORRECT_WITHIN, TASKS
from seqdemo.studies import accuracy_by_distance as study
from seqdemo.studies.study import read
from seqdemo.ui.shared.choices import one_of


def render() -> None:
    """The section: its finding, a choice of tasks, the chart, and how it was measured."""
    st.header("How far back can each model learn to look?", anchor=False, divider="gray")
    stored = read(study.STUDY.name)
    if stored is None:
        st.info(f"This has not been measured yet. It is measured by `python -m seqdemo study {study.STUDY.name}`.")
        return
    name = one_of("Task", {name: task.label for name, task in TASKS.items()}, default="first_token", key="reach")
    task, table = TASKS[name], study.frame(stored, name)
    if table.empty:
        st.info(f"This task has not been measured yet. It is measured by `python -m seqdemo study {study.STUDY.name}`.")
        return
    medians = study.medians(table)
    st.subheader(study.finding(table, name), anchor=False)
    st.markdown(f"{task.question} Small models, each trained afresh, with about as many parameters as each other.")
    trained_to = study.PARITY_LENGTH if name == "parity" else 0
    st.altair_chart(
        charts.distance_chart(table, medians, chance=task.chance, trained_to=trained_to),
        width="stretch",
        alt=charts.distance_alt(table, medians),
        key="distance",
    )
    each = "trained on short sequences and tested on longer ones" if trained_to else "trained at each length anew"
    st.caption(
        f"How to read this: each dot is one model {each}, from one seed; the line joins the medians. Where it falls to "
        "the dashed line, the model answers no better than without looking at the sequence. In the title a model fails "
        f"where its median is below {100 * study.SOLVED:.0f}\u00a0%."
    )
    for words in (study.luck_words(table), _NOTES[name], study.mse_words(table)):
        if words:
            st.caption(words)
    st.caption(study.settings_words(stored, table))
    with st.expander("The data as a table"):
        shown = table.drop(columns=["variant", "name"]).dropna(axis="columns", how="all")
        percent = st.column_config.NumberColumn(format="percent")
        st.dataframe(shown, hide_index=True, column_config={"accuracy": percent})


_NOTES = {
    "first_token": (
        "Uniform and orthogonal are two starts of the matrix W_hh; bias 0 and 1 two starts of the forget gate. An RNN "
        "can latch: where training pushes W_hh past the unit circle, its units stick to one of two values (Bengio, "
        "Simard and Frasconi 1994), which is all that this task asks for. The "
        "BiLSTM and the Transformer do not have to remember: read backwards, the first token comes last, and attention "
        "looks at it directly."
    ),
    "adding": (
        f"Correct means within {CORRECT_WITHIN} of the sum; chance is that of always answering 1. After "
        "Hochreiter and Schmidhuber (1997), with numbers from 0 to 1 and one mark in each half."
    ),
    "temporal_order": (
        "Task 6a of Hochreiter and Schmidhuber (1997), with the places of the signals scaled to the length."
    ),
    "parity": (
        "The longest training sequence grows from 2 to 40 steps over the first "
        f"{study.GROWING} updates. Published with far more training (Delétang et al. 2023): RNN and LSTM hold beyond "
        "the trained lengths, the Transformer does not."
    ),
}
