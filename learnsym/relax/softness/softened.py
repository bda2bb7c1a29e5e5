"""Softened networks: weights of any network projected towards their equivariant subspace, up to a dial.

Legend of axes: `*N` copies of entries that move together, `K` directions.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym import _escnn
from learnsym.degrees import Degree
from learnsym.equivariant.constant import Constant
from learnsym.groups import Group
from learnsym.relax.softness.dials import FixedSoftness, LearnedSoftness
from learnsym.relax.softness.masks import Mask, hard_mask, smooth_mask
from learnsym.relax.softness.moved_entries import MovedEntries, directions_of
from learnsym.relax.softness.places import moved_parameters
from learnsym.relax.softness.speeds import reach

METHOD = "soft equivariance"
FROM_WEIGHTS = "it follows from the weights, errors may be smaller"


class SoftParameter(nn.Module):
    """What a dial leaves of one parameter: `w_b = w - V (1 - m(s, b)) Vᵀ w`, with the directions `V` that move.

    At `b = 1` nothing is taken away, and the parameter is that of the source bit for bit.

    Args:
        moved: how the group moves its entries.
        group: the group.
        dial: gives `b`.
        mask: gives `m` for the relative speeds `s = σ / max σ`.
    """

    def __init__(self, moved: MovedEntries, group: Group, dial: nn.Module, mask: Mask) -> None:
        super().__init__()
        found = directions_of(moved, group)
        self.moved, self.dial, self.mask = moved, dial, mask
        self.speeds, self.basis = Constant(found.speeds), Constant(found.basis)

    def shares(self) -> Float[Tensor, "K"]:
        """`m`, the share that is kept of each direction."""
        speeds = self.speeds()
        return self.mask(speeds / speeds.amax(), self.dial().to(speeds)) if len(speeds) else speeds

    def forward(self, parameter: Tensor) -> Tensor:
        """`w_b`."""
        entries, basis = self.moved.entries(parameter), self.basis()
        coordinates = entries @ basis
        removed = (coordinates * (1 - self.shares())) @ basis.mT
        return self.moved.put(parameter, entries - removed)

    def moving(self, parameter: Tensor) -> Float[Tensor, "*N K"]:
        """The coordinates of `w_b` in the directions that move."""
        return (self.moved.entries(parameter) @ self.basis()) * self.shares()

    def error(self, parameter: Tensor) -> Float[Tensor, ""]:
        """`|L w_b| / |w_b|`: how fast all generators move what is left, relative to it."""
        entries = self.moved.entries(self(parameter))
        return (self.moving(parameter) * self.speeds()).norm() / _positive(entries.norm())


class Softened(nn.Module):
    """A network whose weights are held near their equivariant subspaces: 0 is strict, 1 leaves them as they are.

        f_b(x) = f(x; w_b),    w_b = w - V (1 - m(s, b)) Vᵀ w

    for each parameter that the group moves: with `L` the stacked generators of its action `T` on the entries of the
    parameter, `L = U diag(σ) Vᵀ` and `s = σ / max σ`. The network keeps its free weights `w`, so that fine-tuning has
    their gradients, evaluation changes nothing, and `plain()` writes `w_b` as plain weights. For a linear layer and
    every element `g` and input `x`

        |ρ_out(g) W_b x - W_b ρ_in(g) x| <= r |L w_b| |x|

    with the radius `r` of the group (`speeds.reach`), `π` for rotations. Neither a Taylor remainder nor a constant of
    the network is left out, but it is a bound of each layer for itself, relative to its own norm.

    Reference: Rahman, Lim, Jiang, Lim, Yeh, "Soft equivariance" (2026), arXiv 2603.26657, whose dial is set by hand;
    this bound, and a dial that held-out examples choose, are our own.

    Args:
        net: any network; it is wrapped, so give a copy to keep it.
        group: for images C_2, C_4, D_1, D_2 or D_4, which permute pixels.
        dial: the softness `b` of every parameter, each with a copy of its own; `FixedSoftness(0.5)` when None.
        mask: `smooth_mask`, or `hard_mask` with a fixed dial.
        parameters: how the group moves which parameters; those of `moved_parameters(net)` when None.

    Raises:
        ValueError: for a group that does not fit, a parameter that the network does not have or of another shape, or a
            learned dial with a mask that has no gradient.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> soft, x = ls.relax.Softened(net, ls.groups.Cyclic(4), ls.relax.FixedSoftness(0)), torch.rand(2, 1, 8, 8)
        >>> bool((soft(x.rot90(1, (2, 3))) - soft(x)).abs().max() < 1e-5)
        True
    """

    answers_for = ("soft",)

    def __init__(
        self,
        net: nn.Module,
        group: Group,
        dial: FixedSoftness | LearnedSoftness | None = None,
        mask: Mask = smooth_mask,
        parameters: Mapping[str, MovedEntries] | None = None,
    ) -> None:
        super().__init__()
        dial = FixedSoftness(0.5) if dial is None else dial
        if mask is hard_mask and isinstance(dial, LearnedSoftness):
            raise ValueError(
                "mask: got hard_mask, which has no gradient for a learned dial to follow; take smooth_mask"
            )
        chosen = moved_parameters(net) if parameters is None else dict(parameters)
        self.net, self.group = net, group
        self.names = tuple(chosen)
        for name, moved in chosen.items():
            _check_fits(net, name, moved)
        self.soft = nn.ModuleList(SoftParameter(moved, group, copy.deepcopy(dial), mask) for moved in chosen.values())
        for _, soft, parameter in self._places():
            soft.to(parameter)

    def weights(self) -> dict[str, Tensor]:
        """`w_b` of each parameter that the group moves, by name."""
        return {name: soft(parameter) for name, soft, parameter in self._places()}

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  whatever the network takes and returns
        """What the network gives with softened weights."""
        return torch.func.functional_call(self.net, self.weights(), args, kwargs)

    def softness(self) -> dict[str, float]:
        """`b` of each parameter."""
        return {name: float(soft.dial().detach()) for name, soft, _ in self._places()}

    @torch.no_grad()
    def bounds(self) -> dict[str, float]:
        """For each parameter the bound `r |L w_b| / |w_b|` of its equivariance error relative to its norm."""
        radius = reach(self.group)
        return {name: radius * float(soft.error(parameter)) for name, soft, parameter in self._places()}

    def distance(self) -> Float[Tensor, ""]:
        """What `exact` removes from all softened parameters together: `|w_b - P w_b| / |w_b|`."""
        moving = sum(soft.moving(parameter).square().sum() for _, soft, parameter in self._places())
        whole = sum(weight.square().sum() for weight in self.weights().values())
        return (torch.as_tensor(moving) / _positive(torch.as_tensor(whole))).sqrt()

    def exact(self) -> Softened:
        """A copy with all dials at 0, which training leaves equivariant."""
        twin: Any = _escnn.copied(self)
        for _, soft, parameter in twin._places():
            soft.dial = FixedSoftness(0).to(parameter)
        return twin

    @torch.no_grad()
    def plain(self) -> nn.Module:
        """A copy of the network that has the softened weights as its own, under the keys of the source."""
        weights = self.weights()
        net = _escnn.copied(self.net)
        for name, weight in weights.items():
            attrgetter(name)(net).copy_(weight)
        return net

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The parameters of learned dials."""
        return list(self._dials().parameters())

    def terms(self) -> tuple[str, ...]:
        """None: whoever sets the dials holds the network to its symmetry."""
        return ()

    def degrees(self, site: str) -> list[Degree]:
        """The softness of each parameter, and the bound of its error relative to its norm."""
        prefix = f"{site}.net" if site.startswith("layer:") else "layer:net"
        bounds = self.bounds()
        found = []
        for name, soft, _ in self._places():
            layer = f"{prefix}.{name.removesuffix('.weight')}"
            softness = float(soft.dial().detach())
            found += [
                self._degree(layer, "softness", softness, status="no interval", reason=soft.dial.reason),
                self._degree(layer, "largest error", bounds[name], status="bound only", reason=FROM_WEIGHTS),
            ]
        return found

    def extra_repr(self) -> str:
        """The group."""
        return f"{self.group}, {len(self.names)} parameters"

    def _degree(self, site: str, generator: str, estimate: float, **more: Any) -> Degree:  # noqa: ANN401  status
        return Degree(
            site=site,
            group=str(self.group),
            generator=generator,
            unit="1",
            notion="task",
            estimate=estimate,
            method=METHOD,
            **more,
        )

    def _dials(self) -> nn.ModuleList:
        return nn.ModuleList(soft.dial for _, soft, _ in self._places())

    def _places(self) -> list[tuple[str, Any, Tensor]]:
        """Each name with its soft parameter and its free weights, which `torch.func` may have put in their place."""
        return [(name, soft, attrgetter(name)(self.net)) for name, soft in zip(self.names, self.soft, strict=True)]


def _positive(norm: Tensor) -> Tensor:
    return norm.clamp(min=torch.finfo(norm.dtype).tiny)


def _check_fits(net: nn.Module, name: str, moved: MovedEntries) -> None:
    """Refuse a parameter that the network does not have, or whose entries are others."""
    known = dict(net.named_parameters())
    if name not in known:
        raise ValueError(f"parameters: got {name!r}, must be parameters of the network: {', '.join(list(known)[:8])}")
    try:
        entries = moved.entries(known[name])
        whole = moved.put(known[name], entries)
        fits = entries.shape[-1] == moved.together and whole.shape == known[name].shape
    except (RuntimeError, IndexError):
        fits = False
    if not fits:
        raise ValueError(
            f"parameters: got {moved} for {name!r} of shape {tuple(known[name].shape)}, which has not such "
            "entries; give its own size"
        )
