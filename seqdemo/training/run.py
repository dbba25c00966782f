"""One whole training run on the film reviews: data in, checkpoint folder out.

The test split is opened once, at the end, to measure the file that is shipped.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from seqdemo.checkpoints import card, folder, language_model, manifest, schema
from seqdemo.checkpoints.classifier import Classifier
from seqdemo.data import examples, imdb, opinions
from seqdemo.errors import ConfigError, DataError
from seqdemo.models import registry
from seqdemo.text import MAX_TOKENS, NEWEST_TOKENS, Vocabulary
from seqdemo.training import calibration, devices, engine, events, ranks, sentiment
from seqdemo.training.config import TrainingConfig
from seqdemo.training.scores import accuracy_interval

VOCABULARY_SIZE = 30_000


def train(
    name: str,
    *,
    out: pathlib.Path,
    config: TrainingConfig,
    preset: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    data: str | None = None,
    device: torch.device | None = None,
    resume: bool = False,
    finish: bool = False,
    init: pathlib.Path | None = None,
    limit: int | None = None,
    tokens: int = NEWEST_TOKENS,
    test: bool = True,
    on_event: events.OnEvent = events.ignore,
) -> Classifier | None:
    """Trains one model on the reviews and writes its checkpoint.

    Args:
        name: The model's name in the registry.
        out: The checkpoint folder; a previous one stays whole until the new one is.
        config: The settings of the run.
        preset: One of the model's presets; its first by default.
        overrides: Entries of the model's config that differ from the preset.
        data: A local folder of the data set; `SEQDEMO_IMDB` or the Hub by default.
        device: Where to compute; found by itself.
        resume: Whether to go on where an interrupted run stopped.
        finish: Whether to train no further and ship the best epoch of an interrupted run.
        init: A language model of the same layers to start from; its words and sizes are taken.
        limit: Reviews of each split to use, evenly spread; all by default.
        tokens: Version of the rules for tokens; those of `init` where there is one.
        test: Whether the finished model is measured on the test reviews. Trials that settings are chosen
            by go without, and their checkpoints have no accuracy to show.
        on_event: Called with the run's events as plain values.

    Returns:
        The checkpoint as written, read back; None in all processes but the first of those that train together.

    Raises:
        DataError: The reviews cannot be read.
        TrainingError: The run cannot go on; a previous checkpoint is untouched.
    """
    device = device or devices.find()
    reviews = imdb.load("train", data).some(limit)
    training_rows, validation_rows = split(reviews)
    given = language_model.load(init) if init else None
    version = given.vocabulary.version if given else tokens
    words = examples.tokenize_all(reviews, version=version)
    if given:
        vocabulary = given.vocabulary
    else:
        learned_from = (words[row] for row in training_rows)
        vocabulary = Vocabulary.build(learned_from, size=VOCABULARY_SIZE, version=version)
    encoded = examples.encode(words, reviews.labels, vocabulary)
    torch.manual_seed(config.seed)
    sizes = language_model.sizes(given, name) if given else {}
    model = registry.build(
        name, registry.make_config(name, preset=preset, **{**sizes, **(overrides or {})}, vocab_size=len(vocabulary))
    )
    if given:
        language_model.start_from(model, given, words_only=config.start == "words")
    out.parent.mkdir(parents=True, exist_ok=True)
    state_file = out.with_name(f".{out.name}.state.safetensors")
    beside = None
    if config.opinion_share:
        lexicon = opinions.Lexicon.learn([words[row] for row in training_rows], reviews.labels[training_rows])
        n_opinions = round(config.opinion_share * len(training_rows))
        kinds = opinions.kinds_of(vocabulary)
        draw = functools.partial(opinions.draw, lexicon, vocabulary, n_opinions, kinds=kinds)
        beside = sentiment.Beside(n_opinions, draw)
    validation = encoded.pick(validation_rows)
    progress = sentiment.fit(
        model,
        encoded.pick(training_rows),
        validation,
        config,
        device=device,
        on_event=on_event,
        state_file=state_file,
        resume=resume,
        finish=finish,
        label=registry.spec(name).label,
        beside=beside,
    )
    if ranks.rank():
        return None
    metrics: dict[str, Any] = {
        "validation_accuracy": progress.best["validation_accuracy"],
        **progress.facts(devices.name_of(device), config.seed),
    }
    if given:
        metrics["pretrained_on"] = {"perplexity": given.metrics.get("validation_perplexity"), "sha256": given.sha256}
    shipped = ship(
        model,
        out,
        name=name,
        vocabulary=vocabulary,
        validation=validation,
        metrics=metrics,
        history=engine.as_shipped(progress.history),
        training={**dataclasses.asdict(config), "preset": preset},
        test_reviews=functools.partial(open_test_reviews, data, limit) if test else None,
        device=device,
        on_event=on_event,
    )
    state_file.unlink(missing_ok=True)
    return shipped


def ship(
    model: registry.SequenceModel,
    out: pathlib.Path,
    *,
    name: str,
    vocabulary: Vocabulary,
    validation: examples.Examples,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    training: Mapping[str, Any],
    test_reviews: Callable[[], imdb.Reviews] | None = None,
    device: torch.device | None = None,
    on_event: events.OnEvent = events.ignore,
) -> Classifier:
    """Builds the temperature into a trained model, writes it, and measures the file on the test reviews.

    Args:
        model: The model; it is moved to the CPU, and its head divided by the temperature.
        out: The checkpoint folder; a previous one stays whole until the new one is.
        name: The model's name in the registry.
        vocabulary: Its words.
        validation: The examples that choose the temperature.
        metrics: What is known of the training, for `metrics.json`; with a `validation_accuracy` if it was measured.
        history: One entry for each epoch.
        training: The settings, for `config.json`.
        test_reviews: Opens the test reviews; None leaves them closed, and the checkpoint without an accuracy.
        device: Where to compute; the CPU by default.
        on_event: Called with `testing` and `done`.

    Returns:
        The checkpoint as written, read back.
    """
    device = device or torch.device("cpu")
    logits = sentiment.predict_logits(model.to(device), validation, device=device)
    temperature = calibration.fit_temperature(logits, validation.labels)
    model.to("cpu")
    calibration.cool(model.head, temperature)
    metrics = {
        "validation_accuracy": sentiment.scores(logits, validation.labels)["accuracy"],
        **metrics,
        "validation_n": len(validation),
        "temperature": round(temperature, 3),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "commit": engine.code_commit(),
        "torch": torch.__version__,
    }
    write = functools.partial(
        folder.save, out, name=name, model=model, vocabulary=vocabulary, history=history, training=training
    )
    # Saved before it is tested, so that a failure here loses no training.
    write(metrics=metrics)
    if test_reviews:
        shipped = folder.load(out)
        on_event(events.Testing())
        metrics = {**measure(shipped, test_reviews(), device=device), **metrics}
        write(metrics=metrics, card=card.model_card(name=name, config=shipped.config, metrics=metrics))
    on_event(
        events.Done(
            reason="finished",
            epochs=metrics["epochs"],
            best_epoch=metrics["best_epoch"],
            folder=str(out),
            metrics=metrics,
        )
    )
    return folder.load(out)


def finish(
    path: pathlib.Path,
    *,
    out: pathlib.Path,
    data: str | None = None,
    limit: int | None = None,
    on_event: events.OnEvent = events.ignore,
) -> Classifier:
    """Finishes a classifier that was trained elsewhere: temperature, test reviews, card.

    Args:
        path: Its checkpoint folder.
        out: Where the finished one goes.
        data: A local folder of the data set; `SEQDEMO_IMDB` or the Hub by default.
        limit: Reviews of each split to use; all by default.
        on_event: Called with `Testing` and `Done`.

    Raises:
        CheckpointError: The folder holds no classifier that can be read.
        ConfigError: It is finished already: its head holds a temperature.
        DataError: The reviews cannot be read.
    """
    found = folder.load(path)
    if "temperature" in found.metrics:
        raise ConfigError(f"{path} is finished already; its temperature is {found.metrics['temperature']}.")
    reviews = imdb.load("train", data).some(limit)
    held_out = reviews.pick(split(reviews)[1])
    return ship(
        copy.deepcopy(found.model),
        out,
        name=found.name,
        vocabulary=found.vocabulary,
        validation=examples.read(held_out, found.vocabulary),
        metrics={"epochs": 0, "best_epoch": 0, **found.metrics},
        history=found.history,
        training=found.config["training"],
        test_reviews=functools.partial(open_test_reviews, data, limit),
        on_event=on_event,
    )


def split(reviews: imdb.Reviews) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Training rows and validation rows.

    Raises:
        DataError: There are too few reviews for both.
    """
    rows = imdb.split_validation(reviews.labels)
    if not all(map(len, rows)):
        raise DataError(f"{len(reviews)} reviews leave none for validation; at least 6 of one label are needed.")
    return rows


