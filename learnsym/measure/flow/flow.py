"""A law over a group, learned from unlabelled data by flow matching.

Legend of axes: `B` examples, `S` draws, `D` dimension of the algebra, `n` size of the matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym.measure._inputs import moving
from learnsym.parts import Whole
from learnsym.symmetry import Symmetry, SymmetryLike

ORDER, HIDDEN, LAYERS = 5, 128, 4
BATCH, LEARNING_RATE, CLIP = 1024, 3e-3, 1.0


@dataclass(frozen=True, kw_only=True)
class FlowSample:
    """Draws of a law over a group."""

    elements: Float[Tensor, "S n n"]
    """`h`, with `h·x` as likely as `x`."""
    examples: Int[Tensor, "S"]
    """Of which example each is a draw: the law of its moves."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupFlow:
    """A velocity on data, whose flow brings examples that were moved by any element back among the data."""

    symmetry: Symmetry
    x: Float[Tensor, "B ..."]
    net: nn.Module
    order: int

    def sample(self, count: int = 2000, steps: int = 50, seed: int = 0) -> FlowSample:
        """Draws of `h = exp(Δ_K v_K) ... exp(Δ_1 v_1) g`, with `g` of the Haar measure.

        The flow begins at `g·x` and ends at `h·x`. Times are `(k / K)^(1/order)`, as dense as in training.

        Args:
            count: number of draws.
            steps: `K`.
            seed: of examples and elements.

        Raises:
            ValueError: for no draws or no steps.
        """
        for name, value in (("count", count), ("steps", steps)):
            if value < 1:
                raise ValueError(f"{name}: got {value}, must be >= 1; leave it out for the usual number")
        generator = torch.Generator().manual_seed(seed)
        examples = torch.randint(len(self.x), (count,), generator=generator)
        h = self.symmetry.group.haar(count, dtype=torch.float64, generator=generator)
        start = self.x[examples]
        times = (torch.arange(steps + 1) / steps) ** (1 / self.order)
        with torch.no_grad():
            for t, later in pairwise(times):
                v = self.net(self.symmetry.on_input(h.to(start), start), t.expand(count))
                h = self.symmetry.group.exp((later - t) * v.double()) @ h
        return FlowSample(elements=h, examples=examples)


class _Velocity(nn.Module):
    """A multilayer perceptron of the flattened example and the time."""

    def __init__(self, features: int, out: int) -> None:
        super().__init__()
        sizes = [features + 1] + [HIDDEN] * LAYERS
        layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
        self.layers = nn.Sequential(*layers, nn.Linear(HIDDEN, out))

    def forward(self, x: Float[Tensor, "S ..."], t: Float[Tensor, "S"]) -> Float[Tensor, "S D"]:
        return self.layers(torch.cat([x.flatten(1), t[:, None]], 1))


def group_flow(
    x: Whole,
    symmetry: SymmetryLike,
    *,
    network: Callable[[int, int], nn.Module] = _Velocity,
    steps: int = 2000,
    order: int = ORDER,
    seed: int = 0,
) -> GroupFlow:
    """A law over a compact connected group, from unlabelled data: its support is the symmetry of their distribution.

    An example `x` is moved to `x_0 = g·x` by an element of the Haar measure, and brought back along one straight path,

        x_t = exp(t A)·x_0,    A = log(g⁻¹),    t = u^(1/order),   u uniform

    A network `v(x_t, t)` learns the mean of `A` among all paths through `x_t`; its flow from any `g·x` ends among the
    data. So the draws `h` of `GroupFlow.sample` are those elements for which `h·x` is as likely as `x`: all of them
    for a full symmetry, few for a finite one, the identity for none. It is about the distribution, not about labels,
    and known up to what leaves an example as it is. Paths to modes that lie symmetrically cancel until late, which is
    why late times are seen more often (`order` of 5). Draws begin anew at an example each: for data that cover a range
    they are moves from that example into the range, see `FlowSample.examples`.

    Reference: Park et al., "LieFlow" (2025), arXiv 2512.20043.

    Args:
        x: examples, a tensor or an array.
        symmetry: the large group, which must be compact and connected, with its action on `x`; or its name.
        network: a function of the number of features and of `D` that returns a module `(x, t) -> v`; a multilayer
            perceptron of the flattened example when not given.
        steps: training steps, of 1,024 examples.
        order: of the law of times.
        seed: of the network and of all draws; the caller's random state is left alone.

    Raises:
        ValueError: when `x` does not fit the symmetry, or the group is not compact, connected and continuous.

    Example:
        >>> arrow = torch.tensor([[[1.0, 0.0]]])
        >>> turns = ls.Symmetry(ls.groups.SO2(), ls.actions.PointCloud(dim=2), ls.actions.Invariant())
        >>> flow = ls.measure.group_flow(arrow, turns, steps=5)
        >>> flow.sample(3).elements.shape
        torch.Size([3, 2, 2])
    """
    x, symmetry = moving(x, symmetry)
    _check(x, symmetry, steps, order)
    x = x.float().cpu()
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = network(x[0].numel(), symmetry.group.dim)
    optimiser = torch.optim.Adam(net.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        g = symmetry.group.haar(BATCH, generator=generator)
        a = symmetry.group.log(symmetry.group.inverse(g))
        t = torch.rand(BATCH, generator=generator) ** (1 / order)
        rows = x[torch.randint(len(x), (BATCH,), generator=generator)]
        x_t = symmetry.on_input(symmetry.group.exp(t[:, None] * a) @ g, rows)
        loss = (net(x_t, t) - a).square().sum(1).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimiser.step()
        schedule.step()
    return GroupFlow(symmetry=symmetry, x=x, net=net.eval().requires_grad_(False), order=order)


def _check(x: Tensor, symmetry: Symmetry, steps: int, order: int) -> None:
    group = symmetry.group
    if not group.is_compact or not group.dim or len(group.components) > 1:
        raise ValueError(
            f"symmetry: got {group.name}, must be compact, connected and continuous, such as SO(2) or SO(3); a finite "
            "group is tested element by element with ls.measure.closure_test"
        )
    symmetry.on_input.check_data(group, x)
    for name, value in (("steps", steps), ("order", order)):
        if value < 1:
            raise ValueError(f"{name}: got {value}, must be >= 1; leave it out for the usual number")
