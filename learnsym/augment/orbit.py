"""The exact twin: an average over a fixed set of elements of a compact group.

Legend of axes: `S` elements, `B` batch, `n` matrix size.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.augment.augmented import checked_count
from learnsym.augment.averages import Average, mean_outputs
from learnsym.augment.first_batches import FirstBatches
from learnsym.augment.transform import averaged
from learnsym.distributions import Haar, full_precision, midpoints
from learnsym.groups import Group
from learnsym.parts import Whole, examples
from learnsym.symmetry import SymmetryLike, as_symmetry


class OrbitAveraged(nn.Module):
    """A network averaged over a fixed set of elements, the same in training and in evaluation.

        f(x) = average over g in elements of  g^{-1} · net(g · x)

    Exactly invariant or equivariant under the elements (up to interpolation) when they form a group, such as C_8.

    Args:
        net: any module from a batch `(B, ...)` to a batch `(B, ...)`, or from structures to structures of them; of
            what it returns, the output alone is averaged and returned, see `Symmetry.at`.
        symmetry: how group elements move inputs and outputs; or its name.
        elements: `(S, n, n)`, such as `quadrature(symmetry.group, 8)`, the default.
        average: from stacked outputs `(S, B, ...)` to `(B, ...)`, as for `Augmented`.

    Raises:
        ValueError: when the elements are not matrices of the group.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> model = ls.augment.OrbitAveraged(net, ls.symmetry_by_name("quarter_turns2d"))
        >>> x = torch.rand(5, 1, 8, 8)
        >>> torch.allclose(model(x), model(x.rot90(1, (-2, -1))), atol=1e-5)
        True
    """

    elements: Tensor

    def __init__(
        self,
        net: nn.Module,
        symmetry: SymmetryLike,
        elements: Float[Tensor, "S n n"] | None = None,
        *,
        average: Average = mean_outputs,
    ) -> None:
        super().__init__()
        symmetry = as_symmetry(symmetry)
        elements = quadrature(symmetry.group, 8) if elements is None else elements
        if not len(elements) or not bool(symmetry.group.contains(elements, atol=1e-4).all()):
            raise ValueError(
                f"elements: {len(elements)} matrices, must all be elements of {symmetry.group.name}, at least one"
            )
        self.net = net
        self.symmetry = symmetry
        self.average = average
        self.first_batches = FirstBatches(symmetry)
        # set by the configuration, hence not part of the state
        self.register_buffer("elements", elements.clone(), persistent=False)

    def forward(self, x: Whole) -> Tensor:
        self.first_batches.check(x)
        with full_precision(self.elements.device):
            g = self.elements.unsqueeze(1).expand(-1, examples(x), -1, -1)
        return averaged(self.net, self.symmetry, g, x, self.average)

    def plain(self) -> nn.Module:
        """The network alone."""
        return self.net


def quadrature(group: Group, count: int) -> Float[Tensor, "S n n"]:
    """Elements of a compact group with equal weights whose averages come near those of the Haar measure.

    All elements of a finite group; `count` equal angles, shared between the components, of a group of one generator
    (exact for functions of band limit below the number of angles); `count` quasi-random elements of any other.

    Raises:
        ValueError: when the group is not compact, or `count` is not a multiple of its components.

    Example:
        >>> ls.augment.quadrature(ls.groups.SO2(), 4).shape
        torch.Size([4, 2, 2])
    """
    checked_count("count", count)
    components = group.components.to(torch.get_default_dtype())
    if group.order is not None and group.order == len(components):
        return components
    if not group.is_compact:
        raise ValueError(
            f"group: {group.name} is not compact, its orbits have no end; use the fixed twin, or a compact group"
        )
    if group.dim != 1:
        haar = Haar(group)
        return haar.from_uniform(midpoints(count, haar.uniforms).to(components))
    angles, rest = divmod(count, len(components))
    if rest or not angles:
        raise ValueError(f"count: got {count}, must be a multiple of the {len(components)} components of {group.name}")
    cap = group.generators[0].cap
    turns = group.exp(2 * cap / angles * torch.arange(angles, dtype=components.dtype)[:, None])
    return (components[:, None] @ turns).flatten(0, 1)
