"""Warping images and volumes by affine maps.

Coordinates are isotropic: x points right, y up, z along the slices of a volume; the origin is the centre, and 1 is half
of the shortest side, so that a rotation is rigid on images that are not square. A translation by `2 / min(S)` moves one
pixel along any axis; the unit of reports, the shortest side, moves `min(S)` pixels.

Legend of axes: `B` batch, `C` channels, `*S` size of the image (`d` axes), `n` `d` (linear) or `d + 1` (homogeneous).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym._constant import constant
from learnsym._eager import in_forward_mode
from learnsym.actions._lattice import AXIS_SIGN, act_on_lattice
from learnsym.actions.sampler import bilinear_sample

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def warp(
    x: Shaped[Tensor, "B C *S"], g: Shaped[Tensor, "G n n"], mode: str = "bilinear", padding: str = "zeros"
) -> Shaped[Tensor, "B C *S"]:
    """Images or volumes moved by affine maps: `(g·x)(u) = x(g^-1 u)`, with `align_corners=False`.

    Quarter turns and flips are exact (bit for bit) when all elements of the batch are such, the image fits (square for
    quarter turns) and `g` needs no gradient. To find out, the values of `g` are read: on CUDA this waits for the device
    once per call, and never when `g` needs a gradient or the code is compiled. Under forward-mode AD the gather-based
    `bilinear_sample` takes the place of `grid_sample`. The grid is computed in float32 or wider, under autocast too.

    Args:
        x: images `(B, C, H, W)` or volumes `(B, C, D, H, W)`, floating point.
        g: one matrix per example in isotropic coordinates, linear or homogeneous affine.
        mode: interpolation: `bilinear` (trilinear in volumes), `nearest` or `bicubic` (images only).
        padding: what lies outside: `zeros`, `border` or `reflection`.

    Returns:
        Moved images of the shape and dtype of `x`.

    Raises:
        ValueError: for shapes or dtypes that do not fit, or an unknown mode or padding.

    Example:
        >>> x = torch.arange(4.0).reshape(1, 1, 2, 2)
        >>> quarter_turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
        >>> ls.actions.warp(x, quarter_turn)[0, 0]
        tensor([[1., 3.],
                [0., 2.]])
    """
    _check(x, g, mode, padding)
    moved = act_on_lattice(x, g)
    return _interpolate(x, g, mode, padding) if moved is None else moved


def sampling_grid(g: Float[Tensor, "B n n"], shape: tuple[int, ...] | torch.Size) -> Float[Tensor, "B *S d"]:
    """Where each pixel of a moved image is read: `g^-1 u`, normalised to [-1, 1] from edge to edge.

    The grid of an affine map is a sum of one term per axis, so that only the last addition is as large as the grid.

    Args:
        g: matrices in isotropic coordinates.
        shape: spatial size, `(H, W)` or `(D, H, W)`.

    Returns:
        Grid for `grid_sample`, x first, float32 or wider.

    Example:
        >>> ls.actions.sampling_grid(torch.eye(2)[None], (1, 2))
        tensor([[[[-0.5000,  0.0000],
                  [ 0.5000,  0.0000]]]])
    """
    d = len(shape)
    g = g.to(torch.promote_types(g.dtype, torch.float32))
    unit = [sign * min(shape) / size for sign, size in zip(AXIS_SIGN, reversed(shape), strict=False)]
    # theta = N A^-1, with N from isotropic to normalised coordinates; elementwise, out of reach of autocast and TF32
    theta = inverse_linear(g[..., :d, :d]) * constant(torch.tensor(unit, dtype=g.dtype), g)[:, None]
    grid = None if g.shape[-1] == d else _spread(-(theta * g[..., None, :d, d]).sum(-1), d)
    for axis, size in enumerate(reversed(shape)):
        centres = torch.arange(1 - size, size, 2, dtype=g.dtype, device=g.device) * (AXIS_SIGN[axis] / min(shape))
        term = _spread(theta[..., axis], d) * centres.reshape(-1, *[1] * axis)
        grid = term if grid is None else term + grid
    assert grid is not None
    return grid.movedim(-d - 1, -1)


def inverse_linear(a: Float[Tensor, "*B d d"]) -> Float[Tensor, "*B d d"]:
    """Inverse of 2x2 or 3x3 matrices in closed form, adjugate over determinant."""
    if a.shape[-1] == 2:
        (p, q), (r, s) = (row.unbind(-1) for row in a.unbind(-2))
        adjugate = torch.stack([s, -q, -r, p], -1).unflatten(-1, (2, 2))
        return adjugate / (p * s - q * r)[..., None, None]
    r0, r1, r2 = a.unbind(-2)
    columns = [torch.linalg.cross(u, v, dim=-1) for u, v in ((r1, r2), (r2, r0), (r0, r1))]
    return torch.stack(columns, -1) / (r0 * columns[0]).sum(-1)[..., None, None]


def _spread(v: Tensor, d: int) -> Tensor:
    """`v` with `d` spatial axes of size one after it."""
    return v.reshape(*v.shape, *[1] * d)


def _interpolate(x: Tensor, g: Tensor, mode: str, padding: str) -> Tensor:
    work = torch.promote_types(x.dtype, torch.float32)
    grid = sampling_grid(g, x.shape[2:]).to(work)
    if mode == "bilinear" and not torch.compiler.is_compiling() and in_forward_mode():
        return bilinear_sample(x.to(work), grid, padding).to(x.dtype)
    return F.grid_sample(x.to(work), grid, mode, padding, align_corners=False).to(x.dtype)


def check_mode(mode: str, padding: str) -> None:
    """Both must be known."""
    if mode not in MODES:
        raise ValueError(f"mode: got {mode!r}, must be one of {', '.join(MODES)}")
    if padding not in PADDINGS:
        raise ValueError(f"padding: got {padding!r}, must be one of {', '.join(PADDINGS)}")


def _check(x: Tensor, g: Tensor, mode: str, padding: str) -> None:
    check_mode(mode, padding)
    d = x.ndim - 2
    if d not in (2, 3) or not x.is_floating_point():
        raise ValueError(
            f"x: got {x.dtype} of shape {tuple(x.shape)}, must be floating point of shape (B, C, H, W) or "
            "(B, C, D, H, W); convert with x.float(), or use LabelMap for integer maps"
        )
    if g.shape[-1] not in (d, d + 1) or g.shape[0] != x.shape[0]:
        raise ValueError(
            f"g: got shape {tuple(g.shape)}, must be ({len(x)}, n, n) with n = {d} or {d + 1} for x of shape "
            f"{tuple(x.shape)}; give one matrix per example, g.expand(len(x), -1, -1) for a common one"
        )
    if mode == "bicubic" and d == 3:
        raise ValueError("mode: got 'bicubic' for volumes, must be bilinear or nearest there")
