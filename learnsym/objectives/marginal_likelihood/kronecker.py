"""Kronecker factors of the generalised Gauss-Newton matrix of linear layers and convolutions (KFAC).

Legend of axes: `B` batch, `D` outputs of an example, `S` copies of an example, `T` positions, `I` numbers that a weight
takes in, `O` numbers that it gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.parts import Whole

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALISATIONS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
)


@dataclass(frozen=True)
class Factors:
    """`H_ll ≈ N A ⊗ G` of a weight, and `N G` of its bias, means over examples."""

    inputs: Float[Tensor, "I I"]
    """`A`."""
    gradients: Float[Tensor, "O O"]
    """`G`."""

    def with_values_of(self, other: Factors) -> Factors:
        """Other values with the gradient of these."""
        pairs = ((other.inputs, self.inputs), (other.gradients, self.gradients))
        return Factors(*(value + (own - own.detach()) for value, own in pairs))


@dataclass(frozen=True)
class Occam:
    """What the curvature of layers takes off the log evidence, and how many weights the data determine."""

    log_determinant: Float[Tensor, ""]
    """`Σ_l log det(1 + N A_l ⊗ G_l / δ_l)`, and of biases `log det(1 + N G_l / δ_l)`."""
    dimensions: dict[str, Float[Tensor, ""]]
    """Effective dimensions `γ_l = tr(H_ll (H_ll + δ_l)^-1)` of each tensor."""


def occam(
    factors: Mapping[str, Factors],
    weights: Mapping[str, Tensor],
    precisions: Mapping[str, float | Tensor],
    examples: int,
) -> Occam:
    """The log-determinant of the curvature over the precisions, layer by layer.

    Args:
        factors: by path of a layer.
        weights: tensors by name, of which those of the layers are looked at.
        precisions: `δ_l` of each.
        examples: `N`.
    """
    determinants, dimensions = [], {}
    for path, factor in factors.items():
        # round-off makes eigenvalues of 0 a little negative
        inputs, gradients = (
            torch.linalg.eigvalsh(each.double()).clamp(min=0) for each in (factor.inputs, factor.gradients)
        )
        for name, spectrum in (("weight", torch.outer(gradients, inputs)), ("bias", gradients)):
            key = _joined(path, name)
            if key in weights:
                ratio = examples * spectrum / precisions[key]
                determinants.append(ratio.log1p().sum())
                dimensions[key] = (ratio / (1 + ratio)).sum().detach()
    return Occam(torch.stack(determinants).sum(), dimensions)


def layers_of(model: nn.Module, weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Module]:
    """The layers that have factors, by path; scales and shifts of normalisations have none and keep a flat prior.

    Raises:
        ValueError: naming weights of other layers.
    """
    found, known = {}, set()
    for path, module in model.named_modules():
        own = {_joined(path, name) for name, _ in module.named_parameters(recurse=False)}
        is_linear = type(module) is nn.Linear or (type(module) in CONVOLUTIONS and getattr(module, "groups", 1) == 1)
        if is_linear and own & weights.keys():
            found[path] = module
        if is_linear or isinstance(module, NORMALISATIONS):
            known |= own
    others = [name for name in weights if name not in known]
    if others:
        raise ValueError(
            f"model: {others[0]} belongs to a layer without Kronecker factors, which Linear and Conv1d, 2d and 3d with "
            "one group have; freeze it, or take the chooser validation"
        )
    if not found:
        raise ValueError("model: has no trained Linear layer or convolution, whose evidence could be taken; add one")
    return found


def factors_of(
    model: nn.Module, layers: Mapping[str, nn.Module], x: Whole, likelihood: Likelihood
) -> tuple[Float[Tensor, "B D"], dict[str, Factors]]:
    """Outputs and the factors of a batch, with a graph to whatever the model is made of.

        A = 1/(B T) Σ_{n,t} a_nt a_nt^T,    G = 1/B Σ_{n,t,d} g_ntd g_ntd^T

    `a` are what a layer takes in, at each of `T` positions, and `g` derivatives of what it gives, of the outputs times
    column `d` of a root of the curvature of the likelihood. Of several copies of an example, whose outputs are
    averaged, `a` is the mean and `g` the sum: they share the weights.

    References: Martens, Grosse (2015), arXiv 1503.05671; convolutions: Grosse, Martens (2016), arXiv 1602.01407;
    copies: Immer et al. (2022), arXiv 2202.10638; Eschenhagen et al. (2023), arXiv 2311.00636.
    """
    with _recorded(layers) as seen:
        f = model(x).flatten(1)
    given = [outputs for _, outputs in seen.values()]
    curvature = [
        torch.autograd.grad(f, given, column, create_graph=True, materialize_grads=True)
        for column in likelihood.root(f).unbind(-1)
    ]
    factors = {}
    for i, (path, (taken, _)) in enumerate(seen.items()):
        a = _over_copies(_patches(layers[path], taken), len(f)).mean(0)
        g = torch.stack([_over_copies(_positions(layers[path], column[i]), len(f)).sum(0) for column in curvature])
        a, g = a.flatten(0, 1), g.flatten(0, 2)
        factors[path] = Factors(a.mT @ a / len(a), g.mT @ g / len(f))
    return f, factors


def names_in(layers: Mapping[str, nn.Module], weights: Mapping[str, nn.Parameter]) -> list[str]:
    """Names of the weights and biases of layers."""
    names = (_joined(path, name) for path in layers for name in ("weight", "bias"))
    return [name for name in names if name in weights]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@contextmanager
def _recorded(layers: Mapping[str, nn.Module]) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """What layers take in and give, by path."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def keep(path: str) -> object:
        def hook(module: nn.Module, taken: tuple[Tensor, ...], given: Tensor) -> None:
            if path in seen:
                raise ValueError(f"model: {path} is used several times, and has no Kronecker factors then")
            seen[path] = (taken[0], given)

        return hook

    handles = [layer.register_forward_hook(keep(path)) for path, layer in layers.items()]  # type: ignore[arg-type]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _patches(layer: nn.Module, x: Tensor) -> Float[Tensor, "R T I"]:
    """What each position of a layer takes in."""
    if isinstance(layer, nn.Linear):
        return x.reshape(len(x), -1, x.shape[-1])
    assert isinstance(layer, CONVOLUTIONS)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    x = F.pad(x, layer._reversed_padding_repeated_twice, mode=mode)
    for axis, (size, step, apart) in enumerate(zip(layer.kernel_size, layer.stride, layer.dilation, strict=True), 2):
        x = x.unfold(axis, apart * (size - 1) + 1, step)[..., ::apart]
    dims = len(layer.kernel_size)
    # (R, I, positions..., kernel...) -> (R, positions, I * kernel)
    return x.movedim(1, 1 + dims).flatten(1, dims).flatten(2)


def _positions(layer: nn.Module, g: Tensor) -> Float[Tensor, "R T O"]:
    """Derivatives at each position."""
    return g.reshape(len(g), -1, g.shape[-1]) if isinstance(layer, nn.Linear) else g.flatten(2).mT


def _over_copies(rows: Float[Tensor, "R T I"], examples: int) -> Float[Tensor, "S B T I"]:
    """Rows in the order of copies by copy and example."""
    if len(rows) % examples:
        raise ValueError(
            f"model: a layer takes {len(rows)} inputs for {examples} examples; must be so many copies of each, as "
            "augment.Augmented makes them"
        )
    return rows.unflatten(0, (-1, examples))
