"""Which arm to take, in one sentence, and what that rests on."""

from __future__ import annotations

from collections.abc import Sequence

from learnsym.comparison.verdicts import Difference, Metric, Recommendation, recommend
from learnsym.report.comparison.amounts import factor_of_losses, listed
from learnsym.report.comparison.findings import Findings
from learnsym.report.words import Verdict, together, two_digits

MOST = 6
"""Other numbers of examples that are named."""


def recommendation(findings: Findings) -> Verdict:
    """What to take with the most examples; then what else may be taken, and what with fewer.

    Args:
        findings: what the comparison has so far, with at least one finished cell.
    """
    found = recommend(findings.rows, findings.base, findings.metric, findings.level, findings.test_examples)
    if not found:
        why = "it is the only arm with a finished cell" if len(findings.arms) == 1 else "no other arm shares a seed"
        return Verdict(headline=f"There is nothing to choose from beside {findings.base}", detail=f"So far {why}.")
    last, *others = reversed(found)
    parts = [*_equals(last), *_elsewhere(last, list(reversed(others))), *_basis(last)]
    return Verdict(headline=headline(last), detail=" ".join(parts))


def headline(found: Recommendation) -> str:
    """The sentence for one number of examples."""
    at = f"at {found.train:,} examples"
    if found.seeds < 2:
        return f"With one seed nothing is told apart {at}; train more, such as --seeds [0,1,2]"
    if found.better:
        return f"Take {found.arm} {at}: {over(found.metric, found.leads[found.arm], found.base)}"
    if found.beats_all:
        runner_up = max(found.leads, key=lambda arm: found.leads[arm].estimate)
        return f"Take {found.base} {at}: {over(found.metric, -found.leads[runner_up], runner_up)}, the next best"
    if all(lead.sign == 0 for lead in found.leads.values()):
        return f"No arm is told apart from {found.base} {at}; take the cheapest, {found.arm}"
    return f"No arm is known to be better than {found.base} {at}; take the cheapest that is not worse, {found.arm}"


def over(metric: Metric, lead: Difference, other: str) -> str:
    """A lead over another arm: `+5.4 points [2.0, 9.1] over plain`, `a loss 12 % [5.0, 20] lower than plain's`."""
    if metric.additive:
        return f"{_added(metric, lead)} over {other}"
    lower, low, high = (two_digits(100 * (1 - factor_of_losses(end))) for end in (lead.estimate, lead.low, lead.high))
    return f"a {metric.name} {lower} % [{low}, {high}] lower than {other}'s"


def _added(metric: Metric, lead: Difference) -> str:
    sign = "+" if lead.estimate > 0 else ""
    estimate, low, high = together([lead.estimate, lead.low, lead.high])
    return f"{sign}{estimate} {metric.unit} [{low}, {high}]"


def _equals(found: Recommendation) -> list[str]:
    names = [arm for arm in found.equals if arm != found.base]
    if found.seeds < 2 or not names or not found.better:
        return []
    return [f"Not told apart from it there: {listed(names)}."]


def _elsewhere(last: Recommendation, others: Sequence[Recommendation]) -> list[str]:
    """What to take with fewer examples; of many numbers the largest ones."""
    if last.seeds < 2 or not others:
        return []
    if {other.arm for other in others} == {last.arm}:
        return [f"It is {last.arm} at {listed([f'{other.train:,}' for other in others])} examples, too."]
    named = [f"{other.arm} at {other.train:,}{_lead(other)}" for other in others[-MOST:]]
    return [f"With fewer examples: {'; '.join(named)}."]


def _lead(found: Recommendation) -> str:
    if not found.better:
        return " (better than all others)" if found.beats_all else " (the cheapest, undecided)"
    return f" ({over(found.metric, found.leads[found.arm], found.base)})"


def _basis(found: Recommendation) -> list[str]:
    if found.seeds < 2:
        return ["Without a second seed there are no intervals."]
    arms = len(found.leads)
    together = f", for all {arms} comparisons with {found.base} together" if arms > 1 else ""
    return [f"Intervals are at {found.level:.0%}{together}."]
