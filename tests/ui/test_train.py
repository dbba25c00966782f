"""The train page: a recording before any click, runs of real processes, results kept and used, and what is refused."""

import dataclasses
import io
import json
import shutil
import zipfile

import numpy as np
import pytest

from seqdemo.checkpoints import folder
from seqdemo.runs.jobs import Jobs
from seqdemo.runs.limits import Limits
from seqdemo.runs.view import View
from seqdemo.training.settings import PRESETS, RunSettings
from seqdemo.ui import resources
from seqdemo.ui.train import train, train_picture, train_results
from tests.conftest import PATIENCE_S
from tests.unpacked import unpacked

PAGE = "../../pages/train.py"
OWNER = "0123456789abcdef" * 2
"""What the browser of whoever trained the small run keeps."""
TINY = RunSettings(model="rnn", samples=200, distance=4, d_hidden=4, d_embed=4, epochs=2, batch_size=64)
ENDLESS = dataclasses.replace(TINY, task="first_token", length=400, epochs=100, batch_size=2)
"""Minutes of computing."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One small run of a real process: its folder and its id."""
    root = tmp_path_factory.mktemp("trained")
    jobs = Jobs(root, Limits(threads=1))
    run_id = jobs.start(TINY, visitor=OWNER)
    view = jobs.wait(run_id, lambda view: view.has_ended, 300)
    assert view.state == "done", view.message
    events = jobs.events(run_id)
    jobs.close()
    return root, run_id, events


@pytest.fixture
def runs(trained, tmp_path, monkeypatch):
    """A place for runs that holds the one trained beforehand; the registry reads it anew."""
    root = tmp_path / "runs"
    shutil.copytree(trained[0], root)
    monkeypatch.setenv("SEQDEMO_RUNS", str(root))
    resources.jobs.clear()
    resources.service.clear()
    yield root
    resources.jobs().close()
    resources.jobs.clear()
    resources.service.clear()


@pytest.fixture
def recording(pretrained, trained):
    """A recorded preset: what the small run said, twice."""
    folder = pretrained / "runs"
    folder.mkdir()
    run = {"settings": dataclasses.asdict(TINY), "events": trained[2]}
    other = {"settings": dataclasses.asdict(dataclasses.replace(TINY, model="lstm")), "events": trained[2]}
    name = next(iter(PRESETS))
    (folder / f"{name}.json").write_text(json.dumps({"format": 1, "preset": name, "runs": [run, other]}))


@pytest.fixture
def page(ready, runs):
    def open_(*, visitor=OWNER, **query):
        for name, value in query.items():
            ready.query_params[name] = value
        ready.run()
        opened = ready.switch_page(PAGE).run()
        opened.session_state["train_picture"] = {"visitor": visitor}  # what the browser reports
        return opened.run()

    return open_


def picture(page):
    (component,) = [part for part in page.get("bidi_component") if part.proto.component_name == "train"]
    return unpacked(component.proto.bytes)


def said(page):
    parts = [*page.markdown, *page.caption, *page.warning, *page.error, *page.info, *page.text, *page.success]
    return "\n".join(part.value for part in parts).replace("\\", "")


def button(page, label):
    (found,) = [button for button in page.button if button.label == label]
    return found


