"""A network of escnn in, with a learned degree of equivariance; and its exact twin out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from learnsym import _escnn
from learnsym.equivariant.twins import exact_twin
from learnsym.relax.escnn.convolution import EscnnConv
from learnsym.relax.escnn.probabilistic import EscnnProbabilistic
from learnsym.relax.escnn.relaxed import EscnnRelaxed
from learnsym.relax.escnn.residual import EscnnResidual

LAYERS: Mapping[str, Callable[[nn.Module], EscnnConv]] = {
    "probabilistic": EscnnProbabilistic,
    "residual": EscnnResidual,
    "relaxed": EscnnRelaxed,
}
CONVOLUTIONS = ("R2Conv", "R3Conv", "R2ConvTransposed", "R3ConvTransposed")
LINEAR = (*CONVOLUTIONS, "Linear")
LEARNED = {
    "probabilistic": LINEAR,
    "residual": LINEAR,
    "relaxed": CONVOLUTIONS,
}
"""What each layer is made of: a kernel of one point has no pixels to be weighted."""
KEPT = (
    *("InnerBatchNorm", "NormBatchNorm", "InducedNormBatchNorm", "GNormBatchNorm"),
    *("IIDBatchNorm1d", "IIDBatchNorm2d", "IIDBatchNorm3d"),
    *("ReLU", "ELU", "LeakyReLU", "PointwiseNonLinearity", "ConcatenatedNonLinearity", "VectorFieldNonLinearity"),
    *("NormNonLinearity", "InducedNormNonLinearity", "GatedNonLinearity1", "GatedNonLinearity2"),
    *("GatedNonLinearityUniform", "InducedGatedNonLinearity1", "TensorProductModule"),
    *("FourierPointwise", "FourierELU", "QuotientFourierPointwise", "QuotientFourierELU"),
    *("PointwiseMaxPool2D", "PointwiseMaxPool", "PointwiseMaxPool3D", "NormMaxPool"),
    *("PointwiseMaxPoolAntialiased2D", "PointwiseMaxPoolAntialiased", "PointwiseMaxPoolAntialiased3D"),
    *("PointwiseAvgPool", "PointwiseAvgPool2D", "PointwiseAvgPool3D"),
    *("PointwiseAvgPoolAntialiased", "PointwiseAvgPoolAntialiased2D", "PointwiseAvgPoolAntialiased3D"),
    *("PointwiseAdaptiveAvgPool2D", "PointwiseAdaptiveAvgPool", "PointwiseAdaptiveAvgPool3D"),
    *("PointwiseAdaptiveMaxPool2D", "PointwiseAdaptiveMaxPool", "PointwiseAdaptiveMaxPool3D"),
    *("GroupPooling", "MaxPoolChannels", "NormPool", "InducedNormPool"),
    *("R2Upsampling", "R3Upsampling", "ReshuffleModule", "RestrictionModule", "DisentangleModule"),
    *("FieldDropout", "PointwiseDropout", "MaskModule", "IdentityModule"),
    *("SequentialModule", "MultipleModule", "BranchingModule", "MergeModule"),
)
"""Modules of escnn without equivariant kernels, which stay what they are."""


def from_escnn(net: nn.Module, layer: str = "probabilistic") -> nn.Module:
    """A copy of a network of escnn whose convolutions and linear maps learn how equivariant they are.

    The copy has the weights of the network and, at the start, its outputs. `R2Conv`, `R3Conv`, their transposed kinds
    and `Linear` give way to layers around them; batch normalisation, nonlinearities, pooling and the user's own modules
    stay those of escnn, and fields are geometric tensors throughout. `ls.degrees(net)`, penalties and choosers take the
    copy as any network.

    Args:
        net: made of modules of escnn, in modules of its own or in `SequentialModule`; or one convolution.
        layer: `probabilistic`, a likelihood over the group (`ProbabilisticSteerableConv`); `residual`, a free kernel
            beside the exact one (`ResidualPathway`); `relaxed`, basis kernels that are weighted pixel by pixel
            (`RelaxedSteerableConv`), which leaves linear maps as they are.

    Raises:
        ImportError: when escnn is not installed.
        ValueError: for another `layer`, a module of escnn without a counterpart, a network without modules that the
            layer is made of, or a space whose group is not here.

    Example:
        >>> from escnn import gspaces, nn as enn
        >>> space = gspaces.rot2dOnR2(4)
        >>> image = enn.FieldType(space, [space.trivial_repr])
        >>> fields = enn.FieldType(space, 2 * [space.regular_repr])
        >>> net = enn.SequentialModule(enn.R2Conv(image, fields, 3), enn.ReLU(fields))
        >>> degree = ls.degrees(ls.relax.from_escnn(net))[0]
        >>> degree.site, degree.group, degree.estimate
        ('layer:0', 'C_4', 1.0)
    """
    if layer not in LAYERS:
        raise ValueError(f"layer: got {layer!r}, must be one of {', '.join(LAYERS)}")
    _check(net, LEARNED[layer])
    learned = _escnn.copied(net)
    made: dict[int, EscnnConv] = {}
    return _replaced(learned, layer, made)


def to_escnn(net: nn.Module) -> nn.Module:
    """The exact twin of a network that `from_escnn` made, in modules of escnn alone.

    Each convolution has the equivariant kernel nearest to the learned one; of a probabilistic layer it is the part that
    a uniform likelihood leaves. A layer that is still exact gives back its weights.

    Raises:
        ValueError: for a network without such layers.
    """
    if not any(isinstance(module, EscnnConv) for module in net.modules()):
        raise ValueError("net: has no layer that from_escnn made; make the network with ls.relax.from_escnn")
    return exact_twin(net)


def _check(net: nn.Module, learned: tuple[str, ...]) -> None:
    _escnn.modules()
    found = {type(module): _ancestor(type(module)) for module in net.modules()}
    unknown = {kind.__name__ for kind, of in found.items() if of and (of not in (*LINEAR, *KEPT) or _is_own(kind, of))}
    if unknown:
        raise ValueError(
            f"net: has {', '.join(sorted(unknown))} of escnn, without a counterpart here; those with one are "
            f"{', '.join(LINEAR)}, and these stay as they are: {', '.join(KEPT)}"
        )
    if not set(found.values()) & set(learned):
        raise ValueError(f"net: has no {' and no '.join(learned)} of escnn, which are what can be learned; give one")


def _ancestor(kind: type) -> str | None:
    """The public module of escnn that a class is or is made from; None for others, such as modules of the user."""
    enn = _escnn.modules()
    names = (c.__name__ for c in kind.__mro__ if c.__module__.startswith("escnn.") and hasattr(enn, c.__name__))
    return next((name for name in names if name != "EquivariantModule"), None)


def _is_own(kind: type, ancestor: str) -> bool:
    """Whether a linear map is a class of the user, which may do more than one of escnn."""
    return ancestor in LINEAR and kind.__name__ != ancestor


def _replaced(module: nn.Module, layer: str, made: dict[int, Any]) -> nn.Module:
    """The module with learned linear maps; one that is used at several places stays one."""
    if id(module) in made:
        return made[id(module)]
    if _ancestor(type(module)) in LEARNED[layer]:
        weights: Any = module.weights
        made[id(module)] = LAYERS[layer](module).to(weights.device, weights.dtype).train(module.training)
        return made[id(module)]
    made[id(module)] = module
    for name, child in module._modules.items():
        module._modules[name] = None if child is None else _replaced(child, layer, made)
    return module
