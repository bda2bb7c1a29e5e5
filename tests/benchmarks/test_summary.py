"""The page of benchmarks is what the files of results say."""

import json

import pytest

from benchmarks.summary import PAGE, RESULTS, newest, page


def results(date="2026-01-02", device="cpu", rows=()):
    return {
        "machine": {"date": date, "device": device, "processor": "one", "threads": 1, "torch": "2"},
        "results": list(rows),
    }


def ratio(name="a / b", value=1.2, target=1.0):
    return {"name": name, "ratio": value, "target": target, "times": {"a": 1.5, "b": 0.0125}}


def test_page_in_the_documentation_is_that_of_the_results():
    assert PAGE.read_text(encoding="utf8") == page(RESULTS), "run python -m benchmarks.summary"


def test_newest_row_of_a_name_and_device_counts():
    old, new, other = results(rows=[ratio()]), results("2026-01-03", rows=[ratio(value=0.9)]), results(device="cuda")
    other["results"] = [ratio(value=0.5)]
    assert {(row["device"], row["ratio"]) for row in newest([new, other, old])} == {("cpu", 0.9), ("cuda", 0.5)}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ratio(), ("0 of 1 targets", "Targets missed", "| a / b | 1.2 | <= 1 | +20% | a 1.5 s, b 12.5 ms |")),
        (ratio(value=1.0), ("1 of 1 targets", "Targets met")),
        (ratio(target=None), ("0 of 0 targets", "Without a target", "| a / b | 1.2 | a 1.5 s")),
        (ratio(value=float("nan")), ("0 of 1 targets", "Targets missed")),
    ],
)
def test_rows_stand_where_they_belong(tmp_path, row, words):
    (tmp_path / "one.json").write_text(json.dumps(results(rows=[row])), encoding="utf8")
    text = page(tmp_path)
    assert all(word in text for word in words) and text.count("###") == 1 and "No benchmark has been run" in text


def test_growth_above_theory_is_marked(tmp_path):
    row = {"name": "law", "axis": "examples", "exponent": 1.4, "low": 1.3, "high": 1.5, "theory": 1, "reason": "sums"}
    row["at the end"] = 1.6
    (tmp_path / "one.json").write_text(json.dumps(results(device="cuda", rows=[row])), encoding="utf8")
    text = page(tmp_path)
    assert (
        "| law | examples | 1.40 [1.30, 1.50] **above theory** | 1.60 | 1 | sums |" in text and "a GPU yet" not in text
    )
