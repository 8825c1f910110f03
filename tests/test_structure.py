"""The house is in order: who imports whom, what an import loads, where the tests are, how large files may grow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tinyrnn"
FILES = sorted(PACKAGE.rglob("*.py"))

# A room imports only from rooms above it, or from itself.
ROOMS = [
    ["kernels", "absent"],
    ["autograd"],
    ["dtypes", "devices", "size", "cuda", "accelerator", "backends"],
    ["random", "making"],
    ["ops", "formatting"],
    ["numpy_protocol"],
    ["tensor"],
    ["creation", "legacy"],
    ["sampling"],
    ["nn", "optim", "utils"],
    ["serialization"],
    ["bptt"],
    ["testing"],
    ["__init__"],
]
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports when it runs: not those below `if TYPE_CHECKING`."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_file(name: str) -> Path | None:
    """The file of the package that `import name` reaches; name may end in something that a module holds."""
    parts = name.split(".")
    for n in (len(parts), len(parts) - 1):
        base = ROOT.joinpath(*parts[:n])
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None


def test_every_room_has_its_place() -> None:
    assert {room(path) for path in FILES} == set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_stands_above_it(path: Path) -> None:
    for name in imports(path):
        if name.split(".")[0] == "tinyrnn":
            other = module_file(name)
            assert other is not None, name
            above, here = LEVEL[room(other)], LEVEL[room(path)]
            assert above < here or room(other) == room(path), (
                f"{path.name} imports {name}, which stands beside or below"
            )
        else:
            assert name.split(".")[0] in {"numpy", *sys.stdlib_module_names}, f"{path.name} imports {name}"


def test_no_file_imports_itself_by_a_detour() -> None:
    below = {path: {f for name in imports(path) if (f := module_file(name)) and f != path} for path in FILES}
    while ends := [path for path, others in below.items() if not others]:
        below = {path: others - set(ends) for path, others in below.items() if path not in ends}
    assert not below, f"import cycle among {sorted(path.name for path in below)}"


def test_import_loads_numpy_and_nothing_else() -> None:
    code = "import sys, numpy; before = set(sys.modules); import tinyrnn; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    roots = {name.split(".")[0] for name in loaded}
    assert "tinyrnn" in roots
    assert roots - {"tinyrnn", "numpy"} <= set(sys.stdlib_module_names)
    assert "numpy.random" not in loaded  # which takes a while, and is loaded with the first number drawn
    later = {"tinyrnn.serialization", "tinyrnn.bptt", "tinyrnn.utils", "tinyrnn.optim.lr_scheduler"}
    assert not {*later, "zipfile", "pathlib", "json", "secrets"} & set(loaded), "these are loaded when first used"


@pytest.mark.parametrize(
    "use",
    [
        "import tinyrnn; tinyrnn.save, tinyrnn.load, tinyrnn.bptt.rtrl, tinyrnn.utils.data, tinyrnn.serialization.save",
        "from tinyrnn import load, save, bptt, utils, serialization; from tinyrnn.utils.data import DataLoader",
        "import tinyrnn.optim.lr_scheduler, tinyrnn.utils.data; tinyrnn.optim.lr_scheduler.StepLR, tinyrnn.utils.data",
        "from tinyrnn import optim; optim.lr_scheduler.StepLR; from tinyrnn.optim import lr_scheduler",
        "from tinyrnn import *; save, load, utils.data, bptt.rtrl",
        "import tinyrnn; a = tinyrnn.save; assert a is tinyrnn.save is tinyrnn.serialization.save",
        "import tinyrnn; assert {'save', 'load', 'utils'} <= set(dir(tinyrnn)) and hasattr(tinyrnn, 'bptt')",
    ],
)
def test_what_is_loaded_when_first_used_is_found_in_every_way(use: str) -> None:
    subprocess.run([sys.executable, "-c", use], check=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_tests_mirror_the_package(path: Path) -> None:
    if path.name == "__init__.py":
        return
    mirrored = ROOT / "tests" / path.relative_to(PACKAGE).parent / f"test_{path.name}"
    assert mirrored.is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_small_and_says_what_it_holds(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


def test_every_public_name_is_there() -> None:
    import tinyrnn

    assert len(set(tinyrnn.__all__)) == len(tinyrnn.__all__)
    for name in tinyrnn.__all__:
        assert getattr(tinyrnn, name) is not None
    with pytest.raises(AttributeError, match="LSTM9000"):
        tinyrnn.LSTM9000  # noqa: B018


def test_the_readme_begins_with_the_two_commands() -> None:
    block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    lines = block[1].strip().splitlines()
    assert len(lines) == 2
    assert "demos/sine.py" in lines[0]
    assert "pytest" in lines[1]