def open_test_reviews(data: str | None, limit: int | None) -> imdb.Reviews:
    """The 25,000 test reviews, or an even selection of them."""
    return imdb.load("test", data).some(limit)


def measure(classifier: Classifier, reviews: imdb.Reviews, *, device: torch.device | None = None) -> dict[str, Any]:
    """Accuracy and loss of a checkpoint on labelled reviews, in fp32.

    Args:
        classifier: The checkpoint.
        reviews: Reviews labelled 0 or 1.
        device: Where to compute; the CPU by default.

    Returns:
        `test_accuracy` from 0 to 1, its 95 % interval, n, the loss in nats, and the expected
        calibration error with the temperature and before it.
    """
    device = device or torch.device("cpu")
    encoded = examples.read(reviews, classifier.vocabulary)
    model = classifier.model if device.type == "cpu" else copy.deepcopy(classifier.model).to(device)
    logits = sentiment.predict_logits(model, encoded, device=device)
    scores = sentiment.scores(logits, encoded.labels)
    low, high = accuracy_interval(scores["accuracy"], len(encoded))
    temperature = classifier.metrics.get("temperature", 1.0)
    return {
        "test_accuracy": round(scores["accuracy"], 5),
        "test_interval": [round(low, 5), round(high, 5)],
        "test_n": len(encoded),
        "test_loss_nats": round(scores["loss_nats"], 5),
        "test_calibration_error": round(calibration.expected_calibration_error(logits, encoded.labels), 4),
        "test_calibration_error_before": round(
            calibration.expected_calibration_error(logits * temperature, encoded.labels), 4
        ),
        "max_tokens": MAX_TOKENS,
    }


def remember(classifier: Classifier, measured: Mapping[str, Any]) -> None:
    """Puts figures of `measure` into a checkpoint's `metrics.json` and its card; all else stays as it was.

    Args:
        classifier: The checkpoint, as its folder holds it.
        measured: What was found of it.
    """
    metrics = {**measured, **{entry: value for entry, value in classifier.metrics.items() if entry not in measured}}
    text = card.model_card(name=classifier.name, config=classifier.config, metrics=metrics)
    schema.write_json(classifier.folder / schema.METRICS, metrics)
    (classifier.folder / schema.CARD).write_text(text, encoding="utf-8", newline="\n")
    manifest.follow(classifier.folder, schema.METRICS)