def ended(root, run_id, settings, *events):
    """Writes a run as an earlier server left it."""
    (root / run_id).mkdir()
    (root / run_id / "settings.json").write_text(json.dumps(dataclasses.asdict(settings)))
    (root / run_id / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return run_id


def test_a_recording_is_on_screen_before_any_click(recording, page):
    opened = page(visitor="f" * 32)
    assert not opened.exception
    header, arrays = picture(opened)
    assert [run["label"] for run in header["runs"]] == ["RNN", "LSTM"]
    assert arrays["0.validation_accuracy"].size == TINY.epochs + 1
    assert arrays["0.gradients"].size == (TINY.epochs + 1) * header["runs"][0]["steps"]
    assert not header["live"]
    assert "Recorded beforehand" in said(opened)


def test_without_a_recording_the_page_invites(page):
    opened = page(visitor="f" * 32)
    assert not opened.exception
    header, _ = picture(opened)
    assert header["runs"] == []
    assert header["invitation"]
    assert "Parameters: RNN" in said(opened)


def test_a_run_is_started_seen_and_ended_by_real_processes(page):
    opened = page(
        **{name: f"{value}" for name, value in TINY.changed().items() if name != "model"},
        models="rnn",
        visitor="f" * 32,
    )
    others = [resources.jobs().start(ENDLESS, visitor="e" * 32) for _ in range(2)]  # so that it waits for its turn
    button(opened, "Start training").click().run()
    assert not opened.exception
    (run_id,) = opened.session_state["train_session"].runs
    button(opened, "Start training").click().run()
    assert "under way already" in said(opened)
    assert len(opened.session_state["train_session"].runs) == 1
    assert picture(opened)[0]["address"]["runs"] == run_id
    for other in others:
        resources.jobs().stop(other)
    view = resources.jobs().wait(run_id, lambda view: view.has_ended, 300)
    assert view.state == "done", view.message
    opened.run()
    assert not opened.exception
    assert "best epoch" in said(opened)
    assert button(opened, "Again")
    assert button(opened, "New seed")


def test_only_who_started_a_run_can_pause_and_stop_it(page):
    opened = page()
    mine = opened.session_state["train_session"].visitor
    assert mine == OWNER
    others = resources.jobs().start(ENDLESS, visitor="f" * 32)
    own = resources.jobs().start(ENDLESS, visitor=OWNER)
    opened.session_state["train_session"].add([others])
    opened.run()
    assert not opened.exception
    assert not [button for button in opened.button if button.label in {"Pause", "Resume", "Stop"}]
    assert "RNN: started by someone else, so you can watch but not pause or stop." in said(opened)
    opened.session_state["train_session"].add([own, others])
    opened.run()
    assert [button.key for button in opened.button if button.label == "Stop"] == [f"train_stop_{own}"]
    assert said(opened).count("started by someone else") == 1
    button(opened, "Stop").click().run()
    assert not opened.exception
    assert resources.jobs().wait(own, lambda view: view.has_ended, 300).has_ended
    assert not resources.jobs().view(others).has_ended
    resources.jobs().stop(others)


def test_who_has_the_link_of_a_result_can_use_it_but_not_name_it(page, trained):
    opened = page(visitor="f" * 32, runs=trained[1])
    assert not opened.exception
    assert "you can use and download it, but not name it" in said(opened)
    labels = [button.label for button in opened.button]
    assert "Save" not in labels
    assert "Use on Live sentiment" in labels
    assert "Again" in labels
    assert [part.proto.label for part in opened.get("download_button")].count("Download as ZIP") == 1


@pytest.mark.parametrize("strange", [None, 7, "", "f" * 31, "<b>", "F" * 32])
def test_a_name_that_no_browser_was_given_is_not_taken(page, strange):
    opened = page(visitor=strange)
    assert not opened.exception
    mine = opened.session_state["train_session"].visitor
    assert mine != strange
    assert picture(opened)[0]["visitor"] == mine
    assert mine not in str(picture(opened)[0]["address"])


def test_a_link_finds_a_run_with_its_table_bars_confusions_and_mistakes(page, trained):
    opened = page(runs=trained[1])
    assert not opened.exception
    assert opened.session_state["train_session"].shown == [trained[1]]
    alts = [chart.proto.alt for chart in opened.get("vega_lite_chart")]
    assert alts[0].startswith("Test accuracy: RNN")
    assert alts[1].startswith("Confusion matrix. negative")
    (table, *_) = opened.dataframe
    assert table.value["task"].tolist() == ["Made-up reviews"]


def closely(opened):
    """The control of "One run closely" and what it puts into the address."""
    (control,) = [group for group in opened.segmented_control if group.key.startswith("train_pick_")]
    (component,) = [part for part in opened.get("bidi_component") if part.proto.component_name == "address_entries"]
    [entries] = json.loads(component.proto.json)
    return control, entries["closely"]


def test_the_run_that_is_looked_at_closely_is_opened_again_by_its_address(recording, page):
    opened = page(visitor="f" * 32)
    control, entry = closely(opened)
    assert entry == "", "the usual one needs no entry"
    other = next(option for option in control.options if option != control.value)
    control.set_value(other).run()
    assert closely(opened)[1] == other
    control, entry = closely(page(visitor="f" * 32, closely=other))
    assert (control.value, entry) == (other, other)


def test_a_run_need_not_be_on_screen_to_be_looked_at_closely(page, trained):
    opened = page(visitor="f" * 32, closely=trained[1])
    assert opened.session_state["train_session"].shown == []
    assert closely(opened)[0].value == trained[1]


@pytest.mark.parametrize("strange", ["none", "../../etc", "<b>", "9" * 5_000])
def test_a_run_that_cannot_be_looked_at_closely_is_said(recording, page, strange):
    opened = page(visitor="f" * 32, closely=strange)
    assert not opened.exception
    assert "The address asks for closely" in said(opened)
    control, entry = closely(opened)
    assert control.value in control.options
    assert entry == ""


@pytest.mark.parametrize("link", ["AAAAAAAAAAAAAAAA", "../../../etc", "<b>", "," * 40 + "x"])
def test_a_link_to_a_run_that_is_not_there_says_so(page, link):
    opened = page(runs=link)
    assert not opened.exception
    assert "not here any more" in said(opened)


def test_a_link_with_settings_fills_the_form_and_a_wrong_one_leaves_the_first_preset(page):
    opened = page(task="parity", length="12", models="gru,lstm", vary="clip_norm", values="0,1")
    assert opened.selectbox(key="train_task").value == "parity"
    assert opened.number_input(key="train_length").value == 12
    assert "Start 4 runs" in [button.label for button in opened.button]


def test_a_link_with_a_wrong_setting_is_answered_with_a_sentence(page):
    opened = page(epochs="-7")
    assert not opened.exception
    assert "The link cannot be used as it is" in said(opened)
    assert opened.number_input(key="train_epochs").value == PRESETS["distance"].runs[0].epochs


def test_too_many_runs_and_none_are_refused_with_a_sentence(page):
    opened = page(models="rnn,gru,lstm", vary="seed", values="1,2")
    assert "These are 6 runs" in said(opened)
    assert opened.button(key="train_start").disabled
    opened.pills(key="train_models").set_value([]).run()
    assert not opened.exception
    assert "Choose at least one model" in said(opened)
    opened.pills(key="train_models").set_value(["rnn"]).run()
    opened.text_input(key="train_values").set_value("1; 2").run()
    assert "is no whole number" in said(opened)


def test_every_task_and_every_setting_to_compare_can_be_chosen(page):
    opened = page()
    for task in opened.selectbox(key="train_task").options:
        opened.selectbox(key="train_task").select(task).run()
        assert not opened.exception, task
    opened.selectbox(key="train_task").select("First token decides").run()
    for name in ("readout", "seed", "forget_bias", "optimiser", "d_hidden", ""):
        opened.selectbox(key="train_vary").set_value(name).run()
        assert not opened.exception, name
        assert not opened.button(key="train_start").disabled, name


def test_where_training_is_off_recordings_are_played_and_nothing_can_be_started(recording, page, monkeypatch):
    monkeypatch.setenv("SEQDEMO_TRAINING", "off")
    opened = page()
    assert not opened.exception
    assert "switched off" in said(opened)
    assert "yourself" not in said(opened)
    offered = {button.key.removeprefix("train_").split("_")[0] for button in opened.button if button.key}
    assert not offered & {"start", "again", "seed", "mend"}, "not even of a run that is here"
    opened.button(key=f"train_preset_{next(iter(PRESETS))}").click().run()
    assert picture(opened)[0]["play"] == 1
    assert resources.jobs().busy() == (0, 0)


def test_an_explosion_says_what_teaches_it_and_offers_to_change_that(page, runs):
    settings = dataclasses.replace(TINY, clip_norm=0.0)
    failed = {"event": "failed", "kind": "nan", "message": "In update 3 the loss was no longer a number.", "at": 1}
    run_id = ended(runs, "b" * 16, settings, failed | {"setting": "clip_norm", "advice": "Switch clipping on."})
    opened = page(runs=run_id)
    assert not opened.exception
    assert "no longer a number" in said(opened)
    assert "What teaches it: Clip gradients at." in said(opened)
    assert button(opened, "Change that and start")
    assert train.mended(resources.jobs().view(run_id)).clip_norm == 1.0


def test_a_run_that_was_killed_says_so(page, runs):
    note = {"event": "ended", "state": "killed", "message": "The run ended: its process was killed.", "kind": "killed"}
    opened = page(runs=ended(runs, "c" * 16, TINY, note))
    assert not opened.exception
    assert "its process was killed" in said(opened)


def test_a_result_is_saved_under_a_cleaned_name(page, trained):
    opened = page(runs=trained[1])
    opened.text_input(key=f"train_name_{trained[1]}").set_value("<b>My first</b> RNN!")
    button(opened, "Save").click().run()
    assert not opened.exception
    assert "Saved as b My first b RNN" in said(opened)
    assert "Saved: all its files are deleted in 30 days" in said(opened)
    assert resources.jobs().view(trained[1]).name == "b My first b RNN"
    opened.text_input(key=f"train_name_{trained[1]}").set_value("!!!")
    button(opened, "Save").click().run()
    assert "at least one letter or digit" in said(opened)


def test_a_model_is_used_on_live_sentiment_under_its_own_name_and_put_back(page, trained, loaded):
    loaded()
    resources.jobs().save(trained[1], "First try")
    opened = page(runs=trained[1])
    button(opened, "Use on Live sentiment").click().run()
    assert not opened.exception
    opened.switch_page("../../pages/sentiment.py").run()
    assert not opened.exception
    cards = next(part for part in opened.get("bidi_component") if part.proto.component_name == "verdicts")
    (data,) = json.loads(cards.proto.json)
    labels = [card["label"] for card in data["cards"]]
    assert labels == ["First try (RNN)", "GRU", "LSTM", "BiLSTM", "Transformer"]
    assert data["models"] == {"rnn": trained[1]}
    opened.switch_page("../../pages/stepper.py").run()
    assert not opened.exception
    opened.button(key="own_back_rnn").click().run()
    assert not opened.exception
    assert not [button for button in opened.button if button.key == "own_back_rnn"]


def test_a_visitor_with_the_link_sees_the_same_model_and_a_deleted_one_is_left_out(page, trained, loaded, runs):
    loaded()
    opened = page(own=trained[1])
    assert "your own" in said(opened)
    shutil.rmtree(runs / trained[1])
    opened.switch_page("../../pages/sentiment.py").run()
    assert not opened.exception


def test_an_own_transformer_answers_on_attention_and_memory(page, loaded, runs, build_small, vocabulary):
    loaded()
    done = {"event": "done", "at": 1, "reason": "finished", "epochs": 1, "best_epoch": 1, "is_text_model": True}
    done |= {"folder": "", "metrics": {}, "confusion": None, "wrong": []}
    run_id = ended(runs, "e" * 16, RunSettings(model="transformer"), done)
    model = build_small("transformer", seed=9)
    kept = {"vocabulary": vocabulary, "metrics": {}, "history": [], "training": {}}
    folder.save(runs / run_id / "checkpoint", name="transformer", model=model, **kept)
    opened = page(own=run_id)
    assert "takes the Transformer's place: Live sentiment, Attention, Memory" in said(opened)
    for name in ("attention", "memory"):
        opened.switch_page(f"../../pages/{name}.py").run()
        assert not opened.exception, name
        assert "takes the Transformer's place" in said(opened)


def test_a_zip_that_was_downloaded_can_be_loaded_back_and_another_file_is_refused(page, trained):
    opened = page(runs=trained[1])
    content = resources.jobs().zip_bytes(trained[1])
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert "model.safetensors" in file.namelist()
    opened.file_uploader(key="train_zip_0").set_value(("bad.zip", b"no zip", "application/zip")).run()
    assert not opened.exception
    assert "bad.zip: This is not a ZIP file" in said(opened)
    opened.file_uploader(key="train_zip_1").set_value(("My LSTM.zip", content, "application/zip")).run()
    assert not opened.exception
    assert "not a ZIP file" not in said(opened), "it was about the file before"
    _, loaded_id = opened.session_state["train_session"].runs
    assert resources.jobs().view(loaded_id).name == "My LSTM"
    assert opened.file_uploader(key="train_zip_2").value is None, "the file is not kept in memory"
    (pick,) = [choice for choice in opened.get("button_group") if choice.label == "Run"]
    pick.set_value(loaded_id).run()
    assert "Loaded, not saved: all its files are deleted in 24 hours" in said(opened)


def test_a_damaged_result_breaks_no_page_and_leaves_nothing(page, trained, runs):
    opened = page()
    before = sorted(runs.iterdir())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(resources.jobs().zip_bytes(trained[1]))) as good, zipfile.ZipFile(out, "w") as bad:
        for name in good.namelist():
            bad.writestr(name, b'{"test_accuracy": {"a": 1}}' if name == "metrics.json" else good.read(name))
    opened.file_uploader(key="train_zip_0").set_value(("bad.zip", out.getvalue(), "application/zip")).run()
    assert not opened.exception
    assert "bad.zip: metrics.json: test_accuracy is a number from 0 to 1" in said(opened)
    assert str(runs) not in said(opened)
    assert sorted(runs.iterdir()) == before


