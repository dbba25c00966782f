"""The command line: `python -m seqdemo data | pretrain | train | evaluate | predict | record | study | publish`.

Option names may be written with hyphens or underscores.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import pathlib
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import seqdemo
from seqdemo import MODELS, PRETRAINED
from seqdemo.errors import ConfigError, SeqdemoError
from seqdemo.training import settings as run_settings
from seqdemo.training.config import PretrainingConfig, TrainingConfig, recipe

_MODEL_OPTIONS = (
    "d_embed",
    "d_hidden",
    "n_layers",
    "readout",
    "embed_dropout",
    "dropout",
    "recurrent_init",
    "forget_bias",
)
_TRAINING_OPTIONS = {entry.name: type(entry.default) for entry in dataclasses.fields(TrainingConfig)}
_PRETRAINING_OPTIONS = {entry.name: type(entry.default) for entry in dataclasses.fields(PretrainingConfig)}
_RUN_OPTIONS = {
    name: kind
    for name, kind in run_settings.FIELDS.items()
    if name not in {"task", "model", "device", *_MODEL_OPTIONS, *_TRAINING_OPTIONS}
}
"""What only the tasks of the training page have."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words of the command line; `sys.argv` by default.

    Returns:
        The exit status: 0 where it worked, 1 with one sentence on stderr where it did not.
    """
    parser = _parser()
    options = parser.parse_args([_hyphens(word) for word in (sys.argv[1:] if arguments is None else arguments)])
    try:
        options.run(options)
    except SeqdemoError as error:
        print(f"seqdemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nseqdemo: stopped. A training run goes on with --resume.", file=sys.stderr)
        return 130
    return 0


def _hyphens(word: str) -> str:
    """`--batch_size=64` → `--batch-size=64`."""
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value if word.startswith("--") else word


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seqdemo", description=(seqdemo.__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="command")

    data = commands.add_parser("data", help="fetch the film reviews, or check a local copy")
    data.set_defaults(run=_data)

    pretrain = commands.add_parser("pretrain", help="learn a language model on unlabelled reviews, to start from")
    pretrain.add_argument("--model", required=True, choices=list(MODELS))
    pretrain.add_argument("--preset", help="of the model; its first by default")
    pretrain.add_argument("--out", type=pathlib.Path, help="checkpoint folder; runs/lm-MODEL by default")
    pretrain.add_argument("--start", type=pathlib.Path, help="a language model whose words are taken to start from")
    pretrain.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    for name in ("d_embed", "d_hidden"):
        pretrain.add_argument(f"--{name.replace('_', '-')}", type=int)
    for name, kind in _PRETRAINING_OPTIONS.items():
        pretrain.add_argument(f"--{name.replace('_', '-')}", type=kind)
    pretrain.set_defaults(run=_pretrain)

    train = commands.add_parser("train", help="train a model on the film reviews, or on a task that needs no data")
    train.add_argument("--task", choices=list(_TASKS), default="reviews", help="film reviews by default")
    train.add_argument("--model", choices=list(MODELS), help="needed for film reviews")
    train.add_argument(
        "--attention", action=argparse.BooleanOptionalAction, default=None, help="of the translator of dates"
    )
    train.add_argument("--preset", help="of the model; `full` on CUDA and `compact` elsewhere for the Transformer")
    train.add_argument("--out", type=pathlib.Path, help="checkpoint folder; in runs/ by default")
    train.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    train.add_argument("--finish", action="store_true", help="ship the best epoch of an interrupted run as it is")
    train.add_argument("--limit", type=int, help="use only so many reviews of each split")
    train.add_argument(
        "--no-test",
        action="store_true",
        default=None,
        help="leave the test reviews closed: for trials that settings are chosen by",
    )
    train.add_argument("--init", type=pathlib.Path, help="a language model to start from, as `pretrain` makes it")
    for command in (pretrain, train):
        command.add_argument("--device", help="cuda, mps or cpu; found by itself")
        command.add_argument("--threads", type=int, help="CPU threads; all by default")
        command.add_argument(
            "--events", choices=["bar", "jsonl"], default="bar", help="a progress bar, or one JSON object a line"
        )
    for name, kind in _TRAINING_OPTIONS.items():
        train.add_argument(f"--{name.replace('_', '-')}", type=kind)
    for name in _MODEL_OPTIONS:
        train.add_argument(f"--{name.replace('_', '-')}", type=_number_or_word)
    for name, kind in _RUN_OPTIONS.items():
        train.add_argument(f"--{name.replace('_', '-')}", type=kind, help="of the tasks of the training page")
    train.add_argument("--csv", type=pathlib.Path, help="texts and labels of your own, for --task own")
    train.add_argument(
        "--controlled",
        action="store_true",
        help="take pause, resume and stop as lines from standard input, give way to other programs, and end with it",
    )
    train.add_argument("--max-seconds", type=float, help="end the run after so long, with its best epoch")
    train.add_argument("--max-memory-mb", type=float, help="end the run where it holds more")
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="measure checkpoints on the 25,000 test reviews")
    evaluate.add_argument("checkpoints", nargs="*", help="names or folders; the five by default")
    evaluate.add_argument("--limit", type=int, help="use only so many reviews")
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=_evaluate)

    study = commands.add_parser("study", help="rerun a measurement over many reviews and store its result")
    study.add_argument("name", nargs="?", help="of the study; --list shows them")
    study.add_argument("--list", action="store_true", help="list the studies")
    study.add_argument("--model", action="append", help="a name or a folder; may be given more than once")
    study.add_argument("--limit", type=int, help="use only so many reviews or tasks")
    study.add_argument(
        "--out", type=pathlib.Path, help="the file; beside the checkpoints by default, in runs/ where part is left out"
    )
    study.set_defaults(run=_study)

    for command in (data, pretrain, train, evaluate, study):
        command.add_argument(
            "--data", help="a folder in the layout of stanfordnlp/imdb; SEQDEMO_IMDB or the Hub by default"
        )

    record = commands.add_parser("record", help="train the training page's presets and keep what they did, for replay")
    record.add_argument("presets", nargs="*", help="names; all by default")
    record.set_defaults(run=_record)

    predict = commands.add_parser("predict", help="P(positive) of texts by every model")
    predict.add_argument("texts", nargs="+", metavar="text")
    predict.add_argument(
        "--model", action="append", help="a name or a folder; may be given more than once; all by default"
    )
    predict.add_argument("--json", action="store_true")
    predict.set_defaults(run=_predict)

    publish = commands.add_parser("publish", help="upload the checkpoints to the Hugging Face Hub and pin them")
    publish.add_argument("--owner", required=True, help="a user or an organisation on the Hub")
    publish.add_argument("--private", action="store_true")
    publish.set_defaults(run=_publish)
    return parser


def _number_or_word(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _data(options: argparse.Namespace) -> None:
    from seqdemo.data import imdb

    # The test split is fetched but not opened: only the final evaluation reads it.
    for split in ("train", "test"):
        path = imdb.locate(split, options.data)
        print(f"{split:<6} {path.stat().st_size / 1e6:6.1f} MB  {path}")
    reviews = imdb.load("train", options.data)
    training, validation = imdb.split_validation(reviews.labels)
    print(f"{len(training):,} reviews to train on, {len(validation):,} for validation.")


def _pretrain(options: argparse.Namespace) -> None:
    _set_threads(options.threads)
    import torch

    from seqdemo.training.pretrain import pretrain

    pretrain(
        options.model,
        out=options.out or pathlib.Path("runs") / f"lm-{options.model}",
        config=PretrainingConfig(**_given(options, _PRETRAINING_OPTIONS)),
        preset=options.preset,
        overrides=_given(options, ("d_embed", "d_hidden")),
        start=options.start,
        data=options.data,
        device=torch.device(options.device) if options.device else None,
        resume=options.resume,
        on_event=_json_line if options.events == "jsonl" else _ProgressBar(),
    )


def _set_threads(threads: int | None) -> None:
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        import torch

        torch.set_num_threads(threads)


def _train(options: argparse.Namespace) -> None:
    _set_threads(options.threads)
    _TASKS[options.task](options)


def _train_reviews(options: argparse.Namespace) -> None:
    import torch

    from seqdemo.models import registry
    from seqdemo.training import loop, run

    if options.model is None:
        raise ConfigError(f"Film reviews need --model, one of {', '.join(MODELS)}.")
    _refuse(options, ["attention"])
    device = torch.device(options.device) if options.device else loop.find_device()
    preset = options.preset
    if preset is None:
        presets = registry.spec(options.model).presets
        preset = "full" if "full" in presets and device.type == "cuda" else next(iter(presets))
    say = _json_line if options.events == "jsonl" else _ProgressBar()
    settings = _given(options, _TRAINING_OPTIONS)
    overrides = _given(options, _MODEL_OPTIONS)
    run.train(
        options.model,
        out=options.out or pathlib.Path("runs") / options.model,
        config=recipe(options.model, preset, fine_tuning=options.init is not None, **settings),
        preset=preset,
        overrides=overrides,
        data=options.data,
        device=device,
        resume=options.resume,
        finish=options.finish,
        init=options.init,
        limit=options.limit,
        test=not options.no_test,
        on_event=say,
    )


def _train_dates(options: argparse.Namespace) -> None:
    import torch

    from seqdemo.training import dates

    own = {entry.name for entry in dataclasses.fields(dates.DatesConfig)}
    others = [name for name in _TRAINING_OPTIONS if name not in own]
    _refuse(options, ["model", "preset", "data", "limit", "no_test", *others, *_MODEL_OPTIONS])
    if options.resume or options.finish:
        raise ConfigError("A translator of dates is trained in minutes and cannot be resumed; start it again.")
    attention = options.attention is not False
    dates.train(
        out=options.out or pathlib.Path("runs") / ("dates-attention" if attention else "dates-plain"),
        config=dates.DatesConfig(**_given(options, own)),
        attention=attention,
        device=torch.device(options.device or "cpu"),
        on_event=_json_line if options.events == "jsonl" else _ProgressBar(),
    )


def _train_task(options: argparse.Namespace) -> None:
    from seqdemo.training import task_run
    from seqdemo.training.control import Control, give_way

    known = run_settings.FIELDS
    others = [name for name in (*_TRAINING_OPTIONS, *_MODEL_OPTIONS) if name not in known]
    _refuse(options, ["preset", "limit", "no_test", "attention", *others])
    if options.finish:
        raise ConfigError("--finish is for --task reviews; a run of this task goes on with --resume.")
    megabytes = options.max_memory_mb
    control = Control(
        max_seconds=options.max_seconds or math.inf,
        max_memory_bytes=megabytes * 1e6 if megabytes else math.inf,
    )
    if options.controlled:
        give_way()
        control.listen(sys.stdin.fileno())
    given: dict[str, Any] = {
        name: float(value) if known[name] is float else value for name, value in _given(options, known).items()
    }
    settings = run_settings.RunSettings(**given)
    task_run.train(
        settings,
        out=options.out or pathlib.Path("runs") / f"{settings.task}-{settings.model}",
        csv=options.csv,
        data=options.data,
        resume=options.resume,
        control=control,
        on_event=_json_line if options.events == "jsonl" else _TaskBar(),
    )


_TASKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "reviews": _train_reviews,
    "dates": _train_dates,
    **dict.fromkeys(run_settings.TASK_LABELS, _train_task),
}
"""What `train --task` runs: one function for each task."""


def _given(options: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The options of these names that stood on the command line."""
    return {name: value for name in names if (value := getattr(options, name, None)) is not None}


