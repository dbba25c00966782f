"""The corner of the live page that scores a whole table of reviews."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from seqdemo.data import review_table, tables
from seqdemo.data.review_table import MAX_ROWS, Source, Which
from seqdemo.errors import DataError, SeqdemoError
from seqdemo.models.registry import MODELS
from seqdemo.sizes import MB, megabytes
from seqdemo.studies import speed
from seqdemo.text import probably_not_english
from seqdemo.ui import resources
from seqdemo.ui.sentiment.review_queue import CHARACTERS_READ, QUEUE, Column, Job, Outcome
from seqdemo.ui.shared import address, own_models
from seqdemo.ui.shared.component import component
from seqdemo.ui.shared.marks import plain
from seqdemo.ui.shared.table_source import TableSource

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from seqdemo.checkpoints.classifier import Classifier

_UPLOAD, _START, _STOP, _DOWNLOAD = (f"review_table_{part}" for part in ("upload", "start", "stop", "download"))
_JOB, _PROBLEM, _COUNTS, _WHICH = (f"review_table_{part}" for part in ("job", "problem", "counts", "which"))
_address_entries = component("shared/js/address_entries.js")
"""Shows nothing: puts entries into the address; its data is one object, as `address.entries` makes it."""
_TABLE = TableSource("review_table", texts="Column with the reviews")
_ENTRY = "table"
_LOOK_EVERY_S = 1.0
_CHARACTERS_SHOWN = 300
_ROWS_TRIED = 20


@dataclass(frozen=True)
class _Counts:
    """What is known of the chosen rows.

    Attributes:
        n: How many there are.
        n_with_words: How many of them hold a word.
        n_characters: What there is to read in them.
        foreign: Of the first rows' words the share that no model knows, if they are probably not English.
    """

    n: int
    n_with_words: int
    n_characters: int
    foreign: float | None


def render() -> None:
    """Draws the corner: upload, what was understood, progress, download."""
    with st.expander("Score a table of reviews", expanded=_id() is not None):
        _panel()


@st.fragment
def _panel() -> None:
    upload = st.file_uploader(
        f"A table with one review in each row, up to {megabytes(tables.MAX_BYTES)}: {tables.KINDS}",
        max_upload_size=tables.MAX_BYTES // MB,
        key=_UPLOAD,
        on_change=_forget,
    )
    id_ = _id()
    job = QUEUE.find(id_) if id_ else None
    # Not by `st.query_params`, which would put a review back that was in the address when this page last ran.
    _address_entries(
        key="review_table_address", data=[address.entries({_ENTRY: id_} if id_ else {}, [_ENTRY])], height=1
    )
    if job is not None:
        job.seen(*_visitor())
    elif id_ is not None:
        st.info("That table is not kept any more. Upload it again to have it scored anew.", icon=":material/schedule:")
    if job is not None and job.active and not job.given_up:
        st.fragment(_progress, run_every=_LOOK_EVERY_S)(job)
        return
    if upload is not None and (job is None or job.file_id != upload.file_id or job.state != "done"):
        _offer(upload)
    if job is not None:
        _finished(job)


# ---- Before


def _offer(upload: UploadedFile) -> None:
    """What was understood of a file, what can be chosen, and the button that starts the work."""
    source, table = _TABLE.offer(upload)
    if table is None:
        return
    place = _TABLE.text_column(table)
    if place is None:
        st.error("No cell of this table holds a word. A column of reviews is needed.", icon=":material/error:")
        return
    which: Which = _which(_TABLE.n_rows(upload))
    counts = _counted(upload.file_id, source, place, which)
    said = []
    if counts.n_with_words < counts.n:
        said.append(f"{_count(counts.n - counts.n_with_words, 'row')} without a word will stay without a probability.")
    added = set(review_table.result_columns([column.key for column in _columns()]))
    if old := added.intersection(table.columns):
        said.append(f"{_count(len(old), 'column')} of an earlier scoring will be replaced.")
    if took := _seconds(counts.n_characters):
        said.append(f"This takes {_duration(took)}; you can look at other pages meanwhile.")
    if said:
        st.text(" ".join(said))
    if counts.foreign is not None:
        _say_foreign(counts.foreign)
    st.button(
        f"Score {_count(counts.n_with_words, 'review')}",
        icon=":material/play_arrow:",
        key=_START,
        disabled=counts.n_with_words == 0,
        on_click=_start,
        args=(source, upload.file_id, place, which),
    )
    if problem := st.session_state.pop(_PROBLEM, None):
        st.warning(problem, icon=":material/hourglass_top:")


def _which(n_rows: int) -> Which:
    """Which rows, where they are more than are scored in one go."""
    if n_rows <= MAX_ROWS:
        return "first"
    n_parts = math.ceil(n_rows / MAX_ROWS)
    words: dict[Which, str] = {
        "first": f"The first {MAX_ROWS:,}",
        "random": f"{MAX_ROWS:,} at random",
        "all": f"All {n_rows:,}, in {n_parts:,} parts",
    }
    found = st.radio(
        f"Which rows? {MAX_ROWS:,} are scored in one go; between parts, other visitors have their turn.",
        list(words),
        format_func=lambda name: words[name],
        key=_WHICH,
        horizontal=True,
    )
    return found or "first"


def _counted(file_id: str, source: Source, place: int, which: Which) -> _Counts:
    """What the chosen rows hold; found out once for each choice."""
    settled = resources.store().settled
    key = (file_id, source.encoding, source.header, source.part, place, which, settled)
    if st.session_state.get(_COUNTS, ("", None))[0] != key:
        chosen = review_table.choose(source, source.read(), place, which)
        with_words = [text for text in chosen.texts if review_table.has_words(text)]
        n_characters = sum(min(len(text), CHARACTERS_READ) for text in with_words)
        foreign = _foreign(with_words[:_ROWS_TRIED], own_models.answering() if settled else {})
        st.session_state[_COUNTS] = (key, _Counts(len(chosen), len(with_words), n_characters, foreign))
    found: _Counts = st.session_state[_COUNTS][1]
    return found


def _foreign(texts: Sequence[str], models: Mapping[str, Classifier]) -> float | None:
    """Of the words in some texts the share that no model knows, if they are probably not English."""
    vocabularies = {model.vocabulary.words: model for model in models.values()}
    readings = [[model.read(text[:_CHARACTERS_SHOWN]) for model in vocabularies.values()] for text in texts]
    if not readings or not vocabularies:
        return None
    shares = [min(reading.share_unknown for reading in found) for found in readings]
    is_foreign = review_table.probably_not_english(shares, sum(map(probably_not_english, readings)))
    return sum(shares) / len(shares) if is_foreign else None


def _say_foreign(share: float) -> None:
    words = f"{100 * share:.0f} % of the words are unknown to the models"
    st.warning(
        f"{words}: these texts are probably not English, and the models read nothing else.",
        icon=":material/translate:",
    )


def _seconds(n_characters: int) -> float | None:
    """About how long the work takes when no other table is being scored; None while nothing was measured."""
    each = [ms for ms in resources.milliseconds().values() if not math.isnan(ms)]
    if len(each) < len(MODELS):
        return None
    return 2 * n_characters / len(speed.REVIEW) * sum(each) / 1000  # half of the time is left to others


def _columns() -> list[Column]:
    """The columns of the result; those of a visitor's own models are called so."""
    own = own_models.views()
    return [Column(name, f"{name}_own" if name in own else name, own_models.label(name)) for name in MODELS]