def test_a_visitor_finds_his_runs_without_their_link(page, trained):
    opened = page()
    assert opened.session_state["train_session"].runs == [trained[1]]
    assert opened.session_state["train_session"].shown == [trained[1]]
    assert [run["label"] for run in picture(opened)[0]["runs"]] == ["RNN"]
    assert picture(opened)[0]["address"]["runs"] == trained[1]
    assert "Recorded beforehand" not in said(opened)


def test_a_visitor_finds_his_runs_beside_that_of_a_link(page, trained):
    other = resources.jobs().start(TINY, visitor="f" * 32)
    opened = page(runs=other)
    assert opened.session_state["train_session"].runs == [trained[1], other]
    assert opened.session_state["train_session"].shown == [other], "the link says what is on screen"
    resources.jobs().stop(other)


def test_the_runs_of_others_are_not_found(page):
    opened = page(visitor="f" * 32)
    assert opened.session_state["train_session"].runs == []


def test_a_run_is_deleted_with_its_files_by_its_visitor_alone(page, trained, runs):
    stranger = page(visitor="f" * 32, runs=trained[1])
    assert not [button for button in stranger.button if button.label == "Delete"]
    stranger.session_state["train_picture"] = {"visitor": OWNER}
    opened = stranger.run()
    assert "Not saved: all its files are deleted in 24 hours" in said(opened)
    assert button(opened, "Delete").disabled
    choice(opened, "Delete now, with curves, models and all files:").set_value([trained[1]]).run()
    button(opened, "Delete").click().run()
    assert not opened.exception
    assert not (runs / trained[1]).exists()
    assert opened.session_state["train_session"].runs == []
    assert not picture(opened)[0]["address"]["runs"]


