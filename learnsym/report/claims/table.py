"""Claims as an aligned table for the terminal, and as a table in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from learnsym.report.claims.claim import VERDICTS, Claim, read_claims
from learnsym.report.tables import aligned

HEADER = ("experiment", "paper", "claim", "claimed", "found", "seeds", "verdict", "minutes")
WIDTH = 72
"""Characters of a claim in the terminal."""


def text_table(claims: Sequence[Claim]) -> str:
    """A line of each claim, long ones cut short, and how many there are of each verdict."""
    return aligned([HEADER, *(cells(claim, WIDTH) for claim in claims)]) + f"\n\n{summary(claims)}"


def cells(claim: Claim, width: int | None = None) -> list[str]:
    """The columns of a claim."""
    text = claim.claim if width is None else shorten(claim.claim, width, placeholder="...")
    paper = claim.paper if claim.arxiv is None else f"{claim.paper}, {claim.arxiv}"
    claimed = "" if claim.claimed is None else f"{claim.claimed:g}"
    seeds = "" if claim.seeds is None else str(claim.seeds)
    return [claim.experiment, paper, text, claimed, claim.number, seeds, claim.verdict, minutes(claim)]


def minutes(claim: Claim) -> str:
    """How long the command takes; a dash where the time was not taken."""
    return "–" if claim.minutes is None else f"{claim.minutes:g}"


def summary(claims: Sequence[Claim]) -> str:
    """How many claims there are, and how many of each verdict."""
    counts = Counter(claim.verdict for claim in claims)
    experiments = len({claim.experiment for claim in claims})
    parts = ", ".join(f"{counts[verdict]} {verdict if verdict != 'holds' else 'hold'}" for verdict in VERDICTS)
    return f"{len(claims)} claims of {experiments} experiments: {parts.replace('fails', 'fail')}."


def markdown_table(claims: Sequence[Claim]) -> str:
    """A row of each claim, with links to the experiment and to the paper."""
    rows = [
        "| experiment | paper | claim | found | verdict | command | minutes | hardware |",
        "|---|---|---|---|---|---|---|---|",
    ]
    before = ""
    for claim in claims:
        name = "" if claim.experiment == before else f"[{claim.experiment}]({claim.experiment}/README.md)"
        paper = claim.paper if claim.link is None else f"{claim.paper}, [{claim.arxiv}]({claim.link})"
        found = f"{claim.quantity}: {claim.number}" if claim.number else claim.quantity
        row = [name, paper, claim.claim, found, claim.verdict, f"`{claim.command}`", minutes(claim), claim.hardware]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        before = claim.experiment
    return "\n".join(rows)


def claims_table(folder: str | Path) -> str:
    """What `experiments/README.md` shows: how many claims hold, and a row of each."""
    claims = read_claims(folder)
    return f"{summary(claims)}\n\n{markdown_table(claims)}"
