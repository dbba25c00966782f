"""The corner of the live page that scores a whole CSV of reviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from seqdemo.data import review_table
from seqdemo.data.review_table import ReviewTable
from seqdemo.errors import DataError
from seqdemo.models.registry import MODELS
from seqdemo.ui import resources
from seqdemo.ui.marks import plain
from seqdemo.ui.review_queue import QUEUE, Job

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from seqdemo.checkpoints.classifier import Classifier

_UPLOAD, _START, _STOP, _DOWNLOAD = (f"review_table_{part}" for part in ("upload", "start", "stop", "download"))
_JOB, _PROBLEM = "review_table_job", "review_table_problem"
_LOOK_EVERY_S = 1.0
_ROWS_SHOWN = 5
_CHARACTERS_SHOWN = 300


def render() -> None:
    """Draws the corner: upload, what was understood, progress, download."""
    with st.expander("Score a CSV of reviews"):
        _panel()


@st.fragment
def _panel() -> None:
    upload = st.file_uploader(
        f"A CSV with a column called text, up to {review_table.MAX_ROWS:,} rows and "
        f"{review_table.MAX_BYTES // 1024**2} MB",
        max_upload_size=review_table.MAX_BYTES // 1024**2,
        key=_UPLOAD,
        on_change=_forget,
    )
    job: Job | None = st.session_state.get(_JOB)
    if job is not None and job.active and not job.given_up:
        st.fragment(_progress, run_every=_LOOK_EVERY_S)(job)
        return
    if upload is not None and (job is None or job.file_id != upload.file_id or job.state != "done"):
        _offer(upload)
    if job is not None:
        _outcome(job)


def _offer(upload: UploadedFile) -> None:
    """What was understood of a file, and the button that starts the work."""
    try:
        table = review_table.parse(upload.getvalue())
    except DataError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    n_scored = len(table.rows_with_words())
    lines = [
        f"{_count(len(table), 'row')} and {_count(len(table.columns), 'column')}, separated by {table.separator_name}s."
    ]
    if n_scored < len(table):
        lines.append(f"{_count(len(table) - n_scored, 'row')} without a word will stay without a probability.")
    if old := table.replaced(list(MODELS)):
        lines.append(f"{_count(len(old), 'column')} of an earlier scoring will be replaced.")
    st.text(" ".join(lines))
    st.dataframe(_first_rows(table), hide_index=True, width="stretch")
    st.button(
        f"Score {_count(n_scored, 'review')}",
        icon=":material/play_arrow:",
        key=_START,
        disabled=n_scored == 0,
        on_click=_start,
        args=(table, upload.name, upload.file_id),
    )
    if problem := st.session_state.pop(_PROBLEM, None):
        st.warning(problem, icon=":material/hourglass_top:")


def _progress(job: Job) -> None:
    """How far the work is; looked at again and again until it ends."""
    job.seen()
    if not job.active or job.given_up:
        st.rerun()  # the whole page once, which also ends the looking
    ahead = QUEUE.n_ahead(job)
    if job.state == "waiting" and ahead:
        others = "Another table is being scored" if ahead == 1 else f"{ahead} other tables come first"
        message = f"{others}; yours is next." if ahead == 1 else f"{others}; yours follows."
    else:
        message = f"Scoring {_count(job.n_rows, 'row')}: {job.share_done:.0%}"
    st.progress(job.share_done, text=message)
    st.button("Stop", icon=":material/stop:", key=_STOP, on_click=_forget)


def _outcome(job: Job) -> None:
    """The finished table to download, or why there is none."""
    if job.state == "failed":
        st.error("This table could not be scored, for a reason that is not in it. Please try again.")
    elif job.state != "done":
        st.info("The scoring was stopped because this page was left. Upload the table again to start anew.")
    else:
        counts = " · ".join(f"{MODELS[name].label} {n:,}" for name, n in job.n_positive.items())
        st.text(f"Positive among {_count(job.n_scored, 'review')}: {counts}")
        for label in job.missing:
            st.text(f"{label} could not be loaded; its column is empty.")
        st.download_button(
            "Download the scored CSV",
            job.result,
            file_name=f"{job.file_name.removesuffix('.csv')}_scored.csv",
            mime="text/csv",
            icon=":material/download:",
            key=_DOWNLOAD,
            on_click="ignore",
        )


def _start(table: ReviewTable, file_name: str, file_id: str) -> None:
    store = resources.store()

    def get_models() -> Mapping[str, Classifier]:
        store.wait()
        return store.ready()

    job = Job(table, file_name=file_name, file_id=file_id, get_models=get_models)
    try:
        QUEUE.submit(job)
    except DataError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        st.session_state[_JOB] = job


def _forget() -> None:
    job: Job | None = st.session_state.pop(_JOB, None)
    if job is not None:
        job.stop()


def _first_rows(table: ReviewTable) -> dict[str, list[str]]:
    return {
        column or " ": [row[index][:_CHARACTERS_SHOWN] for row in table.rows[:_ROWS_SHOWN]]
        for index, column in enumerate(table.columns)
    }


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
