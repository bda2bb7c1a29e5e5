"""Estimate: a mean over examples with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over examples with its standard error; the examples are the independent units.

    Example:
        >>> print(ls.statistics.Estimate.of(torch.tensor([0.1, 0.3, 0.2, 0.2])))
        0.2 ± 0.0408
    """

    mean: float
    stderr: float
    """Standard error over examples; 0 for a single example, of which nothing can be said."""
    per_sample: Float[Tensor, "B"]
    """The value of each example, whose mean is `mean`."""
    linear: Float[Tensor, "B"]
    """What each example adds to `mean`, of which `stderr` is the standard error. `per_sample` for a plain mean; where
    the values have a unit that comes from the same examples, it has the chance of that unit in it, too."""

    @staticmethod
    def of(per_sample: Float[Tensor, "B"], linear: Float[Tensor, "B"] | None = None) -> Estimate:
        """The estimate made of one value per example `(B,)`, and of what each adds to the mean where that is more."""
        if len(per_sample) == 0:
            raise ValueError("per_sample: got no values; measure at least one example")
        linear = per_sample if linear is None else linear
        stderr = float(linear.std()) / len(linear) ** 0.5 if len(linear) > 1 else 0.0
        return Estimate(mean=float(per_sample.mean()), stderr=stderr, per_sample=per_sample, linear=linear)

    def check_several(self) -> None:
        """Refuse an estimate over a single example, around which there is no interval.

        Raises:
            ValueError: for fewer than two examples.
        """
        if len(self.per_sample) < 2:
            raise ValueError(
                "estimate: is over one example, must be over at least 2 for an interval; measure more examples"
            )

    def __str__(self) -> str:
        chance = f"± {self.stderr:.3g}" if len(self.per_sample) > 1 else "(one example, of unknown chance)"
        return f"{self.mean:.3g} {chance}"
