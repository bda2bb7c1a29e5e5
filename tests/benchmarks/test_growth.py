"""Exponents of growth: of known costs, with their intervals; cases of all modules; and bad input."""

from __future__ import annotations

import json
import types

import pytest
import torch

from benchmarks import growth
from benchmarks.growth_cases import Case


def test_a_power_law_has_its_exponent_and_no_interval():
    found = growth.exponent([1, 4, 16, 64], [3 * size**1.5 for size in (1, 4, 16, 64)])
    assert found.estimate == pytest.approx(1.5)
    assert found.low == pytest.approx(1.5, abs=1e-6) and found.high == pytest.approx(1.5, abs=1e-6)


def test_the_interval_holds_what_two_lines_say():
    found = growth.exponent([1, 4, 16, 64], [1, 4, 16, 1024])
    assert found.low < 1 < found.estimate < 2.5 < found.high


def test_too_small_a_range_of_sizes_is_refused():
    with pytest.raises(ValueError, match=r"^sizes: got \[1, 2, 8\], .* add some"):
        growth.exponent([1, 2, 8], [1.0, 2.0, 8.0])


def test_all_cases_have_sizes_that_tell():
    known = growth.cases()
    assert len({(case.name, case.axis) for case in known}) == len(known) >= 20
    for case in known:
        growth.exponent(case.sizes, [float(size) for size in case.sizes])
        assert case.few[1] >= 4 * case.few[0] and case.reason


def test_a_module_adds_its_own_cases(monkeypatch):
    def make(size):
        return lambda: sum(range(size))

    case = Case(
        name="sum", axis="workers", make=make, sizes=(1000, 8000, 64000), theory=1, reason="additions", few=(8, 64)
    )
    found = {"benchmarks.one": types.SimpleNamespace(GROWTH=(case,)), "benchmarks.other": types.SimpleNamespace()}
    names = [types.SimpleNamespace(name=name.partition(".")[2]) for name in found]
    monkeypatch.setattr(growth.pkgutil, "iter_modules", lambda path: names)
    monkeypatch.setattr(growth.importlib, "import_module", found.__getitem__)
    assert growth.cases() == [case]


def test_the_table_says_what_is_worse_than_its_theory():
    row = {"name": "slow", "axis": "cells", "exponent": 1.9, "low": 1.8, "high": 2.0, "at the end": 2.0, "theory": 1}
    lines = growth.table([{**row, "met": False, "seconds": {"4": 0.1}}]).splitlines()
    assert lines[1].split()[:2] == ["slow", "cells"] and "NO" in lines[1].split()


def test_the_command_writes_what_it_measures(tmp_path, capsys):
    path = tmp_path / "growth.json"
    assert growth.main(["--only", "action on clouds", "--repeats", "1", "--out", str(path)]) == 0
    written = json.loads(path.read_text())
    assert [row["name"] for row in written["results"]] == ["action on clouds"]
    assert set(written["machine"]) >= {"processor", "torch"} and "action on clouds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "warps"], "--only: got 'warps', must be one of "),
        (["--repeats", "0"], "--repeats: got 0, must be 1 or more; 5 is usual"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence, capsys):
    assert growth.main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_intervals_hold_the_exponent_as_often_as_they_say():
    """Normal errors of the logarithms, 1,000 draws at five sizes: 90 % within four standard errors of the share."""
    sizes, generator = [4, 16, 64, 256, 1024], torch.Generator().manual_seed(0)
    noise = 0.2 * torch.randn(1000, len(sizes), generator=generator, dtype=torch.float64)
    found = [
        growth.exponent(sizes, [n**1.3 * float(e) for n, e in zip(sizes, row.exp(), strict=True)]) for row in noise
    ]
    held = sum(interval.low <= 1.3 <= interval.high for interval in found) / len(found)
    assert abs(held - 0.9) < 4 * (0.9 * 0.1 / len(found)) ** 0.5