def _refuse(options: argparse.Namespace, names: Iterable[str]) -> None:
    """Stops where an option was given that the task has no use for."""
    if unused := _given(options, names):
        said = ", ".join(f"--{name.replace('_', '-')}" for name in unused)
        raise ConfigError(f"--task {options.task} has no setting {said}.")


def _evaluate(options: argparse.Namespace) -> None:
    from seqdemo.data import imdb
    from seqdemo.training import run

    reviews = run.limited(imdb.load("test", options.data), options.limit)
    rows = []
    for name in options.checkpoints or MODELS:
        classifier = seqdemo.load(name)
        rows.append({"checkpoint": name, "model": classifier.name, **run.measure(classifier, reviews)})
        if not options.json:
            low, high = rows[-1]["test_interval"]
            print(
                f"{name:<14} {rows[-1]['test_accuracy']:7.2%}  95 % interval {low:.2%} to {high:.2%}  "
                f"loss {rows[-1]['test_loss_nats']:.4f} nats  n={rows[-1]['test_n']:,}",
                flush=True,
            )
    if options.json:
        print(json.dumps(rows, indent=2))


def _record(options: argparse.Namespace) -> None:
    from seqdemo.training import recorded
    from seqdemo.training.jobs import Jobs, Limits

    jobs = Jobs(limits=dataclasses.replace(Limits.from_environment(), unwatched_s=math.inf))
    try:
        for name in options.presets or run_settings.PRESETS:
            path = recorded.record(name, jobs)
            for run in recorded.load(name):
                view = run.view()
                end = f"test accuracy {view.done['metrics']['test_accuracy']:.1%}" if view.done else view.message
                print(f"{name}: {MODELS[view.settings.model].label}, {run.seconds:.0f} s, {end}  {path}", flush=True)
    finally:
        jobs.close()


