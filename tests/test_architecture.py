"""The house's plan, held by reading the imports: downwards only, torch and streamlit where they belong."""

import ast
import graphlib
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

from seqdemo.models.registry import MODELS

ROOT = pathlib.Path(__file__).parents[1]
LAYERS = (
    {"pages", "__main__"},
    {"ui"},
    {"commands", "serve"},
    {"charts", "studies", "runs"},
    {"explain", "training", "checkpoints"},
    {"data", "models"},
    {"text", "cleaning", "notation", "spelling", "bounded", "trace", "environment", "paths"},
    {"errors", "sizes", "colours"},
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
FILES = [
    *sorted((ROOT / "seqdemo").rglob("*.py")),
    *sorted((ROOT / "pages").glob("*.py")),
    ROOT / "app.py",
]


assert len(FILES) > 20


def imported_modules(path, *, at_import_only=False):
    """Dotted names that a file imports; `from a import b` counts as `a.b`."""
    found = []
    nodes = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if at_import_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if at_import_only and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        nodes += ast.iter_child_nodes(node)
    return found


def room_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "seqdemo" else parts[0]


def relative(path):
    return path.relative_to(ROOT).as_posix()


def room_named(module):
    """`seqdemo.data.imdb` → `data`; a module outside the package is a room of its own name."""
    parts = module.split(".")
    return parts[1] if parts[0] == "seqdemo" and len(parts) > 1 else parts[0]


def own(module):
    """The module of ours in which an imported name stands: `seqdemo.text.read` → `seqdemo.text`; else as it is."""
    path = ROOT.joinpath(*module.split("."))
    return module if path.with_suffix(".py").is_file() or path.is_dir() else module.rpartition(".")[0]


IMPORTS = [(path, module) for path in FILES for module in imported_modules(path)]
"""Every import, also those within functions."""


def test_imports_go_downwards():
    wrong = [
        f"{relative(path)} imports {module}"
        for path, module in IMPORTS
        if room_of(path) in LEVEL  # the public face and app.py see everything
        if LEVEL.get(room_named(module), len(LAYERS)) < LEVEL[room_of(path)]
    ]
    assert wrong == []


def test_every_room_has_its_level():
    there = {
        path.stem for path in (ROOT / "seqdemo").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert there - {"__init__"} == set(LEVEL) - {"pages"}


def test_no_room_imports_the_public_face():
    """It imports the rooms; the roof alone tells what it says of itself."""
    wrong = [
        f"{relative(path)} imports {module}"
        for path, module in IMPORTS
        if room_of(path) not in {"__main__", "__init__"}
        if module.split(".")[0] == "seqdemo" and room_named(module) not in LEVEL
    ]
    assert wrong == []


def order(graph):
    """The keys of a graph, each after what it leads to; where there is a circle, the test fails with it."""
    try:
        return list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as circle:
        pytest.fail(" → ".join(reversed(circle.args[1])))


def test_there_is_no_circle_of_rooms_within_a_level():
    graph = {room: set() for room in LEVEL}
    for path, module in IMPORTS:
        if room_of(path) in LEVEL and room_named(module) in LEVEL and room_named(module) != room_of(path):
            graph[room_of(path)].add(room_named(module))
    assert set(order(graph)) == set(LEVEL)


def test_there_is_no_circle_of_modules():
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES if path.stem != "__init__"}
    graph = {
        name: {own(module) for module in imported_modules(path, at_import_only=True)} for name, path in names.items()
    }
    assert set(order(graph)) >= set(names)


def page_folders():
    """The folders of `ui/`, one a page, without what all of them share."""
    return {path.name for path in (ROOT / "seqdemo" / "ui").iterdir() if (path / "__init__.py").is_file()} - {"shared"}


def test_no_page_imports_another_and_what_they_share_imports_none():
    pages, wrong = page_folders(), []
    for path, module in IMPORTS:
        to = module.split(".")
        if room_of(path) == "ui" and to[:2] == ["seqdemo", "ui"] and len(to) > 2 and to[2] in pages:
            folder = path.relative_to(ROOT / "seqdemo" / "ui").parts[0]
            if folder != to[2]:
                wrong.append(f"{relative(path)} imports {module}")
    assert len(pages) > 5
    assert wrong == []


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("streamlit", {"ui", "pages", "app"}),
        ("starlette", {"serve", "app"}),
        ("altair", {"charts", "ui"}),
        ("pandas", {"charts", "studies", "ui"}),
        ("pyarrow", {"data"}),
        ("python_calamine", {"data"}),
        ("xlsxwriter", {"data"}),
        ("safetensors", {"checkpoints", "data", "training"}),
        ("torch", {"models", "training", "checkpoints", "explain", "studies", "commands"}),
        ("huggingface_hub", {"checkpoints", "data"}),
    ],
)
def test_a_library_is_imported_in_its_rooms_only(library, rooms):
    users = {path for path, module in IMPORTS if module.split(".")[0] == library}
    assert users
    assert [relative(path) for path in sorted(users) if room_of(path) not in rooms] == []


