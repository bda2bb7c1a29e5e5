"""Features on a coset: read from a feature map, put back into one, and moved, each example by its own pose.

Legend of axes: `B` batch, `F` fields, `G`, `K` components of regular fields (1 for scalar fields), `H W`, `h w` pixels.
"""

from __future__ import annotations

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from learnsym.equivariant.subsampling.cosets import Cosets
from learnsym.equivariant.subsampling.pose import LatticePose, inverse


def sources(cosets: Cosets, pose: LatticePose, size: tuple[int, int], regular: bool) -> Int[Tensor, "B K h w"]:
    """Where the features of a coset lie: `g k` for all `k` of the coarser group, as places in `(G, H, W)`."""
    (height, width), s = size, cosets.stride
    m, device = cosets.fine.matrices[pose.element][..., None, None], pose.shift.device
    rows, columns = torch.arange(0, height, s, device=device)[:, None], torch.arange(0, width, s, device=device)
    row = (m[:, 0, 0] * rows + m[:, 0, 1] * columns + pose.shift[:, 0, None, None]) % height
    column = (m[:, 1, 0] * rows + m[:, 1, 1] * columns + pose.shift[:, 1, None, None]) % width
    pixel = (row * width + column)[:, None]
    if not regular:
        return pixel
    component = cosets.fine.products[pose.element][:, cosets.members[0]]
    return component[..., None, None] * (height * width) + pixel


def restricted_to(cosets: Cosets, pose: LatticePose, x: Shaped[Tensor, "B F G H W"]) -> Shaped[Tensor, "B F K h w"]:
    """`y(k) = f(g k)`: the features on the coset of a pose, seen from that pose."""
    index = sources(cosets, pose, (x.shape[3], x.shape[4]), x.shape[2] > 1)
    flat = index.flatten(1)[:, None].expand(-1, x.shape[1], -1)
    return x.flatten(2).gather(2, flat).unflatten(2, index.shape[1:])


def extended_from(
    cosets: Cosets, pose: LatticePose, y: Shaped[Tensor, "B F K h w"], regular: bool
) -> Shaped[Tensor, "B F G H W"]:
    """`f(g k) = y(k)`, and 0 off the coset: the adjoint of `restricted_to`."""
    height, width = y.shape[3] * cosets.stride, y.shape[4] * cosets.stride
    components = len(cosets.coset) if regular else 1
    index = sources(cosets, pose, (height, width), regular)
    flat = index.flatten(1)[:, None].expand(-1, y.shape[1], -1)
    zeros = y.new_zeros(*y.shape[:2], components * height * width)
    return zeros.scatter(2, flat, y.flatten(2)).unflatten(2, (components, height, width))


def transported(cosets: Cosets, pose: LatticePose, x: Shaped[Tensor, "B F G H W"]) -> Shaped[Tensor, "B F G H W"]:
    """`(g·f)(u) = f(g^-1 u)`, with the cosets of the group in itself at stride 1."""
    return restricted_to(cosets, inverse(cosets.fine, pose), x)
