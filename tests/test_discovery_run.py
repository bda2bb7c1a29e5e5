"""The experiment on discovery goes on where a kill stopped it."""

import importlib
import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "experiments" / "discovery"


@pytest.fixture
def experiment(monkeypatch):
    """The module `run`, whose siblings are imported by their bare names; other tests have modules of the same ones."""
    names = [path.stem for path in FOLDER.glob("*.py")]
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module("run")
    yield module
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def asked(experiment, monkeypatch, tmp_path):
    """Runs a part of three cases a setting, and tells which of them were computed; `stop` is one that is killed."""

    def run(steps: int = 1, stop: int | None = None) -> list[tuple[int, int]]:
        computed = []

        def rows(seed, steps):
            if seed == stop:
                raise KeyboardInterrupt
            computed.append((seed, steps))
            return [{"seed": seed, "half": half, "value": steps + seed / 10} for half in (0, 1)]

        part = experiment.Part(lambda options: ((seed, options.steps) for seed in range(3)), rows)
        monkeypatch.setitem(experiment.PARTS, "space", part)
        monkeypatch.setattr(
            sys, "argv", ["run.py", "--part", "space", "--steps", str(steps), "--out", str(tmp_path / "out")]
        )
        experiment.main()
        return computed

    return run


def _rows(folder: Path) -> list[float]:
    return [row["value"] for row in json.loads((folder / "out" / "space.json").read_text())["rows"]]


def test_what_is_finished_is_not_computed_again(asked, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        asked(stop=2)
    assert not (tmp_path / "out" / "space.json").exists()
    assert asked() == [(2, 1)]
    assert _rows(tmp_path) == [1.0, 1.0, 1.1, 1.1, 1.2, 1.2]
    assert asked() == []
    assert _rows(tmp_path) == [1.0, 1.0, 1.1, 1.1, 1.2, 1.2]


def test_a_line_that_a_kill_tore_is_computed_again(asked, tmp_path):
    assert len(asked()) == 3
    file = tmp_path / "out" / "space.jsonl"
    file.write_text(file.read_text()[:-20])
    assert asked() == [(2, 1)] and asked() == []
    assert len(file.read_text().splitlines()) == 3


def test_other_settings_are_computed_and_the_first_ones_kept(asked, tmp_path):
    assert len(asked()) == 3
    assert asked(steps=2) == [(0, 2), (1, 2), (2, 2)]
    assert _rows(tmp_path) == [2.0, 2.0, 2.1, 2.1, 2.2, 2.2]
    assert asked() == []
    assert _rows(tmp_path) == [1.0, 1.0, 1.1, 1.1, 1.2, 1.2]


def test_cases_of_all_parts_differ_and_survive_json(experiment):
    for name, part in experiment.PARTS.items():
        options = experiment.parser().parse_args(["--part", name])
        keys = [json.dumps(case) for case in part.cases(options)]
        assert keys and len(set(keys)) == len(keys), name
        assert [json.dumps(json.loads(key)) for key in keys] == keys
