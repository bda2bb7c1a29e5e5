"""A finding: what was found about one candidate, in words that hold with the certainty that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from learnsym.degrees import Degree, Notion

VerdictStatus = Literal["full", "up to", "absent", "cannot be told", "does not fit"]
"""`full`: over the whole orbit, or an element. `up to`: over a range. `absent`: below a small bound, or told apart."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The verdict on one candidate under one notion, with its interval.

    Args:
        candidate: its name.
        verb: what it does, as in "do not ...".
        notion: `distribution` or `task`.
        status: the verdict.
        words: the verdict in words, such as `up to 31° [28, 34]`.
        reason: what it rests on, or why it cannot be told.
        unit: of the numbers.
        estimate: half-width of the range; of an element the share that is not told apart. None where there is none.
        low: lower end of the interval.
        high: upper end of the interval.
        level: probability with which all findings of an inference hold together.
    """

    candidate: str
    verb: str
    notion: Notion
    status: VerdictStatus
    words: str
    reason: str = ""
    unit: str = "1"
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.9

    @property
    def is_present(self) -> bool:
        """Whether the symmetry is found, wholly or over a range."""
        return self.status in ("full", "up to")

    @property
    def title(self) -> str:
        """The candidate as people read it."""
        return self.candidate.replace("_", " ")

    def degree(self, group: str, method: str, data: str = "") -> Degree:
        """The finding as a row of `symmetry.json`."""
        doubtful = not self.is_present
        statuses = {"absent": "bound only", "cannot be told": "cannot be learned", "does not fit": "cannot be learned"}
        return Degree(
            site="input",
            group=group,
            generator=self.candidate,
            unit=self.unit,
            notion=self.notion,
            estimate=float("nan") if self.estimate is None else self.estimate,
            low=self.low,
            high=self.high,
            level=self.level,
            method=method,
            data=data,
            status=statuses[self.status] if doubtful else "ok",  # type: ignore[arg-type]
            reason=f"{self.words}: {self.reason}" if doubtful and self.reason else self.words if doubtful else "",
        )