def test_a_click_on_a_preset_fills_the_form_and_plays_what_it_did_and_starts_nothing(recording, page, runs):
    opened = page(visitor="f" * 32)
    opened.selectbox(key="train_task").set_value("parity").run()
    before = sorted(runs.iterdir())
    opened.button(key="train_preset_distance").click().run()
    assert not opened.exception
    assert opened.selectbox(key="train_task").value == "synthetic"
    assert button(opened, "Start 2 runs")
    header, _ = picture(opened)
    assert (header["play"], [run["label"] for run in header["runs"]]) == (1, ["RNN", "LSTM"])
    assert "press Start to train it yourself" in said(opened)
    assert sorted(runs.iterdir()) == before
    assert resources.jobs().busy() == (0, 0)


def test_a_click_on_a_preset_leaves_what_is_being_trained_on_screen(recording, page):
    opened = page()
    own = resources.jobs().start(ENDLESS, visitor=OWNER)
    opened.session_state["train_session"].add([own])
    opened.run()
    opened.button(key="train_preset_clipping").click().run()
    assert opened.session_state["train_session"].shown == [own]
    assert opened.selectbox(key="train_task").value == "adding"
    resources.jobs().stop(own)


def test_a_run_that_waits_says_so_and_for_how_many(page):
    opened = page()
    others = [resources.jobs().start(ENDLESS, visitor="f" * 32) for _ in range(3)]
    own = resources.jobs().start(TINY, visitor=OWNER)
    opened.session_state["train_session"].add([own])
    opened.run()
    assert "waiting · 3 runs ahead" in said(opened)
    assert picture(opened)[0]["title"] == "RNN waits for 3 runs ahead"
    for run_id in (own, *others):
        resources.jobs().stop(run_id)


