"""What is forgotten: gradients by distance, neutral words, edits, and why.

Measurements over many reviews are read from their stored results, so that they stand on screen
before any model is loaded. What belongs to the visitor's own text is computed in the background.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from seqdemo.charts import memory as charts
from seqdemo.data.fillers import FILLERS
from seqdemo.errors import TextError
from seqdemo.models.registry import MODELS
from seqdemo.serve import word_notes
from seqdemo.serve.verdicts import percent
from seqdemo.studies import fillers, gradient_by_distance
from seqdemo.studies.study import listed, read
from seqdemo.text import MAX_CHARACTERS, Reading
from seqdemo.ui import resources
from seqdemo.ui.shared import own_models, sources
from seqdemo.ui.shared.examples import EXAMPLES
from seqdemo.ui.shared.marks import plain

if TYPE_CHECKING:
    from seqdemo.checkpoints.classifier import Classifier

DEFAULT = next(example for example in EXAMPLES if example.kind == "Opinion first")
"""What is measured before the visitor has written anything: an opinion, then a long plot."""
FLOORS = {
    gradient_by_distance.FP32_STEP: "below this line, an fp32 logit near 1 does not change at all",
    gradient_by_distance.FP32_TINY: "below this line, fp32 has no number",
}
SURVIVAL_FLOOR = 1e-10
KINDS = {"delete": "Delete", "negate": "Negate", "replace": "Replace"}
BOTH, OWN = "both", "own"
OPINIONS = {
    BOTH: "Praise against scorn",
    **{kind: f"“{text}”" for kind, text in fillers.SENTENCES.items()},
    OWN: "Yours",
}
_TEXT, _JOBS = "memory_text", "memory_jobs"
_GATED = ("lstm", "gru")
_WITH_MATRIX = tuple(name for name, spec in MODELS.items() if spec.has_states and spec.directions == 1)


def title() -> str:
    """What the gradients show, in one sentence."""
    return gradient_by_distance.finding(_stored_gradients())


def gradients() -> None:
    """The large chart: gradients of many reviews and of the visitor's own, then the box with that review."""
    if _TEXT not in st.session_state:
        review = st.session_state.get("review")
        untouched = not review or review == EXAMPLES[0].text
        st.session_state[_TEXT] = DEFAULT.text if untouched else review
    _own_review()  # asked for now, so that it is known whether to look again
    sources.live(_gradients, lambda: _waiting("own"))
    with st.expander("The review behind the thin lines", icon=":material/edit:", expanded=_problem() is not None):
        st.text_area("Review", key=_TEXT, height=160, max_chars=MAX_CHARACTERS, on_change=_remember)
        with st.container(horizontal=True):
            for example in EXAMPLES:
                st.button(example.kind, key=f"memory_example_{example.kind}", on_click=_put, args=(example.text,))
        problem = _problem()
        if problem is not None:
            st.warning(plain(problem), icon=":material/info:")
        for notice in _notices():
            if notice != problem:
                st.caption(plain(notice))


def words() -> None:
    """How many neutral words until an opinion is lost, for a built-in sentence or the visitor's own."""
    stored = read(fillers.STUDY.name)
    usable = fillers.usable(stored, _shipped()) if stored else []
    alone = {name: stored.results[fillers.ALONE][name] for name in usable} if stored else {}
    heading = st.container()
    choice = st.segmented_control(
        "The opinion",
        list(OPINIONS),
        format_func=OPINIONS.__getitem__,
        default=BOTH,
        required=True,
        key="memory_opinion",
    )
    sentence = ""
    if choice == OWN:
        with st.form("memory_sentence_form", border=False):
            typed = st.text_input("Your opinion, in one sentence", key="memory_sentence", max_chars=400)
            if st.form_submit_button("Measure it", icon=":material/play_arrow:"):
                st.session_state["memory_asked"] = typed
        sentence = st.session_state.get("memory_asked", "")
    if choice == OWN:
        _ask_own_sentence(sentence, {name: found for name, found in alone.items() if name not in own_models.views()})
        sources.live(_own_words, lambda: _waiting("words"))
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
        _not_measured(fillers.STUDY.name)
    if alone:
        st.caption(f"Neutral to people, not to the models: {fillers.alone_words(alone)}")
        if own_models.views():
            st.caption(f"{own_models.not_theirs()} Choose “{OPINIONS[OWN]}” to have a sentence measured on all.")
        with st.expander("The fillers alone, as a table"):
            table = fillers.alone_table(alone)
            shares = {column: st.column_config.NumberColumn(format="percent") for column in table.columns[1:]}
            st.dataframe(table, hide_index=True, column_config=shares)


