"""Images and volumes of vectors."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_batch, check_finite, check_floating, check_size, check_space
from learnsym.actions._linear import apply_linear
from learnsym.actions.warp import check_mode, warp
from learnsym.groups import Group


@dataclass(frozen=True)
class VectorField(Action):
    """Fields of vectors `(B, dim K, *S)`, such as wind or optical flow: `(g·v)(u) = A v(g^-1 u)`, A the linear part.

    Channels come in runs of `dim` components along x (right), y (up), z; K vectors per pixel.

    Args:
        dim: 2 for fields on images `(H, W)`, 3 for fields on volumes `(D, H, W)`.
        mode: `bilinear` or `nearest`.
        padding: what lies outside: `zeros`, `border` or `reflection`.

    Example:
        >>> eastward = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 4, 4)
        >>> quarter_turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
        >>> ls.actions.VectorField()(quarter_turn, eastward)[0, :, 0, 0]
        tensor([0., 1.])
    """

    dim: int = 2
    mode: str = "bilinear"
    padding: str = "zeros"

    def __post_init__(self) -> None:
        check_mode(self.mode, self.padding)
        if self.dim not in (2, 3):
            raise ValueError(f"dim: got {self.dim}, must be 2 (images) or 3 (volumes)")

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each field moved and its vectors turned."""
        v = warp(x, g, self.mode, self.padding).unflatten(1, (-1, self.dim)).movedim(2, -1)
        return apply_linear(g[..., : self.dim, : self.dim], v).movedim(-1, 2).flatten(1, 2).to(x.dtype)

    def check(self, group: Group) -> None:
        """The group must act on the plane or space, as `dim` says."""
        check_space(self, group, "plane" if self.dim == 2 else "space")
        check_size(self, group, self.dim)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point fields with `dim` components per vector; reads every value."""
        check_batch(x, "B K H W" if self.dim == 2 else "B K D H W")
        check_floating(x)
        if x.shape[1] % self.dim:
            raise ValueError(f"x: got {x.shape[1]} channels, must be a multiple of {self.dim}, one per component")
        check_finite(x)
