"""How many times the data one arm needs, in words."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from learnsym.comparison.verdicts import Efficiency
from learnsym.report.comparison.amounts import count
from learnsym.report.words import Verdict, two_digits


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
    end = " Beyond the numbers that were tried nothing is known." if open_ended else ""
    return Verdict(headline=headline, detail=f"Interpolated between the numbers of examples that were trained.{end}")


def factor(efficiency: Efficiency) -> str:
    """How many times the data, with the interval: `3.1 [2.2, 4.9]`; outside of what was tried the end that is known."""
    if efficiency.factor is not None:
        end = "∞)" if isinf(efficiency.high) else f"{_times(efficiency.high)}]"
        return f"{_times(efficiency.factor)} [{_times(efficiency.low)}, {end}"
    return f"more than {_times(efficiency.low)}" if efficiency.low > 0 else f"less than {_times(efficiency.high)}"


def _times(value: float) -> str:
    return f"{value:.2g}" if 0 < value < 0.095 else two_digits(value)
