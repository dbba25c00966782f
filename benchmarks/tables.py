"""The README's tables of accuracy, from what is stored beside the checkpoints.

`python benchmarks/tables.py` prints them; with `--write` it puts them into the README, between their marks. Run it
after a model was trained again and its studies were rerun.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import seqdemo  # noqa: E402
from seqdemo.data.typed_reviews import KINDS  # noqa: E402
from seqdemo.studies import ablation, study  # noqa: E402

POOLED = "rnn_pooled"
"""The RNN that reads the mean and the maximum of its states: measured, not shipped."""
_NONE = "\u2013"


def results(pretrained: pathlib.Path = seqdemo.PRETRAINED) -> str:
    """Accuracy on the test reviews, by model."""
    rows = []
    pooled = pretrained / "studies" / f"{POOLED}.json"
    for name, spec in seqdemo.MODELS.items():
        rows.append(_result(spec.label, _read(pretrained / name / "metrics.json")))
        if name == "rnn":
            rows.append(_result("RNN, mean and maximum of its states (not shipped)", _read(pooled)))
    rows.append(_result("Bag of words", _read(pretrained / "studies" / "bag_of_words.json")))
    heads = ("Model", "Test accuracy", "95 % interval", "Parameters", "Validation", "Language model", "Trained in")
    return _table(heads, rows)


def _result(label: str, metrics: Mapping[str, Any]) -> list[str]:
    language = metrics.get("pretrained_on")
    return [
        label,
        _percent(metrics["test_accuracy"]),
        " to ".join(map(_percent, metrics["test_interval"])),
        f"{metrics['parameters']:,}",
        _percent(metrics["validation_accuracy"]) if "validation_accuracy" in metrics else _NONE,
        f"perplexity {language['perplexity']:.0f}" if language else _NONE,
        f"{max(1, round(metrics['seconds'] / 60))} min",
    ]


def typed(pretrained: pathlib.Path = seqdemo.PRETRAINED) -> str:
    """Accuracy on reviews as people type them, by kind and model."""
    counts = dict(_read(pretrained / "studies" / "typed_reviews.json")["results"])
    counts["bag_of_words"] = _read(pretrained / "studies" / "bag_of_words.json")["typed_reviews"]["counts"]
    order = [*seqdemo.MODELS, "bag_of_words"]
    rows = []
    for kind, label in KINDS.items():
        cells = [counts[name][kind] for name in order]
        rows.append([label, str(cells[0]["n"]), *(f"{100 * cell['right'] / cell['n']:.0f} %" for cell in cells)])
    n = sum(cell["n"] for cell in counts[order[0]].values())
    right = [sum(cell["right"] for cell in counts[name].values()) for name in order]
    rows.append(["All lines", str(n), *(f"{100 * share / n:.0f} %" for share in right)])
    return _table(("Kind", "n", *(spec.label for spec in seqdemo.MODELS.values()), "Bag of words"), rows)


def parts(pretrained: pathlib.Path = seqdemo.PRETRAINED) -> str:
    """What each part of the recipe is worth."""
    frame = ablation.frame(study.read(ablation.STUDY.name, pretrained / "studies"))
    if frame.empty:
        return "It has not been run since the recipe last changed."
    rows = []
    for row in frame.to_dict("records"):
        cells = (f"{100 * row[name]:.1f} ± {50 * row[f'{name}_spread']:.1f} %" for name in ablation.MEASURED)
        rows.append([str(row["variant"]).capitalize(), *cells])
    return _table(
        ("LSTM trained", "Validation reviews", "Typed reviews", "negations", "with neutral words around"), rows
    )


BLOCKS = {"results": results, "typed": typed, "ablation": parts}
"""Name of the mark in the README → what stands there."""


def fill(readme: str) -> str:
    """The README's text with every block as it is now."""
    for name, block in BLOCKS.items():
        begin, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
        before, _, rest = readme.partition(begin)
        readme = f"{before}{begin}\n{block()}\n{end}{rest.partition(end)[2]}"
    return readme


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _read(path: pathlib.Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Prints the tables or writes them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--write", action="store_true", help="put them into README.md")
    if parser.parse_args().write:
        path = ROOT / "README.md"
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for block in BLOCKS.values():
        print(block() + "\n")


if __name__ == "__main__":
    main()
