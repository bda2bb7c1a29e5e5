"""Which generators, and which elements of a large group, are a symmetry of data that nobody named it for?

python experiments/discovery/run.py --part rates --out runs/discovery
python experiments/discovery/run.py --part affine --out runs/discovery
python experiments/discovery/run.py --part tasks --out runs/discovery
python experiments/discovery/run.py --part laws --out runs/discovery
python experiments/discovery/run.py --part bases --seeds 5 --out runs/discovery
python experiments/discovery/run.py --part equations --seeds 5 --out runs/discovery
python experiments/discovery/run.py --part space --out runs/discovery
python experiments/discovery/run.py --part charts --out runs/discovery
python experiments/discovery/run.py --part latents --out runs/discovery
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bases
import certificates
import charts
import equations
import flows
import latents
import space

Row = dict[str, Any]
PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "rates": lambda asked: certificates.rates(asked.runs),
    "affine": lambda asked: certificates.affine(asked.runs),
    "tasks": lambda asked: certificates.tasks(asked.seeds, asked.steps),
    "bases": lambda asked: bases.bases(asked.seeds, asked.basis_steps),
    "charts": lambda asked: charts.charts(asked.seeds, asked.chart_steps),
    "equations": lambda asked: equations.equations(asked.seeds, asked.equation_steps),
    "latents": lambda asked: latents.latents(asked.seeds, asked.latent_steps),
    "space": lambda asked: space.space(asked.seeds),
    "laws": lambda asked: flows.laws(asked.seeds, asked.flow_steps),
}


def shown(row: Row) -> str:
    """A row in one line."""
    return ", ".join(f"{key} {_number(value)}" for key, value in row.items() if not isinstance(value, list))


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=list(PARTS), required=True)
    parser.add_argument("--runs", type=int, default=10, help="data sets of each setting of rates and affine")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2500, help="of networks of tasks")
    parser.add_argument("--basis-steps", type=int, default=2000, help="of networks of bases")
    parser.add_argument("--chart-steps", type=int, default=2000, help="of networks of charts")
    parser.add_argument("--latent-steps", type=int, default=2500, help="of encoders and of maps of latents")
    parser.add_argument("--equation-steps", type=int, default=5000, help="of networks of equations")
    parser.add_argument("--flow-steps", type=int, default=1000, help="of flows over SO(2); twice as many over SO(3)")
    parser.add_argument("--out", type=Path, default=Path("runs/discovery"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    start, rows = time.process_time(), []
    for row in PARTS[arguments.part](arguments):
        print(shown(row), flush=True)
        rows.append(row)
        result = {"seconds": time.process_time() - start, "rows": rows}
        (arguments.out / f"{arguments.part}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"{time.process_time() - start:.0f} s of one core")


if __name__ == "__main__":
    main()
