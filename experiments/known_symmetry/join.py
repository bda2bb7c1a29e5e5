"""One table of several runs of the suite that differ in their seeds: python join.py FILE FILE ... --out FILE."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import learnsym as ls
from learnsym.data.known import task_by_name
from learnsym.files import write_json
from learnsym.suite.scores import Entry, regrets


def main() -> int:
    """Print the table, and how often the network is near its better twin; write what `run.py --results` writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="of run.py --results")
    parser.add_argument(
        "--estimator", required=True, help="the one that all files have, such as 'augerino × selection'"
    )
    parser.add_argument("--out", type=Path, help="file for the scores and answers of all")
    options = parser.parse_args()
    files = [json.loads(path.read_text(encoding="utf8")) for path in options.files]
    seeds = [seed for file in files for seed in file["config"]["seeds"]]
    if len(set(seeds)) < len(seeds):
        print(f"join.py: error: files: got the seeds {seeds}, must be each in one file alone", file=sys.stderr)
        return 2
    entries = [_entry(answer) for file in files for answer in file["answers"] if _counts(answer, options.estimator)]
    config = replace(ls.suite.SuiteConfig(**files[0]["config"]), seeds=sorted(seeds))
    suite = ls.suite.Suite(config=config, path=Path(), entries=entries)
    print(ls.suite.markdown_table(suite))
    behind = regrets(entries, [entry for entry in entries if entry["arm"] == "learned"])
    means = [sum(values) / len(values) for values in behind.values()]
    near = sum(mean <= 0.005 for mean in means)
    print(f"\nWithin half a point of the better twin, mean over {len(seeds)} seeds: {near} of {len(means)} tasks.")
    for task, values in sorted(behind.items(), key=lambda item: -sum(item[1])):
        print(f"{task}: {', '.join(f'{100 * value:+.1f}' for value in values)}")
    if options.out:
        own = ("task", "estimator", "arm", "seed", "result")
        answers = [{name: entry[name] for name in own} for entry in entries]
        scores = [asdict(score) for score in suite.scores]
        write_json(options.out, {"config": asdict(config), "scores": scores, "answers": answers}, indent=1)
    return 0


def _counts(answer: Entry, estimator: str) -> bool:
    return answer["estimator"] in (estimator, estimator.partition(" × ")[0])


def _entry(answer: Entry) -> Entry:
    task = task_by_name(answer["task"])
    method = answer["estimator"].partition(" × ")[0]
    return {**answer, "method": method, "half": task.half, "domain": task.domain, "reason": ""}


if __name__ == "__main__":
    sys.exit(main())
