"""Networks of one shape for double digits, 28 x 28: four convolutions of exact, free, residual or learned symmetry."""

from collections.abc import Callable

import torch
from torch import nn

from learnsym.equivariant import FieldBatchNorm, FieldType, Gated, SteerableConv
from learnsym.groups import O2
from learnsym.relax import Likelihood, ProbabilisticSteerableConv, ResidualPathway

BAND_LIMIT = 4
INVARIANTS = 32

Layer = Callable[..., nn.Module]


def fields(width: int) -> FieldType:
    """Scalars, pseudoscalars, vectors and frequency 2 of O(2)."""
    return FieldType.irreps(O2(), {0: 2 * width, (0, 1): width, 1: 2 * width, 2: 2 * width})


def network(conv: Layer, last: Layer, classes: int, width: int = 2) -> nn.Module:
    """Fields at 14 and at 7 pixels, then invariants of each place, which a layer that sees all places joins."""
    image, invariants = FieldType.trivial(O2(), 1), FieldType.trivial(O2(), INVARIANTS)
    first, second = Gated(fields(width)), Gated(fields(2 * width))
    return nn.Sequential(
        *(conv(image, first.in_type, 6, stride=2, padding=2), FieldBatchNorm(first.in_type), first),
        *(conv(first.out_type, second.in_type, 6, stride=2, padding=2), FieldBatchNorm(second.in_type), second),
        *(conv(second.out_type, invariants, 3, padding=1), nn.BatchNorm2d(INVARIANTS), nn.ELU(), nn.AvgPool2d(3, 2)),
        *(last(invariants, invariants, 3), nn.Flatten(), nn.BatchNorm1d(INVARIANTS), nn.ELU()),
        nn.Linear(INVARIANTS, classes),
    )


def residual(source: FieldType, target: FieldType, size: int, **options: int) -> nn.Module:
    """An exact layer and a free kernel under a prior."""
    return ResidualPathway(SteerableConv(source, target, size, **options))


def learned(source: FieldType, target: FieldType, size: int, **options: int) -> nn.Module:
    """A likelihood for each layer."""
    likelihood = Likelihood(source.group, BAND_LIMIT, band_limit_out=BAND_LIMIT)
    return ProbabilisticSteerableConv(source, target, size, likelihood=likelihood, **options)


def free(source: FieldType, target: FieldType, size: int, **options: int) -> nn.Module:
    """An ordinary convolution of the same channels."""
    return nn.Conv2d(source.size, target.size, size, **options)


ARMS: dict[str, tuple[Layer, Layer]] = {
    "exact": (SteerableConv, SteerableConv),
    "restricted": (SteerableConv, free),
    "residual": (residual, residual),
    "probabilistic": (learned, learned),
}


def made(arm: str, classes: int, seed: int) -> nn.Module:
    """The network of one arm."""
    torch.manual_seed(seed)
    if arm != "CNN":
        return network(*ARMS[arm], classes)
    weights = count(network(*ARMS["probabilistic"], classes))
    torch.manual_seed(seed)
    return next(net for net in (plain(classes, width) for width in range(2, 200)) if count(net) >= weights)


def plain(classes: int, width: int) -> nn.Module:
    """An ordinary network of the same depth and kernels, with ELU in the place of gates."""
    return nn.Sequential(
        *(nn.Conv2d(1, width, 6, 2, 2), nn.BatchNorm2d(width), nn.ELU()),
        *(nn.Conv2d(width, 2 * width, 6, 2, 2), nn.BatchNorm2d(2 * width), nn.ELU()),
        *(nn.Conv2d(2 * width, INVARIANTS, 3, 1, 1), nn.BatchNorm2d(INVARIANTS), nn.ELU(), nn.AvgPool2d(3, 2)),
        *(nn.Conv2d(INVARIANTS, INVARIANTS, 3), nn.Flatten(), nn.BatchNorm1d(INVARIANTS), nn.ELU()),
        nn.Linear(INVARIANTS, classes),
    )


def count(net: nn.Module) -> int:
    """Number of weights."""
    return sum(parameter.numel() for parameter in net.parameters())
