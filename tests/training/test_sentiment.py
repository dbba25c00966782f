import json
import math

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from seqdemo.data.examples import Examples, evaluation_views
from seqdemo.errors import TrainingError
from seqdemo.models.registry import MODELS
from seqdemo.training import engine
from seqdemo.training.config import TrainingConfig
from seqdemo.training.gathered import Gathered
from seqdemo.training.sentiment import evaluate, fit, predict_logits, training_loss, worst_step

pytestmark = pytest.mark.usefixtures("every_state")
CPU = torch.device("cpu")
GOOD, BAD, FULL_STOP = 10, 11, 12


def make_examples(n=64, seed=0):
    """Texts that hold one good or one bad word somewhere, which is their label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    ids = [rng.integers(13, 30, int(length)) for length in rng.integers(3, 12, n)]
    for text, label in zip(ids, labels, strict=True):
        text[rng.integers(len(text))] = GOOD if label else BAD
    return Examples(ids, labels, [np.array([len(text) - 1]) for text in ids])


@pytest.fixture(scope="module")
def training():
    return make_examples()


@pytest.fixture(scope="module")
def validation():
    return make_examples(n=40, seed=1)


def settings(**changes):
    standard = {"epochs": 3, "batch_size": 8, "learning_rate": 1e-2, "precision": "fp32", "patience": 50}
    return TrainingConfig(**{**standard, **changes})


def run(model, training, validation, config, **options):
    if "on_event" in options:
        listen = options["on_event"]
        options["on_event"] = lambda event: listen(event.plain())
    return fit(model, training, validation, config, device=CPU, **options)


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def without_time(history):
    return [{name: value for name, value in entry.items() if name != "seconds"} for entry in history]


@pytest.mark.parametrize("name", MODELS)
def test_each_model_learns_which_word_decides(build_small, training, validation, name):
    model = build_small(name, embed_dropout=0.0, dropout=0.0)
    config = settings(epochs=15, crop_share=0.0, word_dropout=0.0, patience=5)
    progress = run(model, training, validation, config)
    assert progress.best["validation_accuracy"] > 0.9
    assert evaluate(model, validation, device=CPU)["accuracy"] == pytest.approx(progress.best["validation_accuracy"])
    assert len(progress.history) == progress.epoch
    assert progress.history[-1]["train_loss"] < progress.history[0]["train_loss"]


@pytest.mark.parametrize("name", ["gru", "transformer"])
def test_the_same_seed_gives_the_same_curve_and_another_seed_another(build_small, training, validation, name):
    def one(seed):
        model = build_small(name)
        return without_time(run(model, training, validation, settings(seed=seed)).history), weights(model)

    (curve, final), (again, final_again), (other, _) = one(1), one(1), one(2)
    assert curve == again
    assert_equal(final, final_again)
    assert curve != other


def test_each_epoch_sees_other_views_of_the_reviews(build_small, training, validation):
    model = build_small("gru", embed_dropout=0.0, dropout=0.0)
    config = settings(learning_rate=1e-12, word_dropout=0.3)  # nothing is learnt: only the views can differ
    losses = [entry["train_loss"] for entry in run(model, training, validation, config).history]
    assert abs(losses[0] - losses[1]) > 1e-5
    assert abs(losses[1] - losses[2]) > 1e-5


class Interrupted(BaseException):
    """Stands for the key press that stops a run."""


@pytest.mark.parametrize("name", ["lstm", "transformer"])
@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_resumed_run_ends_exactly_as_an_uninterrupted_one(
    build_small, training, validation, tmp_path, name, schedule
):
    config = settings(epochs=5, schedule=schedule)
    whole = build_small(name)
    wanted = run(whole, training, validation, config)

    def interrupt(event):
        if event["event"] == "step" and event["epoch"] == 3:
            raise Interrupted

    state_file = tmp_path / "state.safetensors"
    with pytest.raises(Interrupted):
        run(build_small(name), training, validation, config, state_file=state_file, on_event=interrupt)
    resumed = build_small(name, seed=99)  # other weights, which the state replaces
    events = []
    found = run(resumed, training, validation, config, state_file=state_file, resume=True, on_event=events.append)
    assert [event["event"] for event in events[:4]] == ["start", "precision", "epoch", "epoch"], "it tells what it told"
    assert events[1]["says"] == "The run goes on in fp32, as asked for."
    assert events[4]["epoch"] == 3
    assert without_time(found.history) == without_time(wanted.history)
    assert (found.best_epoch, found.best_score) == (wanted.best_epoch, wanted.best_score)
    assert_equal(weights(resumed), weights(whole))


def test_a_state_that_takes_long_to_write_is_written_less_often_and_gone_on_from_all_the_same(
    build_small, training, validation, tmp_path, monkeypatch
):
    config, state_file = settings(epochs=5), tmp_path / "state.safetensors"
    whole, resumed = build_small("gru"), build_small("gru", seed=99)
    run(whole, training, validation, config)

    def saved_epoch():
        with safe_open(state_file, "pt") as file:
            return json.loads(file.metadata()["progress"])["epoch"]

    def interrupt(event):
        if event["event"] == "step" and event["epoch"] == 4:
            raise Interrupted

    monkeypatch.setattr(engine, "LONG_SAVE_S", 0.0)  # every state takes long
    monkeypatch.setattr(engine, "SAVING_SHARE", 1e-9)
    with pytest.raises(Interrupted):
        run(build_small("gru"), training, validation, config, state_file=state_file, on_event=interrupt)
    assert saved_epoch() == 1
    run(resumed, training, validation, config, state_file=state_file, resume=True)
    assert saved_epoch() == 5
    assert_equal(weights(resumed), weights(whole))


def test_without_a_state_file_resuming_starts_anew(build_small, training, validation, tmp_path):
    state_file = tmp_path / "state.safetensors"
    progress = run(build_small("rnn"), training, validation, settings(epochs=1), state_file=state_file, resume=True)
    assert progress.epoch == 1
    assert state_file.is_file()
    assert list(tmp_path.iterdir()) == [state_file]


def test_a_finished_run_resumes_to_its_end(build_small, training, validation, tmp_path):
    options = {"state_file": tmp_path / "state.safetensors"}
    first, second = build_small("rnn"), build_small("rnn", seed=9)
    run(first, training, validation, settings(), **options)
    progress = run(second, training, validation, settings(), resume=True, **options)
    assert progress.epoch == 3
    assert_equal(weights(first), weights(second))


@pytest.fixture
def state_file(build_small, training, validation, tmp_path):
    path = tmp_path / "state.safetensors"
    run(build_small("gru"), training, validation, settings(epochs=1), state_file=path)
    return path


def refusal(build_small, training, validation, state_file, *, name="gru", **changes):
    model, config = build_small(name), settings(**{"epochs": 1, **changes})
    with pytest.raises(TrainingError) as caught:
        run(model, training, validation, config, state_file=state_file, resume=True)
    return str(caught.value)


def test_the_state_of_a_run_with_other_settings_is_refused(build_small, training, validation, state_file):
    said = refusal(build_small, training, validation, state_file, learning_rate=2e-2)
    assert said == f"{state_file} belongs to a run with other settings; start again without --resume."


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_the_state_of_another_model_is_refused(build_small, training, validation, state_file, name):
    said = refusal(build_small, training, validation, state_file, name=name)
    assert str(state_file) in said
    assert "start again without --resume" in said


@pytest.mark.parametrize(
    "break_it",
    [
        lambda path: path.write_bytes(path.read_bytes()[:500]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not a state"),
        lambda path: save_file({"x": torch.zeros(1)}, path),
    ],
    ids=["cut", "empty", "text", "another safetensors file"],
)
def test_a_broken_state_is_refused(build_small, training, validation, state_file, break_it):
    break_it(state_file)
    said = refusal(build_small, training, validation, state_file)
    assert str(state_file) in said
    assert "start again without --resume" in said


def test_a_loss_that_is_no_number_stops_the_run_with_advice(build_small, training, validation):
    model = build_small("rnn")
    with torch.no_grad():
        model.head.bias.fill_(math.nan)
    with pytest.raises(TrainingError) as caught:
        run(model, training, validation, settings())
    assert str(caught.value) == (
        "In update 1 the loss was no longer a number: values had grown until they could not be written down. "
        "Take a smaller learning rate, 0.001 instead of 0.01: each update goes less far."
    )


def rates(build_small, training, validation, **changes):
    """The learning rate of every update, one update an epoch, as shares of the highest."""
    config = settings(batch_size=len(training), **changes)
    events = []
    progress = run(build_small("rnn"), training, validation, config, on_event=events.append)
    return [e["learning_rate"] / config.learning_rate for e in events if e["event"] == "step"], progress


def test_the_cosine_rises_over_the_warm_up_and_falls_towards_zero(build_small, training, validation):
    found, _ = rates(build_small, training, validation, epochs=10, warmup_share=0.2)
    wanted = [0.5, 1.0, *(0.5 * (1 + math.cos(math.pi * k / 8)) for k in range(8))]
    assert found == pytest.approx(wanted)


def test_the_plateau_halves_the_rate_after_each_epoch_without_a_better_accuracy(build_small, training, validation):
    frozen = {"learning_rate": 1e-12}  # nothing is learnt, so the first epoch stays the best
    found, progress = rates(build_small, training, validation, epochs=6, warmup_share=0.0, schedule="plateau", **frozen)
    assert found == pytest.approx([1, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 16])
    assert progress.best_epoch == 1


def test_a_run_stops_when_patience_ends_and_keeps_the_best_epoch(build_small, training, validation):
    found, progress = rates(build_small, training, validation, epochs=20, patience=3, learning_rate=1e-12)
    assert len(found) == progress.epoch == 4
    assert progress.best_epoch == 1


def test_gradients_are_clipped_to_the_norm_asked_for(build_small, training, validation):
    def largest_move(clip_norm):
        model = build_small("rnn")
        before = weights(model)
        batch = settings(epochs=1, batch_size=len(training), clip_norm=clip_norm, warmup_share=0.0, weight_decay=0.0)
        run(model, training, validation, batch)
        return max((tensor - before[name]).abs().max().item() for name, tensor in weights(model).items())

    # AdamW's first step is lr · g / (|g| + 1e-8): about lr, unless clipping made every g far smaller than 1e-8.
    assert largest_move(0) == pytest.approx(1e-2, rel=1e-2)
    assert largest_move(1e-10) < 1e-3


def test_events_are_plain_values_in_the_order_of_the_run(build_small, training, validation):
    import json

    events = []
    run(build_small("gru"), training, validation, settings(epochs=2), on_event=events.append)
    assert json.loads(json.dumps(events)) == events
    assert [e["epoch"] for e in events if e["event"] == "epoch"] == [1, 2]
    steps = [(e["epoch"], e["update"], e["updates"]) for e in events if e["event"] == "step"]
    assert steps == [(1, 8, 16), (2, 10, 16), (2, 16, 16)]


def batch_of(examples, rows):
    return Gathered(evaluation_views(examples.pick(np.array(rows))), CPU)[0]


def loss_of(model, batch, config):
    return training_loss(model, model.embedding(batch.ids), batch, config)


def test_the_loss_is_the_cross_entropy_with_smoothed_labels(build_small, training):
    model, batch = build_small("transformer"), batch_of(training, range(6))
    config = settings(label_smoothing=0.1)
    logits = model(batch.ids, batch.lengths)[:, 0]
    target = torch.where(batch.labels == 1, 0.95, 0.05)
    wanted = F.binary_cross_entropy_with_logits(logits, target)
    torch.testing.assert_close(loss_of(model, batch, config), wanted)


def test_the_loss_along_the_text_weighs_later_words_more(build_small, training):
    model, batch = build_small("gru"), batch_of(training, range(6))
    each = []
    for ids, length, label in zip(batch.ids, batch.lengths, batch.labels, strict=True):
        logits = model.step_logits(ids[None, :length], length[None])[0, :, 0]
        losses = F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(label)), reduction="none")
        gain = torch.arange(1, length + 1) / length
        each.append(0.75 * losses[-1] + 0.25 * (losses * gain).sum() / gain.sum())
    found = loss_of(model, batch, settings(label_smoothing=0.0, step_loss=0.25))
    torch.testing.assert_close(found, torch.stack(each).mean())


@pytest.mark.parametrize("name", ["gru", "bilstm", "transformer"])
def test_the_worst_step_has_its_length_in_every_text_and_raises_the_loss_more_than_chance_does(
    name, build_small, training
):
    model, batch, config = build_small(name).eval(), batch_of(training, range(6)), settings()
    words = model.embedding(batch.ids)
    words.retain_grad()
    loss = training_loss(model, words, batch, config)
    loss.backward()
    step = worst_step(words, 0.5)
    lengths = step.flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full_like(lengths, 0.5) * words.std())
    chance = torch.randn_like(step)
    chance *= (lengths / chance.flatten(1).norm(dim=1))[:, None, None]
    raised, by_chance = (training_loss(model, words + r, batch, config) - loss for r in (step, chance))
    assert raised > 3 * abs(by_chance) > 0


def test_adversarial_training_learns_and_stays_right_where_the_words_are_moved(build_small, training, validation):
    model, plain = build_small("lstm"), build_small("lstm")
    run(model, training, validation, settings(epochs=10, adversarial=2.0))
    run(plain, training, validation, settings(epochs=10))
    assert evaluate(model, validation, device=CPU)["accuracy"] > 0.8

    def worst_loss(trained):
        trained.eval()
        batch = batch_of(validation, range(len(validation)))
        words = trained.embedding(batch.ids)
        words.retain_grad()
        training_loss(trained, words, batch, settings()).backward()
        return training_loss(trained, words + worst_step(words, 2.0), batch, settings()).item()

    assert worst_loss(model) < worst_loss(plain)


def test_logits_come_in_the_order_of_the_examples(build_small, validation):
    model = build_small("lstm")
    found = predict_logits(model, validation, device=CPU)
    assert found.dtype == np.float32
    alone = [model(torch.from_numpy(ids)[None], torch.tensor([len(ids)])).item() for ids in validation.ids]
    np.testing.assert_allclose(found, alone, atol=1e-5)
    scores = evaluate(model, validation, device=CPU)
    assert scores["accuracy"] == pytest.approx(np.mean((np.array(alone) > 0) == (validation.labels == 1)))
    wanted = F.binary_cross_entropy_with_logits(torch.tensor(alone), torch.from_numpy(validation.labels).float())
    assert scores["loss_nats"] == pytest.approx(wanted.item(), abs=1e-5)


def test_averaged_weights_are_kept_and_resuming_gives_those_of_an_uninterrupted_run(
    build_small, training, validation, tmp_path
):
    config = settings(average_decay=0.9)
    whole = build_small("lstm")
    history = run(whole, training, validation, config).history

    class CutError(Exception):
        pass

    def cut(event):
        if event["event"] == "epoch" and event["epoch"] == 2:
            raise CutError

    state = tmp_path / "state.safetensors"
    with pytest.raises(CutError):
        run(build_small("lstm"), training, validation, config, state_file=state, on_event=cut)
    resumed = build_small("lstm")
    again = run(resumed, training, validation, config, state_file=state, resume=True).history
    assert without_time(again) == without_time(history)
    assert_equal(weights(resumed), weights(whole))


def test_an_average_lags_behind_the_weights_it_averages(build_small, training, validation):
    plain, averaged = build_small("lstm"), build_small("lstm")
    start = weights(plain)["head.weight"]
    run(plain, training, validation, settings(epochs=1))
    run(averaged, training, validation, settings(epochs=1, average_decay=0.99))
    moved = [(weights(model)["head.weight"] - start).norm() for model in (plain, averaged)]
    assert 0 < moved[1] < moved[0]


def test_word_vectors_can_be_left_as_they_are(build_small, training, validation):
    model = build_small("lstm")
    before = weights(model)
    run(model, training, validation, settings(epochs=1, embedding_rate=0.0))
    after = weights(model)
    assert torch.equal(after["embedding.weight"], before["embedding.weight"])
    assert not torch.equal(after["head.weight"], before["head.weight"])


@pytest.mark.parametrize("name", MODELS)
def test_gradual_unfreezing_teaches_the_head_first_then_the_layers_then_the_words(
    build_small, training, validation, name
):
    def changed(epochs):
        model = build_small(name)
        before = weights(model)
        run(model, training, validation, settings(gradual=True, epochs=epochs, keep="last"))
        return {
            tensor_name.split(".")[0]
            for tensor_name, tensor in model.state_dict().items()
            if not torch.equal(tensor, before[tensor_name])
        }

    everything = {tensor_name.split(".")[0] for tensor_name in build_small(name).state_dict()}
    assert changed(1) == {"head"}
    assert changed(2) == everything - {"embedding"}
    assert changed(3) == everything


def test_the_last_epoch_is_kept_on_demand(build_small, training, validation):
    model = build_small("lstm")
    progress = run(model, training, validation, settings(epochs=6, learning_rate=5e-2, keep="last", patience=1))
    assert progress.epoch == progress.best_epoch == 6
    assert progress.best["validation_accuracy"] == progress.history[-1]["validation_accuracy"]
