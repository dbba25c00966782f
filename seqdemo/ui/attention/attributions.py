"""Does it matter? What each method says of the visitor's text, and whether those words carry the verdict.

What belongs to many reviews is read from its stored result and drawn here. What belongs to the visitor's text is
asked for in the browser, by the first of the components; the others hear of each answer.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from seqdemo.charts import attributions as charts
from seqdemo.explain.methods import METHODS, SIGNED
from seqdemo.models.registry import MODELS
from seqdemo.serve.attributions import ALL
from seqdemo.studies import attributions as study
from seqdemo.studies.study import Stored, read
from seqdemo.ui import resources
from seqdemo.ui.shared import own_models, review_box
from seqdemo.ui.shared.choices import one_of
from seqdemo.ui.shared.component import component, sent
from seqdemo.ui.shared.marks import plain

_attributions = component("attention/attributions.js", "attention/attributions.css")
"""A text shaded by several methods or models, one row each."""
_part = component("attention/attributions_part.js", "attention/attributions_part.css")
"""The curves of this review, or the correlations; its data says which, as the answer of the route names them."""
_ATTENDS = next(name for name, spec in MODELS.items() if spec.has_attention)


def render(text: str) -> None:
    """Draws the section.

    Args:
        text: The visitor's review, with which it opens; may hold no word.
    """
    st.markdown(
        "Attention says where a model looked, not why it decided. A word matters if the verdict changes without it: "
        "so every method below, attention too, is put to that test."
    )
    chosen, method = _choice()
    asked = review_box.asked(text) | {"model": chosen, "method": method}
    _attributions(key="attributions_rows", data=sent(asked))
    stored = read(study.STUDY.name)
    st.subheader(_finding(stored, chosen), anchor=False)
    if chosen == ALL:
        st.markdown(f"**This review, by {METHODS[method].label.lower()}**")
        _part(key="agreement_models", data=sent({"what": "agreement"}))
        st.caption(
            "How to read this: Spearman's rank correlation of the figures without their signs. 1: two models put the "
            "words in the same order of importance, 0: their orders have nothing in common."
        )
    else:
        _beside_many(stored, chosen)
    _every_model()


def _choice() -> tuple[str, str]:
    """The model that is explained, or all, and by which method these are; both stand in the address."""
    method = SIGNED[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        names = {name: plain(own_models.label(name)) for name in MODELS} | {ALL: "All five"}
        chosen = one_of("Model", names, default=_ATTENDS, key="explained")
        if chosen == ALL:
            method = one_of(
                "Method", {name: METHODS[name].label for name in SIGNED}, default=method, key="explained_by"
            )
    return chosen, method


def _beside_many(stored: Stored | None, chosen: str) -> None:
    """This review beside many: the verdict without some words, and how far the methods agree."""
    usable = stored is not None and chosen in study.usable(stored, _weights())
    many = f"**{stored.n} held-out reviews**" if stored and usable else "**Many reviews**"
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**This review**")
        _part(key="deletion_own", data=sent({"what": "curves"}))
    with right:
        st.markdown(many)
        if stored and usable:
            table = study.curves(stored, chosen)
            st.altair_chart(
                charts.deletion_chart(table, MODELS[chosen].colour, _falls(stored, chosen)),
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
        _part(key="agreement_own", data=sent({"what": "agreement"}))
    with right:
        st.markdown(many)
        if stored and usable:
            table = charts.named(study.correlations(stored, chosen))
            st.altair_chart(
                charts.correlation_chart(table),
                width="stretch",
                alt=charts.correlation_alt(table),
                key="agreement_many",
            )
            st.caption(study.agreement(table))
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
    shipped = resources.shipped()
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


def _finding(stored: Stored | None, chosen: str) -> str:
    if chosen == ALL:
        return "Do the models rest on the same words?"
    table = study.falls(stored, _weights()) if stored else pd.DataFrame(columns=["name"])
    return study.finding(table[table["name"] == chosen])


def _falls(stored: Stored, chosen: str) -> dict[str, float]:
    table = study.falls(stored, _weights())
    table = table[table["name"] == chosen]
    return {str(method): float(mean) for method, mean in zip(table["method"], table["mean"], strict=True)}


def _weights() -> dict[str, str]:
    """Of the models that answer this visitor."""
    return {name: model.sha256 for name, model in own_models.answering().items()}


def _not_measured(name: str) -> None:
    if name in own_models.views():
        st.info(own_models.not_theirs())
        return
    st.info(
        f"This has not been measured on these weights of the {MODELS[name].label} yet. It is measured by `python -m "
        f"seqdemo study {study.STUDY.name}`."
    )