def test_the_page_sets_its_own_entries_of_the_address_and_no_other(page):
    opened = page(own="x" * 16, review="good", epochs="7", models="gru")
    entries = picture(opened)[0]["address"]
    assert set(entries) == set(train.IN_ADDRESS)
    assert {name: value for name, value in entries.items() if value}.items() >= {"epochs": "7", "models": "gru"}.items()


@pytest.mark.parametrize("name", ["epochs", "learning_rate", "task", "models", "runs", "preset"])
def test_no_entry_of_an_address_breaks_the_page(page, name):
    opened = page(**{name: "9" * 5_000})
    assert not opened.exception
    assert button(opened, "Start 2 runs")


def uploaded(page, rows, *, name="mine.csv", header="review,stars", **query):
    opened = page(task="own", models="rnn", **query)
    assert "Upload a table to train on" in said(opened)
    content = (header + "\n" + "\n".join(rows) + "\n").encode()
    opened.file_uploader(key="train_upload").set_value((name, content, "text/csv")).run()
    assert not opened.exception
    return opened


def choice(page, label):
    (found,) = [group for group in page.get("button_group") if group.label == label]
    return found


YELP = ["a good film,5", "a bad film,1"] * 20


def test_an_own_file_says_before_training_what_is_read_as_positive_and_that_can_be_changed(page, runs):
    opened = uploaded(page, YELP)
    assert opened.selectbox(key="train_table_text").value == "review"
    assert opened.selectbox(key="train_table_label").value == "stars"
    assert "“5” is read as positive: 20 rows. “1” is read as negative: 20 rows." in said(opened)
    assert not opened.button(key="train_start").disabled
    choice(opened, "Positive is").set_value("1").run()
    assert "“1” is read as positive: 20 rows. “5” is read as negative: 20 rows." in said(opened)
    opened.button(key="train_start").click().run()
    assert not opened.exception
    run_id = opened.session_state["train_session"].runs[-1]
    assert json.loads((runs / run_id / "data.json").read_text())["classes"] == ["5", "1"]
    resources.jobs().stop(run_id)


