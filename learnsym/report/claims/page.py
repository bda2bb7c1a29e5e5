"""All claims on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from learnsym.files import write_atomically
from learnsym.report.claims.claim import VERDICTS, Claim
from learnsym.report.claims.table import minutes, summary
from learnsym.report.html import environment


def write_page(claims: Sequence[Claim], path: Path) -> None:
    """Write one self-contained file: how many hold, then every claim by experiment."""
    counts = Counter(claim.verdict for claim in claims)
    experiments = [(name, list(group)) for name, group in groupby(claims, key=lambda claim: claim.experiment)]
    page = (
        environment()
        .get_template("claims.html.j2")
        .render(
            experiments=experiments,
            counts=[(verdict, counts[verdict]) for verdict in VERDICTS],
            summary=summary(claims),
            minutes=minutes,
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page.encode())
