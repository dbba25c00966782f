"""Each browser component is one script put together from modules: no name in it may be declared twice."""

import collections
import pathlib
import re

import pytest

from seqdemo import ui
from seqdemo.ui.shared.component import bundle

UI = pathlib.Path(ui.__file__).parent
ENTRIES = [path for path in sorted(UI.rglob("*.js")) if "export default " in path.read_text(encoding="utf-8")]
DECLARED = re.compile(r"^(?:export )?(?:default )?(?:async )?(?:function\*?|const|let|class) (\w+)", re.M)


def test_no_script_declares_a_name_twice():
    assert {"stepper", "attention", "translate", "train"} <= {path.stem for path in ENTRIES}
    twice = {}
    for path in ENTRIES:
        counted = collections.Counter(DECLARED.findall(bundle(path)))
        twice[path.stem] = [name for name, n in counted.items() if n > 1]
    assert {name: names for name, names in twice.items() if names} == {}


def test_a_script_holds_each_module_once_and_no_import():
    script = bundle(UI / "stepper" / "stepper.js")
    assert not re.search(r"^import\b", script, re.M)
    assert [line[:23] for line in re.findall(r"^export .*", script, re.M)] == ["export default function"]
    assert script.count("function element(") == 1
    assert script.index("function element(") < script.index("function buildTransport(") < script.index("export default")


def test_every_module_is_part_of_some_script():
    used = set("".join(bundle(path) for path in ENTRIES).splitlines())
    unused = [path.name for path in UI.rglob("*.js") if path.read_text(encoding="utf-8").splitlines()[-2] not in used]
    assert unused == []


def test_modules_may_import_each_other(tmp_path):
    (tmp_path / "one.js").write_text('import { two } from "./two.js"\n\nexport const one = 1\nexport default two\n')
    (tmp_path / "two.js").write_text('import { one } from "./one.js"\n\nexport const two = 2\n')
    assert bundle(tmp_path / "one.js").split("\n") == [
        *["", "const two = 2", ""],
        *["", "const one = 1", "export default two", ""],
    ]


def test_a_module_that_is_imported_but_missing_is_named(tmp_path):
    (tmp_path / "one.js").write_text('import { two } from "./two.js"\n')
    with pytest.raises(FileNotFoundError, match=r"two\.js"):
        bundle(tmp_path / "one.js")
