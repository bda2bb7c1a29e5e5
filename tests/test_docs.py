"""What the documents say runs: the README's example, the quickstart, names of files and commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import learnsym
from learnsym.methods._table import choosers_table, methods_table

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf8")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("experiments/*/README.md")]
)


def _cells(text: str, opening: str) -> list[str]:
    """The code blocks of a document that open with the given fence."""
    return re.findall(rf"^```{re.escape(opening)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _execute(cells: list[str]) -> None:
    namespace = {"__name__": "document"}
    for cell in cells:
        exec(compile(cell, "document", "exec"), namespace)


def test_the_readme_shows_the_idea_in_its_first_screen(capsys):
    screen = "\n".join(README.splitlines()[:35])
    example = _cells(screen, "python")[0]
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
    cells = _cells((ROOT / "docs" / "dynamics.md").read_text(encoding="utf8"), "python")
    example = next(cell for cell in cells if "ValidationWeights" in cell)
    _execute(["import torch\nimport learnsym as ls", example.replace("steps=200", "steps=2")])
    assert capsys.readouterr().out.count("multitask (functional)") == 4


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
    [("README.md", "methods", methods_table), ("docs/methods.md", "choosers", choosers_table)],
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
    assert not [link for link in [*links, *included] if not (path.parent / link).exists()]


def test_the_documentation_covers_every_public_folder():
    documented = set(re.findall(r"automodule:: learnsym\.(\w+)", (ROOT / "docs" / "api.md").read_text(encoding="utf8")))
    folders = {path.parent.name for path in Path(learnsym.__file__).parent.glob("*/__init__.py")}
    assert folders - {"cli"} <= documented


def test_the_table_of_contents_is_complete():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf8")
    listed = _cells(index, "{toctree}")[0].split()[2:]
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "docs").glob("*.md") if path.stem != "index")


def test_commands_in_documents_exist():
    from learnsym import cli

    known = set(
        re.findall(
            r"\b(train|analyze|export|data|measure|tune|compare|scale)\b", Path(cli.__file__).read_text(encoding="utf8")
        )
    )
    for path in DOCUMENTS:
        named = set(re.findall(r"(?:`|^ {4})learnsym ([a-z]+)", path.read_text(encoding="utf8"), re.MULTILINE))
        assert named <= known, path.name
