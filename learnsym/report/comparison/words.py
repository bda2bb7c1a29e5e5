"""Verdicts in plain words: one short headline and one explaining sentence each, no number without its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import isinf

from learnsym.comparison.verdicts import Behind, Crossover, Difference, Efficiency, Metric, Region, Regret
from learnsym.report.words import Verdict, bracketed, two_digits


def count(examples: float | int) -> str:
    """A number of examples to two digits: `930`, `12,000`."""
    if examples <= 0:
        return "0"
    digits = max(math.floor(math.log10(examples)) - 1, 0)
    return f"{round(examples / 10**digits) * 10**digits:,}"


def amount(metric: Metric, difference: Difference) -> str:
    """A difference with its interval: `1.2 [0.9, 1.5] points`; with one seed there is no interval, and that is said."""
    estimate, low, high = (two_digits(metric.shown(x)) for x in (difference.estimate, difference.low, difference.high))
    if difference.seeds < 2:
        return f"{estimate} {_unit(metric)} (one seed, no interval)"
    return f"{bracketed(estimate, low, high)} {_unit(metric)}"


def _unit(metric: Metric) -> str:
    return metric.unit if metric.unit != "%" else f"% in {metric.name}"


def crossover_verdict(crossover: Crossover) -> Verdict:
    """Which of two arms wins where."""
    if max(difference.seeds for difference in crossover.differences) < 2:
        return _one_seed(crossover)
    if crossover.crossings:
        return Verdict(headline=_changes(crossover), detail=_extremes(crossover))
    signs = {region.sign for region in crossover.regions}
    if signs == {0}:
        return Verdict(
            headline=f"{crossover.first} and {crossover.second} cannot be told apart",
            detail=f"Nothing is decided {_range(crossover)}: {_largest(crossover, 0)}.",
        )
    sign = next(iter(signs - {0}))
    if signs == {sign}:
        headline = f"{crossover.winner(sign)} beats {crossover.winner(-sign)} {_everywhere(crossover)}"
        return Verdict(headline=headline, detail=_extremes(crossover))
    return Verdict(headline=_partly(crossover, sign), detail=_extremes(crossover))


def _one_seed(crossover: Crossover) -> Verdict:
    return Verdict(
        headline=f"{crossover.first} against {crossover.second}: one seed, so nothing is decided",
        detail=f"Without a second seed there are no intervals. {_largest(crossover, 0)}.".replace(
            " (one seed, no interval)", ""
        ),
    )


def _changes(crossover: Crossover) -> str:
    parts = []
    for crossing in crossover.crossings:
        at = f"n = {bracketed(*map(count, (crossing.estimate, crossing.low, crossing.high)))}"
        parts.append(f"{crossover.winner(crossing.before)} wins {'below' if not parts else 'then up to'} {at}")
    return f"{', '.join(parts)} training examples, {crossover.winner(-crossover.crossings[-1].before)} above"


def _partly(crossover: Crossover, sign: int) -> str:
    areas = [region for region in crossover.regions if region.sign]
    where = " and ".join(_area(region, crossover) for region in areas)
    return f"{crossover.winner(sign)} beats {crossover.winner(-sign)} {where}; elsewhere it is undecided"


def _area(region: Region, crossover: Crossover) -> str:
    if count(region.low) == count(region.high):
        return f"at n = {count(region.low)}"
    if region.low <= crossover.train[0]:
        return f"up to n = {count(region.high)}"
    if region.high >= crossover.train[-1]:
        return f"from n = {count(region.low)} on"
    return f"from n = {count(region.low)} to {count(region.high)}"


def _everywhere(crossover: Crossover) -> str:
    return _range(crossover) if len(crossover.train) == 1 else f"at every n {_range(crossover)}"


def _range(crossover: Crossover) -> str:
    if len(crossover.train) == 1:
        return f"at n = {count(crossover.train[0])}"
    return f"from n = {count(crossover.train[0])} to {count(crossover.train[-1])}"


def _extremes(crossover: Crossover) -> str:
    """The largest lead of either arm."""
    known = [difference for difference in crossover.differences if difference.seeds > 1]
    leads = [
        _largest(crossover, sign) for sign in (1, -1) if any(sign * difference.estimate > 0 for difference in known)
    ]
    return f"{'; '.join(leads)}."


def _largest(crossover: Crossover, sign: int) -> str:
    """The largest difference in favour of the first (1), the second (-1) or either (0)."""
    pairs = list(zip(crossover.differences, crossover.train, strict=True))
    pairs = [pair for pair in pairs if pair[0].seeds > 1] or pairs
    difference, train = max(pairs, key=lambda pair: (sign or _sign(pair[0])) * pair[0].estimate)
    ahead = sign or _sign(difference)
    by = amount(crossover.metric, difference if ahead > 0 else -difference)
    return f"{crossover.winner(ahead)} leads by at most {by} (n = {count(train)})"


def _sign(difference: Difference) -> int:
    return 1 if difference.estimate >= 0 else -1


def regret_verdict(regret: Regret) -> Verdict:
    """How an arm keeps up with the better of the other twins."""
    worst, margin = regret.worst, f"{two_digits(regret.metric.shown(regret.margin))} {_unit(regret.metric)}"
    loss, place = amount(regret.metric, -worst.difference), _where(regret, worst)
    if worst.difference.estimate >= 0:
        headline = f"{regret.arm} leads the better twin by at least {amount(regret.metric, worst.difference)}"
        start = f"Smallest lead {place}."
    elif regret.surely_within == len(regret.cells):
        headline = f"{regret.arm} is within {margin} of the better twin everywhere"
        start = f"Largest loss {loss} {place}."
    else:
        headline = f"{regret.arm} loses at most {loss} to the better twin"
        start = f"Largest loss {place}."
    return Verdict(headline=headline, detail=" ".join([start, _share(regret, margin), *_lead(regret)]))


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
    return [f"Surely ahead of all other twins in {len(ahead)}, at most by {by}."]


def efficiency_verdict(efficiencies: Sequence[Efficiency], arm: str, reference: str) -> Verdict | None:
    """How many times the data of a reference an arm needs, with few and with many examples."""
    known = [efficiency for efficiency in efficiencies if efficiency.low > 0 or not isinf(efficiency.high)]
    if not known:
        return None
    first, last = known[0], known[-1]
    headline = (
        f"{arm} needs {factor(first)} times the examples to do as well as {reference} at n = {count(first.train)}"
    )
    if last is not first:
        headline += f", and {factor(last)} times at n = {count(last.train)}"
    open_ended = any(
        efficiency.factor is None or isinf(efficiency.high) or not efficiency.low for efficiency in (first, last)
    )
    end = " An end of 0 or ∞ lies outside of what was tried." if open_ended else ""
    return Verdict(headline=headline, detail=f"Interpolated between the numbers of examples that were trained.{end}")


def factor(efficiency: Efficiency) -> str:
    """How many times the data, with the interval: `3.1 [2.2, 4.9]`."""
    interval = f"[{_times(efficiency.low)}, {_times(efficiency.high)}{')' if isinf(efficiency.high) else ']'}"
    if efficiency.factor is not None:
        return f"{_times(efficiency.factor)} {interval}"
    if efficiency.low > 0:
        return f"more than {_times(efficiency.low)} {interval}"
    return f"less than {_times(efficiency.high)} {interval}"


def _times(value: float) -> str:
    return f"{value:.2g}" if 0 < value < 0.095 else two_digits(value)
