"""`python -m seqdemo write`: a language model writes on, word by word."""

from __future__ import annotations

import argparse
import dataclasses
import json

from seqdemo.commands.options import count, number

HELP = "a text, written on by a language model"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("text", nargs="?", default="", help="what stands before; nothing by default")
    parser.add_argument(
        "--model", default="lstm", help="rnn, gru, lstm (the default), a folder or owner/repository@revision"
    )
    parser.add_argument("--words", type=count, default=40, help="how many to write; 40 by default")
    parser.add_argument(
        "--temperature", type=number, default=1.0, help="from 0, always the likeliest word, to 2; 1 by default"
    )
    parser.add_argument("--top-k", type=count, help="draw from so many of the likeliest words; all by default")
    parser.add_argument(
        "--top-p", type=number, default=1.0, help="draw from the likeliest words that hold this share of the chances"
    )
    parser.add_argument("--seed", type=int, help="the same seed gives the same words")
    parser.add_argument("--unfiltered", action="store_true", help="slurs and sexual words may be written too")
    parser.add_argument("--json", action="store_true", help="one JSON object a word: text, probability, rank")


def run(options: argparse.Namespace) -> None:
    """Prints the words as they come."""
    from seqdemo.checkpoints import find, language_model
    from seqdemo.text import as_written

    model = language_model.load(find.find(options.model, language_model.KIND))
    words = model.generate(
        options.text,
        n_words=options.words,
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        seed=options.seed,
        unfiltered=options.unfiltered,
    )
    if options.json:
        for word in words:
            print(json.dumps(dataclasses.asdict(word), ensure_ascii=False), flush=True)
        return
    print(options.text, end="", flush=True)
    for written in as_written((word.text for word in words), after=options.text):
        print(written, end="", flush=True)
    print()
