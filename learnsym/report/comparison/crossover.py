"""Which of two arms wins where, in words."""

from __future__ import annotations

from learnsym.comparison.verdicts import Crossover, Difference, Region
from learnsym.report.comparison.amounts import amount, count
from learnsym.report.words import Verdict, bracketed


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
            detail=f"Nothing is decided {_range(crossover)}; {_largest(crossover, 0)}.",
        )
    sign = next(iter(signs - {0}))
    if signs == {sign}:
        headline = f"{crossover.winner(sign)} beats {crossover.winner(-sign)} {_everywhere(crossover)}"
        return Verdict(headline=headline, detail=_extremes(crossover))
    return Verdict(headline=_partly(crossover, sign), detail=_extremes(crossover))


def _one_seed(crossover: Crossover) -> Verdict:
    return Verdict(
        headline=f"{crossover.first} against {crossover.second}: one seed, so nothing is decided",
        detail=f"Without a second seed there are no intervals; {_largest(crossover, 0)}.".replace(
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
    return f"{crossover.winner(ahead)} leads most at n = {count(train)}, by {by}"


def _sign(difference: Difference) -> int:
    return 1 if difference.estimate >= 0 else -1
