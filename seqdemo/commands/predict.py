"""`python -m seqdemo predict`: P(positive) of texts by every model."""

from __future__ import annotations

import argparse
import json

from seqdemo.models.registry import MODELS

HELP = "P(positive) of texts by every model"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("texts", nargs="+", metavar="text")
    parser.add_argument(
        "--model",
        action="append",
        help="a name, a folder or owner/repository@revision; may be given more than once; all by default",
    )
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> None:
    """Prints each text with its answers, or all of them as JSON."""
    from seqdemo.checkpoints import find, folder

    models = {name: folder.load(find.find(name, None)) for name in options.model or MODELS}
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
