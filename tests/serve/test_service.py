"""Whose models answer a visitor, and within what bounds visitors' own ones are kept."""

import json
import os

import pytest

from seqdemo.models.registry import MODELS
from seqdemo.serve import service as service_module
from seqdemo.serve.service import Service


def test_those_that_came_with_the_app_answer_in_the_registrys_order(service):
    answering = service.answering({})
    assert list(answering.models) == list(MODELS)
    assert (dict(answering.own), answering.loading, dict(answering.failed)) == ({}, (), {})
    assert answering.in_sentence("rnn") == "the RNN"


def test_an_own_model_is_read_once_and_takes_the_place_of_its_kind(service, own_model):
    run_id = own_model("gru")
    answering = service.answering({"gru": run_id})
    assert answering.models["gru"] is service.answering({"gru": run_id}).models["gru"]
    assert answering.models["gru"].sha256 != service.store.get("gru").sha256
    assert answering.label("gru") == answering.in_sentence("gru") == "First try (GRU)"


@pytest.mark.parametrize("run_id", ["x" * 16, "../" * 5 + "x", "", "gru" * 100])
def test_a_run_that_there_is_not_takes_no_place(service, run_id):
    assert service.answering({"gru": run_id}).models["gru"] is service.store.get("gru")


def test_a_model_of_another_kind_takes_no_place(service, own_model):
    assert service.answering({"lstm": own_model("gru")}).own == {}


def test_a_damaged_own_model_leaves_its_place_to_the_usual_one(service, own_model):
    run_id = own_model("gru")
    folder = service.jobs.root / run_id / "checkpoint"
    config = json.loads((folder / "config.json").read_text())
    config["architecture"]["d_hidden"] = 60_000
    (folder / "config.json").write_text(json.dumps(config))
    answering = service.answering({"gru": run_id})
    assert answering.models["gru"] is service.store.get("gru")
    assert answering.own == {}


def test_models_of_visitors_are_kept_within_so_many_bytes(service, own_model, monkeypatch):
    one = service.own_model(service.own_view("lstm", own_model("lstm")))
    size = service._own.n_bytes
    assert 4 * one.n_parameters <= size <= service._own.max_bytes == 256 * 1024**2
    monkeypatch.setattr(service_module, "_OWN_BYTES", size + 10)
    small = Service(service.store, service.jobs, {})
    for name in ("lstm", "gru", "rnn"):
        small.own_model(small.own_view(name, own_model(name)))
        assert small._own.n_bytes <= size + 10
    assert 0 < len(small._own) < 3


def test_a_reason_names_no_path_of_the_server(service, without):
    without("rnn", "vocab.txt")
    (why,) = service.answering({}).failed.values()
    assert "vocab.txt" in why
    assert os.sep + "tmp" not in why
