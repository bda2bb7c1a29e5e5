"""Subsampling and upsampling that commute with shifts, quarter turns and flips.

Legend of axes: `B` batch, `c` channels, `H W` pixels, `h w` pixels of the coarser grid.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.subsampling.cosets import Cosets, cosets_of, remainder, representative
from learnsym.equivariant.subsampling.fields import by_field, check_image, coarser, scores
from learnsym.equivariant.subsampling.gather import extended_from, restricted_to
from learnsym.equivariant.subsampling.index import PoseIndex, best_pose
from learnsym.equivariant.subsampling.pose import LatticePose, LatticeTables
from learnsym.groups import Group


class CosetTables(nn.Module):
    """`cosets_of` as constants that follow the device of their module."""

    def __init__(self, group: Group, subgroup: Group, stride: int) -> None:
        super().__init__()
        cosets = cosets_of(group, subgroup, stride)
        self.stride = stride
        self.fine = nn.ModuleList(Constant(table) for table in cosets.fine)
        self.rest = nn.ModuleList(Constant(table) for table in (cosets.members, cosets.coset, cosets.place))

    def forward(self) -> Cosets:
        """The tables."""
        return Cosets(self.stride, LatticeTables(*(table() for table in self.fine)), *(table() for table in self.rest))


class EquivariantSubsample2d(nn.Module):
    """Keeps one coset of a coarser plane group, chosen by the features, so that the output moves with the input.

    With `K = (sZ)² ⋊ K_0`, a representative `s(p)` of each coset `p K` and an index `p(f)` with `p(g·f) = g p(f)`:

        y(k) = f(s(p) k),    y(g·f) = κ·y(f),    κ = s(g p)^-1 g s(p) ∈ K

    Images wrap around: a shift by one pixel changes the index, a shift by the stride moves the output by one pixel.
    Fields keep their number and become fields of `K_0`. The output has a gradient by the features; the index is
    piecewise constant in them. For images that do not wrap around, and networks as they are, see `exact_strides`.

    Args:
        in_type: scalar and regular fields of C_1, C_2, C_4, D_1, D_2 or D_4.
        stride: `s`, which must divide the sides of the images.
        subgroup: `K_0`, turns and flips that are kept; all when None.
        blur: of the response from which the index is found, standard deviation in pixels.

    Raises:
        ValueError: for other fields, no subgroup, or only scalar fields when turns or flips are given up.

    Reference: Xu, Kim, Rainforth, Teh, "Group equivariant subsampling" (2021), arXiv 2106.05886.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> subsample = ls.equivariant.EquivariantSubsample2d(fields, 2, subgroup=ls.groups.Cyclic(2))
        >>> subsample.out_type, subsample(torch.rand(1, 8, 6, 6)).shape
        (C_2: 2 x regular, torch.Size([1, 4, 3, 3]))
    """

    def __init__(self, in_type: FieldType, stride: int, *, subgroup: Group | None = None, blur: float = 2.0) -> None:
        super().__init__()
        subgroup = in_type.group if subgroup is None else subgroup
        if not blur > 0:
            raise ValueError(f"blur: got {blur}, must be above 0 pixels; 2 is usual")
        self.tables = CosetTables(in_type.group, subgroup, stride)
        self.in_type, self.out_type, self.stride, self.blur = in_type, coarser(in_type, subgroup), stride, blur
        if in_type.is_invariant and len(self.tables().members) > 1:
            raise ValueError(
                f"in_type: got {in_type}, which does not say how an example is turned, must have regular fields to "
                f"give up turns or flips; leave subgroup out"
            )

    def index(self, x: Float[Tensor, "B c H W"]) -> PoseIndex:
        """The pose of the strongest response: its coset is the one that is kept, the rest is for further levels."""
        check_image(self.in_type, x, self.stride)
        return best_pose(scores(self.in_type, x, self.blur), self.tables())

    def forward(self, x: Float[Tensor, "B c H W"], pose: LatticePose | None = None) -> Float[Tensor, "B d h w"]:
        """The features on the coset of a pose, by default of that of `index`."""
        check_image(self.in_type, x, self.stride)
        cosets, chosen = self.tables(), self.index(x).pose if pose is None else pose
        chosen = representative(cosets, chosen)
        return by_field(self.in_type, x, lambda part, _: restricted_to(cosets, chosen, part))

    def remainder(self, pose: LatticePose) -> LatticePose:
        """What is left of a pose, on the coarser grid: the index for the next level."""
        return remainder(self.tables(), pose)

    def extra_repr(self) -> str:
        """Types and stride."""
        return f"{self.in_type} -> {self.out_type}, stride={self.stride}"


class EquivariantUpsample2d(nn.Module):
    """Puts features back on the coset that they came from, and 0 elsewhere: the adjoint of `EquivariantSubsample2d`.

        f(s(p) k) = y(k)

    Args:
        out_type: scalar and regular fields of the finer group.
        stride: `s`.
        subgroup: `K_0`, the group of the input; that of `out_type` when None.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> upsample = ls.equivariant.EquivariantUpsample2d(fields, 2)
        >>> pose = ls.equivariant.LatticePose(torch.tensor([[1, 0]]), torch.tensor([0]))
        >>> upsample(torch.ones(1, 4, 1, 1), pose)[0, 0]
        tensor([[0., 0.],
                [1., 0.]])
    """

    def __init__(self, out_type: FieldType, stride: int, *, subgroup: Group | None = None) -> None:
        super().__init__()
        subgroup = out_type.group if subgroup is None else subgroup
        self.tables = CosetTables(out_type.group, subgroup, stride)
        self.in_type, self.out_type, self.stride = coarser(out_type, subgroup), out_type, stride

    def forward(self, y: Float[Tensor, "B d h w"], pose: LatticePose) -> Float[Tensor, "B c H W"]:
        """The features on the finer grid, at the coset of each pose."""
        check_image(self.in_type, y, 1)
        cosets = self.tables()
        chosen = representative(cosets, pose)
        return by_field(self.in_type, y, lambda part, regular: extended_from(cosets, chosen, part, regular))

    def extra_repr(self) -> str:
        """Types and stride."""
        return f"{self.in_type} -> {self.out_type}, stride={self.stride}"
