"""A multilayer perceptron."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one


class MLP(nn.Module):
    """Linear layers with ReLU between them, on flattened inputs.

    Args:
        in_features: numbers per example after flattening.
        classes: number of outputs.
        width: units of a hidden layer.
        depth: number of hidden layers.

    Raises:
        ValueError: when an argument is below 1.

    Example:
        >>> ls.nets.MLP(64, 10)(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """

    def __init__(self, in_features: int, classes: int, width: int = 128, depth: int = 2) -> None:
        super().__init__()
        at_least_one(in_features=in_features, classes=classes, width=width, depth=depth)
        sizes = [in_features, *[width] * depth]
        hidden = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
        self.layers = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(width, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
