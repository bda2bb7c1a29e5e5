"""Transformer neural processes: one that knows locations, and one that knows their differences only.

Legend of axes: `B` tasks, `N` context points, `T` targets, `P = N + T` locations, `W` features, `C` values, `K` extra
inputs.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one
from learnsym.nets.processes.attention import ContextLayer
from learnsym.nets.processes.conv_body import TRANSLATIONS
from learnsym.nets.processes.conv_cnp import Extras
from learnsym.nets.processes.gaussian_head import GaussianHead
from learnsym.tasks import Inputs, Tasks


class TNP(nn.Module):
    """A transformer neural process: tokens are made of locations and values, and attend to those of the context.

    Nothing holds by design but that the order of the context does not matter.

    Reference: Nguyen, Grover, "Transformer neural processes" (2022), arXiv 2207.04179, with the attention to the
    context alone of Feng et al., "Efficient queries transformer neural processes" (2022).

    Args:
        dim: dimension of space.
        values: number `C` of values of a point.
        width: features `W`.
        depth: layers.
        heads: attention heads, which divide the width.

    Raises:
        ValueError: for sizes that are out of range.

    Example:
        >>> net = ls.nets.processes.TNP(1, width=8, depth=1, heads=2)
        >>> x = ls.tasks.Tasks(torch.rand(2, 3, 1), torch.rand(2, 3, 1), torch.ones(2, 3), torch.rand(2, 5, 1))
        >>> net(x.inputs()).shape
        torch.Size([2, 5, 2])
    """

    extras = 0

    def __init__(self, dim: int = 1, values: int = 1, *, width: int = 64, depth: int = 3, heads: int = 4) -> None:
        super().__init__()
        at_least_one(dim=dim, values=values, width=width, depth=depth)
        self.embed = _perceptron(dim + values + 1, width)
        self.layers = nn.ModuleList(ContextLayer(width, heads) for _ in range(depth))
        self.head = GaussianHead(width, values)

    def forward(self, x: Inputs) -> Float[Tensor, "B T K"]:
        """Means, then logarithms of variances, of each target."""
        tasks = Tasks.of(x)
        tokens = torch.cat([torch.cat([tasks.context_x, tasks.target_x], 1), _carried(tasks)], -1)
        return self.head(_through(self.layers, self.embed(tokens), tasks))


class TranslationTNP(nn.Module):
    """A transformer neural process that commutes with translations: locations enter by their differences only.

    Extra inputs, if any, are added to the tokens of the context, once, before the first layer.

    Reference: Ashman, Diaconu, Kim, Sivaraya, Markou, Requeima, Bruinsma, Turner, "Translation equivariant transformer
    neural processes" (2024), arXiv 2406.12409; for extra inputs Ashman et al. (2024), arXiv 2406.13488.

    Args:
        dim: dimension of space, 1 to 3.
        values: number `C` of values of a point.
        width: features `W`.
        depth: layers.
        heads: attention heads, which divide the width.
        extras: number `K` of extra inputs that it can take.

    Raises:
        ValueError: for sizes that are out of range.

    Example:
        >>> net = ls.nets.processes.TranslationTNP(1, width=8, depth=1, heads=2)
        >>> x = ls.tasks.Tasks(torch.rand(2, 3, 1), torch.rand(2, 3, 1), torch.ones(2, 3), torch.rand(2, 5, 1))
        >>> far = {**x.inputs(), "locations": x.inputs()["locations"] + 4}
        >>> torch.allclose(net(x.inputs()), net(far), atol=1e-4)
        True
    """

    def __init__(
        self, dim: int = 1, values: int = 1, *, width: int = 64, depth: int = 3, heads: int = 4, extras: int = 0
    ) -> None:
        super().__init__()
        at_least_one(values=values, width=width, depth=depth)
        if not 1 <= dim <= len(TRANSLATIONS) or extras < 0:
            raise ValueError(f"dim, extras: got {dim}, {extras}, must be 1, 2 or 3, and not negative; 0 for none")
        self.dim, self.extras = dim, extras
        self.embed = _perceptron(values + 1, width)
        self.layers = nn.ModuleList(ContextLayer(width, heads, dim) for _ in range(depth))
        self.head = GaussianHead(width, values)
        # drawn last: with one seed, all other weights begin as without extra inputs
        self.mix = nn.Linear(extras, width, bias=False) if extras else nn.Identity()

    @property
    def group_name(self) -> str:
        """Translations."""
        return TRANSLATIONS[self.dim - 1]

    def forward(self, x: Inputs, extras: Extras | None = None) -> Float[Tensor, "B T K"]:
        """Means, then logarithms of variances, of each target.

        Args:
            x: tasks, see `tasks.Tasks`.
            extras: functions of location; None for none, which is equivariant.
        """
        tasks = Tasks.of(x)
        z = self.embed(_carried(tasks))
        if extras is not None:
            of_context = self.mix(extras(tasks.context_x))
            z = z + torch.cat([of_context, of_context.new_zeros(*tasks.target_x.shape[:2], z.shape[-1])], 1)
        return self.head(_through(self.layers, z, tasks))


def _carried(tasks: Tasks) -> Float[Tensor, "B P K"]:
    """What tokens carry beside their locations: values and a 1 of the context, zeros of targets."""
    values = torch.where(tasks.mask.bool().unsqueeze(-1), tasks.context_y, 0)
    of_context = torch.cat([values, torch.ones_like(values[..., :1])], -1)
    return torch.cat([of_context, of_context.new_zeros(*tasks.target_x.shape[:2], of_context.shape[-1])], 1)


def _through(layers: nn.ModuleList, z: Float[Tensor, "B P W"], tasks: Tasks) -> Float[Tensor, "B T W"]:
    """Features of the targets after all layers."""
    locations, count = torch.cat([tasks.context_x, tasks.target_x], 1), tasks.context_x.shape[1]
    differences = (locations.unsqueeze(2) - tasks.context_x.unsqueeze(1)).movedim(-1, 1)
    for layer in layers:
        z = layer(z, count, tasks.weights(), differences)
    return z[:, count:]


def _perceptron(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width))
