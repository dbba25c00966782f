"""Each browser component is one script put together from files: no name in it may be declared twice."""

import collections
import importlib.util
import re

import streamlit as st

from seqdemo.ui import components


def scripts(monkeypatch):
    """Name of a component → its script, by running the module that puts them together once more."""
    found = {}

    def take(name, *, js="", **_):
        found[name] = js

    monkeypatch.setattr(st.components.v2, "component", take)
    spec = importlib.util.spec_from_file_location("components_again", components.__file__)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return found


def test_no_script_declares_a_name_twice(monkeypatch):
    found = scripts(monkeypatch)
    assert {"attention", "attributions", "stepper", "translate", "train"} <= set(found)
    for name, script in found.items():
        declared = re.findall(r"^(?:export default )?(?:async )?(?:function\*?|const|let|class) (\w+)", script, re.M)
        twice = [word for word, n in collections.Counter(declared).items() if n > 1]
        assert not twice, f"{name}: {', '.join(twice)}"
