"""What tests of neural processes share: one small network of each kind, in float64, and tasks."""

from __future__ import annotations

import torch

from learnsym.nets.processes import TNP, BankedBody, ConvBody, ConvCNP, SteerableBody, TranslationTNP
from learnsym.tasks import Tasks

EXTRAS = 3
EQUIVARIANT = {
    "conv 1d": lambda extras=0: ConvCNP(ConvBody(1, 4, 2, 5, extras), spacing=0.25, points=40),
    "conv 2d": lambda extras=0: ConvCNP(ConvBody(2, 4, 2, 3, extras), spacing=0.5, points=12),
    "conv 3d": lambda extras=0: ConvCNP(ConvBody(3, 2, 1, 3, extras), spacing=0.5, points=8),
    "steerable": lambda extras=0: ConvCNP(SteerableBody(2, 2, 3, extras), spacing=0.5, points=12),
    "tnp 1d": lambda extras=0: TranslationTNP(1, width=8, depth=2, heads=2, extras=extras),
    "tnp 2d": lambda extras=0: TranslationTNP(2, width=8, depth=2, heads=2, extras=extras),
}
"""Those that take any number of extra inputs."""
OTHERS = {
    "banked": lambda: ConvCNP(BankedBody(1, 4, 2, 5), spacing=0.25, points=40),
    "tnp free": lambda: TNP(1, width=8, depth=2, heads=2),
}
DIMS = {"conv 2d": 2, "conv 3d": 3, "steerable": 2, "tnp 2d": 2}


def made(name: str, extras: int = 0) -> torch.nn.Module:
    """A network of a kind, away from its start, in float64."""
    torch.manual_seed(0)
    net = EQUIVARIANT[name](extras) if name in EQUIVARIANT else OTHERS[name]()
    with torch.no_grad():
        for weight in net.parameters():
            if weight.ndim:
                weight.add_(0.1 * torch.randn_like(weight))
    return net.double().eval()


def tasks(name: str, count: int = 3, context: int = 6, targets: int = 5, values: int = 1) -> Tasks:
    """Random tasks of the dimension of a kind, whose contexts have different sizes."""
    dim, generator = DIMS.get(name, 1), torch.Generator().manual_seed(1)

    def draw(points: int) -> torch.Tensor:
        return 3 * torch.rand(count, points, dim, generator=generator, dtype=torch.float64) - 1.5

    y = torch.randn(count, context, values, generator=generator, dtype=torch.float64)
    mask = torch.arange(context) < torch.tensor([context, 1, *[context // 2] * count])[:count, None]
    return Tasks(draw(context), y, mask, draw(targets))
