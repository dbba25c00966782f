"""What came of the runs: a table, bars, mistakes; a result kept under a name, taken away, brought back, and used."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from seqdemo.charts import runs as charts
from seqdemo.errors import SeqdemoError
from seqdemo.models.registry import MODELS
from seqdemo.runs.files import MAX_ZIP_BYTES, clean_name
from seqdemo.runs.limits import is_allowed
from seqdemo.runs.view import View
from seqdemo.sizes import MB
from seqdemo.training.settings import OWN_WORDS, TASK_LABELS, foretells
from seqdemo.ui import resources
from seqdemo.ui.pages import PAGES
from seqdemo.ui.shared import address, own_models
from seqdemo.ui.shared.component import component
from seqdemo.ui.shared.marks import plain
from seqdemo.ui.train import train, train_picture, train_plan
from seqdemo.ui.train.train_picture import Shown

_LOADED = "train_loaded"
_address_entries = component("shared/js/address_entries.js")
_MAX_ZIP_MB = MAX_ZIP_BYTES // MB


def render() -> None:
    """Draws all of it; changes when a run ends, not while one trains."""
    now = train.session()
    views = [view for view in map(resources.jobs().view, now.runs) if view is not None]
    runs = train_picture.side_by_side(views) if views else train.on_screen()
    if not runs:
        st.caption("None yet.")
    else:
        if len(views) > len(now.shown) or len(views) > 1:
            _choose_shown(runs)
        _table(runs)
        _mistakes(runs)
    if is_allowed():
        _bring_back()


def _choose_shown(runs: Sequence[Shown]) -> None:
    """Which curves stand over each other."""
    now = train.session()
    labels = {run.view.id: run.label for run in runs}
    key = f"train_shown_{'.'.join(now.shown)}_{len(now.runs)}"
    chosen = st.pills(
        "Curves on screen (up to four)",
        list(labels),
        selection_mode="multi",
        default=[run_id for run_id in now.shown if run_id in labels],
        format_func=labels.__getitem__,
        key=key,
    )
    wanted = [run_id for run_id in labels if run_id in chosen][: train_plan.MAX_RUNS]
    if wanted and set(wanted) != set(now.shown):
        now.shown = wanted
        st.rerun()


def _table(runs: Sequence[Shown]) -> None:
    views, labels = [run.view for run in runs], [run.label for run in runs]
    table = charts.runs_table(views, labels)
    st.dataframe(
        table.assign(
            task=[TASK_LABELS[name] for name in table["task"]],
            model=[MODELS[name].label for name in table["model"]],
        ),
        hide_index=True,
        width="stretch",
        column_config={
            "run": "Run",
            "task": "Task",
            "model": "Model",
            "seed": "Seed",
            "state": "State",
            "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
            "epochs": "Epochs",
            "best_epoch": "Best epoch",
            "validation_accuracy": st.column_config.NumberColumn("Validation", format="percent"),
            "test_accuracy": st.column_config.NumberColumn("Test", format="percent"),
            "test_loss": st.column_config.NumberColumn("Test loss", format="%.3f"),
            "seconds": st.column_config.NumberColumn("Seconds", format="%.1f"),
        },
    )
    bars = bars_table(runs)
    if len(bars):
        st.altair_chart(charts.accuracy_bars(bars), width="stretch", alt=charts.accuracy_alt(bars), key="train_bars")
        st.caption(
            "How to read this: each bar is the share of test sequences answered rightly, by the weights of the best "
            "epoch; the line on it is the 95 % interval, the grey tick what always the same answer gets."
        )
    curves = charts.curves_table(views, labels)
    with st.container(horizontal=True):
        for name, frame, file_name in (("Curves as CSV", curves, "curves.csv"), ("Table as CSV", table, "runs.csv")):
            _download(name, functools.partial(_csv, frame), file_name, "text/csv", name)
        _deletion(runs)
    with st.expander("The curves as a table"):
        st.dataframe(curves[curves["kind"] == "epoch"].dropna(axis="columns", how="all"), hide_index=True)


def _deletion(runs: Sequence[Shown]) -> None:
    """Lets a visitor delete runs that are theirs and have ended, with all their files."""
    own = {run.view.id: run.label for run in runs if run.view.id and run.view.has_ended and train.is_mine(run.view)}
    if not own:
        return
    with st.popover("Delete runs", icon=":material/delete:"):
        chosen = st.pills(
            "Delete now, with curves, models and all files:",
            list(own),
            selection_mode="multi",
            format_func=own.__getitem__,
            key=f"train_deletion_{'.'.join(own)}",
            wrap=True,
        )
        st.button(
            "Delete",
            key="train_delete",
            icon=":material/delete:",
            on_click=_delete,
            args=(chosen,),
            disabled=not chosen,
        )


def _delete(run_ids: Sequence[str]) -> None:
    now = train.session()
    now.problem = now.warning = ""
    for run_id in run_ids:
        try:
            resources.jobs().delete(run_id)
        except SeqdemoError as error:
            now.problem = str(error)
        else:
            now.forget(run_id)


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def bars_table(runs: Sequence[Shown]) -> pd.DataFrame:
    """The runs with a test accuracy, as `charts.runs.accuracy_bars` takes them."""
    rows = []
    for run in runs:
        metrics = run.view.done["metrics"] if run.view.done else {}
        if metrics.get("test_accuracy") is None:
            continue
        low, high = metrics.get("test_interval") or (None, None)
        rows.append(
            {
                "run": run.label,
                "colour": run.colour,
                "accuracy": metrics["test_accuracy"],
                "low": low,
                "high": high,
                "guess": metrics.get("guess_accuracy"),
            }
        )
    return pd.DataFrame(rows).astype({"low": float, "high": float, "guess": float}) if rows else pd.DataFrame(rows)


def _mistakes(runs: Sequence[Shown]) -> None:
    """One result looked at closely: what it confuses, what it gets wrong, and what can be done with it."""
    ended = {run.view.id or run.label: run for run in runs if run.view.done}
    if not ended:
        return
    st.subheader("One run closely", anchor=False)
    run = ended[_closely(ended)]
    done = run.view.done
    assert done is not None
    if foretells(run.view.settings.task):
        st.caption("Which word comes next cannot always be known: what was learned shows in what it writes, above.")
    else:
        _rights_and_wrongs(run, done)
    if run.view.id:
        _keep(run)


def _rights_and_wrongs(run: Shown, done: Mapping[str, Any]) -> None:
    """What a result takes for what, and some that it got wrong."""
    left, right = st.columns([2, 3], gap="medium")
    with left:
        confusion = done.get("confusion")
        if confusion:
            st.markdown("**What it takes for what**")
            st.altair_chart(
                charts.confusion_chart(confusion, run.colour),
                width="stretch",
                alt=charts.confusion_alt(confusion),
                key="train_confusion",
            )
            st.caption("How to read this: a row is what was true, a column what was answered; counts of the test.")
        else:
            st.caption("There is no matrix of confusions for this run.")
    with right:
        wrong = done.get("wrong") or []
        if wrong:
            number = run.view.settings.task == "adding"
            st.markdown("**Farthest from the truth**" if number else "**Some that it got wrong**")
            st.dataframe(wrong_table(wrong), hide_index=True, width="stretch", height=300)
        elif run.view.id and not done.get("confusion") and done["reason"] == "loaded":
            st.caption("It was loaded from a file; its mistakes stand in no file.")
        else:
            st.markdown("**It got none of the test wrong**")


def _closely(ended: Mapping[str, Shown]) -> str:
    """Which one: that of the address as long as no other is chosen; the first with a mistake where it names none."""
    now = train.session()
    usual = next((name for name, run in ended.items() if (run.view.done or {}).get("wrong")), next(iter(ended)))
    asked = now.closely if now.closely in ended else usual
    chosen = st.segmented_control(
        "Run",
        list(ended),
        format_func=lambda name: ended[name].label,
        default=asked,
        required=True,
        key=f"train_pick_{'.'.join(ended)}",
        label_visibility="collapsed",
    )
    if chosen != asked:
        now.closely = chosen
    if now.closely and now.closely not in ended:
        st.caption(plain(address.not_there("closely", now.closely, f"one of {', '.join(ended)}")))
    _address_entries(
        key="train_closely_address",
        data=[address.entries({"closely": chosen} if chosen != usual else {}, ["closely"])],
        height=1,
    )
    return chosen


def wrong_table(wrong: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Examples that were answered wrongly, as columns of text."""

    def shown(value: Any) -> str:
        if isinstance(value, str):
            return value[:600]
        return f"{value:.3f}" if isinstance(value, float) else json.dumps(value)

    columns = {
        "Input": [shown(entry["input"]) for entry in wrong],
        "True": [shown(entry["label"]) for entry in wrong],
        "Answered": [shown(entry["answer"]) for entry in wrong],
    }
    if any(entry.get("probability") is not None for entry in wrong):
        columns["How sure"] = [train_picture.percent(entry["probability"] or 0) for entry in wrong]
    return columns