def test_where_nobody_can_know_which_label_is_positive_it_is_asked(page):
    opened = uploaded(page, ["a good film,ham", "a bad film,spam"] * 20, header="text,label")
    assert "Which label is the positive one?" in said(opened)
    assert opened.button(key="train_start").disabled
    choice(opened, "Positive is").set_value("spam").run()
    assert "“spam” is read as positive" in said(opened)
    assert not opened.button(key="train_start").disabled


def test_stars_are_two_answers_at_first_and_more_labels_say_at_once_that_other_pages_want_two(page):
    opened = uploaded(page, [f"a film of {n} stars,{n}" for n in range(1, 6)] * 10)
    assert "“positive (4, 5)” is read as positive: 20 rows. “negative (1, 2)” is read as negative" in said(opened)
    assert "10 rows with another label (“3”)" in said(opened)
    choice(opened, "Positive is").set_value("no").run()
    assert "“positive (1, 2)” is read as positive" in said(opened)
    opened.radio(key="train_table_as").set_value(False).run()
    assert not opened.exception
    assert "With 5 labels the result can be tested on this page; the others, such as Live sentiment, want two." in said(
        opened
    )
    assert "50 texts with 5 labels" in said(opened)
    opened.pills(key="train_table_labels").set_value(["1", "5"]).run()
    assert "“5” is read as positive: 10 rows" in said(opened)
    opened.pills(key="train_table_labels").set_value(["1"]).run()
    assert "Two to ten labels are needed" in said(opened)
    assert opened.button(key="train_start").disabled


