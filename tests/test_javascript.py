"""The JavaScript of the pages, checked by node. The app itself needs none; where it is missing these are skipped."""

import pathlib
import shutil
import subprocess

import pytest

from seqdemo import environment

ROOT = pathlib.Path(__file__).parents[1]
NODE = shutil.which("node")


@pytest.fixture(autouse=True)
def node():
    """Skips without node, but where it is required, since a test that is skipped would say nothing."""
    if NODE is None:
        if environment.REQUIRE_NODE.read():
            pytest.fail("There is no node, and SEQDEMO_REQUIRE_NODE is set.")
        pytest.skip("There is no node here, so the tests of the pages' JavaScript cannot run.")


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_arithmetic_of_the_pages_is_right():
    said = run(NODE, "--test", "--test-reporter=spec", *map(str, sorted(ROOT.glob("tests/js/*.test.js"))))
    assert "fail 0" in said
    assert "pass 0" not in said


@pytest.mark.parametrize("script", ["lint", "types"])
def test_names_and_types_of_the_pages_javascript_are_right(script):
    if not (ROOT / "node_modules").is_dir():
        if environment.REQUIRE_NODE.read():
            pytest.fail("SEQDEMO_REQUIRE_NODE is set, but `npm ci` was not run.")
        pytest.skip("Run `npm ci` once to check the pages' JavaScript for names and types.")
    run("npm", "run", "--silent", script)
