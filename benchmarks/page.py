"""The page and the verdicts of a comparison of 8,000 cells: time of the processor, and bytes of the page.

Two grids: 100 places with four learning rates and five seeds, and 2,000 places with one of each, whose tables and
figures are folded. `ratio` is the time over 20 s, or the size over 3 MB; `times` has the seconds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SECONDS, BYTES = 20.0, 3e6


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Two rows for each grid."""
    from benchmarks.made_comparison import AXES, MANY_PLACES

    return [*_rows("100 places", AXES), *_rows("2,000 places", MANY_PLACES)]


def _rows(name: str, axes: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    from benchmarks.made_comparison import configuration, finished_comparison
    from learnsym.comparison.table import write_table
    from learnsym.report.comparison import draw_comparison, read_findings, recommendation

    with tempfile.TemporaryDirectory() as folder:
        plan, locks = finished_comparison(configuration(axes), Path(folder))
        assert len(plan.cells) == 8000
        began = time.process_time()
        write_table(Path(folder), locks)
        page = draw_comparison(folder)
        recommendation(read_findings(folder))
        seconds, size = time.process_time() - began, page.stat().st_size
    title = f"8,000 cells at {name}"
    return [
        {
            "name": f"page and verdicts of {title}, CPU time / {SECONDS:g} s",
            "ratio": seconds / SECONDS,
            "target": 1.0,
            "times": {"CPU": seconds},
        },
        {"name": f"bytes of the page of {title} / {BYTES / 1e6:g} MB", "ratio": size / BYTES, "target": 1.0},
    ]