def edits() -> None:
    """One word deleted, negated or replaced: five verdicts before and after."""
    sources.live(_edits, lambda: _waiting("own"))


def spectrum() -> None:
    """Eigenvalues and singular values of W_hh, at the start and after training."""
    name = st.segmented_control(
        "Model",
        _WITH_MATRIX,
        format_func={name: plain(own_models.label(name)) for name in _WITH_MATRIX}.__getitem__,
        default="rnn",
        required=True,
        key="memory_matrix_of",
    )
    model = own_models.answering().get(name)
    if model is not None:
        _ask("spectrum", ("spectrum", model.sha256), lambda: _spectrum_of(model))
    sources.live(_spectrum, lambda: _waiting("spectrum"))


def gates() -> None:
    """What the gates of LSTM and GRU keep along the visitor's review."""
    _kept()
    sources.live(_gates, lambda: _waiting("kept"))


def _gradients() -> None:
    table = _stored_gradients()
    found = _own_review()
    own = own_models.with_names(found.table) if isinstance(found, gradient_by_distance.OwnReview) else _NO_OWN
    if table.empty and own.empty:
        if _waiting("own"):
            st.skeleton(height=520)
        else:
            _not_measured(gradient_by_distance.STUDY.name)
        return
    st.altair_chart(
        charts.gradient_chart(table, own, FLOORS), width="stretch", alt=charts.gradient_alt(table, own), key="gradients"
    )
    stored = read(gradient_by_distance.STUDY.name)
    if table.empty or stored is None:
        _not_measured(gradient_by_distance.STUDY.name)
        st.caption("How to read this: the lines are one review, the one below.")
    else:
        st.caption(
            "How to read this: the higher a line, the more a word that far from the end could move the verdict. "
            f"Each step down is ten times less. Thick line: the median of {stored.n} held-out reviews; band: the "
            "middle half of them. Thin line with dots: the review below."
        )
        if own_models.views():
            st.caption(f"{own_models.not_theirs()} This goes for the title, the thick lines and the bands.")
    missing = [MODELS[name].label for name in _shipped() if len(table) and name not in set(table["name"])]
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


def being_measured(alone: Sequence[str]) -> str:
    """What a visitor's sentence is waiting for.

    Args:
        alone: What to call the models that also read the neutral words without it, which nothing has stored of them.
    """
    more = f", and {fillers.N_ALONE} without your sentence by {listed(alone)}" if alone else ""
    return f"Being measured: {fillers.N_TEXTS} texts by each model{more}. This takes seconds, more when others ask too."


def _own_words() -> None:
    problem = st.session_state.get("memory_sentence_problem")
    result = _result("words")
    if isinstance(result, pd.DataFrame):
        st.subheader(own_models.in_words(fillers.finding(result)), anchor=False)
        _words_charts(own_models.with_names(result))
    elif problem:
        st.warning(plain(problem), icon=":material/info:")
    elif isinstance(result, Exception):
        st.warning("This could not be measured. Another sentence may work.", icon=":material/info:")
    elif _waiting("words"):
        st.caption(plain(being_measured(st.session_state.get("memory_alone", []))))
        st.skeleton(height=360)
    else:
        st.caption("Write a sentence and have it measured.")


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


