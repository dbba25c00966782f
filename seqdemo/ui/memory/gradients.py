"""The large chart of Memory: gradients by distance of many reviews, and of the visitor's own."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from seqdemo.charts import memory as charts
from seqdemo.models.registry import MODELS
from seqdemo.studies import gradient_by_distance
from seqdemo.studies.study import listed, read
from seqdemo.ui import resources
from seqdemo.ui.memory import review
from seqdemo.ui.shared import own_models, review_box, sources
from seqdemo.ui.shared.examples import EXAMPLES
from seqdemo.ui.shared.marks import plain

DEFAULT = next(example for example in EXAMPLES if example.kind == "Opinion first")
"""What is measured before the visitor has written anything: an opinion, then a long plot."""
FLOORS = {
    gradient_by_distance.FP32_STEP: "below this line, an fp32 logit near 1 does not change at all",
    gradient_by_distance.FP32_TINY: "below this line, fp32 has no number",
}
_NO_OWN = pd.DataFrame({"name": [], "model": [], "distance": [], "gradient": []}).astype({"gradient": float})


def title() -> str:
    """What the gradients show, in one sentence."""
    return gradient_by_distance.finding(_stored_gradients())


def render(text: str) -> None:
    """Draws the chart, then the box with the review.

    Args:
        text: What stands in the box first.
    """
    review.gradients()  # asked for now, so that it is known whether to look again
    sources.live(_gradients, lambda: review.is_waiting("own"))
    problem, notices = review.remarks()
    with st.expander("The review behind the thin lines", icon=":material/edit:", expanded=problem is not None):
        review_box.draw(text, EXAMPLES)
        if problem is not None:
            st.warning(plain(problem), icon=":material/info:")
        for notice in notices:
            st.caption(plain(notice))


def _gradients() -> None:
    table = _stored_gradients()
    found = review.gradients()
    own = own_models.with_names(found.table) if isinstance(found, gradient_by_distance.OwnReview) else _NO_OWN
    if table.empty and own.empty:
        if review.is_waiting("own"):
            st.skeleton(height=520)
        else:
            sources.not_measured(gradient_by_distance.STUDY.name)
        return
    st.altair_chart(
        charts.gradient_chart(table, own, FLOORS), width="stretch", alt=charts.gradient_alt(table, own), key="gradients"
    )
    stored = read(gradient_by_distance.STUDY.name)
    if table.empty or stored is None:
        sources.not_measured(gradient_by_distance.STUDY.name)
        st.caption("How to read this: the lines are one review, the one below.")
    else:
        st.caption(
            "How to read this: the higher a line, the more a word that far from the end could move the verdict. "
            f"Each step down is ten times less. Thick line: the median of {stored.n} held-out reviews; band: the "
            "middle half of them. Thin line with dots: the review below."
        )
        if own_models.views():
            st.caption(f"{own_models.not_theirs()} This goes for the title, the thick lines and the bands.")
    missing = [MODELS[name].label for name in resources.shipped() if len(table) and name not in set(table["name"])]
    if missing:
        st.caption(f"{listed(missing)}: measured on other weights than those in use, so not shown.")
    with st.expander("The formula, and the data as a table"):
        st.latex(
            r"\left\lVert \frac{\partial\,\mathrm{logit}}{\partial x_t} \right\rVert_2 \cdot "
            r"\sqrt{\frac{1}{|V|}\sum_{w \in V} \lVert e_w \rVert_2^2}"
        )
        st.markdown(
            "By how much the logit, the number before it is squashed into P(positive), changes when the vector of the "
            "word at step $t$ moves by the length of a typical word vector, to first order. The second factor, the "
            "root mean square length of the model's own word vectors, puts all five on one scale: longer vectors must "
            f"not look like more attention. Reviews have at least {gradient_by_distance.MIN_TOKENS} tokens, so that "
            "each distance has the same reviews behind it. Of one review, each dot is the median over the words up to "
            "the neighbouring dots. fp32, the precision of the models, runs out at 10⁻⁷ and at 10⁻³⁸; where curves "
            "come near, a line says so."
        )
        if len(table):
            st.dataframe(table.drop(columns=["name"]), hide_index=True)
        if len(own):
            st.dataframe(own.drop(columns=["name"]), hide_index=True)


def _stored_gradients() -> pd.DataFrame:
    stored = read(gradient_by_distance.STUDY.name)
    if stored is None:
        return pd.DataFrame(columns=["name", "model", "distance", "low", "median", "high"])
    return gradient_by_distance.frame(stored, resources.shipped())
