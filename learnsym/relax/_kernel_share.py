"""How much of a kernel commutes with a group, and with each element that maps pixels to pixels.

Legend of axes: `G` elements, `c` channels, `*S` pixels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.distributions._elements import names
from learnsym.equivariant import FeatureField, FieldType, GroupConv2d, SteerableConv, nearest_kernel
from learnsym.groups import Dihedral, Group


def kernel_degrees(kernel: Tensor, layer: SteerableConv | GroupConv2d, site: str, method: str) -> list[Degree]:
    """`|P k|² / |k|²`: `P` projects onto exact kernels of the layer, then onto those that one element leaves fixed."""
    kernel = kernel.detach()
    shares = {"all elements": share(kernel, nearest_kernel(layer, kernel))}
    for name, elements in cyclic_subgroups(layer.in_type.group).items():
        shares[name] = share(kernel, twirled(kernel, layer.in_type, layer.out_type, elements))
    return [
        Degree(
            site=site,
            group=layer.in_type.group.name,
            generator=name,
            unit="1",
            notion="task",
            estimate=fraction,
            method=method,
            status="no interval",
            reason=ONE_TRAINING,
        )
        for name, fraction in shares.items()
    ]


def share(kernel: Tensor, projection: Tensor) -> float:
    """`|P k|² / |k|²` for an orthogonal projection, 1 for `k = 0`."""
    total = float(kernel.square().sum())
    return float(projection.square().sum()) / total if total else 1.0


def twirled(
    kernel: Float[Tensor, "c_out c_in *S"], in_type: FieldType, out_type: FieldType, elements: Float[Tensor, "G n n"]
) -> Float[Tensor, "c_out c_in *S"]:
    """The mean over elements of `ρ_out(g) k(g^-1 u) ρ_in(g)^-1`."""
    moved = []
    for g in elements.to(kernel):
        columns = FeatureField(in_type)(g.expand(len(kernel), *g.shape), kernel)
        moved.append(out_type.mix(g[None], columns[None])[0])
    return torch.stack(moved).mean(0)


def cyclic_subgroups(group: Group) -> dict[str, Tensor]:
    """The powers of each quarter turn and flip of the plane that the group has, by name; the inverse turn left out."""
    if group.space != "plane":
        return {}
    lattice = Dihedral(4)
    subgroups = {}
    for name, g in zip(names(lattice), lattice.components, strict=True):
        powers = [torch.linalg.matrix_power(g, k) for k in range(4)]
        if name not in ("identity", "rotation by 270") and bool(group.contains(g)):
            subgroups[name] = torch.stack(powers)
    return subgroups
