"""Learnable distributions on exponential coordinates, each generator between 0 and its cap."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.distributions._coordinates import closing_caps, require_lie
from learnsym.distributions._distribution import LearnableDistribution
from learnsym.distributions._precision import at_least_float32
from learnsym.distributions.box import LieBox
from learnsym.distributions.normal import WrappedNormal
from learnsym.groups import Group

Caps = Float[Tensor, "D"] | Mapping[str, float] | None


class Bounded(nn.Module):
    """Positive numbers that stay below caps: `cap * sigmoid(raw)`, or `softplus(raw)` where the cap is infinite.

    Args:
        group: gives names and default caps.
        init: a fraction of the cap in (0, 1) for all generators (the value itself where the cap is infinite), or one
            value per generator, in coordinates of the algebra.
        caps: one cap per generator, or some by name; the generators' own by default.

    Raises:
        ValueError: when a value is not strictly between 0 and its cap.
    """

    def __init__(self, group: Group, init: float | Float[Tensor, "D"], caps: Caps = None) -> None:
        super().__init__()
        limits = _caps(group, caps)
        finite = limits.isfinite()
        start = torch.where(finite, limits, 1.0) * init if isinstance(init, float | int) else init.detach().to(limits)
        if start.shape != limits.shape or not bool(((start > 0) & (start < limits)).all()):
            raise ValueError(
                f"init: got {init}, must be strictly between 0 and the caps {limits.tolist()} of {group.name}; "
                "give a fraction in (0, 1) or one value per generator, or hold a distribution fixed with Fixed"
            )
        inverse = torch.where(finite, torch.logit(start / torch.where(finite, limits, 2 * start)), start.expm1().log())
        self.raw = nn.Parameter(inverse.to(torch.get_default_dtype()))
        self.register_buffer("caps", limits.to(torch.get_default_dtype()))
        self.all_finite = bool(finite.all())
        self.caps: Tensor

    def forward(self) -> Float[Tensor, "D"]:
        """The values, one per generator, at least in float32."""
        raw, caps = at_least_float32(self.raw), at_least_float32(self.caps)
        if self.all_finite:
            return caps * raw.sigmoid()
        finite = caps.isfinite()
        return torch.where(finite, torch.where(finite, caps, 1.0) * raw.sigmoid(), F.softplus(raw))

    def deficit(self) -> Float[Tensor, ""]:
        """`mean_i log(cap_i / value_i)`, computed without cancellation."""
        if not self.all_finite:
            raise ValueError(
                "caps: some are infinite, so there is no widest law; give finite caps or another regulariser"
            )
        return -F.logsigmoid(at_least_float32(self.raw)).mean()


class LearnableBox(LearnableDistribution):
    """A learnable `LieBox` that does not depend on the input.

        h_i = cap_i * sigmoid(raw_i),    or softplus(raw_i) where the cap is infinite

    The caps bound each generator by itself: no half-width can diverge, and reaching one does not switch off the others.

    Args:
        group: a group with a Lie algebra of dimension `D`.
        init: half-widths at the start: a fraction of the cap for all generators, or a tensor `(D,)`.
        caps: largest half-widths, `(D,)` or by name of generator; the generators' own by default.

    Raises:
        ValueError: when a half-width is not strictly between 0 and its cap, or a cap of a rotation above half a turn.

    Example:
        >>> box = ls.distributions.LearnableBox(ls.groups.SO2(), init=0.5)
        >>> print(box.degrees("input")[0])
        input: SO(2) rotation 90 degree (task, augerino)...
    """

    def __init__(self, group: Group, init: float | Float[Tensor, "D"] = 0.3, caps: Caps = None) -> None:
        super().__init__()
        require_lie(group, "LearnableBox")
        self.group = group
        self.width = Bounded(group, init, caps)
        closing = torch.tensor(closing_caps(group)).to(self.width.caps)
        if bool((self.width.caps > closing * (1 + 1e-5)).any()):
            raise ValueError(
                f"caps: got {self.width.caps.tolist()}, must be <= {closing.tolist()} on {group.name}; orbits end there"
            )

    @property
    def half_width(self) -> Float[Tensor, "D"]:
        """`h`, differentiable."""
        return self.width()

    def forward(self, x: Tensor | None = None) -> LieBox:
        return LieBox(self.group, self.half_width, validate_args=False)

    @property
    def uniforms(self) -> int:
        return self.group.dim

    def deficit(self, x: Tensor | None = None) -> Float[Tensor, ""]:
        """`mean_i log(cap_i / h_i)`: the KL divergence per generator to the box of the caps."""
        return self.width.deficit()

    def degrees(self, site: str) -> list[Degree]:
        return self().degrees(site, "augerino")


class LearnableNormal(LearnableDistribution):
    """A learnable `WrappedNormal` that does not depend on the input; its scales stay below the caps.

    Args:
        group: a group with a Lie algebra of dimension `D`.
        init: scales at the start: a fraction of the cap for all generators, or a tensor `(D,)`.
        caps: largest scales, `(D,)` or by name of generator; the generators' own by default.

    Raises:
        ValueError: when a scale is not strictly between 0 and its cap.
    """

    def __init__(self, group: Group, init: float | Float[Tensor, "D"] = 0.3, caps: Caps = None) -> None:
        super().__init__()
        require_lie(group, "LearnableNormal")
        self.group = group
        self.width = Bounded(group, init, caps)

    @property
    def scale(self) -> Float[Tensor, "D"]:
        """The standard deviations, differentiable."""
        return self.width()

    def forward(self, x: Tensor | None = None) -> WrappedNormal:
        return WrappedNormal(self.group, self.scale, validate_args=False)

    @property
    def uniforms(self) -> int:
        return self.group.dim

    def deficit(self, x: Tensor | None = None) -> Float[Tensor, ""]:
        """`mean_i log(cap_i / scale_i)`: the difference of entropies per generator before wrapping."""
        return self.width.deficit()

    def degrees(self, site: str) -> list[Degree]:
        return self().degrees(site, "augerino")


def _caps(group: Group, caps: Caps) -> Float[Tensor, "D"]:
    own = torch.tensor([generator.cap for generator in group.generators], dtype=torch.float64)
    if caps is None:
        return own
    if isinstance(caps, Tensor):
        if caps.shape != own.shape:
            raise ValueError(f"caps: got shape {tuple(caps.shape)}, must be ({group.dim},) for {group.name}")
        return _positive(caps.detach().to(own))
    names = [generator.name for generator in group.generators]
    unknown = sorted(set(caps) - set(names))
    if unknown:
        raise ValueError(f"caps: {group.name} has no generator {', '.join(unknown)}; it has {', '.join(names)}")
    return _positive(torch.tensor([caps.get(g.name, g.cap) for g in group.generators], dtype=torch.float64))


def _positive(caps: Tensor) -> Tensor:
    if not bool((caps > 0).all()):
        raise ValueError(f"caps: got {caps.tolist()}, must be > 0; use a group without the generator to leave it out")
    return caps
