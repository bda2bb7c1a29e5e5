"""What the documents say runs: the README's example, the quickstart, names of files and commands."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import learnsym
from learnsym.methods._table import choosers_table, methods_table
from learnsym.report.claims import claims_table

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf8")
PAGES = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("docs/api/*.md")])
DOCUMENTS = sorted([*ROOT.glob("*.md"), *PAGES, *ROOT.glob("*/README.md"), *ROOT.glob("experiments/*/README.md")])
GUIDES = ("ask-the-data", "unknown-generators", "your-data", "your-model", "pretrained", "molecules", "posteriors")
GUIDES += ("neural-processes", "sphere", "self-supervision", "world-models")


def _cells(text: str, opening: str) -> list[str]:
    """The code blocks of a document that open with the given fence."""
    return re.findall(rf"^```{re.escape(opening)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _loaded(path: Path) -> ModuleType:
    """A module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _execute(cells: list[str]) -> None:
    namespace = {"__name__": "document"}
    for cell in cells:
        exec(compile(cell, "document", "exec"), namespace)


def test_the_readme_shows_the_idea_in_its_first_screen(capsys):
    screen = "\n".join(README.splitlines()[:42])
    example = _cells(screen, "python")[1]
    assert "make demo" in screen and "make test" in screen
    _execute([example.replace("steps=400", "steps=2")])
    printed = capsys.readouterr().out
    assert re.search(r"input: SO\(2\) rotation [\d.]+ degree", printed)
    assert "Estimate" in printed or "±" in printed


def test_the_guide_to_methods_trains_relaxed_layers(capsys):
    example = _cells((ROOT / "docs" / "methods.md").read_text(encoding="utf8"), "python")[0]
    _execute(["import learnsym as ls", example.replace("steps=150", "steps=2")])
    assert capsys.readouterr().out.count("probabilistic steerable convolution") == 6


def test_the_guide_to_dynamics_weighs_candidates_in_the_loss(capsys):
    cells = _cells((ROOT / "docs" / "motion.md").read_text(encoding="utf8"), "python")
    example = next(cell for cell in cells if "ValidationWeights" in cell)
    _execute(["import torch\nimport learnsym as ls", example.replace("steps=200", "steps=2")])
    assert capsys.readouterr().out.count("multitask (functional)") == 4


@pytest.mark.parametrize("guide", GUIDES)
def test_the_blocks_of_a_guide_run_one_after_another(guide, capsys):
    cells = _cells((ROOT / "docs" / f"{guide}.md").read_text(encoding="utf8"), "python")
    assert cells
    if any("from ase." in cell for cell in cells):
        pytest.importorskip("ase", reason="the guide uses the extra molecules")
    _execute(cells)
    assert capsys.readouterr().out


EXTRAS = {"escnn": "escnn", "e3nn": "e3nn", "PyTorch Geometric": "torch_geometric", "transformers": "transformers"}
EXTRAS |= {"Lightning": "lightning", "torchvision": "learnsym"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=pytest.mark.slow if title == "transformers" else ()) for title in EXTRAS]
)
def test_the_guide_to_other_libraries_runs_with_each(title, capsys):
    """With the library itself, in at most 40 lines."""
    if importlib.util.find_spec(EXTRAS[title]) is None:
        pytest.skip(f"{EXTRAS[title]} is not installed")
    text = (ROOT / "docs" / "where-you-work.md").read_text(encoding="utf8")
    section = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    cells = _cells(section, "python")
    assert sum(len(cell.splitlines()) for cell in cells) <= 40
    _execute(cells)
    assert capsys.readouterr().out


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_of_python_can_be_read(path):
    for cell in _cells(path.read_text(encoding="utf8"), "python"):
        compile(cell, str(path), "exec")


@pytest.mark.parametrize("steps", [(100, 60), pytest.param((400, 200), marks=pytest.mark.slow)], ids=str)
def test_the_quickstart_runs(steps, capsys):
    """As it is written, and with fewer steps of training and of the pose posterior."""
    text = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf8")
    assert text.count("steps=400") == text.count("steps=200") == 1
    text = text.replace("steps=400", f"steps={steps[0]}").replace("steps=200", f"steps={steps[1]}")
    cells = _cells(text, "{code-cell} python")
    assert len(cells) >= 4
    _execute(cells)
    printed = capsys.readouterr().out
    accuracies = [float(number) for number in re.findall(r"accuracy ([\d.]+)", printed)]
    extents = re.findall(r"rotation ([\d.]+) degree .*\(distribution", printed)
    as_scanned, rotated = map(float, extents)
    assert len(accuracies) == 2 and min(accuracies) > 0.9
    assert as_scanned < 15 and 50 < rotated < 70


