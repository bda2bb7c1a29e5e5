"""The benchmarks' own machinery: medians, order, table, and one line a benchmark."""

from __future__ import annotations

import json
import time

import pytest

from benchmarks import __main__ as runner
from benchmarks.timing import interleaved, ratio


def test_the_ratio_of_two_sleeps_is_that_of_their_lengths():
    times = interleaved({"long": lambda: time.sleep(0.02), "short": lambda: time.sleep(0.01)}, repeats=5, warmup=1)
    assert ratio(times, "long", "short") == pytest.approx(2.0, rel=0.3)


def test_functions_alternate_and_reverse():
    calls: list[str] = []
    interleaved({name: lambda name=name: calls.append(name) for name in "ab"}, repeats=2, warmup=1)
    assert "".join(calls) == "abbaab"


def test_a_missed_target_is_seen_in_the_table():
    rows = [
        {"name": "fast", "ratio": 0.9, "target": 1.0, "times": {"ours": 0.9, "theirs": 1.0}},
        {"name": "slow", "ratio": 1.3, "target": 1.15, "times": {}},
        {"name": "open", "ratio": 1.3, "target": None},
    ]
    verdicts = [line.split() for line in runner.table(rows).splitlines()[1:]]
    assert [verdict[0] for verdict in verdicts] == ["fast", "slow", "open"]
    assert ["yes" in verdicts[0], "NO" in verdicts[1], "yes" in verdicts[2]] == [True, True, False]


def test_results_name_the_machine_and_no_host(tmp_path, monkeypatch):
    class Benchmark:
        @staticmethod
        def run(device, repeats):
            return {"name": device, "ratio": 1.0, "target": 1.0, "times": {"ours": repeats}}

    monkeypatch.setattr(runner.importlib, "import_module", lambda name: Benchmark)
    assert runner.main(["--only", "warp", "--repeats", "2", "--out", str(tmp_path / "results" / "x.json")]) == 0
    written = json.loads((tmp_path / "results" / "x.json").read_text())
    assert written["results"] == [{"name": "cpu", "ratio": 1.0, "target": 1.0, "times": {"ours": 2}}]
    assert set(written["machine"]) == {"date", "device", "processor", "threads", "python", "torch"}


def test_an_unknown_benchmark_is_refused_before_any_is_run(capsys):
    assert runner.main(["--only", "warp", "nonsense"]) == 2
    said = capsys.readouterr().err
    assert "--only: got nonsense, must be of" in said and "warp" in said and "Traceback" not in said