def test_a_rare_label_is_left_out_and_said(page):
    opened = uploaded(page, [*YELP, "so so,maybe"], header="review,rating")
    assert "1 row with another label (“maybe”)" in said(opened)
    assert not opened.button(key="train_start").disabled


def test_other_columns_can_be_picked_and_problems_of_the_file_before_vanish(page):
    opened = uploaded(page, ["one,two"] * 30, header="a,b")
    assert "Which column holds the labels? This table has “a”, “b”." in said(opened)
    rows = [f"{text},{n},x" for n in range(2) for text in ("a good film", "a bad film") for _ in range(10)]
    content = ("words,mark,rest\n" + "\n".join(rows)).encode()
    opened.file_uploader(key="train_upload").set_value(("b.csv", content, "text/csv")).run()
    assert "This table has “a”, “b”" not in said(opened)
    assert "This table has “words”, “mark”, “rest”" in said(opened)
    opened.selectbox(key="train_table_label").set_value("mark").run()
    assert "“1” is read as positive: 20 rows" in said(opened)
    assert not [error for error in opened.error if error.value]
    opened.selectbox(key="train_table_label").set_value("rest").run()
    assert "Two to ten labels are needed" in said(opened)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b"text,label\nonly,one\n", "Two to ten labels"),
        (b"\x00\x01\x02", "This file is not UTF-16"),
        (b"", "This file is empty"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_with_a_sentence(page, content, answer):
    opened = page(task="own")
    opened.file_uploader(key="train_upload").set_value(("mine.csv", content, "text/csv")).run()
    assert not opened.exception
    assert answer in said(opened)
    assert [error.value for error in opened.error]
    assert opened.button(key="train_start").disabled


def test_an_own_text_is_read_and_a_model_learns_to_go_on_with_it(page, runs):
    opened = page(task="own_words", models="gru", length=10, epochs=1, d_hidden=4, d_embed=4)
    start = opened.button(key="train_start")
    assert start.disabled
    assert "stored on the server with the run" in said(opened)
    opened.file_uploader(key="train_upload_words").set_value(("short.txt", b"too short", "text/plain")).run()
    assert "at least 2,000 are needed" in said(opened)
    assert opened.button(key="train_start").disabled
    text = b"one two three four. " * 500
    opened.file_uploader(key="train_upload_words").set_value(("own.txt", text, "text/plain")).run()
    assert "2,500 words and marks, 5 different ones." in said(opened)
    opened.button(key="train_start").click().run()
    assert not opened.exception
    run_id = next(path.name for path in runs.iterdir() if (path / "data.json").is_file())
    assert (runs / run_id / "data.json").read_bytes().decode() == text.decode()
    view = resources.jobs().wait(run_id, lambda view: view.has_ended, PATIENCE_S)
    assert view.state == "done", view.message
    assert view.epochs[-1]["sample"]["text"]
    assert f"GRU {view.start['parameters']:,}." in said(opened), "what was said before"
    opened.run()
    assert "perplexity" in picture(opened)[0]["title"]
    assert "your own file among them" in train_results.kept_words(view, 0.0)


def test_it_is_said_how_long_an_own_file_is_kept(page):
    assert "deleted with it: after 24 hours, or 30 days if you save the run" in said(page(task="own"))


def shown(**changes):
    settings = dataclasses.replace(TINY, **changes.pop("settings", {}))
    view = View(id="d" * 16, settings=settings, state="done")
    view.start = {
        "guess_accuracy": 0.5,
        "ceiling": 1.0,
        "updates_per_epoch": 2,
        "loss": "cross-entropy",
        "device": "CPU",
        "precision": "fp32",
    }
    entry = {"train_loss": None, "train_accuracy": None, "validation_loss": 0.7, "gradient_by_step": [0.1, 0.2]}
    accuracy = changes.pop("accuracy")
    view.epochs = [
        entry | {"epoch": 0, "validation_accuracy": 0.5},
        entry | {"epoch": 1, "validation_accuracy": accuracy},
    ]
    view.done = {"metrics": {"test_accuracy": accuracy}, "best_epoch": 1, "epochs": 1}
    for name, value in changes.items():
        setattr(view, name, value)
    return view


def test_the_finding_says_who_learned_and_who_guesses():
    views = [shown(accuracy=0.52), shown(accuracy=0.99, settings={"model": "lstm"})]
    assert train_picture.finding(train_picture.side_by_side(views)) == (
        "LSTM (99\u00a0%) learns it; RNN (52\u00a0%) stays at guessing"
    )
    broken = shown(accuracy=0.5, state="failed", done=None)
    assert train_picture.finding(train_picture.side_by_side([broken])) == "RNN breaks off"
    going = shown(accuracy=0.6, state="running", done=None)
    assert train_picture.finding(train_picture.side_by_side([going])) == "After 1 epoch: RNN 60\u00a0%"


def writing(right, **changes):
    """A run that foretells words; after its best epoch so many of 100 verbs agree."""
    view = shown(accuracy=0.52, settings={"task": "next_word", **changes.pop("settings", {})}, **changes)
    view.start |= {"known_losses": {"the grammar itself": 1.3}}
    for entry, n in zip(view.epochs, (50, right), strict=True):
        sample = {"text": f"the film {n}", "verbs_agree": n, "verbs": 100}
        entry |= {"sample": sample, "best_epoch": entry["epoch"]}
    return view


def test_of_who_foretells_words_the_finding_says_how_many_verbs_agree():
    views = [writing(98), writing(60, settings={"model": "lstm"}), writing(74, settings={"model": "gru"})]
    runs = train_picture.side_by_side(views)
    assert train_picture.finding(runs) == (
        "RNN (98\u00a0% of its verbs agree) learns it; GRU (74\u00a0% of its verbs agree) learns part of it; "
        "LSTM (60\u00a0% of its verbs agree) stays at guessing"
    )
    going = writing(70, state="running", done=None)
    going.epochs[-1]["best_epoch"] = 0
    assert train_picture.finding(train_picture.side_by_side([going])).endswith("RNN 50\u00a0% of its verbs agree")
    header, _ = unpacked(train_picture.message(runs))
    assert [sample["text"] for sample in header["runs"][0]["samples"]] == ["the film 50", "the film 98"]
    assert header["runs"][0]["known_losses"] == {"the grammar itself": 1.3}
    own = shown(accuracy=0.2, settings={"task": "own_words"})
    own.start |= {"guess_loss": 1.5, "known_losses": {"counting pairs": 0.6}}
    assert train_picture.finding(train_picture.side_by_side([own])) == "RNN (perplexity 2) learns it"
    others, _ = unpacked(train_picture.message(train_picture.side_by_side([shown(accuracy=0.5)])))
    assert (others["runs"][0]["samples"], others["runs"][0]["known_losses"]) == ([], {})


def test_who_reads_both_ways_cannot_be_asked_for_the_next_word(page):
    opened = page(task="next_word", models="gru")
    assert not opened.button(key="train_start").disabled
    opened.pills(key="train_models").set_value(["bilstm"]).run()
    assert "BiLSTM reads in both directions" in said(opened)
    assert opened.button(key="train_start").disabled


def test_two_runs_of_one_model_have_its_colour_and_different_dashes():
    views = [shown(accuracy=0.5, settings={"seed": seed}) for seed in (1, 2, 3, 4)]
    runs = train_picture.side_by_side(views)
    assert len({run.colour for run in runs}) == 1
    assert len({run.dash for run in runs}) == 4
    assert len({run.label for run in runs}) == 4


def test_a_loss_beyond_all_bounds_still_travels():
    view = shown(accuracy=0.5)
    view.steps = [{"update": 1, "loss": 1e300, "gradient_norm": float("inf")}]
    header, arrays = unpacked(train_picture.message(train_picture.side_by_side([view])))
    assert arrays["0.loss"].tolist() == [np.inf]
    assert np.isnan(arrays["0.train_accuracy"]).all()
    assert header["runs"][0]["guess"] == 0.5


def test_the_state_of_a_run_is_one_line():
    view = shown(accuracy=0.5, state="queued", done=None, start=None, place=2)
    assert train_picture.status(view) == "waiting"
    assert train_picture.duration(3.6) == "4\u00a0s"
    assert train_picture.duration(125) == "2\u00a0min 5\u00a0s"
