"""A neural process that knows where it is, everywhere: the free twin of one with fixed functions."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.relax.processes.approximate import check_extras
from learnsym.tasks import Inputs


class WithCoordinates(nn.Module):
    """A process whose extra inputs are the coordinates themselves, in and out of training, without a box.

        f(D)(x) = net(D, x; x / scale)

    Args:
        net: a process that takes `d` extra inputs, see `ApproximateProcess`.
        scale: by which coordinates are divided, about that of the training locations.

    Raises:
        ValueError: for a process without extra inputs, or a scale that is not positive.

    Example:
        >>> body = ls.nets.processes.ConvBody(1, width=4, depth=1, extras=1)
        >>> net = ls.relax.processes.WithCoordinates(ls.nets.processes.ConvCNP(body, spacing=0.1, points=64))
        >>> x = ls.tasks.Tasks(torch.rand(2, 3, 1), torch.rand(2, 3, 1), torch.ones(2, 3), torch.rand(2, 5, 1))
        >>> net(x.inputs()).shape
        torch.Size([2, 5, 2])
    """

    def __init__(self, net: nn.Module, scale: float = 1.0) -> None:
        super().__init__()
        if not 0 < scale < float("inf"):
            raise ValueError(f"scale: got {scale}, must be positive; 1 for coordinates as they are")
        self.net: Any = check_extras(net)
        self.scale = scale

    def forward(self, x: Inputs) -> Float[Tensor, "B T K"]:
        """Means, then logarithms of variances, of each target."""
        return self.net(x, lambda locations: locations / self.scale)
