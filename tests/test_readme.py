import json
import pathlib
import runpy

import pytest

import seqdemo

ROOT = pathlib.Path(seqdemo.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tables_of_accuracy_are_those_of_what_is_stored() -> None:
    found = runpy.run_path(str(ROOT / "benchmarks" / "tables.py"))
    assert found["fill"](README) == README, "python benchmarks/tables.py --write brings them up to date"
    assert all(f"<!-- {block}:start -->" in README for block in found["BLOCKS"])


def cells(label: str) -> list[str]:
    row = next(line for line in README.splitlines() if line.startswith(f"| {label} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


@pytest.mark.parametrize("name", seqdemo.MODELS)
def test_the_readme_gives_each_shipped_model_its_measured_accuracy(name: str) -> None:
    metrics = json.loads((seqdemo.PRETRAINED / name / "metrics.json").read_text())
    _, accuracy, interval, parameters, *_ = cells(seqdemo.MODELS[name].label)
    assert accuracy == percent(metrics["test_accuracy"])
    assert interval == " to ".join(percent(bound) for bound in metrics["test_interval"])
    assert parameters == f"{metrics['parameters']:,}"


def test_the_readme_gives_the_baseline_its_measured_accuracy() -> None:
    measured = json.loads((seqdemo.PRETRAINED / "studies" / "bag_of_words.json").read_text())
    assert cells("Bag of words")[1] == percent(measured["test_accuracy"])


def test_the_shipped_models_stay_small() -> None:
    sizes = {path: path.stat().st_size for path in seqdemo.PRETRAINED.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 100e6
    assert max(sizes.values()) < 50e6
