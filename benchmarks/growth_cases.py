"""What the cost of growth is measured of: one case for each axis and each part of the library that has it.

A case makes, for a size along its axis, a function without arguments whose cost is measured; all else is held fixed.
The same table is timed by `benchmarks.growth` and counted, at two small sizes, by the tests. Another module of the
benchmarks adds its own by a tuple `GROWTH` of cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.actions import Image, Invariant, PointCloud, PointVectors, Set
from learnsym.comparison import ComparisonConfig, cells
from learnsym.equivariant import EquivariantLinear, FieldType, SteerableConv
from learnsym.equivariant.steerable.kernel_basis import kernel_basis
from learnsym.groups import Cyclic
from learnsym.measure.pose.alignment import aligned
from learnsym.measure.pose.law import fit_law, law_table
from learnsym.nets.points.egnn import EGNN
from learnsym.nets.points.gatr import GATr
from learnsym.nets.points.transformer import PointTransformer
from learnsym.objectives.marginal_likelihood.likelihoods import Classes
from learnsym.objectives.marginal_likelihood.whole import whole_evidence

Work = Callable[[], object]
CLOUD = PointCloud(vectors=1, scalars=1)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One cost that grows along one axis.

    Args:
        name: of the case.
        axis: what grows.
        make: from a size to what is measured.
        sizes: at which it is timed, over a factor of 16 or more.
        theory: the exponent that the algorithm has.
        reason: why.
        few: two sizes at which operations are counted.
        calls: the exponent of the number of operations and of calls, 0 where they do not depend on the size.
    """

    name: str
    axis: str
    make: Callable[[int], Work]
    sizes: tuple[int, ...]
    theory: float
    reason: str
    few: tuple[int, int]
    calls: float = 0.0


def _images(count: int, size: int = 16, channels: int = 1) -> Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def _net(classes: int = 5, size: int = 16) -> nn.Module:
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*convolutions, nn.Linear(size * size, classes)).eval()


def _warp(pixels: int) -> Work:
    x, g = _images(8, math.isqrt(pixels)), ls.groups.SO2().haar(8)
    return lambda: Image()(g, x)


def _moved_clouds(points: int) -> Work:
    x, g = torch.randn(64, points, CLOUD.features), ls.groups.SO3().haar(64)
    return lambda: CLOUD(g, x)


def _local_error(pixels: int) -> Work:
    x = _images(4, math.isqrt(pixels))
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()).eval()
    return lambda: ls.measure.local_equivariance_error(model, x, "rotation2d")


def _equivariance_error(examples: int) -> Work:
    x, model = _images(examples), _net()
    return lambda: ls.measure.equivariance_error(model, x, "rotation2d", samples=4)


def _copies_of_error(samples: int) -> Work:
    x, model = _images(16), _net()
    return lambda: ls.measure.twirl(model, x, torch.zeros(16, 5), "rotation2d", samples=samples)


def _poses(examples: int) -> Work:
    x = _images(examples)
    return lambda: ls.measure.pose_posterior(x, "rotation2d", steps=1, examples=None, bootstrap=20)


def _aligned(examples: int) -> Work:
    angle = 30 * torch.randn(examples, 1, generator=torch.Generator().manual_seed(0))
    offsets = torch.arange(144) * 2.5 - 180
    posterior = (-((offsets - angle) / 20).square()).softmax(1)
    return lambda: aligned(posterior, closed=True)


def _law(examples: int) -> Work:
    random = torch.Generator().manual_seed(0)
    centre, sharpness = 60 * torch.rand(examples, generator=random), torch.rand(examples, generator=random)
    fold, table = torch.arange(examples) % 2, law_table(True, 10.0)
    return lambda: fit_law(centre, sharpness, fold, table, bootstrap=50)


def _evidence(examples: int) -> Work:
    x, y, net = _images(examples, 8), torch.arange(examples) % 5, _net(size=8)
    precisions = {name: torch.ones(()) for name, _ in net.named_parameters()}
    return lambda: whole_evidence(net, precisions, x, y, Classes(), batch=32)


def _convolution(order: int) -> Work:
    fields = FieldType.regular(Cyclic(order), 2)
    layer, x = SteerableConv(fields, fields, 3, padding=1), torch.randn(8, 2 * order, 24, 24)
    return lambda: layer(x).sum().backward()


