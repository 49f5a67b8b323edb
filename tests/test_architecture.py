"""The two tiers, and who may import whom (docs/architecture.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import regionwise

ROOT = Path(regionwise.__file__).parent

RESEARCH = {"layers", "models", "losses", "training", "checkpoints", "data", "export", "explain"}
RESEARCH_LIBRARIES = {"torch", "safetensors", "tensorboard", "torchmetrics", "onnx", "lightning"}
OPTIONAL_LIBRARIES = {"cv2", "skimage", "torchvision"}


def files():
    return sorted(ROOT.rglob("*.py"))


def room(file):
    return file.relative_to(ROOT).with_suffix("").parts[0]


def imports(file, *, at_top_only):
    """Modules a file imports: all of them, or those that importing the file imports."""

    def visit(node):
        if at_top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    return set(visit(ast.parse(file.read_text(encoding="utf-8"))))


def rooms_imported(file, *, at_top_only):
    names = imports(file, at_top_only=at_top_only)
    return {name.split(".")[1] for name in names if name.startswith("regionwise.")}


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
class TestEachFile:
    def test_core_loads_no_research_library(self, file):
        if room(file) in RESEARCH:
            pytest.skip("research tier")
        loaded = {name.split(".")[0] for name in imports(file, at_top_only=True)}
        assert not loaded & (RESEARCH_LIBRARIES | OPTIONAL_LIBRARIES)
        assert not rooms_imported(file, at_top_only=True) & RESEARCH

    def test_nothing_imports_the_commands_or_the_page(self, file):
        if room(file) in {"cli", "web", "__main__"}:
            pytest.skip("is one")
        assert not rooms_imported(file, at_top_only=False) & {"cli", "web"}

    def test_layers_and_models_know_nothing_of_training(self, file):
        if room(file) not in {"layers", "models", "losses"}:
            pytest.skip("another room")
        allowed = {
            "layers": {"layers", "errors"},
            "models": {"layers", "models", "errors"},
            "losses": {"losses", "layers", "errors"},
        }
        assert rooms_imported(file, at_top_only=False) <= allowed[room(file)]

    def test_torchvision_is_needed_nowhere(self, file):
        assert "torchvision" not in {n.split(".")[0] for n in imports(file, at_top_only=False)}

    def test_no_utils(self, file):
        assert not {"utils", "helpers", "misc", "common"} & set(file.with_suffix("").parts[-2:])


def loaded_after(code):
    """The modules loaded after running code in a fresh interpreter."""
    command = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


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
