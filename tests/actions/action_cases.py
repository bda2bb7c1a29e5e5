"""The registry of the action laws: an action, a group that fits, example data, and how exactly the laws hold."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

import learnsym as ls
from learnsym import actions, groups

BATCH = 6
BLOBS = (((0.2, 0.1, 0.05), 1.0, 0.17), ((-0.15, 0.2, -0.1), 0.7, 0.18), ((0.0, -0.2, 0.15), -0.5, 0.16))


@dataclass(frozen=True)
class Case:
    """`tolerance`: largest error of the composition and inverse laws on the data, relative to their maximum; `rounds`:
    the identity goes through coefficients, and is exact to rounding."""

    name: str
    action: "actions.Action"
    group: Callable[[], "groups.Group"]
    data: Callable[[], torch.Tensor]
    tolerance: float = 1e-10
    rounds: bool = False

    def elements(self, batch=BATCH, dtype=torch.float64):
        """Haar draws of compact groups, moderate elements of the others."""
        group = self.group()
        if group.is_compact:
            return group.haar(batch, dtype=dtype)
        return group.exp(0.08 * torch.randn(batch, group.dim, dtype=dtype))


def pixel_coordinates(*shape):
    """Isotropic coordinates `(*shape, d)` of the pixel centres, x first."""
    axes = []
    for axis, size in enumerate(reversed(shape)):
        sign = -1 if axis == 1 else 1
        axes.append(sign * (torch.arange(size, dtype=torch.float64) + 0.5 - size / 2) / (min(shape) / 2))
    return torch.stack(torch.meshgrid(*reversed(axes), indexing="ij")[::-1], -1)


def blobs(u):
    """A smooth function of the plane or space without any symmetry, near zero outside radius 0.7."""
    value = torch.zeros(u.shape[:-1], dtype=u.dtype)
    for centre, height, width in BLOBS:
        offset = u - torch.tensor(centre, dtype=u.dtype)[: u.shape[-1]]
        value = value + height * torch.exp(-(offset**2).sum(-1) / (2 * width**2))
    return value


def image(*shape, channels=2):
    """Band-limited images `(B, C, *shape)`."""
    scale = torch.linspace(0.5, 1.5, BATCH * channels, dtype=torch.float64).reshape(BATCH, channels, *[1] * len(shape))
    return scale * blobs(pixel_coordinates(*shape))


def sphere(height, width, channels=2):
    """Functions of degree below 4 on the sphere `(B, C, height, width)`."""
    synthesis = ls.representations.harmonics_on_grid(height, width, 4)[1]
    return (torch.randn(BATCH, channels, 16, dtype=torch.float64) @ synthesis.mT).unflatten(-1, (height, width))


def healpix(nside, channels=2):
    """Functions of degree below `2 n` on the sphere at the pixels of HEALPix."""
    synthesis = ls.representations.harmonics_on_healpix(nside, 2 * nside)[1]
    return torch.randn(BATCH, channels, synthesis.shape[1], dtype=torch.float64) @ synthesis.mT


def noise(*shape):
    return torch.randn(BATCH, *shape, dtype=torch.float64)


def symmetric(tensors):
    return tensors + tensors.mT


def product():
    return ls.groups.Product(ls.groups.Cyclic(4), ls.groups.Colour())


CASES = [
    Case("image-d4", actions.Image(), lambda: groups.Dihedral(4), lambda: noise(3, 8, 8)),
    Case("image-so2", actions.Image(), lambda: groups.SO2(), lambda: image(64, 64), 2e-2),
    Case("image-o2-wide", actions.Image(), lambda: groups.O2(), lambda: image(56, 72), 2e-2),
    Case("image-se2", actions.Image(), lambda: groups.SE2(), lambda: image(64, 64), 2e-2),
    Case("image-affine2", actions.Image(), lambda: groups.Affine2(), lambda: image(64, 64), 2e-2),
    Case("image-bicubic", actions.Image("bicubic"), lambda: groups.Similarity2(), lambda: image(64, 64), 3e-2),
    Case("label-map", actions.LabelMap(255), lambda: groups.Dihedral(4), lambda: torch.randint(9, (BATCH, 8, 8))),
    Case("vector-field-c4", actions.VectorField(), lambda: groups.Cyclic(4), lambda: noise(4, 8, 8)),
    Case("vector-field-so2", actions.VectorField(), lambda: groups.SO2(), lambda: image(64, 64), 2e-2),
    Case("volume-so3", actions.Volume(), lambda: groups.SO3(), lambda: image(32, 32, 32, channels=1), 0.1),
    Case("volume-se3", actions.Volume(), lambda: groups.SE3(), lambda: image(32, 32, 32, channels=1), 0.1),
    Case("sphere-so3", actions.Sphere(), lambda: groups.SO3(), lambda: sphere(64, 64), 2e-2),
    Case("sphere-o3", actions.BandLimitedSphere(4), lambda: groups.O3(), lambda: sphere(8, 8), rounds=True),
    Case("healpix-o3", actions.BandLimitedHealpix(2), lambda: groups.O3(), lambda: healpix(1), rounds=True),
    Case(
        "sphere-labels", actions.SphereLabels(), lambda: groups.Trivial(3, "space"), lambda: torch.randint(9, (6, 8, 8))
    ),
    Case("points-o3", actions.PointCloud(1, 2), lambda: groups.O3(), lambda: noise(5, 8)),
    Case("points-e3", actions.PointCloud(2, 1), lambda: groups.E3(), lambda: noise(5, 10)),
    Case("vectors-e3", actions.PointVectors(2, 1), lambda: groups.E3(), lambda: noise(5, 7)),
    Case("cell-e3", actions.Cell(), lambda: groups.E3(), lambda: noise(3, 3)),
    Case("tensor-o3", actions.SymmetricTensor(), lambda: groups.O3(), lambda: symmetric(noise(3, 3))),
    Case("points-se2", actions.PointCloud(1, 0, dim=2), lambda: groups.SE2(), lambda: noise(5, 4)),
    Case("points-lorentz", actions.PointCloud(dim=4), lambda: groups.Lorentz(), lambda: noise(5, 4)),
    Case("set", actions.Set(), lambda: groups.Permutation(5), lambda: noise(5, 3)),
    Case("set-classes", actions.Set(), lambda: groups.YoungSubgroup(5, [[0, 2], [1, 4]]), lambda: noise(5, 3)),
    Case("pairs", actions.Pairs(), lambda: groups.Permutation(5), lambda: noise(5, 5, 2)),
    Case("channels", actions.Channels(), lambda: groups.Colour(), lambda: noise(3, 4, 4)),
    Case("rgb", actions.RGB(), lambda: groups.HueSaturation(), lambda: noise(3, 4, 4)),
    Case("invariant", actions.Invariant(), lambda: groups.Affine2(), lambda: torch.randint(9, (BATCH,))),
    Case("product", actions.Product((actions.Image(), actions.Channels()), (2, 2)), product, lambda: noise(3, 8, 8)),
]
