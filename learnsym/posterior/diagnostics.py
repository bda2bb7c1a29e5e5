"""Whether draws of a posterior can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

MOST_R_HAT = 1.05
FEWEST = 100
"""Effective draws, below which ends of intervals are chance."""
MOST_DIVERGENT = 0.01
"""Share of the draws."""
FEWEST_COPIES = 8
"""Effective copies behind an average."""


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """Of the inference of a posterior; `doubt` says what is wrong.

    References: R-hat and effective draws: Gelman, Rubin (1992); divergences: Betancourt (2017), arXiv 1701.02434.
    """

    method: str
    """`quadrature`, `NUTS` or `SVI`."""
    effective: float = math.inf
    """Effective number of independent draws, the smallest over degrees; infinite where there is no chance."""
    r_hat: float = 1.0
    """Spread between chains over that within them, the largest over degrees; 1 when they agree."""
    divergences: float = 0.0
    """Share of the steps of the sampler that went astray."""
    copies: float = math.inf
    """Effective copies of an example behind its average, at the worst 5 % of draws; infinite for a quadrature."""

    @property
    def doubt(self) -> str:
        """What is wrong, with its remedy; empty when nothing is."""
        found = {
            f"R-hat is {self.r_hat:.2f}, chains do not agree": self.r_hat > MOST_R_HAT,
            f"only {self.effective:.0f} effective draws, take another `way`": self.effective < FEWEST,
            f"{self.divergences:.0%} of the steps diverged": self.divergences > MOST_DIVERGENT,
            f"averages rest on {self.copies:.1f} effective copies, raise `copies`": self.copies < FEWEST_COPIES,
        }
        return ", ".join(sentence for sentence, holds in found.items() if holds)

    def on_copies(self, effective: float) -> Diagnostics:
        """With the effective number of copies."""
        return replace(self, copies=effective)

    def __str__(self) -> str:
        draws = "no chance in the draws" if math.isinf(self.effective) else f"{self.effective:.0f} effective draws"
        mixing = f", R-hat {self.r_hat:.2f}, {self.divergences:.0%} divergent" if self.method == "NUTS" else ""
        copies = "" if math.isinf(self.copies) else f", {self.copies:.0f} effective copies"
        return f"{draws}{mixing}{copies}" + (f"; rejected: {self.doubt}" if self.doubt else "")