def _edits() -> None:
    found = _own_review()
    reading, models = _reading(), own_models.answering()
    if reading is None or not models:
        st.caption("The models are loading." if not resources.store().settled else "No model could be loaded.")
        return
    if not reading.tokens:
        st.caption(plain(word_notes.note(own_models.named(_readings()))))
        return
    if found is None:
        st.skeleton(height=340)
        return
    from seqdemo.explain import edits

    standout = found.standout if isinstance(found, gradient_by_distance.OwnReview) else 0
    choices = [k for k, token in enumerate(reading.tokens) if token.text[0].isalnum()] or [0]
    written = [reading.text[token.start : token.end] for token in reading.tokens]
    picture, controls = st.columns([3, 2], gap="large")
    with controls:
        index = st.selectbox(
            "Word",
            choices,
            index=choices.index(standout) if standout in choices else 0,
            format_func=lambda k: f"{k + 1} · {written[k]}",
            key=f"memory_word_{_digest(reading.text)}",
        )
        kind = st.segmented_control(
            "What happens to it",
            list(KINDS),
            format_func=KINDS.__getitem__,
            default="negate",
            required=True,
            key="memory_edit",
        )
        word = st.text_input("Put there", "terrible", max_chars=60, key="memory_word") if kind == "replace" else ""
        try:
            if kind == "delete":
                edited = edits.delete(reading, index)
            elif kind == "negate":
                edited = edits.negate(reading, index)
            else:
                edited = edits.replace(reading, index, word)
            table = _before_and_after(models, reading.text, edited)
        except TextError as error:
            st.warning(plain(str(error)), icon=":material/info:")
            return
        st.caption("Before: " + plain(_around(reading.text, reading.tokens[index].start)))
        st.caption("After: " + plain(_around(edited, reading.tokens[index].start)))
    with picture:
        st.subheader(own_models.in_words(_edit_finding(table)), anchor=False)
        table = own_models.with_names(table)
        st.altair_chart(charts.slopes_chart(table), width="stretch", alt=charts.slopes_alt(table))
        st.caption("How to read this: a steep line is a verdict that hangs on this word. The dashed line is 50\u00a0%.")
    with st.expander("The data as a table"):
        st.dataframe(table.drop(columns=["name"]), hide_index=True)


def _spectrum() -> None:
    name = st.session_state.get("memory_matrix_of") or "rnn"
    model = own_models.answering().get(name)
    found = _result("spectrum")
    if model is None:
        st.caption("The models are loading." if not resources.store().settled else "This model could not be loaded.")
        return
    if not isinstance(found, Mapping):
        if isinstance(found, Exception):
            st.caption("The spectrum could not be computed.")
        else:
            st.skeleton(height=280)
        return
    blocks = list(found["trained"])
    block = blocks[0]
    if len(blocks) > 1:
        block = st.segmented_control(
            "Block of W_hh", blocks, default="candidate", required=True, key=f"memory_block_{name}"
        )
    eigenvalues = {when: spectra[block].eigenvalues for when, spectra in found.items()}
    singular = {when: spectra[block].singular_values for when, spectra in found.items()}
    points, ranks = charts.spectrum_points(eigenvalues, singular)
    colour = MODELS[name].colour
    alt = charts.spectrum_alt(points, ranks)
    longest = np.abs(eigenvalues["trained"]).max()
    whose = own_models.in_words(f"**The longest eigenvalue of the {MODELS[name].label}")
    st.markdown(
        f"{whose} has the length {longest:.2f}, the largest singular value is {singular['trained'][0]:.2f}**"
        + (
            f"; at the start they were {abs(eigenvalues['start'][0]):.2f} and {singular['start'][0]:.2f}"
            if "start" in found
            else ""
        )
    )
    left, right = st.columns([2, 3])
    with left:
        st.altair_chart(charts.eigenvalue_chart(points, colour), width="content", alt=alt)
    with right:
        st.altair_chart(charts.singular_chart(ranks, colour), width="stretch", alt=alt)
    start = (
        "Grey rings and the grey dashed line: at the start of the training, drawn again from its seed."
        if "start" in found
        else "The start of this training is not on record, so only the trained matrix is shown."
    )
    st.caption(
        "How to read this: W_hh carries the state from word to word. Left, its eigenvalues and the unit circle; "
        "right, its singular values and a line at 1. Inside of the circle and below the line, W_hh alone shrinks what "
        f"it carries. {start}"
    )
    with st.expander("The data as a table"):
        st.dataframe(points, hide_index=True)
        st.dataframe(ranks, hide_index=True)


