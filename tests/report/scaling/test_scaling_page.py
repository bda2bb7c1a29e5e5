"""The page, the figures and the command of a study of scaling."""

import json
import re

import pytest
from matplotlib.figure import Figure

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from learnsym.cli import main
from learnsym.report.figures.arms import arm_looks
from learnsym.report.figures.scaling import loss_against_compute
from learnsym.report.scaling import problem_rows, render
from learnsym.report.scaling.words import exponents, repeats, split, verdicts
from learnsym.report.words import number
from learnsym.scaling import Law, StudySettings, study_folder
from tests.scaling.scaling_tables import LAWS, table, write

QUICK = StudySettings(replicates=40)


def command(folder, *arguments):
    return main(["scale", str(folder), "--replicates", "40", *arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("comparison"), table())


@pytest.fixture(scope="module")
def found(folder):
    return study_folder(folder, QUICK)


def test_the_command_writes_and_says_all(folder, capsys):
    assert command(folder, "--flops", "nominal") == 0
    printed = capsys.readouterr().out
    assert "with E *" in printed and "exact needs 0.1" in printed and "scaling.html" in printed
    assert json.loads((folder / "scaling.json").read_text())["flops"] == "nominal"
    names = {path.stem for path in (folder / "figures").glob("scaling_*.svg")}
    assert {"scaling_loss-counted-flops", "scaling_loss-nominal-flops", "scaling_loss-wall-clock-time"} <= names
    assert {"scaling_best-best-parameters", "scaling_budgets-plain", "scaling_budgets-exact"} <= names
    assert {path.stem for path in (folder / "figures").glob("scaling_*.png")} == names
    page = (folder / "scaling.html").read_text(encoding="utf8")
    assert page.count("<img") == len(names)
    assert not re.search(r'(src|href)="(?!data:)', page) and "nan" not in re.sub(r'src="[^"]*"', "", page)


def test_a_factor_is_said_with_its_interval_and_time_beside_it(found):
    (verdict,) = verdicts(found)
    assert re.match(r"exact needs 0\.1\d* \[0\.\d+, 0\.\d+\] times the compute of plain", verdict.headline)
    assert "The exponents agree" in verdict.detail and "p = " in verdict.detail and "wall-clock" in verdict.detail


def test_splits_say_the_exponents_and_the_check(found):
    text = split(found.arms[0], "counted")
    assert (
        text.startswith("plain: best parameters grow as compute to the power 0.4") and "Parabolas of 5 budgets" in text
    )
    assert repeats(found.arms[0]) is None


def test_other_exponents_and_small_grids_are_said_so(tmp_path):
    steeper = {"plain": LAWS["plain"], "exact": Law(E=0.05, A=200.0, a=0.7, B=30.0, b=0.4)}
    different = study_folder(write(tmp_path / "a", table(steeper)), QUICK)
    assert "are not the same" in exponents(different.pairs[0])
    noisy = table(LAWS, sizes=(1000, 5000, 30000), steps=(100, 1000, 10_000), seeds=1, noise=0.1)
    unsure = study_folder(write(tmp_path / "b", noisy), QUICK)
    assert "too small to tell" in exponents(unsure.pairs[0])
    hopeless = table(LAWS, sizes=(1000, 5000, 30000), steps=(100, 1000, 10_000), seeds=1, noise=0.3)
    found = study_folder(write(tmp_path / "c", hopeless), QUICK)
    assert not found.pairs and any("not fixed how these losses fall" in row for row in problem_rows(found))
    axes = loss_against_compute(found.arms, arm_looks(["plain", "exact"]), Figure().subplots())
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"plain", "exact"}


def test_one_arm_and_repeated_data_have_a_page(tmp_path):
    options = {"sizes": (3000, 30000, 300000), "steps": (60, 250, 1000, 4000), "trains": (1000, 10_000, 100_000)}
    study = study_folder(write(tmp_path, table({"shifted": LAWS["plain"]}, **options, R_star=10.0)), QUICK)
    page = render(study, [])
    assert "nothing to compare it with" in page and "R* =" in page and "Repeated data" in page
    assert command(tmp_path) == 0
    assert (tmp_path / "figures" / "scaling_repeats-shifted.svg").is_file()


def test_numbers_are_short():
    assert [number(x) for x in (0.0, 0.31234, -0.2, 1234.5, 2.8e10, -1e-5, float("inf"))] == [
        *("0", "0.312", "−0.2", "1234", "2.8e10", "−1.0e−5", "∞")
    ]