@pytest.mark.parametrize(
    ("file", "name", "table"),
    [
        ("README.md", "methods", methods_table),
        ("docs/methods.md", "choosers", choosers_table),
        ("experiments/README.md", "claims", lambda: claims_table(ROOT / "experiments")),
    ],
)
def test_tables_are_those_of_the_registry(file, name, table):
    text = (ROOT / file).read_text(encoding="utf8")
    shown = text.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0].strip()
    assert shown == table(), "write it anew: python scripts/write_tables.py"


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 110


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path):
    text = path.read_text(encoding="utf8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if not re.match(r"\w+:", link)]
    included = re.findall(r"^```\{(?:literal)?include\} (\S+)", text, re.MULTILINE)
    kept = [link for link in [*links, *included] if not link.startswith("_gallery/")]  # `make docs` makes these
    assert not [link for link in kept if not (path.parent / link).exists()]


def test_links_of_the_landing_page_lead_to_pages():
    """Those that are written as HTML, which Sphinx does not check."""
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf8")
    linked = set(re.findall(r'(?:href|src)="([^"]+)"', text))
    gallery = _loaded(ROOT / "docs" / "gallery.py").ENTRIES
    made = {f"gallery/{name}.{kind}" for name in gallery for kind in ("html", "png")}
    assert linked - made <= {f"{path.stem}.html" for path in ROOT.glob("docs/*.md")}


def test_equations_of_docstrings_become_mathematics():
    """What the converter makes is read by a second reader of LaTeX."""
    from matplotlib.mathtext import MathTextParser

    equations, parser = _loaded(ROOT / "docs" / "equations.py"), MathTextParser("agg")
    found = [
        line.strip()
        for path in Path(learnsym.__file__).parent.rglob("*.py")
        for line in re.findall(r"(?<=\n\n)(?: {4}| {8}|)(?= {4}\S) {4}(\S.*)\n(?=\n)", path.read_text(encoding="utf8"))
        if "·" in line and equations.is_equation([line])
    ]
    assert len(found) > 20
    for line in found:
        parser.parse(f"${equations.latex(line)}$")


@pytest.mark.parametrize(
    ("typed", "latex"),
    [
        ("a_i = |f(x_i)|² / D", r"a_{i} = \vert f(x_{i})\vert ^{2} / D"),
        ("N^γ_i = (C / k)^(b / (a + b))", r"N^{\gamma _{i}} = (C / k)^{b / (a + b)}"),
        ("s² = sqrt(mean_s {a, b})", r"s^{2} = \sqrt{\mathrm{mean}_{s} \{a, b\}}"),
        ("f̄ = E_{g ~ mu} x", r"\bar{f} = E_{g \sim \ \mathrm{mu}} x"),
    ],
)
def test_an_equation_in_latex(typed, latex):
    found = _loaded(ROOT / "docs" / "equations.py").latex(typed)
    assert re.sub(r"\\? ", "", found) == re.sub(r"\\? ", "", latex)


def test_the_documentation_covers_every_public_folder():
    text = "".join(path.read_text(encoding="utf8") for path in ROOT.glob("docs/api/*.md"))
    documented = set(re.findall(r"automodule:: learnsym\.(\w+)", text))
    folders = {path.parent.name for path in Path(learnsym.__file__).parent.glob("*/__init__.py")}
    assert folders - {"cli"} <= documented


@pytest.mark.parametrize("folder", ["", "api"])
def test_the_tables_of_contents_are_complete(folder):
    place = ROOT / "docs" / folder
    tables = _cells((place / "index.md").read_text(encoding="utf8"), "{toctree}")
    listed = [line for table in tables for line in table.split("\n") if line and not line.startswith(":")]
    pages = {path.stem for path in place.glob("*.md")} - {"index"}
    assert sorted(listed) == sorted(pages | ({"api/index"} if not folder else set()))


def test_commands_in_documents_exist():
    from learnsym import cli

    known = set(re.findall(r"^    \{?(\w+)", cli._parser().format_help().partition("COMMAND\n")[2], re.MULTILINE))
    for path in DOCUMENTS:
        named = set(re.findall(r"(?:`|^ {4}|^)learnsym ([a-z]+)", path.read_text(encoding="utf8"), re.MULTILINE))
        prose = {"learns", "learn", "is", "has", "trusts", "sends", "does", "do", "knows", "reads"}
        assert named - prose <= known, path.name