def _keep(run: Shown) -> None:
    """Save under a name, take away, and use on the other pages."""
    view = run.view
    if view.folder is None:
        if view.message:
            st.caption(plain(view.message))
        return
    st.markdown("**Keep it**")
    if train.is_mine(view):
        _save(run)
        st.caption(kept_words(resources.jobs().view(view.id) or view, time.time()))  # as it is now, saved or not
    else:
        st.caption("Someone else trained this: you can use and download it, but not name it.")
    with st.container(horizontal=True):
        _download_zip(view)
        if view.is_text_model:
            for page in PAGES:
                label = own_models.pages_for(view.settings.model).get(page.path)
                key = f"train_use_{page.path}_{view.id}"
                if label and st.button(f"Use on {label}", icon=":material/arrow_forward:", key=key):
                    own_models.use(view.id)
                    st.switch_page(page.st_page())
    if view.is_text_model:
        st.caption(
            f"There it takes the place of the {MODELS[view.settings.model].label}, under its own name and for you "
            "alone, until you put the other one back in the sidebar. A model that has only seen made-up reviews knows "
            "few words: type sentences like theirs."
        )
        st.caption("Whoever has this link sees the same:")
        st.code(own_models.link(view.id), language=None)
    else:
        st.caption("The other pages read texts with two labels; this run was about something else.")