def _gates() -> None:
    found = _kept()
    if not isinstance(found, pd.DataFrame):
        if _waiting("kept"):
            st.skeleton(height=280)
        else:
            st.caption("Without a word to read, or without the LSTM and the GRU, there are no gates to look at.")
        return
    if found.empty:
        st.caption("Neither the LSTM nor the GRU could be loaded.")
        return
    found = own_models.with_names(found)
    alt = charts.kept_alt(found)
    left, right = st.columns(2)
    with left:
        st.markdown("**Kept at each word**")
        st.altair_chart(charts.gate_chart(found), width="stretch", alt=alt)
    with right:
        st.markdown("**Still there at the end**")
        st.altair_chart(charts.survival_chart(found, SURVIVAL_FLOOR), width="stretch", alt=alt)
    st.caption(
        "How to read this: left, the share of its memory that a model keeps at each word of the review above, as a "
        "mean over its units: the forget gate f of the LSTM, and z of the GRU, which keeps the old state here "
        "(h = (1 - z) · n + z · h; where papers turn it round, it is 1 - z). Right, all shares from a word to the end "
        "multiplied: the thick line is the unit that keeps most, the thin line the median unit; shares below 10⁻¹⁰ "
        "stand at the bottom. Memory also runs through the gates themselves, so this is one path of several."
    )
    with st.expander("The data as a table"):
        st.dataframe(found.drop(columns=["name"]), hide_index=True)


_NO_OWN = pd.DataFrame({"name": [], "model": [], "distance": [], "gradient": []}).astype({"gradient": float})


def _stored_gradients() -> pd.DataFrame:
    stored = read(gradient_by_distance.STUDY.name)
    if stored is None:
        return pd.DataFrame(columns=["name", "model", "distance", "low", "median", "high"])
    return gradient_by_distance.frame(stored, _shipped())


def _shipped() -> dict[str, str]:
    """Of the models that came with the app, which the stored figures are of."""
    return {name: model.sha256 for name, model in resources.models().items()}


def _weights() -> dict[str, str]:
    """Of the models that answer this visitor."""
    return {name: model.sha256 for name, model in own_models.answering().items()}


def _readings() -> dict[str, Reading]:
    """What each model that answers reads of the visitor's review, by name."""
    return own_models.read(st.session_state[_TEXT])


def _reading() -> Reading | None:
    """What any of them reads, for what is the same for all: the text and its tokens."""
    return next(iter(_readings().values()), None)


def _own_review() -> Any:
    """The visitor's review measured, None while it is not, an exception where it cannot be."""
    models, reading = own_models.answering(), _reading()
    if not resources.store().settled or reading is None or not reading.tokens:
        _forget("own")
        return None
    text = reading.text
    return _ask("own", ("own", *_weights().values(), _digest(text)), lambda: gradient_by_distance.own(models, text))


def _kept() -> Any:
    models = {name: model for name, model in own_models.answering().items() if name in _GATED}
    reading = _reading()
    if not resources.store().settled or reading is None or not reading.tokens or not models:
        _forget("kept")
        return None
    text = reading.text
    key = ("kept", *(model.sha256 for model in models.values()), _digest(text))
    return _ask("kept", key, lambda: _kept_table(models, text))


def _kept_table(models: Mapping[str, Classifier], text: str) -> pd.DataFrame:
    from seqdemo.explain import dynamics

    parts = []
    for name, model in models.items():
        traced = model.trace(text)
        found = dynamics.kept(traced)
        if found is not None:
            word = np.arange(1, len(traced.tokens) + 1)
            columns = {"gate": found.gate, "most": found.survives[2], "median": found.survives[0]}
            parts.append(
                pd.DataFrame(
                    {"name": name, "model": MODELS[name].label, "word": word, "text": list(traced.tokens), **columns}
                )
            )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _spectrum_of(model: Classifier) -> dict[str, Any]:
    from seqdemo.explain import dynamics

    start = dynamics.starting_model(model)
    found = {} if start is None else {"start": dynamics.spectra(start)}
    return {**found, "trained": dynamics.spectra(model.model)}


