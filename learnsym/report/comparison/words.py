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


def crossover_verdict(found: Crossover) -> Verdict:
    """Which of two arms wins where."""
    if max(difference.seeds for difference in found.differences) < 2:
        return _one_seed(found)
    if found.crossings:
        return Verdict(headline=_changes(found), detail=_extremes(found))
    signs = {region.sign for region in found.regions}
    if signs == {0}:
        return Verdict(
            headline=f"{found.first} and {found.second} cannot be told apart",
            detail=f"Nothing is decided {_range(found)}: {_largest(found, 0)}.",
        )
    sign = next(iter(signs - {0}))
    if signs == {sign}:
        headline = f"{found.winner(sign)} beats {found.winner(-sign)} {_everywhere(found)}"
        return Verdict(headline=headline, detail=_extremes(found))
    return Verdict(headline=_partly(found, sign), detail=_extremes(found))


def _one_seed(found: Crossover) -> Verdict:
    return Verdict(
        headline=f"{found.first} against {found.second}: one seed, so nothing is decided",
        detail=f"Without a second seed there are no intervals. {_largest(found, 0)}.".replace(
            " (one seed, no interval)", ""
        ),
    )


def _changes(found: Crossover) -> str:
    parts = []
    for crossing in found.crossings:
        at = f"n = {bracketed(*map(count, (crossing.estimate, crossing.low, crossing.high)))}"
        parts.append(f"{found.winner(crossing.before)} wins {'below' if not parts else 'then up to'} {at}")
    return f"{', '.join(parts)} training examples, {found.winner(-found.crossings[-1].before)} above"


def _partly(found: Crossover, sign: int) -> str:
    areas = [region for region in found.regions if region.sign]
    where = " and ".join(_area(region, found) for region in areas)
    return f"{found.winner(sign)} beats {found.winner(-sign)} {where}; elsewhere it is undecided"


def _area(region: Region, found: Crossover) -> str:
    if count(region.low) == count(region.high):
        return f"at n = {count(region.low)}"
    if region.low <= found.train[0]:
        return f"up to n = {count(region.high)}"
    if region.high >= found.train[-1]:
        return f"from n = {count(region.low)} on"
    return f"from n = {count(region.low)} to {count(region.high)}"


def _everywhere(found: Crossover) -> str:
    return _range(found) if len(found.train) == 1 else f"at every n {_range(found)}"


def _range(found: Crossover) -> str:
    if len(found.train) == 1:
        return f"at n = {count(found.train[0])}"
    return f"from n = {count(found.train[0])} to {count(found.train[-1])}"


def _extremes(found: Crossover) -> str:
    """The largest lead of either arm."""
    known = [one for one in found.differences if one.seeds > 1]
    leads = [_largest(found, sign) for sign in (1, -1) if any(sign * one.estimate > 0 for one in known)]
    return f"{'; '.join(leads)}."


def _largest(found: Crossover, sign: int) -> str:
    """The largest difference in favour of the first (1), the second (-1) or either (0)."""
    pairs = list(zip(found.differences, found.train, strict=True))
    pairs = [pair for pair in pairs if pair[0].seeds > 1] or pairs
    difference, train = max(pairs, key=lambda pair: (sign or _sign(pair[0])) * pair[0].estimate)
    ahead = sign or _sign(difference)
    by = amount(found.metric, difference if ahead > 0 else -difference)
    return f"{found.winner(ahead)} leads by at most {by} (n = {count(train)})"


def _sign(difference: Difference) -> int:
    return 1 if difference.estimate >= 0 else -1


def regret_verdict(found: Regret) -> Verdict:
    """How an arm keeps up with the better of the other twins."""
    worst, margin = found.worst, f"{two_digits(found.metric.shown(found.margin))} {_unit(found.metric)}"
    loss, place = amount(found.metric, -worst.difference), _where(found, worst)
    if worst.difference.estimate >= 0:
        headline = f"{found.arm} leads the better twin by at least {amount(found.metric, worst.difference)}"
        start = f"Smallest lead {place}."
    elif found.surely_within == len(found.cells):
        headline = f"{found.arm} is within {margin} of the better twin everywhere"
        start = f"Largest loss {loss} {place}."
    else:
        headline = f"{found.arm} loses at most {loss} to the better twin"
        start = f"Largest loss {place}."
    return Verdict(headline=headline, detail=" ".join([start, _share(found, margin), *_lead(found)]))


def _where(found: Regret, one: Behind) -> str:
    cell, cells = one.cell, [other.cell for other in found.cells]
    place = f"at n = {count(cell.train)}"
    if len({one.size for one in cells}) > 1:
        place += f", size {cell.size}"
    if len({(one.train, one.size) for one in cells}) < len(cells):
        place += f", {cell.length:g} {found.length_unit}"
    return f"{place}, where the better twin is {one.better}"


def _share(found: Regret, margin: str) -> str:
    total, surely, never = len(found.cells), found.surely_within, found.surely_outside
    cells = "cell" if total == 1 else "cells"
    if max(one.difference.seeds for one in found.cells) < 2:
        return f"Within {margin} in {found.within} of {total} {cells} by one seed each, without intervals."
    return (
        f"Within {margin} in {found.within} [{surely}, {total - never}] of {total} {cells}: "
        f"by their {found.level:.0%} intervals surely in {surely} and surely not in {never}."
    )


def _lead(found: Regret) -> list[str]:
    """Where the arm beats all twins; nothing where that is everywhere, as the headline then says, or nowhere."""
    ahead = found.surely_ahead
    if not 0 < len(ahead) < len(found.cells):
        return []
    best = max(ahead, key=lambda one: one.difference.estimate)
    by = f"{amount(found.metric, best.difference)} {_where(found, best)}"
    return [f"Surely ahead of all other twins in {len(ahead)}, at most by {by}."]


def efficiency_verdict(found: Sequence[Efficiency], arm: str, reference: str) -> Verdict | None:
    """How many times the data of a reference an arm needs, with few and with many examples."""
    known = [one for one in found if one.low > 0 or not isinf(one.high)]
    if not known:
        return None
    first, last = known[0], known[-1]
    headline = (
        f"{arm} needs {factor(first)} times the examples to do as well as {reference} at n = {count(first.train)}"
    )
    if last is not first:
        headline += f", and {factor(last)} times at n = {count(last.train)}"
    open_ended = any(one.factor is None or isinf(one.high) or not one.low for one in (first, last))
    end = " An end of 0 or ∞ lies outside of what was tried." if open_ended else ""
    return Verdict(headline=headline, detail=f"Interpolated between the numbers of examples that were trained.{end}")


def factor(one: Efficiency) -> str:
    """How many times the data, with the interval: `3.1 [2.2, 4.9]`."""
    interval = f"[{_times(one.low)}, {_times(one.high)}{')' if isinf(one.high) else ']'}"
    if one.factor is not None:
        return f"{_times(one.factor)} {interval}"
    if one.low > 0:
        return f"more than {_times(one.low)} {interval}"
    return f"less than {_times(one.high)} {interval}"


def _times(value: float) -> str:
    return f"{value:.2g}" if 0 < value < 0.095 else two_digits(value)