def _start(source: Source, file_id: str, place: int, which: Which) -> None:
    service, own = resources.service(), own_models.views()

    def get_models() -> Mapping[str, Classifier]:
        service.store.wait()
        found = {name: model for name, model in service.store.ready().items() if name not in own}
        for name, view in own.items():
            try:
                found[name] = service.own_model(view)
            except SeqdemoError:  # gone since: its column stays empty rather than holding another model's figures
                continue
        return found

    chosen = review_table.choose(source, source.read(), place, which)
    job = Job(chosen, columns=_columns(), get_models=get_models, worker=service.worker, file_id=file_id)
    job.seen(*_visitor())
    try:
        QUEUE.submit(job)
    except DataError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        st.session_state[_JOB] = job.id


# ---- Meanwhile


def _progress(job: Job) -> None:
    """How far the work is; looked at again and again until it ends."""
    job.seen(*_visitor())
    if not job.active or job.given_up:
        st.rerun()  # the whole page once, which also ends the looking
    ahead = QUEUE.n_ahead(job)
    if job.state == "waiting" and ahead:
        others = "Another table is being scored" if ahead == 1 else f"{ahead} other tables come first"
        message = f"{others}; yours {'goes on after' if job.share_done else 'is next' if ahead == 1 else 'follows'}."
    else:
        message = f"Scoring {_count(job.n_rows, 'row')} of {_short(job.file_name)}: {100 * job.share_done:.0f} %"
        if job.seconds_left is not None:
            message += f", {_duration(job.seconds_left)} left"
    st.progress(job.share_done, text=plain(message))
    st.caption("You can look at other pages meanwhile. The address of this page leads back here, also after a reload.")
    st.button("Stop", icon=":material/stop:", key=_STOP, on_click=_forget)