def _kernels(order: int) -> Work:
    fields = FieldType.regular(Cyclic(order), 2)

    def made() -> SteerableConv:
        kernel_basis.cache_clear()
        return SteerableConv(fields, fields, 3)

    return made


def _linear(order: int) -> Work:
    fields = FieldType.regular(Cyclic(order), 4)
    layer, x = EquivariantLinear(fields, fields), torch.randn(512, 4 * order)
    return lambda: layer(x).sum().backward()


def _orbit_average(order: int) -> Work:
    x, symmetry = _images(8), ls.Symmetry(Cyclic(order), Image(), Invariant())
    model = ls.augment.OrbitAveraged(_net(), symmetry)
    return lambda: model(x)


def _partial(order: int) -> Work:
    fields = FieldType.regular(Cyclic(order), 2)
    layer = ls.relax.PartialGroupConv(SteerableConv(fields, fields, 3, padding=1))
    x = torch.randn(8, 2 * order, 24, 24)
    return lambda: layer(x).sum().backward()


def _augmented(copies: int) -> Work:
    x, model = _images(16), ls.augment.Augmented(_net(), "rotation2d", copies=copies).train()
    return lambda: model(x).sum().backward()


def _deep(layers: int) -> nn.Sequential:
    torch.manual_seed(0)
    parts = [part for _ in range(layers) for part in (nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())]
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), *parts, nn.Flatten(), nn.Linear(4 * 64, 3)).eval()


def _attribution(layers: int) -> Work:
    x, net = _images(4, 8), _deep(layers)
    return lambda: ls.measure.attribute(net, x, "rotation2d")


def _layer_scores(layers: int) -> Work:
    x, net = _images(4, 8), _deep(layers)
    return lambda: ls.measure.layer_scores(net, x, "quarter_turns2d")


def _degrees(layers: int) -> Work:
    laws = (ls.augment.Augmented(nn.Identity(), "rotation2d") for _ in range(layers))
    net = nn.Sequential(*laws)
    return lambda: ls.degrees(net)


def _generators(count: int) -> Work:
    algebra = torch.randn(count, 12, 12, generator=torch.Generator().manual_seed(0)) / 12
    group = ls.groups.CustomGroup(algebra, space="index", closed=False)
    symmetry = ls.Symmetry(group, Set(), Invariant())
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Flatten(), nn.Linear(48, 64), nn.Tanh(), nn.Linear(64, 4)), torch.randn(32, 12, 4)
    return lambda: ls.measure.local_equivariance_error(model, x, symmetry)


def _points(make: Callable[[], nn.Module], count: int) -> Work:
    torch.manual_seed(0)
    net, x = make(), torch.randn(4, count, CLOUD.features)
    return lambda: net(x).sum().backward()


def _transformer() -> nn.Module:
    return PointTransformer(CLOUD, PointCloud(), width=16, blocks=1, heads=4)


def _gatr() -> nn.Module:
    return GATr(CLOUD, PointCloud(), blocks=1, channels=4, scalars=8, heads=2)


def _egnn() -> nn.Module:
    return EGNN(CLOUD, PointVectors(), hidden=16, layers=2)