def test_the_registry_lists_models_without_torch():
    assert not [
        module for module in imported_modules(ROOT / "seqdemo/models/registry.py") if module.startswith("torch")
    ]


def test_the_caches_of_streamlit_are_in_one_place():
    users = [relative(path) for path in FILES if "st.cache_" in path.read_text(encoding="utf-8")]
    assert users == ["seqdemo/ui/resources.py"]


def test_one_loop_trains_everything():
    trains = {relative(path) for path in FILES if ".backward(" in path.read_text(encoding="utf-8")}
    assert trains == {"seqdemo/training/engine.py", "seqdemo/training/precision.py"}


def test_nothing_is_called_utils():
    assert not [relative(path) for path in FILES if path.stem in {"utils", "helpers", "misc"}]


def test_every_file_beside_the_code_is_packed_with_it():
    package = ROOT / "seqdemo"
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "package-data"
    ]
    packed = {path for pattern in patterns["seqdemo"] for path in package.glob(pattern)}
    beside = {path for path in package.rglob("*.*") if path.suffix not in {".py", ".pyc"}}
    assert {relative(path) for path in beside - packed} == set()


def mapped():
    """What the map names, each with its folders before it."""
    tree = re.search(
        r"## The map\n\n```\n(.*?)```", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.DOTALL
    )
    folders, found = [], []
    for line in tree[1].splitlines():
        name = line.split()[0]
        del folders[(len(line) - len(line.lstrip())) // 2 :]
        found.append("".join([*folders, name]))
        if name.endswith("/"):
            folders.append(name)
    return found


def test_the_map_shows_what_is_there():
    assert [name for name in mapped() if not (ROOT / name).exists()] == []
    rooms = {f"{relative(path.parent)}/" for path in (ROOT / "seqdemo").rglob("__init__.py")}
    ground = {relative(path) for path in [*(ROOT / "seqdemo").glob("*.py"), *(ROOT / "seqdemo" / "ui").glob("*.py")]}
    unnamed = {name for name in (rooms | ground) - set(mapped()) if name != "seqdemo/ui/__init__.py"}
    assert unnamed == set(), "docs/architecture.md does not name them"


def test_every_path_that_the_guides_name_is_there():
    missing = [
        f"{guide}: {path}"
        for guide in ("README.md", "CONTRIBUTING.md", "docs/architecture.md")
        for path in re.findall(
            r"`((?:seqdemo|tests|pages|benchmarks)/[\w/.-]+)`", (ROOT / guide).read_text(encoding="utf-8")
        )
        if not (ROOT / path).exists() and not path.startswith("pages/NAME")
    ]
    assert missing == []


def after_importing(modules):
    """Which of torch and streamlit a fresh Python has loaded after these imports."""
    code = "import sys\n" + "".join(f"import {module}\n" for module in modules)
    code += "print(*[name for name in ('torch', 'streamlit') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_package_is_imported_without_torch_and_streamlit():
    assert after_importing(["seqdemo"]) == []


def test_the_command_line_starts_without_torch_and_streamlit():
    assert after_importing(["seqdemo.__main__"]) == []


def modules_behind(scripts):
    """The modules of ours that these files import, also those within functions."""
    names = {name for script in scripts for name in imported_modules(script) if name.startswith("seqdemo.")}
    is_module = {name: ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file() for name in names}
    return sorted({name if is_module[name] else name.rpartition(".")[0] for name in names})


def test_the_first_page_is_imported_without_torch():
    modules = modules_behind([ROOT / "seqdemo/ui/main.py", ROOT / "pages/overview.py", ROOT / "app.py"])
    assert "seqdemo.ui.resources" in modules
    assert after_importing(modules) == ["streamlit"]


@pytest.mark.parametrize("room", ["charts", "runs"])
def test_a_room_without_torch_loads_it_through_no_other_not_even_later(room):
    files = sorted((ROOT / "seqdemo" / room).glob("*.py"))
    modules = [f"seqdemo.{room}.{path.stem}" for path in files if path.stem != "__init__"]
    assert after_importing([*modules, *modules_behind(files)]) == []


def test_the_models_keep_their_order_and_colours():
    assert {name: spec.colour for name, spec in MODELS.items()} == {
        "rnn": "#D55E00",
        "gru": "#E69F00",
        "lstm": "#0072B2",
        "bilstm": "#56B4E9",
        "transformer": "#009E73",
    }
    assert list(MODELS) == ["rnn", "gru", "lstm", "bilstm", "transformer"]
    assert len({spec.dash for spec in MODELS.values()}) == len(MODELS)


def test_the_theme_has_the_models_colours():
    theme = (ROOT / ".streamlit/config.toml").read_text(encoding="utf-8")
    line = next(line for line in theme.splitlines() if line.startswith("chartCategoricalColors"))
    assert ast.literal_eval(line.partition("=")[2].strip()) == [spec.colour for spec in MODELS.values()]