def _predict(options: argparse.Namespace) -> None:

    models = {name: seqdemo.load(name) for name in options.model or MODELS}
    answers = {name: model.predict_proba(options.texts) for name, model in models.items()}
    if options.json:
        found = [
            {"text": text, "p_positive": {name: round(float(answer[row]), 6) for name, answer in answers.items()}}
            for row, text in enumerate(options.texts)
        ]
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for row, text in enumerate(options.texts):
        print(text)
        for name, answer in answers.items():
            print(f"  {models[name].label:<12} {answer[row]:4.0%} positive")


def _study(options: argparse.Namespace) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # batches are small: more threads only wait for each other
    from seqdemo.studies import registry, study

    if options.list or options.name is None:
        for known in registry.STUDIES.values():
            print(f"{known.name:<22} {known.question}")
        return
    chosen = registry.study(options.name)
    models = {}
    if chosen.on_checkpoints:
        for checkpoint in options.model or MODELS:
            classifier = seqdemo.load(checkpoint)
            models[classifier.name] = classifier
    inputs = study.Inputs(
        models=models, data=options.data, limit=options.limit, say=lambda line: print(line, flush=True)
    )
    measurement = chosen.measure(inputs)
    in_part = options.model is not None or options.limit is not None
    path = options.out or study.path_of(chosen.name, pathlib.Path("runs") / "studies" if in_part else None)
    study.write(path, chosen, measurement, models)
    print(f"n={measurement.n:,}, stored in {path}")


