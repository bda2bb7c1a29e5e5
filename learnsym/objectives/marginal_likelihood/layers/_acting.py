"""How the tensors of one layer act.

Legend of axes: `R` rows, copies of an example among them, `M` groups of weights that share nothing, `T` positions,
`I` numbers that a weight takes in, `O` numbers that it gives.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

LARGEST = 4096
"""Numbers that a group of weights may take in or give: a factor has their square, and its eigenvalues their cube."""


@runtime_checkable
class Acting(Protocol):
    """The tensors of a layer as matrices: `Σ_t g_t a_t^T` is the gradient of one, in each of `M` groups.

    `a` is what a group of weights takes in at a position and `g` the derivative of what it gives. Positions are those
    of an image, and whatever else shares the weights, such as the components of a field.
    """

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        """Of each tensor the names in `given` and `taken` whose second moments are multiplied; biases take nothing."""
        ...

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R M T I"]]:
        """What the tensors take in when the layer takes `x`."""
        ...

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R M T O"]]:
        """Derivatives of what the tensors give, from the derivative `g` of the output of the layer; linear in it."""
        ...


def positions(g: Float[Tensor, "R O *S"]) -> Float[Tensor, "R 1 T O"]:
    """Channels last, all pixels as positions."""
    return g.flatten(2).mT.unsqueeze(1)
