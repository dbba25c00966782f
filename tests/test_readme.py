import json
import pathlib
import re
import runpy
import tomllib

import pytest

import seqdemo
from seqdemo.checkpoints import schema
from seqdemo.data import own_csv, review_table, tables
from seqdemo.data.tables.plain_text import ENCODINGS
from seqdemo.data.tables.records import MAX_CELLS, MAX_COLUMNS, MAX_UNPACKED_BYTES
from seqdemo.data.tables.workbook import MAX_WRITTEN_CELLS
from seqdemo.runs.files import MAX_ZIP_BYTES
from seqdemo.runs.limits import Limits
from seqdemo.serve import visitors
from seqdemo.sizes import megabytes
from seqdemo.ui.sentiment import review_queue

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


def section(title: str) -> str:
    """A section of the README, its lines put together."""
    return " ".join(README.partition(f"\n## {title}\n")[2].partition("\n## ")[0].split())


def test_the_readme_says_what_tables_are_accepted_and_how_they_come_back() -> None:
    said = section("Tables")
    for kind in ("CSV", "TSV", "TXT", "Excel (.xlsx)", "JSON Lines", "Parquet", "zipped"):
        assert kind in tables.KINDS
        assert kind in said
    assert all(name.split(" (")[0] in said for name in ENCODINGS.values())
    for figure in (
        megabytes(tables.MAX_BYTES),
        f"{megabytes(MAX_UNPACKED_BYTES)} unpacked",
        f"{MAX_CELLS:,} cells",
        f"{MAX_COLUMNS:,} columns",
        f"{review_table.MAX_ROWS:,} rows",
        f"{MAX_WRITTEN_CELLS:,} cells",
        f"{own_csv.MAX_ROWS:,} rows",
    ):
        assert figure in said, figure
    assert "`x.tsv` comes back as `x_scored.tsv`" in said
    assert "as many at random, or all in parts" in said
    assert "a workbook with the sheet that was scored" in said
    assert f"{own_csv.MAX_LABELS} labels in at least {own_csv.MIN_OF_EACH} rows" in said


def test_the_readme_says_what_is_stored_and_for_how_long() -> None:
    said, limits = section("Hosting"), Limits()
    assert f"deleted after {limits.kept_hours:g} hours, a saved run after {limits.saved_days:g} days" in said
    assert visitors.KEPT_S == review_queue.SECONDS_KEPT == 3600
    assert "in memory, for an hour after its last question" in said
    assert "A table that was scored can be downloaded for an hour" in said
    assert f"({megabytes(review_queue.MAX_KEPT_BYTES)})" in said
    assert f"a result as a ZIP file of at most {megabytes(MAX_ZIP_BYTES)}" in said
    assert f"{megabytes(schema.MAX_BYTES[schema.METRICS])} for each of its JSON files" in said


def test_a_laptop_listens_on_localhost_and_the_lines_for_a_class_and_for_hosting_open_it() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "localhost"
    lines = re.findall(r"`(streamlit run app\.py[^`]*)`", section("Hosting"))
    assert len(lines) == 2
    assert all("--server.address 0.0.0.0" in line for line in lines)


def test_the_readme_names_the_word_list_and_its_licence() -> None:
    said = section("Licences")
    assert "[`english_words.txt`](seqdemo/data/english_words.txt)" in said
    assert "SCOWL" in said
    assert "(seqdemo/data/english_words_licence.txt)" in said
