"""Distributions over group elements that depend on the input.

They live beside `Augmented`, which takes any distribution with one entry per example: the degree of each input.

Legend of axes: `B` batch, `D` algebra dimension, `K` elements.
"""

from __future__ import annotations

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._eager import in_transform
from learnsym._processes import mean_over_processes
from learnsym.degrees import Degree
from learnsym.distributions import GroupCategorical, LearnableDistribution, LieBox
from learnsym.groups import Group


@final
class InstanceBox(LearnableDistribution):
    """A `LieBox` for each input, its half-widths given by a network.

        h_i(x) = cap_i * sigmoid(net(x)_i + logit(init))

    Give it to `Augmented` as its distribution. Without inputs, as in `degrees(model)`, it is the box of the mean
    half-widths over the last hundred or so training batches.

    Reference: Miao, Rainforth, Mathieu, Dubois, Teh, Foster, Kim, "Learning instance-specific augmentations by
    capturing local invariances" (2023), arXiv 2206.00051.

    Args:
        group: a group with a Lie algebra of dimension `D`, all of whose generators have finite caps.
        net: from a batch `(B, ...)` to `(B, D)`; let its last layer start near zero.
        init: half-widths at the start, as a fraction of the caps.

    Raises:
        ValueError: for a group without Lie algebra or with an infinite cap, or an `init` that is not in (0, 1).

    Example:
        >>> group = ls.groups.SO2()
        >>> box = ls.augment.InstanceBox(group, nn.Sequential(nn.Flatten(), nn.Linear(64, 1)))
        >>> model = ls.augment.Augmented(ls.nets.CNN(1, 10, size=8, depth=2), ls.symmetry_by_name("rotation2d"), box)
        >>> model(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(self, group: Group, net: nn.Module, init: float = 0.5) -> None:
        super().__init__()
        caps = torch.tensor([generator.cap for generator in group.generators])
        if not len(caps) or not bool(caps.isfinite().all()) or not 0 < init < 1:
            raise ValueError(
                f"group, init: got {group.name}, {init}, must have generators with finite caps, and be in (0, 1); "
                f"take InstanceCategorical for a finite group"
            )
        self.group, self.net, self.offset = group, net, math.log(init / (1 - init))
        self.register_buffer("caps", caps)
        self.caps: Tensor
        self.running = RunningMean(init * caps)

    def half_width(self, x: Tensor | None = None) -> Float[Tensor, "*B D"]:
        """`h(x)`, differentiable; the mean so far without inputs."""
        return self.running.value if x is None else self.caps * self._logits(x).sigmoid()

    def forward(self, x: Tensor | None = None) -> LieBox:
        half_width = self.half_width(x)
        if x is not None:
            self.running(half_width)
        return LieBox(self.group, half_width, validate_args=False)

    @property
    def uniforms(self) -> int:
        return self.group.dim

    def deficit(self, x: Tensor | None = None) -> Float[Tensor, "*B"]:
        """`mean_i log(cap_i / h_i(x))` of each example."""
        if x is None:
            return (self.caps / self.running.value).log().mean(-1)
        return -nn.functional.logsigmoid(self._logits(x)).mean(-1)

    def degrees(self, site: str, x: Tensor | None = None) -> list[Degree]:
        """Half-widths in reporting units: the mean over a batch, or over the last of training without one."""
        return LieBox(self.group, self.half_width(x), validate_args=False).degrees(site, "instance-wise")

    def _logits(self, x: Tensor) -> Tensor:
        return _outputs(self.net, x, self.group.dim) + self.offset


@final
class InstanceCategorical(LearnableDistribution):
    """A categorical distribution over the elements of a finite group for each input: `p(g | x) = softmax(net(x))`.

    Draws carry no gradient; `objectives.Augerino` and `Supervised` add that of the score.

    Args:
        group: a finite group of `K` elements.
        net: from a batch `(B, ...)` to logits `(B, K)`.

    Raises:
        ValueError: for a group that is not finite.

    Example:
        >>> turns = ls.groups.Cyclic(4)
        >>> law = ls.augment.InstanceCategorical(turns, nn.Sequential(nn.Flatten(), nn.Linear(64, 4)))
        >>> law(torch.rand(5, 1, 8, 8)).entropy().shape
        torch.Size([5])
    """

    def __init__(self, group: Group, net: nn.Module) -> None:
        super().__init__()
        if group.order is None:
            raise ValueError(f"group: got {group.name}, must be finite; take InstanceBox for a Lie group")
        self.group, self.net = group, net
        self.straight_through = False
        count = len(group.components)
        self.running = RunningMean(torch.full((count,), 1 / count))

    def forward(self, x: Tensor | None = None) -> GroupCategorical:
        law = self._law(x)
        if x is not None:
            self.running(law.probabilities)
        return law

    def _law(self, x: Tensor | None) -> GroupCategorical:
        logits = self.running.value.log() if x is None else _outputs(self.net, x, len(self.running.value))
        return GroupCategorical(self.group, logits, validate_args=False, straight_through=False)

    @property
    def uniforms(self) -> int:
        return 1

    def deficit(self, x: Tensor | None = None) -> Float[Tensor, "*B"]:
        """`log K - entropy` of each example."""
        return self._law(x).kl_to_haar()

    def degrees(self, site: str, x: Tensor | None = None) -> list[Degree]:
        """Probabilities of the elements: the mean over a batch, or over the last of training without one."""
        return self._law(x).degrees(site, "instance-wise")


class RunningMean(nn.Module):
    """The mean of what was seen in training, the last hundred or so batches counting most; in `state_dict`."""

    value: Tensor

    def __init__(self, start: Float[Tensor, "P"]) -> None:
        super().__init__()
        self.register_buffer("value", start.clone())

    def forward(self, x: Float[Tensor, "B P"]) -> None:
        """Take a batch into account; not under transforms of functions, which must not change state."""
        if self.training and not torch.compiler.is_compiling() and not in_transform():
            with torch.no_grad():
                self.value.lerp_(mean_over_processes(x.mean(0)).to(self.value), 0.01)


def _outputs(net: nn.Module, x: Tensor, count: int) -> Tensor:
    parameters = net(x)
    if parameters.shape != (len(x), count):
        raise ValueError(f"net: gave {tuple(parameters.shape)}, must give ({len(x)}, {count}); change its last layer")
    return parameters
