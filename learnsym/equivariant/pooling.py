"""Pooling over cosets: regular fields become quotient fields or scalars.

Legend of axes: `B` batch, `c` channels, `f` fields, `q` cosets, `m` elements of one, `*S` pixels, if any.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.groups import Group
from learnsym.representations import Irrep, Quotient, Representation

REDUCTIONS: dict[str, type[nn.Module]] = {"max": nn.MaxPool3d, "mean": nn.AvgPool3d}


class CosetPool(nn.Module):
    """The largest (or mean) component over each coset of a subgroup: `y(g H) = max_{h in H} x(g h)`.

    Regular fields become fields on the cosets `G/H`; with the whole group, which is the default, they become scalars
    that no element changes. Scalars stay.

    Args:
        in_type: trivial, regular or quotient fields, channels `(B, in_type.size, *S)`.
        reduce: `max` or `mean`.
        subgroup: `H`; the whole group when None.

    Raises:
        ValueError: for another reduction, and for fields whose components the subgroup does not join to cosets.

    Reference: Cohen, Welling, "Group equivariant convolutional networks" (2016), arXiv 1602.07576, section 6.3.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> ls.equivariant.CosetPool(fields, "max")(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
        tensor([[4.]])
        >>> ls.equivariant.CosetPool(fields, "mean", ls.groups.Cyclic(2))(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
        tensor([[2., 3.]])
    """

    def __init__(self, in_type: FieldType, reduce: str = "max", subgroup: Group | None = None) -> None:
        super().__init__()
        if reduce not in REDUCTIONS:
            raise ValueError(f"reduce: got {reduce!r}, must be one of {', '.join(REDUCTIONS)}")
        subgroup = in_type.group if subgroup is None else subgroup
        self.in_type, self.reduce, self.subgroup = in_type, reduce, subgroup
        orders = [pooled_order(representation, subgroup) for representation, _ in in_type.parts]
        self.orders = nn.ModuleList(Constant(order) for order in orders)
        targets = [_target(representation, subgroup) for representation, _ in in_type.parts]
        self.out_type = FieldType(
            in_type.group, tuple((target, count) for target, (_, count) in zip(targets, in_type.parts, strict=True))
        )

    def forward(self, x: Tensor) -> Tensor:
        """The pooled fields, `(B, c_out, *S)`."""
        check_channels(self.in_type, x)
        sections = zip(self.in_type.sections(), self.orders, strict=True)
        return torch.cat([self._pooled(x[:, channels], count, order()) for (_, count, channels), order in sections], 1)

    def _pooled(self, x: Tensor, count: int, order: Tensor) -> Tensor:
        fields = x.unflatten(1, (count, -1))[:, :, order]
        reduced = fields.amax(3) if self.reduce == "max" else fields.mean(3)
        return reduced.flatten(1, 2)

    def plain(self) -> nn.Module:
        """For images and one kind of fields: a fixed reordering of channels where cosets need it, and a pool over them.

        Raises:
            ValueError: for several kinds of fields.
        """
        if len(self.orders) > 1:
            raise ValueError(
                f"in_type: got {self.in_type}, must be fields of one kind for a plain pool; pool each alone"
            )
        order: Any = self.orders[0]
        members = order().shape[1]
        pool = REDUCTIONS[self.reduce]((members, 1, 1))
        layers: list[nn.Module] = [nn.Unflatten(1, (self.out_type.size, members)), pool, nn.Flatten(1, 2)]
        flat = order().flatten()
        if not torch.equal(flat, torch.arange(len(flat), device=flat.device)):
            layers.insert(0, self._reordering(flat))
        return nn.Sequential(*layers)

    def _reordering(self, order: Tensor) -> nn.Module:
        size = self.in_type.size
        conv = nn.Conv2d(size, size, 1, bias=False, device=order.device).requires_grad_(False)
        index = (torch.arange(0, size, len(order), device=order.device)[:, None] + order).flatten()
        with torch.no_grad():
            conv.weight.copy_(torch.eye(size, device=order.device)[index, :, None, None])
        return conv

    def extra_repr(self) -> str:
        """Types."""
        return f"{self.in_type} -> {self.out_type}, reduce={self.reduce!r}"


def pooled_order(representation: Representation, subgroup: Group) -> Int[Tensor, "q m"]:
    """The components that each coset `g H` joins, in the order of `Quotient(group, subgroup)`."""
    if representation.is_trivial:
        return torch.zeros(1, 1, dtype=torch.long)
    if not isinstance(representation, Quotient):
        raise ValueError(
            f"in_type: got {representation!r}, must be trivial, regular or quotient fields; InvariantPool takes others"
        )
    own, joined = representation.cosets(), Quotient(representation.group, subgroup).cosets()
    pairs = torch.unique(torch.stack([joined, own]), dim=1)
    if pairs.shape[1] != representation.size:
        raise ValueError(f"subgroup: got {subgroup}, must contain {representation.subgroup} to pool {representation!r}")
    return pairs[1].unflatten(0, (int(joined.max()) + 1, -1))


def _target(representation: Representation, subgroup: Group) -> Representation:
    if representation.is_trivial or subgroup == representation.group:
        return Irrep(representation.group, 0)
    return Quotient(representation.group, subgroup)