def _grid(count: int) -> Work:
    base = {"data": {"name": "digits", "size": 8, "train": 64}, "net": {"name": "mlp", "width": 8}}
    arms = {"plain": {"twin": "plain"}, "learned": {}}
    config = ComparisonConfig(base=base, arms=arms, seeds=list(range(count // 2)))
    widths = {(arm, 8): 8 for arm in arms}
    return lambda: [cell.key for cell in cells(config, widths)]


ATTENTION = "scores of all pairs of points, with a part linear in points that hides them in small clouds"
GROWTH = (
    Case(
        name="warp of images", axis="pixels", make=_warp, sizes=(1024, 4096, 16384, 65536, 262144), theory=1,
        reason="each pixel reads four neighbours", few=(256, 4096),
    ),
    Case(
        name="local error", axis="pixels", make=_local_error, sizes=(1024, 4096, 16384, 65536), theory=1.1,
        reason="a spectral derivative is a Fourier transform, P log P, beside convolutions", few=(256, 4096),
    ),
    Case(
        name="equivariance error", axis="examples", make=_equivariance_error, sizes=(256, 1024, 4096, 16384), theory=1,
        reason="each example is moved and read, and has one partner", few=(128, 1024), calls=1,
    ),
    Case(
        name="law of poses", axis="examples", make=_poses, sizes=(1024, 4096, 16384), theory=1,
        reason="each example is read by one network; the law is fitted to counts of cells", few=(600, 4800), calls=1,
    ),
    Case(
        name="reading of poses", axis="examples", make=_aligned, sizes=(1024, 4096, 16384, 32768), theory=1,
        reason="densities of readings on a circle are Fourier series of fixed length", few=(256, 2048),
    ),
    Case(
        name="fit of a law", axis="examples", make=_law, sizes=(4096, 16384, 65536), theory=1,
        reason="counts of cells, and as many draws in each replicate of the bootstrap", few=(512, 4096), calls=0.2,
    ),
    Case(
        name="Laplace evidence", axis="examples", make=_evidence, sizes=(256, 1024, 4096, 8192), theory=1,
        reason="curvatures of batches are added", few=(128, 1024), calls=1,
    ),
    Case(
        name="group convolution", axis="order of the group", make=_convolution, sizes=(4, 8, 16, 32, 64), theory=2,
        reason="as many channels in and out as elements, at fixed fields; the kernel has an entry for each pair",
        few=(8, 32),
    ),
    Case(
        name="kernels of a group convolution", axis="order of the group", make=_kernels, sizes=(4, 8, 16, 32, 64),
        theory=3, reason="a basis kernel for each element, with an entry for each pair of them", few=(8, 32), calls=1,
    ),
    Case(
        name="equivariant linear map", axis="order of the group", make=_linear, sizes=(8, 16, 32, 64, 128), theory=2,
        reason="a matrix product with an entry for each pair of elements", few=(8, 64),
    ),
    Case(
        name="orbit average", axis="order of the group", make=_orbit_average, sizes=(4, 8, 16, 32, 64), theory=1,
        reason="the network is asked once for each element", few=(8, 64), calls=0,
    ),
    Case(
        name="partial group convolution", axis="order of the group", make=_partial, sizes=(4, 8, 16, 32, 64), theory=2,
        reason="a density on the elements scales the kernel of a group convolution", few=(8, 32),
    ),
    Case(
        name="learned augmentation", axis="copies", make=_augmented, sizes=(2, 8, 32, 128), theory=1,
        reason="each copy is moved and read", few=(4, 64),
    ),
    Case(
        name="twirl", axis="copies", make=_copies_of_error, sizes=(2, 8, 32, 128), theory=1,
        reason="each copy is moved and read, and left out once, which is a difference", few=(4, 64), calls=1,
    ),
    Case(
        name="attribution to layers", axis="layers", make=_attribution, sizes=(4, 8, 16, 32, 64), theory=1,
        reason="one forward and one reverse pass for all layers", few=(4, 32), calls=1,
    ),
    Case(
        name="scores of layers", axis="layers", make=_layer_scores, sizes=(4, 8, 16, 32, 64), theory=1,
        reason="features of all layers come from one pass", few=(4, 32), calls=1,
    ),
    Case(
        name="degrees of a model", axis="layers", make=_degrees, sizes=(8, 32, 128, 512), theory=1,
        reason="each module is asked once", few=(8, 64), calls=1,
    ),
    Case(
        name="local error", axis="generators", make=_generators, sizes=(2, 8, 32, 128), theory=1,
        reason="one tangent for each generator, and one primal pass", few=(4, 64), calls=1,
    ),
    Case(
        name="action on clouds", axis="points", make=_moved_clouds, sizes=(64, 256, 1024, 4096), theory=1,
        reason="each point is moved alone", few=(64, 1024),
    ),
    Case(
        name="transformer", axis="points", make=partial(_points, _transformer), sizes=(64, 256, 1024, 2048), theory=2,
        reason=ATTENTION, few=(64, 512),
    ),
    Case(
        name="geometric algebra transformer", axis="points", make=partial(_points, _gatr), sizes=(64, 256, 1024),
        theory=2, reason=ATTENTION, few=(64, 512),
    ),
    Case(
        name="EGNN", axis="points", make=partial(_points, _egnn), sizes=(16, 64, 256), theory=2,
        reason="a message for each pair of points", few=(16, 128),
    ),
    Case(
        name="grid of a comparison", axis="cells", make=_grid, sizes=(64, 256, 1024), theory=1,
        reason="each cell has a configuration of its own", few=(32, 256), calls=1,
    ),
)  # fmt: skip
"""All cases of this module."""