def kept_words(view: View, now: float) -> str:
    """How long a run's files are kept, in a sentence.

    Args:
        view: The run, which has ended.
        now: Seconds since 1970.
    """
    hours = max(0.0, (view.kept_until or now) - now) / 3600
    left = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 1.5 else "an hour or less"
    is_loaded = view.done is not None and view.done["reason"] == "loaded"
    state = "Saved" if view.is_saved else "Loaded, not saved" if is_loaded else "Not saved"
    with_file = ", your own file among them" if view.settings.task in {"own", OWN_WORDS} else ""
    return f"{state}: all its files are deleted in {left}{with_file}; sooner with “Delete runs”, above."


def _save(run: Shown) -> None:
    view = run.view
    with st.form(f"train_keep_{view.id}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", value=view.name or run.label, max_chars=60, key=f"train_name_{view.id}")
        saved = st.form_submit_button("Save", icon=":material/save:")
    if saved:
        try:
            kept = resources.jobs().save(view.id, name)
        except SeqdemoError as error:
            st.warning(plain(str(error)), icon=":material/info:")
        else:
            st.success(plain(f"Saved as {kept}. Others find it by the link in the address bar only."))


def _download_zip(view: View) -> None:
    if view.folder is None or not view.folder.is_dir():
        st.caption("The folder of this run is gone, so there is nothing left to download.")
        return
    name = view.name or f"{view.settings.model} {view.settings.task}"
    file_name = f"{clean_name(name).replace(' ', '-')}.zip"
    make = functools.partial(resources.jobs().zip_bytes, view.id)
    _download("Download as ZIP", make, file_name, "application/zip", f"zip_{view.id}")


def _download(label: str, make: Callable[[], bytes], file_name: str, mime: str, key: str) -> None:
    """A button whose file is made on the click.

    One made beforehand would be gone from the server as soon as the next run changes it, while the browser
    still asks for it.
    """
    st.download_button(
        label, make, file_name, mime, icon=":material/download:", key=f"train_get_{key}", on_click="ignore"
    )


def _bring_back() -> None:
    """Takes a downloaded model back; the uploader is emptied after each file, which would stay in memory otherwise."""
    state = st.session_state
    n, problem = state.get(_LOADED, (0, ""))
    with st.expander("Load a model that was downloaded here", icon=":material/upload:", expanded=bool(problem)):
        upload = st.file_uploader(
            f"The ZIP file of a text model with two labels, up to {_MAX_ZIP_MB} MB",
            type="zip",
            max_upload_size=_MAX_ZIP_MB,
            key=f"train_zip_{n}",
        )
        if problem:
            st.error(plain(problem), icon=":material/error:")
    if upload is None:
        return
    from seqdemo.training.loaded import read_result  # imports torch

    name, now, problem = upload.name.removesuffix(".zip"), train.session(), ""
    try:
        # A name of which nothing is left is no reason to refuse the model.
        name = name if any(map(str.isalnum, name)) else ""
        now.runs.append(resources.jobs().load_zip(upload.getvalue(), read_result, name=name, visitor=now.visitor))
    except SeqdemoError as error:
        problem = f"{upload.name[:80]}: {error}"
    state[_LOADED] = (n + 1, problem)
    st.rerun()
