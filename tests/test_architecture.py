"""Names, circles, the two tiers, and how light the core is.

Which room may import which stands in pyproject.toml.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import regionwise

ROOT = Path(regionwise.__file__).parent

RESEARCH = {
    "checkpoints",
    "discriminators",
    "explain",
    "features.alexnet",
    "features.darknet",
    "features.darknet_tiny",
    "features.efficientnet_lite",
    "features.imagenet",
    "features.vgg",
    "data.batches",
    "layers",
    "losses",
    "models",
    "reproduce",
    "training",
}
"""Rooms and modules that need PyTorch; all others import without it."""
RESEARCH_LIBRARIES = {"torch", "safetensors", "tensorboard", "torchmetrics", "onnx", "lightning"}
OPTIONAL_LIBRARIES = {"cv2", "skimage", "torchvision"}


def modules():
    for file in sorted(ROOT.rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name not in {"__init__", "__main__"}:
            yield name


def of_the_core(name):
    parts = name.split(".")
    return parts[0] not in RESEARCH and ".".join(parts[:2]) not in RESEARCH


def loaded_after(code):
    """The modules loaded after running code in a fresh interpreter."""
    command = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_the_core_needs_no_research_library():
    core = [f"regionwise.{name}" for name in modules() if of_the_core(name)]
    assert len(core) > 100
    loaded = loaded_after("\n".join(f"import {name}" for name in core))
    assert not loaded & (RESEARCH_LIBRARIES | OPTIONAL_LIBRARIES)


def test_no_room_of_all_sorts():
    names = {part for name in modules() for part in name.split(".")}
    assert not {"utils", "helpers", "misc", "common"} & names


def tree(name):
    path = ROOT.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text())


def public_types(name):
    """Classes, type aliases and type variables that a module defines for others."""
    for node in tree(name).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_one_name_for_one_idea():
    defined = defaultdict(list)
    for module in modules():
        for name in public_types(module):
            if re.match(r"[A-Z]+[a-z]", name):  # not CONSTANTS, not _private
                defined[name].append(module)
    assert len(defined) > 200
    assert {name: found for name, found in defined.items() if len(found) > 1} == {}


def for_types_alone(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(node, names):
    """The modules that a tree imports, within functions too; not those that give types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom) and child.module:
            for alias in child.names:
                inner = f"{child.module}.{alias.name}".removeprefix("regionwise.")
                yield inner if inner in names else child.module.removeprefix("regionwise.")
        elif not for_types_alone(child):
            yield from imports(child, names)


def test_no_circle_of_modules_within_rooms_either():
    names = set(modules())
    graph = {name: set(imports(tree(name), names)) & names for name in names}
    assert sum(map(len, graph.values())) > 1000
    TopologicalSorter(graph).prepare()  # else a CycleError that names the circle


def test_import_is_light():
    heavy = {"torch", "onnxruntime", "numpy", "PIL", "scipy", "pydantic", "typer", "rich", "cv2"}
    assert not loaded_after("import regionwise") & heavy


def test_version_is_light():
    code = (
        "import sys; sys.argv = ['regionwise', '--version']\n"
        "from regionwise.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert not loaded_after(code) & {"torch", "onnxruntime", "scipy", "pydantic", "cv2"}


def test_public_names_are_there():
    for name in regionwise.__all__:
        assert getattr(regionwise, name) is not None
    assert set(regionwise.__all__) <= set(dir(regionwise))
    with pytest.raises(AttributeError, match="no_such_name"):
        regionwise.no_such_name  # noqa: B018


def test_the_picture_in_the_docs_has_the_order_of_the_contract():
    root = ROOT.parents[1]
    config = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = config["contracts"][0]["layers"]
    contract = [sorted(layer.split(" | ")) for layer in layers]
    text = (root / "docs" / "architecture.md").read_text()
    picture = text.partition("```mermaid")[2].partition("```")[0]
    rooms = re.findall(r"\b([a-z]+)\[\"([a-z]+): ", picture)
    assert all(node == title for node, title in rooms)
    order = [room for room, _ in rooms]
    drawn = []
    for layer in contract:
        drawn.append(sorted(order[: len(layer)]))
        order = order[len(layer) :]
    assert drawn == contract
    assert not order
