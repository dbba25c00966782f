"""`python -m seqdemo recipe`: trains all models within minutes, what is worth most first."""

from __future__ import annotations

import argparse
import pathlib
import time

from seqdemo.commands.options import add_threads, names, positive, set_threads

HELP = "train all models within minutes from a pack, what is worth most first"
_STARTED = time.monotonic()  # the minutes include the start


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    parser.add_argument("pack", type=pathlib.Path, help="the folder that `pack` wrote")
    parser.add_argument("--minutes", type=positive, required=True, help="time in all, start and writing included")
    parser.add_argument(
        "--out", type=pathlib.Path, default=pathlib.Path("out"), help="where checkpoints and states go; out by default"
    )
    parser.add_argument(
        "--only", type=names, default=[], help="these parts alone, separated by commas, such as full-masked,full"
    )
    parser.add_argument("--from", dest="source", type=pathlib.Path, help="an earlier --out to go on from")
    parser.add_argument("--tiny", action="store_true", help="very small models, to try the way")
    parser.add_argument("--no-bundle", action="store_true", help="leave out the bundle of what is finished")
    parser.add_argument("--device", help="cuda, mps or cpu; found by itself")
    add_threads(parser)


def run(options: argparse.Namespace) -> None:
    """Trains, shows a line every two seconds and a table last, and bundles what is finished."""
    set_threads(options.threads)
    from seqdemo.checkpoints import bundle
    from seqdemo.data import packed
    from seqdemo.training import devices, recipe

    wanted = recipe.chosen(options.only)
    device = devices.find(options.device)
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    seconds = 60 * options.minutes
    ends = _STARTED + seconds - min(recipe.RESERVE_S, seconds / 20)
    whole = recipe.Recipe(
        pack=packed.read(options.pack),
        out=out,
        ends=ends,
        device=device,
        is_tiny=options.tiny,
        say=lambda line: print(line, flush=True),
    )
    if options.source is not None:
        whole.take_over(options.source, wanted)
    whole.go(wanted)
    folders = {part.name: out / part.name for part in recipe.by_value(wanted) if whole.is_finished(part.name)}
    if not folders:
        print(f"Nothing is finished yet; --from {out} goes on.")
    elif not options.no_bundle:
        left_out = bundle.write(out, folders, out / "bundle")
        rest = f" No room for {', '.join(left_out)}: `python -m seqdemo bundle`." if left_out else ""
        print(f"{out / 'bundle'}: what is finished, as small files.{rest}")
    print(f"{time.monotonic() - _STARTED:.0f} of {seconds:.0f} s.")
