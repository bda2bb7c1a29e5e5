"""Which generators, and which elements of a large group, are a symmetry of data that nobody named it for?

python experiments/discovery/run.py --part rates --out runs/discovery
python experiments/discovery/run.py --part affine --out runs/discovery
python experiments/discovery/run.py --part tasks --out runs/discovery
python experiments/discovery/run.py --part laws --out runs/discovery
python experiments/discovery/run.py --part larger --out runs/discovery
python experiments/discovery/run.py --part bases --seeds 5 --out runs/discovery
python experiments/discovery/run.py --part equations --seeds 5 --out runs/discovery
python experiments/discovery/run.py --part space --out runs/discovery
python experiments/discovery/run.py --part charts --out runs/discovery
python experiments/discovery/run.py --part latents --out runs/discovery
python experiments/discovery/run.py --part nulls --out runs/discovery

A run that was stopped goes on where it was: what is finished is kept in PART.jsonl, one line a case.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import bases
import certificates
import charts
import equations
import flows
import latents
import nulls
import space

from learnsym.files import write_json

Row = dict[str, Any]
Case = tuple[Any, ...]


class Part(NamedTuple):
    """Its cases, each of them all that its rows depend on; the rows of a case; and what is printed of all rows."""

    cases: Callable[[argparse.Namespace], Iterator[Case]]
    rows: Callable[..., list[Row]]
    summary: Callable[[Sequence[Row]], str] | None = None


PARTS = {
    "rates": Part(lambda asked: certificates.rate_cases(asked.runs), certificates.rate),
    "affine": Part(lambda asked: certificates.affine_cases(asked.runs), certificates.affine),
    "tasks": Part(lambda asked: certificates.task_cases(asked.seeds, asked.steps), certificates.task),
    "bases": Part(lambda asked: bases.cases(asked.seeds, asked.basis_steps), bases.basis),
    "charts": Part(lambda asked: charts.cases(asked.seeds, asked.chart_steps), charts.charts),
    "equations": Part(lambda asked: equations.cases(asked.seeds, asked.equation_steps), equations.equation),
    "latents": Part(lambda asked: latents.cases(asked.seeds, asked.latent_steps), latents.latent),
    "nulls": Part(lambda asked: nulls.cases(asked.systems, asked.latent_steps), nulls.null, nulls.summary),
    "space": Part(lambda asked: space.cases(asked.seeds), space.equation),
    "laws": Part(lambda asked: flows.cases(asked.seeds, asked.flow_steps), flows.law),
    "larger": Part(lambda asked: flows.larger(asked.seeds, asked.flow_steps), flows.law),
}


def finished(file: Path) -> dict[str, dict[str, Any]]:
    """What is kept, by its case; a run that was stopped may have torn the last line, which is taken away."""
    if not file.exists():
        return {}
    whole = file.read_text(encoding="utf8").rpartition("\n")[0].splitlines()
    file.write_text("".join(f"{line}\n" for line in whole), encoding="utf8")
    return {json.dumps(kept["case"]): kept for kept in map(json.loads, whole)}


def computed(case: Case, rows: Callable[..., list[Row]], file: Path) -> dict[str, Any]:
    """A case, which is kept before the next one begins."""
    start = time.process_time()
    found = {"case": list(case), "rows": rows(*case), "seconds": time.process_time() - start}
    with file.open("a", encoding="utf8") as stream:
        stream.write(json.dumps(found) + "\n")
    for row in found["rows"]:
        print(shown(row), flush=True)
    return found


def shown(row: Row) -> str:
    """A row in one line."""
    return ", ".join(f"{key} {_number(value)}" for key, value in row.items() if not isinstance(value, list))


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def parser() -> argparse.ArgumentParser:
    """What may be asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=list(PARTS), required=True)
    parser.add_argument("--runs", type=int, default=10, help="data sets of each setting of rates and affine")
    parser.add_argument("--systems", type=int, default=10, help="random systems of each kind of nulls")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2500, help="of networks of tasks")
    parser.add_argument("--basis-steps", type=int, default=2000, help="of networks of bases")
    parser.add_argument("--chart-steps", type=int, default=2000, help="of networks of charts")
    parser.add_argument("--latent-steps", type=int, default=2500, help="of encoders and of maps of latents and nulls")
    parser.add_argument("--equation-steps", type=int, default=5000, help="of networks of equations")
    parser.add_argument("--flow-steps", type=int, default=1000, help="of flows over SO(2); twice as many over SO(3)")
    parser.add_argument("--out", type=Path, default=Path("runs/discovery"), help="folder of PART.json; resumes")
    return parser


def main() -> None:
    arguments = parser().parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    part, file = PARTS[arguments.part], arguments.out / f"{arguments.part}.jsonl"
    kept, results = finished(file), []
    for case in part.cases(arguments):
        results.append(kept.get(json.dumps(case)) or computed(case, part.rows, file))
    rows, seconds = [row for each in results for row in each["rows"]], sum(each["seconds"] for each in results)
    write_json(arguments.out / f"{arguments.part}.json", {"seconds": seconds, "rows": rows}, indent=1)
    if part.summary:
        print(part.summary(rows))
    print(f"{seconds:.0f} s of one core, what was kept included")


if __name__ == "__main__":
    main()
