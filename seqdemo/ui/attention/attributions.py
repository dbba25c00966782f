"""Does it matter? What each method says of the visitor's text, and whether those words carry the verdict.

What belongs to many reviews is read from its stored result and stands there at once. What
belongs to the visitor's text is computed in the background, the cheap methods first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from seqdemo.charts import attributions as charts
from seqdemo.colours import ABOVE_0_NAME, BELOW_0_NAME
from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS
from seqdemo.serve import attributions, word_notes
from seqdemo.serve.service import why
from seqdemo.studies import attributions as study
from seqdemo.studies.study import Stored, read
from seqdemo.text import Reading
from seqdemo.ui import resources
from seqdemo.ui.shared import own_models, sources
from seqdemo.ui.shared.component import component
from seqdemo.ui.shared.marks import plain

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier
    from seqdemo.explain.deletion import Deletion

_attributions = component("attention/attributions.js", "attention/attributions.css")
"""A text shaded by several methods or models, one row each; its data is that of `rows_data`."""
ALL = "all"
"""In the place of a model's name: all of them, by one method."""
_TEXT, _JOBS, _MODEL, _METHOD = "attributions_text", "attributions_jobs", "explained", "explained_by"
_DELETED = "deleted"
_ATTENDS = next(name for name, spec in MODELS.items() if spec.has_attention)


