"""Laws of poses by domain: python by_domain.py FILE ... [--half calibrate].

Coverage has a Wilson interval, and error/se that of a root mean square of independent normal errors; both are of the
level of the intervals, and neither knows that seeds of one task share what is hard about it.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy.stats import chi2, norm

from learnsym.data.known import Range, task_by_name
from learnsym.files import write_json
from learnsym.suite.scores import Entry, scores_of

HEADER = ("domain", "laws", "covered", "coverage", "median error", "error/se", "of", "median width")


def main() -> int:
    """Print the table, and write its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="of run.py --results, of one level and different seeds")
    parser.add_argument("--half", choices=("calibrate", "judge", "both"), default="both")
    parser.add_argument("--out", type=Path, help="file for the rows")
    options = parser.parse_args()
    files = [json.loads(path.read_text(encoding="utf8")) for path in options.files]
    answers = [answer for file in files for answer in file["answers"] if answer["estimator"] == "poses"]
    entries = [_entry(answer) for answer in answers]
    entries = [entry for entry in entries if options.half in ("both", entry["half"])]
    twice = len(entries) - len({(entry["task"], entry["seed"]) for entry in entries})
    levels = {file["config"]["level"] for file in files}
    if not entries or twice or len(levels) > 1:
        print(
            f"by_domain.py: error: files: got {len(entries)} laws, {twice} of them twice, at the levels "
            f"{sorted(levels)}, must be laws of one level, each once; give files of other seeds",
            file=sys.stderr,
        )
        return 2
    domains = sorted({entry["domain"] for entry in entries})
    rows = [_row(name, [e for e in entries if e["domain"] == name], files[0]["config"]["level"]) for name in domains]
    lines = [HEADER, ("---",) * len(HEADER), *map(_cells, rows)]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    if options.out:
        write_json(options.out, rows, indent=1)
    return 0


def _entry(answer: Entry) -> Entry:
    task = task_by_name(answer["task"])
    return {**answer, "domain": task.domain, "half": task.half, "reason": ""}


def _row(domain: str, entries: Sequence[Entry], level: float) -> dict[str, Any]:
    # one row of scores for the laws of both halves
    (score,) = scores_of([{**entry, "half": "both"} for entry in entries], level)
    assert score.coverage is not None and score.width is not None
    two_sided = sum(_is_two_sided(entry) for entry in entries)
    return {
        "domain": domain,
        "laws": len(entries),
        "covered": round(score.coverage * len(entries)),
        "coverage": wilson(round(score.coverage * len(entries)), len(entries), level),
        "median_error": statistics.median(_error(entry) for entry in entries),
        "spread": score.spread,
        "ends": None if score.spread is None else spread_ends(score.spread, two_sided, level),
        "two_sided": two_sided,
        "median_width": score.width,
    }


def _range(entry: Entry) -> Range:
    truth = task_by_name(entry["task"]).truth
    assert isinstance(truth, Range)  # of which laws are read
    return truth


def _error(entry: Entry) -> float:
    return abs(entry["result"]["estimate"] - _range(entry).half_width) / _range(entry).cap


def _is_two_sided(entry: Entry) -> bool:
    return 0 < entry["result"]["low"] < entry["result"]["high"] < _range(entry).cap


def wilson(hits: int, count: int, level: float) -> tuple[float, float]:
    """The interval of a share (Wilson 1927)."""
    z, share = float(norm.ppf(0.5 + level / 2)), hits / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return middle - half, middle + half


def spread_ends(spread: float, count: int, level: float) -> tuple[float, float]:
    """The interval of the root mean square of so many independent normal errors: their squares sum to a chi square."""
    most, least = (float(chi2.ppf(0.5 + sign * level / 2, count)) for sign in (1, -1))
    return spread * math.sqrt(count / most), spread * math.sqrt(count / least)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    spread = "" if row["spread"] is None else f"{row['spread']:.2f} [{row['ends'][0]:.2f}, {row['ends'][1]:.2f}]"
    low, high = row["coverage"]
    return (
        row["domain"],
        str(row["laws"]),
        str(row["covered"]),
        f"{row['covered'] / row['laws']:.0%} [{low:.0%}, {high:.0%}]",
        f"{row['median_error']:.1%}",
        spread,
        str(row["two_sided"]),
        f"{row['median_width']:.1%}",
    )


if __name__ == "__main__":
    sys.exit(main())