def _ask_own_sentence(sentence: str, alone: Mapping[str, Any]) -> None:
    st.session_state["memory_sentence_problem"] = None
    models = own_models.answering()
    if not sentence or not models:
        if sentence == "" and "memory_asked" in st.session_state:
            st.session_state["memory_sentence_problem"] = "There is no word to read. Write an opinion in one sentence."
        _forget("words")
        return
    try:
        checked = fillers.checked(sentence)
    except TextError as error:
        st.session_state["memory_sentence_problem"] = str(error)
        _forget("words")
        return
    missing = {name: model for name, model in models.items() if name not in alone}
    st.session_state["memory_alone"] = [own_models.label(name) for name in missing]
    _ask(
        "words",
        ("words", *_weights().values(), _digest(checked)),
        lambda: fillers.frame(fillers.sweep(models, checked), {**alone, **fillers.sweep_alone(missing)}),
    )


def _before_and_after(models: Mapping[str, Classifier], before: str, after: str) -> pd.DataFrame:
    rows = []
    for name, model in models.items():
        one, other = (resources.probability(model, model.read(text)) for text in (before, after))
        rows.append({"name": name, "model": MODELS[name].label, "before": one, "after": other})
    return pd.DataFrame(rows)


def _edit_finding(table: pd.DataFrame) -> str:
    change = (table["after"] - table["before"]).to_numpy()
    most = int(np.argmax(np.abs(change)))
    points = percent(table["after"][most]) - percent(table["before"][most])
    turned = int(((table["before"] >= 0.5) != (table["after"] >= 0.5)).sum())
    if not points:
        return "No model changes its verdict by a point"
    sign = "\u2212" if points < 0 else "+"
    moved = f"{sign}{abs(points)} point{'' if abs(points) == 1 else 's'}"
    flips = {0: "no verdict turns", 1: "one verdict turns", len(table): "all verdicts turn"}
    turns = flips.get(turned, f"{turned} of {len(table)} verdicts turn")
    return f"The {table['model'][most]} moves most, {moved}; {turns}"


def _around(text: str, at: int) -> str:
    """Some words before and after a place in a text."""
    start, end = max(at - 40, 0), at + 50
    before = text[start:at].partition(" ")[2] if start else text[:at]
    after = text[at:end].rpartition(" ")[0] if end < len(text) else text[at:]
    return f"{'… ' if start else ''}{before}{after}{' …' if end < len(text) else ''}"


def _problem() -> str | None:
    """Why the review cannot be measured, in a sentence."""
    named = own_models.named(_readings())
    if not named:
        return None
    if not any(reading.tokens for reading in named.values()):
        return word_notes.note(named)
    if all(reading.unknown.all() for reading in named.values()):
        return " ".join(word_notes.nothing_known(named))
    return None


def _notices() -> list[str]:
    named = own_models.named(_readings())
    return word_notes.notices(named, next(iter(named.values())).n_characters) if named else []


def _not_measured(name: str) -> None:
    st.info(f"This has not been measured on these weights yet. It is measured by `python -m seqdemo study {name}`.")


def _put(text: str) -> None:
    st.session_state[_TEXT] = text
    _remember()


def _remember() -> None:
    st.session_state["review"] = st.session_state[_TEXT]


def _ask(slot: str, key: tuple[str, ...], compute: Callable[[], Any]) -> Any:
    """The result, None while it is awaited, an exception where there is none; gives up what the slot asked before."""
    jobs: dict[str, Future[Any]] = st.session_state.setdefault(_JOBS, {})
    future = resources.background().ask(key, compute)
    if slot in jobs and jobs[slot] is not future:
        jobs[slot].cancel()
    jobs[slot] = future
    return _result(slot)


def _forget(slot: str) -> None:
    future = st.session_state.setdefault(_JOBS, {}).pop(slot, None)
    if future is not None:
        future.cancel()


def _result(slot: str) -> Any:
    future = st.session_state.setdefault(_JOBS, {}).get(slot)
    if future is None or not future.done() or future.cancelled():
        return None
    error = future.exception()
    return future.result() if error is None else error


def _waiting(slot: str) -> bool:
    """Whether something may still arrive in this slot by itself."""
    future = st.session_state.setdefault(_JOBS, {}).get(slot)
    return not resources.store().settled or (future is not None and not future.done())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
