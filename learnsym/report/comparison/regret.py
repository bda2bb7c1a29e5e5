"""How an arm keeps up with the better of the other twins, in words."""

from __future__ import annotations

from learnsym.comparison.verdicts import Behind, Regret
from learnsym.report.comparison.amounts import amount, count, unit_of
from learnsym.report.words import Verdict, two_digits


def regret_verdict(regret: Regret) -> Verdict:
    """How an arm keeps up with the better of the other twins."""
    margin = f"{two_digits(regret.metric.shown(regret.margin))} {unit_of(regret.metric)}"
    return Verdict(
        headline=_standing(regret, margin),
        detail=" ".join([_extreme(regret), _share(regret, margin), *_lead(regret)]),
    )


def _standing(regret: Regret, margin: str) -> str:
    """What is known in all cells, else in some."""
    total, behind = len(regret.cells), len(regret.surely_behind)
    if max(cell.difference.seeds for cell in regret.cells) < 2:
        return f"{regret.arm} against the better twin: one seed, so nothing is decided"
    if len(regret.surely_ahead) == total:
        return f"{regret.arm} beats every other twin{_in(total, total)}"
    if regret.surely_within == total:
        return f"{regret.arm} is within {margin} of the better twin{_in(total, total)}"
    if behind:
        return f"{regret.arm} loses to the better twin{_in(behind, total)}"
    apart = total - len(regret.surely_ahead)
    return f"{regret.arm} is not told apart from the better twin{_in(apart, total) if apart < total else ''}"


def _in(cells: int, total: int) -> str:
    if cells < total:
        return f" in {cells} of {total} cells"
    return " everywhere" if total > 1 else ""


def _extreme(regret: Regret) -> str:
    """The cell in which the arm does worst."""
    worst = regret.worst
    if worst.difference.estimate >= 0:
        return f"Its lead is smallest {_where(regret, worst)}: {amount(regret.metric, worst.difference)}."
    return f"It is furthest behind {_where(regret, worst)}: by {amount(regret.metric, -worst.difference)}."


def _where(regret: Regret, behind: Behind) -> str:
    cell, cells = behind.cell, [each.cell for each in regret.cells]
    place = f"at n = {count(cell.train)}"
    if len({other.size for other in cells}) > 1:
        place += f", size {cell.size}"
    if len({(other.train, other.size) for other in cells}) < len(cells):
        place += f", {cell.length:g} {regret.length_unit}"
    return f"{place}, where the better twin is {behind.better}"


def _share(regret: Regret, margin: str) -> str:
    total, surely, never = len(regret.cells), regret.surely_within, regret.surely_outside
    cells = "cell" if total == 1 else "cells"
    if max(behind.difference.seeds for behind in regret.cells) < 2:
        return f"Within {margin} in {regret.within} of {total} {cells} by one seed each, without intervals."
    return (
        f"Within {margin} in {regret.within} [{surely}, {total - never}] of {total} {cells}: "
        f"by their {regret.level:.0%} intervals surely in {surely} and surely not in {never}."
    )


def _lead(regret: Regret) -> list[str]:
    """Where the arm beats all twins; nothing where that is everywhere, as the headline then says, or nowhere."""
    ahead = regret.surely_ahead
    if not 0 < len(ahead) < len(regret.cells):
        return []
    best = max(ahead, key=lambda behind: behind.difference.estimate)
    by = f"{amount(regret.metric, best.difference)} {_where(regret, best)}"
    return [f"Surely ahead of all other twins in {len(ahead)}, most by {by}."]