# ---- After


def _finished(job: Job) -> None:
    """The finished table to download, or why there is none."""
    if job.state == "failed":
        st.error("This table could not be scored, for a reason that is not in it. Please try again.")
    elif job.outcome is None:
        st.info("The scoring was stopped because the app was left. Upload the table again to start anew.")
    else:
        _outcome(job, job.outcome)


def _outcome(job: Job, outcome: Outcome) -> None:
    counts = " · ".join(f"{label} {n:,}" for label, n in outcome.n_positive.items())
    st.text(f"Positive among {_count(outcome.n_scored, 'review')} of {_short(job.file_name)}: {counts}")
    for label in outcome.missing:
        st.text(f"{label} could not be loaded; its column is empty.")
    said = []
    if outcome.n_cut:
        be = "is" if outcome.n_cut == 1 else "are"
        said.append(f"{_count(outcome.n_cut, 'review')} {be} read in part: see the column {review_table.CUT_COLUMN}.")
    if outcome.share_unknown is not None:
        share = 100 * outcome.share_unknown
        figure = f"{share:.0f}" if share >= 10 or share == 0 else f"{share:.1f}"
        said.append(f"Of a review's words, {figure} % are unknown on average: see {review_table.UNKNOWN_COLUMN}.")
    if outcome.written.n_harmless:
        cells = _count(outcome.written.n_harmless, "cell")
        said.append(f"{cells} that began with =, +, - or @ got an apostrophe in front: no spreadsheet runs them.")
    if said:
        st.text("\n".join(said))
    if outcome.is_foreign and outcome.share_unknown is not None:
        _say_foreign(outcome.share_unknown)
    elif outcome.n_foreign:
        be = "is" if outcome.n_foreign == 1 else "are"
        st.text(f"{_count(outcome.n_foreign, 'review')} {be} probably not English: most of the words are unknown.")
    st.download_button(
        f"Download {_short(outcome.written.file_name)}",
        lambda: outcome.written.content,
        file_name=outcome.written.file_name,
        mime="application/octet-stream",
        icon=":material/download:",
        key=_DOWNLOAD,
        on_click="ignore",
    )
    minutes = max(1, math.ceil((job.kept_until - time.monotonic()) / 60))
    st.caption(
        f"Kept for {_count(minutes, 'minute')} more, less where other tables need the room: who has the address of "
        "this page can download it."
    )


# ---- Whose it is


def _id() -> str | None:
    """The id of this visitor's table: the one in hand, or the one in the address."""
    if _JOB not in st.session_state:
        query = st.query_params.to_dict()
        # What is no id names no table that is kept, and is answered in the same words.
        st.session_state[_JOB] = next(iter(address.ids(query, _ENTRY, most=1)), "") if query.get(_ENTRY) else None
    id_: str | None = st.session_state[_JOB]
    return id_


def _forget() -> None:
    """Takes away what belongs to the file before: its table, choices and problems."""
    job = QUEUE.find(st.session_state.get(_JOB) or "")
    if job is not None:
        job.stop()
    st.session_state[_JOB] = None
    _TABLE.forget()
    for key in (_WHICH, _COUNTS, _PROBLEM):
        st.session_state.pop(key, None)


def _visitor() -> tuple[str, Callable[[], bool]]:
    """This visitor's session, and whether it still lives."""
    context = get_script_run_ctx()
    session = context.session_id if context is not None else ""
    return session, lambda: runtime.exists() and runtime.get_instance().is_active_session(session)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 50:
        return f"about {max(5, 5 * math.ceil(seconds / 5))} seconds"
    minutes = math.ceil(seconds / 60)
    if minutes < 60:
        return f"about {_count(minutes, 'minute')}"
    hours = seconds / 3600
    return f"about {hours:.1f} hours"


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"