def _publish(options: argparse.Namespace) -> None:
    from seqdemo.checkpoints import publish

    publish.publish(
        options.owner,
        names=list(MODELS),
        pretrained=PRETRAINED,
        private=options.private,
        on_done=lambda repository: print(f"{repository.id} at {repository.revision}", flush=True),
    )
    print("The manifest pins these commits now; commit pretrained/manifest.json to make them the default.")


def _json_line(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)


class _ProgressBar:
    """Shows a run's events on a terminal: one moving line, and one line an epoch."""

    def __init__(self) -> None:
        self._shown = 0.0

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "start" and "says" in event:
            print(event["says"])
        elif kind == "start":
            preset = f", preset {event['preset']}" if event["preset"] else ""
            print(
                f"{MODELS[event['model']].label}{preset}: {event['parameters']:,} parameters on {event['device']}, "
                f"{event['training_reviews']:,} reviews to train on, {event['validation_reviews']:,} for validation."
            )
        elif kind == "step" and time.monotonic() - self._shown > 0.5:
            self._shown = time.monotonic()
            done = round(30 * event["step"] / event["steps"])
            print(
                f"\repoch {event['epoch']:>2} [{'█' * done}{'·' * (30 - done)}] {event['step']}/{event['steps']} "
                f"loss {event['loss_nats']:.3f} nats  {event['samples_per_s']:.0f} texts/s ",
                end="",
                flush=True,
            )
        elif kind == "epoch":
            print(
                f"\r\033[Kepoch {event['epoch']:>2}  training loss {event['train_loss_nats']:.4f}  validation loss "
                f"{event['validation_loss_nats']:.4f}  accuracy {event['validation_accuracy']:.2%}  "
                f"{event['seconds']:.0f} s",
                flush=True,
            )
        elif kind == "pretraining":
            print(f"{event['parameters']:,} parameters on {event['device']}, {event['updates']:,} updates.")
        elif kind == "check":
            perplexity = event.get("validation_perplexity")
            print(
                f"\r\033[Kupdate {event['update']:>6,} of {event['updates']:,}  training loss "
                f"{event['train_loss_nats']:.4f}  {event['seconds']:.0f} s"
                + (f"  validation perplexity {perplexity:.1f}" if perplexity else ""),
                flush=True,
            )
        elif kind == "testing":
            print("Measuring on texts that it has never seen.", flush=True)
        elif kind == "done" and "test_interval" not in event:
            print(
                f"Validation accuracy {event['validation_accuracy']:.2%}; the test reviews stayed closed. "
                f"{event['out']}"
            )
        elif kind == "done":
            low, high = event["test_interval"]
            print(f"Test accuracy {event['test_accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%}). {event['out']}")


class _TaskBar:
    """Shows the events of `training.task_run` on a terminal: one moving line, and one line an epoch."""

    def __init__(self) -> None:
        self._shown = 0.0

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "start":
            print(
                f"{event['label']}: {event['parameters']:,} parameters on {event['device']}, "
                f"{event['training_n']:,} sequences an epoch; guessing is right in {event['guess_accuracy']:.1%}."
            )
        elif kind == "step" and time.monotonic() - self._shown > 0.5:
            self._shown = time.monotonic()
            print(
                f"\rupdate {event['update']}/{event['updates']} loss {event['loss']:.3f}  "
                f"{event['samples_per_s']:.0f} sequences/s  {event['seconds_left']:.0f} s left ",
                end="",
                flush=True,
            )
        elif kind == "epoch":
            print(
                f"\r\033[Kepoch {event['epoch']:>2}  validation loss {event['validation_loss']:.4f}  accuracy "
                f"{event['validation_accuracy']:.2%}  {event['seconds']:.0f} s",
                flush=True,
            )
        elif kind == "done" and event["folder"]:
            low, high = event["metrics"]["test_interval"]
            print(
                f"Test accuracy {event['metrics']['test_accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%}). "
                f"{event['folder']}"
            )


if __name__ == "__main__":
    sys.exit(main())
