"""Laws of the package as a whole: layering, public names, light imports, metadata, and the files of the repository."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import statistics
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

import learnsym

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = Path(learnsym.__file__).parent  # of the checkout or as installed
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]

# Imports point only upwards in this list (docs/contributing: layout); names on one line may use each other.
LAYERS = (
    ("_version",),
    ("statistics",),
    ("files",),
    ("parts",),
    ("ragged",),
    ("tasks",),
    ("_yaml_file",),
    ("_configs", "_found", "_keys", "_kinds", "_sentences", "_settings"),
    ("_reasons",),
    ("_constant", "_eager", "_freed_memory", "_memory", "_modes", "_processes", "_read_once", "_uncollected"),
    ("_places", "_python_file"),
    ("_values",),
    ("_batches", "groups"),
    ("_escnn",),
    ("representations",),
    ("actions",),
    ("symmetry",),
    ("degrees",),
    ("learners",),
    ("distributions",),
    ("augment",),
    ("equivariant",),
    ("relax",),
    ("objectives",),
    ("nets",),
    ("measure",),
    ("posterior",),
    ("data",),
    ("methods",),
    ("training",),
    ("inference",),
    ("workers",),
    ("tuning",),
    ("comparison",),
    ("scaling",),
    ("report",),
    ("suite",),
    ("export",),
    ("studies",),
    ("estimator",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
ENTRY_POINTS = {"__init__", "__main__"}
HEAVY = ("matplotlib", "seaborn", "escnn", "optuna", "tensorboard", "onnx", "pandas", "sklearn", "jsonargparse")
HEAVY += ("mujoco", "sqlalchemy", "submitit", "pyarrow", "lightning", "e3nn", "torch_geometric", "transformers")


def _sources() -> list[Path]:
    return sorted(LIBRARY.rglob("*.py"))


def _name(path: Path) -> str:
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in _sources()}


def _part(module: str) -> str:
    """The folder or file directly below `learnsym` that a module belongs to."""
    return [*module.split("."), "__init__"][1]


def _imported(path: Path, for_type_checkers: bool) -> set[str]:
    """Modules of learnsym that a file imports, at its top or inside a function.

    A name that is a module stands for that module, every other name for the file it is imported from: `__init__.py`
    where that is a folder.
    """
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not for_type_checkers:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write `from learnsym...`"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in MODULES else node.module or "" for name in names}
        nodes += ast.iter_child_nodes(node)
    return found & set(MODULES)


def _circles() -> set[frozenset[str]]:
    """Modules each of which imports all others of its set, directly or not."""
    names = list(MODULES)
    imports = [_imported(path, for_type_checkers=True) for path in MODULES.values()]
    edges = [[name in found for name in names] for found in imports]
    count, circle = connected_components(csr_array(edges), connection="strong")
    members = [frozenset(name for name, of in zip(names, circle, strict=True) if of == k) for k in range(count)]
    return {each for each in members if len(each) > 1}


def _below(path: Path) -> set[str]:
    """What a file imports from folders below its own."""
    own = RANK[_part(_name(path))]
    return {name for name in _imported(path, for_type_checkers=False) if RANK.get(_part(name), -1) > own}


def test_imports_point_upwards_only():
    layered = [path for path in _sources() if _part(_name(path)) not in ENTRY_POINTS]
    unplaced = {_part(_name(path)) for path in layered} - set(RANK)
    assert not unplaced, f"{sorted(unplaced)} have no place in the order of folders"
    assert {_name(path): sorted(_below(path)) for path in layered if _below(path)} == {}


def test_no_modules_import_each_other():
    """Not for type checkers either: what two modules need of each other stands in a file above both."""
    assert [sorted(circle) for circle in _circles()] == []


def test_only_the_adapter_imports_escnn():
    pattern = re.compile(r"^\s*(import|from) escnn\b", re.MULTILINE)
    assert {path.name for path in _sources() if pattern.search(path.read_text(encoding="utf8"))} <= {"_escnn.py"}


def test_files_are_small():
    lines = {_name(path): len(path.read_text(encoding="utf8").splitlines()) for path in _sources()}
    assert {name: count for name, count in lines.items() if count > 400} == {}
    assert statistics.median(lines.values()) <= 150


@pytest.mark.parametrize("path", [LIBRARY / "__init__.py", *sorted(LIBRARY.glob("*/__init__.py"))], ids=_name)
def test_public_names_resolve(path):
    module = importlib.import_module(_name(path))
    assert module.__all__, "an empty public interface"
    assert list(module.__all__) == sorted(set(module.__all__), key=module.__all__.index), "a name twice"
    assert not [name for name in module.__all__ if not hasattr(module, name)]


def test_the_version_is_one():
    assert learnsym.__version__ == PROJECT["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf8")
    assert f"## [{PROJECT['version']}]" in changelog or "## [Unreleased]" in changelog
    assert f"version: {PROJECT['version']}" in (ROOT / "CITATION.cff").read_text(encoding="utf8")


def test_extras_exist_and_only_steerable_caps_numpy():
    extras = PROJECT["optional-dependencies"]
    assert {"steerable", "sim", "scale", "tensorboard", "docs", "dev", "export"} <= set(extras)
    assert "numpy<2" in extras["steerable"]
    assert not [requirement for requirement in PROJECT["dependencies"] if re.match(r"(numpy.*<2|escnn)", requirement)]


def test_every_direct_dependency_has_a_tested_version():
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf8")
    pinned = {_normal(name) for name in re.findall(r"^([\w.-]+)==", constraints, re.MULTILINE)}
    wanted = [*PROJECT["dependencies"], *itertools.chain(*PROJECT["optional-dependencies"].values())]
    assert not {_normal(re.split(r"[\[<>=!~ ]", requirement)[0]) for requirement in wanted} - pinned
    assert "+" not in constraints and "@" not in constraints, "no local builds and no addresses"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_import_is_light():
    code = "import sys, learnsym as ls; ls.Symmetry; ls.augment; ls.groups; print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not set(HEAVY) & set(output.split())


def test_data_of_the_package_is_installed():
    assert (LIBRARY / "py.typed").is_file()
    assert list((LIBRARY / "report" / "templates").iterdir())


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_in_documents_exist(document):
    text = (ROOT / document).read_text(encoding="utf8")
    named = set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", text, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf8"), re.MULTILINE))
    assert named and named <= targets


@pytest.mark.slow
def test_the_wheel_holds_the_library_alone(tmp_path):
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(pip, check=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert "learnsym/py.typed" in names
    assert any(name.startswith("learnsym/report/templates/") for name in names)
    configs = {path.relative_to(ROOT / "configs").as_posix() for path in ROOT.glob("configs/**/*.yaml")}
    assert {name.removeprefix("learnsym/configs/") for name in names if name.endswith(".yaml")} == configs
    assert {name.split("/")[0] for name in names} == {"learnsym", f"learnsym-{PROJECT['version']}.dist-info"}


KINDS_OF_RUNS = (
    r"is_relaxed|is_penalised|is_of_points|chooser(\.name)? ==|twin == |config\.(augment|relax|penalty|objective)\b"
    r"|method\.name =="
)


def test_only_methods_ask_which_kind_of_run_this_is():
    """What differs between methods is said by the method, so that a new one touches no other file."""
    asked = [
        f"{path.relative_to(LIBRARY)}: {line.strip()}"
        for path in _sources()
        if "methods" not in path.relative_to(LIBRARY).parts
        for line in path.read_text(encoding="utf8").splitlines()
        if re.search(KINDS_OF_RUNS, line)
    ]
    assert not asked
