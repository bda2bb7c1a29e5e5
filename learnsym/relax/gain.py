"""Layers with an exact and a free branch, and the one number that weighs the free one: `equivariant + γ free`."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import ONE_TRAINING, Degree

UNSETTLED = "the gain of the free branch still moves, so its constraint is not met: train longer, or raise the damping"


class Gain(nn.Module):
    """How strongly a layer uses its free branch: one number γ of either sign, 0 for an exact layer.

    It is trained as a law of group elements is, at a rate of its own and without weight decay, which would be a second
    chooser beside the one that is asked for. `settled` is False while a chooser has not brought it to rest.

    Args:
        start: γ at the start.

    Raises:
        ValueError: for a start that is not finite.
    """

    over_elements = True
    settled: Tensor

    def __init__(self, start: float = 1.0) -> None:
        super().__init__()
        if not abs(start) < float("inf"):
            raise ValueError(f"start: got {start}, must be a finite number; 1 is usual, 0 begins with the exact layer")
        self.value = nn.Parameter(torch.tensor(float(start)))
        self.register_buffer("settled", torch.ones((), dtype=torch.bool))

    def forward(self) -> Float[Tensor, ""]:
        """γ."""
        return self.value

    def extra_repr(self) -> str:
        """γ."""
        return f"{float(self.value.detach()):.3g}"


class GainedLayer(nn.Module, abc.ABC):
    """A layer `equivariant + γ free`, whose gain γ a chooser holds.

    γ alone is no degree: it may fall while the free branch grows. What is reported is `γ |free| / |equivariant|`.
    """

    gain: Gain
    method: str
    """Name of the layer in degrees."""

    @property
    @abc.abstractmethod
    def group_name(self) -> str:
        """The group that γ = 0 keeps."""

    @abc.abstractmethod
    def relative_size(self) -> Float[Tensor, ""]:
        """`|γ| |free| / |equivariant|`, of the parts of the kernel or of the outputs as seen in training."""

    @abc.abstractmethod
    def observed(self, inputs: Sequence[Any], outputs: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401  of any layer
        """Of a call of the layer the inputs `x` and the outputs `y` of the linear map that `correlation` is about."""

    @abc.abstractmethod
    def correlation(self, x: Tensor, gradient: Tensor) -> Tensor:
        """`Σ_b d_b x_bᵀ` with the loss gradients `d` at the outputs: the gradient of the weights of a linear map."""

    @abc.abstractmethod
    def departure(self, weights: Tensor) -> Tensor:
        """`Q(M) = M - P(M)`, with `P` the projection onto the equivariant linear maps."""

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """γ, unless its chooser sets it by itself."""
        return [self.gain.value] if self.gain.value.requires_grad else []

    def terms(self) -> tuple[str, ...]:
        """None: a chooser holds γ."""
        return ()

    def degrees(self, site: str) -> list[Degree]:
        """The size of the free branch beside that of the equivariant one, 0 when exact; does not depend on scales."""
        settled = bool(self.gain.settled)
        return [
            Degree(
                site=site,
                group=self.group_name,
                generator="free branch",
                unit="equivariant branch",
                notion="task",
                estimate=float(self.relative_size().detach()),
                method=self.method,
                status="no interval" if settled else "not converged",
                reason=ONE_TRAINING if settled else UNSETTLED,
            )
        ]


def gained_layers(model: nn.Module) -> dict[str, GainedLayer]:
    """The layers of a model that have a gain, by their paths.

    Raises:
        ValueError: when there is none.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> net = nn.Sequential(ls.relax.ScaledPathway(ls.equivariant.EquivariantLinear(fields, fields)))
        >>> list(ls.relax.gained_layers(net))
        ['0']
    """
    found = {path: module for path, module in model.named_modules() if isinstance(module, GainedLayer)}
    if not found:
        raise ValueError(
            f"model: {type(model).__name__} has no layer with a gain that a chooser could hold; take "
            "relax.ScaledPathway or nets.points.with_free_paths"
        )
    return cast("dict[str, GainedLayer]", found)


@torch.no_grad()
def truncate(model: nn.Module) -> nn.Module:
    """Set every gain of a model to 0, in place: what is left is exactly equivariant, and costs what it cost before.

    Returns:
        The model. `equivariant.exact_twin` makes a copy without the free branches.

    Raises:
        ValueError: when the model has no gain.
    """
    for layer in gained_layers(model).values():
        layer.gain.value.zero_()
        layer.gain.settled.fill_(True)
    return model
