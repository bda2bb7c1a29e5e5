"""The unit of relative errors: how far outputs of unrelated examples are apart.

Legend of axes: `B` examples.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.statistics import Estimate


@dataclass(frozen=True, eq=False)
class Distance:
    """A root mean square distance over pairs of examples, and what each example adds to its mean square."""

    square: Float[Tensor, ""]
    """`D²`."""
    parts: Float[Tensor, "B"]
    """One value per example, whose mean is `D²` and whose spread is that of `D²` over draws of examples."""

    @staticmethod
    def between(squares: Float[Tensor, "B"], y: Shaped[Tensor, "B ..."], partner: Shaped[Tensor, "B"]) -> Distance:
        """Of the squared distances `d_i` of each example from its partner.

        Each example is in two pairs, so that the `d_i` are not independent. With `a_i = |y_i - mean y|²` the mean of
        `d_i` has the same linear part in each example as twice that of `a_i` (Hájek), and what is left of `d_i` is not
        correlated between pairs:

            d_i = a_i + a_j(i) + rest_i,    parts_i = 2 a_i + rest_i = d_i + a_i - a_j(i)

        Args:
            squares: `d_i`.
            y: what the distances are between.
            partner: `j(i)`, a permutation.
        """
        centred = y.reshape(len(y), -1).double()
        a = (centred - centred.mean(0)).square().sum(1)
        return Distance(squares.mean(), squares + a - a[partner])

    @property
    def deviations(self) -> Float[Tensor, "B"]:
        """`(parts_i - D²) / D²`, 0 for no distance."""
        return (self.parts - self.square) / self.square if self.square else torch.zeros_like(self.parts)

    def units(self, errors: Float[Tensor, "*K B"]) -> Float[Tensor, "*K B"]:
        """Errors over this distance; no error is 0 on any scale.

        Raises:
            ValueError: when there is an error, and outputs are the same for all examples.
        """
        if not self.square and errors.any():
            raise ValueError(
                "model: its output is the same for all examples, so that its error has no scale; measure an output "
                "that differs between examples"
            )
        return torch.where(errors == 0, errors, errors / self.square.sqrt())

    def estimate(self, errors: Float[Tensor, "B"]) -> Estimate:
        """The mean of `e_i = errors_i / D`; its standard error is that of the ratio, by the delete-one jackknife.

        With `m` the mean without example `i`, of both errors and parts, and `m.` its mean over `i`,

            m_i = mean_{k != i} errors_k / sqrt(mean_{k != i} parts_k),    linear_i = mean e + (B - 1) (m. - m_i)

        Linearisation alone is too short where few examples have most of the distance.
        """
        e, count = self.units(errors), len(errors)
        if not self.square:
            return Estimate.of(e)
        # parts may be negative, their mean is not
        left = ((count * self.square - self.parts) / (count - 1)).clamp_min(self.square / count)
        without = (count * e.mean() - e) / (count - 1) * (self.square / left).sqrt()
        return Estimate.of(e, linear=e.mean() + (count - 1) * (without.mean() - without))