def render(text: str) -> None:
    """Draws the section.

    Args:
        text: The visitor's review; may hold no word.
    """
    st.session_state[_TEXT] = text
    st.markdown(
        "Attention says where a model looked, not why it decided. A word matters if the verdict changes without it: "
        "so every method below, attention too, is put to that test."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = st.segmented_control(
            "Model",
            [*MODELS, ALL],
            format_func=({name: plain(own_models.label(name)) for name in MODELS} | {ALL: "All five"}).__getitem__,
            default=_ATTENDS,
            required=True,
            key=_MODEL,
            bind="query-params",
            wrap=True,
        )
        if chosen == ALL:
            st.segmented_control(
                "Method",
                list(SIGNED),
                format_func=lambda name: METHODS[name].label,
                default=SIGNED[0],
                required=True,
                key=_METHOD,
                bind="query-params",
                wrap=True,
            )
    _found()  # asked for now, so that it is known whether to look again
    sources.live(_own_and_many, _waiting)
    _every_model()


def _own_and_many() -> None:
    models, found, readings = own_models.answering(), _found(), _readings()
    chosen = _chosen()
    if not readings:
        st.skeleton(height=420) if not resources.store().settled else st.info("No model could be loaded.")
    elif not any(reading.tokens for reading in readings.values()):
        st.info(plain(word_notes.note(own_models.named(readings))))
    elif chosen != ALL and chosen not in models:
        _unavailable(chosen)
    else:
        rows = _rows(chosen, found)
        _attributions(key="attributions_rows", data=[attributions.rows_data(own_models.current(), readings, rows)])
        _how_to_read(rows)
        if chosen != ALL:
            _completeness(found)
    stored = read(study.STUDY.name)
    st.subheader(_finding(stored, chosen), anchor=False)
    if chosen == ALL:
        _agreement_of_models(found)
        return
    usable = stored is not None and chosen in study.usable(stored, _weights())
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**This review**")
        _own_curves(chosen, found)
    with right:
        st.markdown(f"**{stored.n} held-out reviews**" if stored and usable else "**Many reviews**")
        if stored and usable:
            table = study.curves(stored, chosen)
            falls = _falls(stored, chosen)
            st.altair_chart(
                charts.deletion_chart(table, MODELS[chosen].colour, falls),
                width="stretch",
                alt=charts.deletion_alt(table),
                key="deletion_many",
            )
        else:
            _not_measured(chosen)
    st.caption(
        "How to read this: words are replaced by the unknown word, those that speak most for the verdict first. The "
        "faster a line falls, the more its words mattered; grey: random words, in a band that holds "
        "eight of ten orders (left) or half of all reviews and orders (right). The number behind a name: points below "
        "random words, as a mean from 0 to 50\u00a0%. Attention has no sign, so it also takes words that speak against."
    )
    st.subheader("Do the methods agree on the order of the words?", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**This review**")
        _own_matrix(_rows(chosen, found), "agreement_own")
    with right:
        st.markdown(f"**{stored.n} held-out reviews**" if stored and usable else "**Many reviews**")
        if stored and usable:
            many = study.correlations(stored, chosen)
            _matrix(many, "agreement_many")
        else:
            _not_measured(chosen)
    st.caption(
        "How to read this: Spearman's rank correlation of the figures without their signs. 1: the same order of "
        "importance, 0: none in common. Right: the median over the reviews, and below it the middle half."
    )


def _every_model() -> None:
    """The stored result for all models beside each other, and how it was measured."""
    stored = read(study.STUDY.name)
    if stored is None:
        return
    shipped = {name: model.sha256 for name, model in resources.models().items()}
    table = study.falls(stored, shipped)
    if not table.empty:
        st.subheader(study.fair_finding(table), anchor=False)
        st.markdown(f"**All models over {stored.n} held-out reviews**")
        chance = study.chance(stored, list(dict.fromkeys(table["name"])))
        st.altair_chart(
            charts.falls_chart(table, chance),
            width="stretch",
            alt=charts.falls_alt(table, chance),
            key="falls",
        )
        st.caption(
            "How to read this: dot: mean over the reviews; thick: its 95\u00a0% interval; thin: the middle half of the "
            "reviews. Ring: the same method with its signs ignored, the fair comparison with attention, which has "
            "none: it cannot tell what speaks for a verdict from what speaks against it. Grey: where eight of ten "
            "random orders lie."
        )
        if own_models.views():
            st.caption(own_models.not_theirs())
    with st.expander("How this is computed, and the data as tables"):
        _explanation(stored)
        if not table.empty:
            st.dataframe(table.drop(columns=["name", "method"]), hide_index=True)
            for name in study.usable(stored, shipped):
                st.markdown(f"**{MODELS[name].label}**: {study.completeness_words(stored, name)}")
                st.dataframe(charts.named(study.correlations(stored, name)), hide_index=True)


def _explanation(stored: Stored) -> None:
    st.latex(
        r"\mathrm{IG}_t = (x_t - u) \cdot \int_0^1 \frac{\partial\,\mathrm{logit}(u + a\,(x - u))}{\partial x_t}"
        r"\,\mathrm{d}a, \qquad \sum_t \mathrm{IG}_t = \mathrm{logit}(x) - \mathrm{logit}(u)"
    )
    settings = stored.settings
    st.markdown(
        "\n".join(f"- **{method.label}**: {method.meaning}" for method in METHODS.values())
        + "\n\nIntegrated gradients (Sundararajan, Taly and Yan 2017) go from a text of as many unknown words, u, "
        f"to the review, over {settings['first_points']} points of Gauss and Legendre; the points are doubled, up to "
        f"{settings['most_points']}, until the sum misses by no more than {100 * settings['tolerance']:.0f}\u00a0% of "
        "the difference of the two logits. A word that is left out or taken away is replaced by the unknown word, so "
        "that no other word moves; in training, a tenth of the words was. So all three ask about the same change. "
        f"{_about_baseline(stored)}Words are taken away up to one half: with "
        "most words gone, a text is like nothing that a model has read. "
        f"{settings['random_orders']} random orders. The mean of attention is one over layers, heads and asking "
        "words; rollout (Abnar and Zuidema 2020) multiplies ½ A + ½ I over the layers and takes the mean over the "
        "words, as the readout does. "
        f"The {stored.n} reviews were held out from training, have at most {settings['longest']} words and "
        f"marks, so that they are as short as what is typed, and were drawn with seed {stored.seed}."
    )


def _about_baseline(stored: Stored) -> str:
    """What another usual baseline would have shown: a sentence, or nothing for a result without it."""
    measured = stored.results.get(_ATTENDS, {})
    if "from_zeros" not in measured:
        return ""
    zeros, ours = measured["from_zeros"], measured["falls"]["integrated_gradients"]
    label, points = MODELS[_ATTENDS].label, round(100 * zeros["mean"])
    return (
        f"The start matters: from unknown words, the words found by integrated gradients lower the {label}'s verdict "
        f"by {100 * ours['mean']:.0f} points more than random ones do; from vectors of zeros, which no model has read "
        f"and it takes for {zeros['logit']:+.1f} logits on average, {f'by {points}' if points > 0 else 'no further'}. "
        "(A word that is taken away becomes an unknown one, which favours the former.) "
    )


def _rows(chosen: str, found: Mapping[str, Mapping[str, Any]]) -> list[attributions.Row]:
    if chosen == ALL:
        return attributions.rows_of_models(own_models.current(), _readings(), _method(), found)
    return attributions.rows_of_methods(chosen, found.get(chosen, {}))


def _how_to_read(rows: list[attributions.Row]) -> None:
    unsigned = any(not row.signed for row in rows)
    st.caption(
        "How to read this: each row shades the words by its share of all that the row hands out. "
        f"{ABOVE_0_NAME.capitalize()}, with a line above: towards positive; {BELOW_0_NAME}, with a line below: towards "
        "negative"
        + ("; grey: attention, which has no direction" if unsigned else "")
        + ". Point at a word, or use the arrow keys, to mark it in all rows. Logits are P(positive) before it is "
        "squashed: 0 is 50\u00a0%."
    )


def _completeness(found: Mapping[str, Mapping[str, Any]]) -> None:
    part = found.get(_chosen(), {}).get(attributions.INTEGRATED)
    if part is None or isinstance(part, Exception):
        st.caption("Integrated gradients are being computed." if part is None else "")
        return
    st.caption(attributions.completeness(part))


def _own_curves(chosen: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    parts = found.get(chosen, {})
    deleted: Deletion | None = parts.get(_DELETED)
    if any(isinstance(part, Exception) for part in parts.values()):
        st.info("This could not be computed for this text.")
    elif deleted is None:
        if _waiting():
            st.skeleton(height=charts.HEIGHT_PX)
        else:
            st.info("There is no verdict to take words from.")
    else:
        table = study.curves_of(deleted)
        falls = {name: deleted.fall(name) for name in deleted.curves}
        st.altair_chart(
            charts.deletion_chart(table, MODELS[chosen].colour, falls),
            width="stretch",
            alt=charts.deletion_alt(table),
            key="deletion_own",
        )


def _agreement_of_models(found: Mapping[str, Mapping[str, Any]]) -> None:
    st.markdown(f"**This review, by {METHODS[_method()].label.lower()}**")
    _own_matrix(_rows(ALL, found), "agreement_models")
    st.caption(
        "How to read this: Spearman's rank correlation of the figures without their signs. 1: two models put the words "
        "in the same order of importance, 0: their orders have nothing in common."
    )


def _own_matrix(rows: list[attributions.Row], key: str) -> None:
    values = {row.name: row.values for row in rows if row.values is not None}
    if len(values) < len(rows) and _waiting():
        st.skeleton(height=charts.HEIGHT_PX)
    elif len(values) < 2:
        st.info("There are no two orders of words to compare.")
    else:
        _matrix(study.correlations_of(values), key)


def _matrix(table: pd.DataFrame, key: str) -> None:
    own = {MODELS[name].label: own_models.label(name) for name in own_models.views()}
    shown = charts.named(table).replace({"one": own, "other": own})
    st.altair_chart(charts.correlation_chart(shown), width="stretch", alt=charts.correlation_alt(shown), key=key)
    st.caption(own_models.in_words(study.agreement(table)))


def _finding(stored: Stored | None, chosen: str) -> str:
    if chosen == ALL:
        return "Do the models rest on the same words?"
    table = study.falls(stored, _weights()) if stored else pd.DataFrame(columns=["name"])
    return study.finding(table[table["name"] == chosen])


def _falls(stored: Stored, chosen: str) -> dict[str, float]:
    table = study.falls(stored, _weights())
    table = table[table["name"] == chosen]
    return {str(method): float(mean) for method, mean in zip(table["method"], table["mean"], strict=True)}


def _chosen() -> str:
    return str(st.session_state.get(_MODEL) or _ATTENDS)


def _method() -> str:
    return str(st.session_state.get(_METHOD) or SIGNED[0])


def _readings() -> dict[str, Reading]:
    """What the models on screen read of the text, by name: the chosen one where it answers, otherwise all."""
    found = own_models.read(st.session_state[_TEXT])
    return {_chosen(): found[_chosen()]} if _chosen() in found else found


def _weights() -> dict[str, str]:
    """Of the models that answer this visitor."""
    return {name: model.sha256 for name, model in own_models.answering().items()}


def _found() -> dict[str, dict[str, Any]]:
    """What is known by now, model → part → result or exception; asks for what is wanted next, gives up the rest."""
    models, readings, chosen = own_models.answering(), _readings(), _chosen()
    jobs: dict[tuple[str, ...], Future[Any]] = {}
    found: dict[str, dict[str, Any]] = {}
    if resources.store().settled and any(reading.tokens for reading in readings.values()):
        names = [name for name in MODELS if name in models and chosen in (name, ALL)]
        for name in names:
            parts = [attributions.PART.get(_method(), attributions.QUICK)] if chosen == ALL else attributions.PARTS
            reading = readings[name]
            found[name] = {part: _ask(jobs, models[name], reading, part) for part in parts}
            values = {row.name: row.values for row in _rows(name, found) if row.values is not None}
            if chosen != ALL and len(values) == len(_rows(name, found)):
                found[name][_DELETED] = _ask(jobs, models[name], reading, _DELETED, values)
    for key, future in st.session_state.get(_JOBS, {}).items():
        if key not in jobs:
            future.cancel()
    st.session_state[_JOBS] = jobs
    return found


def _ask(
    jobs: dict[tuple[str, ...], Future[Any]],
    model: Classifier,
    reading: Reading,
    part: str,
    values: Mapping[str, npt.NDArray[np.float64]] | None = None,
) -> Any:
    key = ("attributions", part, model.sha256, attributions.digest(reading.text))
    future = jobs[key] = resources.background().ask(key, _computation(model, reading.ids, part, values or {}))
    if not future.done() or future.cancelled():
        return None
    error = future.exception()
    return future.result() if error is None else error


def _computation(
    model: Classifier, ids: npt.NDArray[np.int64], part: str, values: Mapping[str, npt.NDArray[np.float64]]
) -> Callable[[], Any]:
    def compute() -> Any:
        from seqdemo.explain import attributions as methods
        from seqdemo.explain import deletion

        if part == attributions.QUICK:
            return {"gradient_x_input": methods.gradient_x_input(model, ids), **methods.attention(model, ids)}
        if part == attributions.INTEGRATED:
            return methods.integrated_gradients(model, ids)
        if part == attributions.LEFT_OUT:
            return methods.leave_one_out(model, ids)
        return deletion.delete(model, ids, values)

    return compute


def _waiting() -> bool:
    """Whether something may still arrive by itself."""
    if not resources.store().settled:
        return True
    _found()
    return any(not future.done() for future in st.session_state[_JOBS].values())


def _unavailable(name: str) -> None:
    status = resources.store().status(name)
    if not resources.store().settled:
        st.skeleton(height=420)
    else:
        st.info(plain(f"The {MODELS[name].label} could not be loaded. {why(status)}"))


def _not_measured(name: str) -> None:
    if name in own_models.views():
        st.info(own_models.not_theirs())
        return
    st.info(
        f"This has not been measured on these weights of the {MODELS[name].label} yet. It is measured by `python -m "
        f"seqdemo study {study.STUDY.name}`."
    )
