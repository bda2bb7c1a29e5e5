"""Kronecker factors of the generalised Gauss-Newton matrix, layer by layer (KFAC).

Legend of axes: `B` batch, `D` outputs of an example, `S` copies of an example, `R` rows, `M` groups of weights that
share nothing, `T` positions, `I` numbers that a weight takes in, `O` numbers that it gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.curvature import Occam
from learnsym.objectives.marginal_likelihood.layers import LARGEST, LINEAR, NORMALISATIONS, Acting, Table
from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.parts import Whole


@dataclass(frozen=True)
class KroneckerCurvature:
    """`H_ll ≈ N G_l ⊗ A_l` for each tensor and each of its groups, and `N G_l` for biases."""

    means: dict[str, Float[Tensor, "M n n"]]
    """Second moments `A` and `G`, by layer and name."""
    blocks: dict[str, tuple[str, ...]]
    """Names of the moments of each tensor."""

    @cached_property
    def spectra(self) -> dict[str, Float[Tensor, "M n"]]:
        """Eigenvalues of the moments; round-off makes those of 0 a little negative."""
        return {name: torch.linalg.eigvalsh(mean.double()).clamp(min=0) for name, mean in self.means.items()}

    def occam(self, precisions: Mapping[str, Tensor], examples: int) -> Occam:
        """`Σ_l log det(1 + N G_l ⊗ A_l / δ_l)`: eigenvalues of a Kronecker product are products of eigenvalues."""
        determinants, dimensions = [], {}
        for name, moments in self.blocks.items():
            first, *others = (self.spectra[moment] for moment in moments)
            spectrum = first[:, :, None] * others[0][:, None] if others else first
            ratio = examples * spectrum / precisions[name]
            determinants.append(ratio.log1p().sum())
            dimensions[name] = (ratio / (1 + ratio)).sum().detach()
        return Occam(torch.stack(determinants).sum(), dimensions)

    def with_means(self, means: dict[str, Tensor]) -> KroneckerCurvature:
        """The same of other means."""
        return replace(self, means=means)


@dataclass(frozen=True)
class Kronecker:
    """Kronecker factors of linear layers and convolutions; scales and shifts of normalisations have a flat prior.

        A = 1/(B T) Σ_{n,t} a_nt a_nt^T,    G = 1/B Σ_{n,t,d} g_ntd g_ntd^T

    `a` are what a tensor takes in, at each of `T` positions, and `g` derivatives of what it gives, of the outputs times
    column `d` of a root of the curvature of the likelihood. Of several copies of an example, whose outputs are
    averaged, `a` is the mean and `g` the sum: they share the weights.

    What is left out: couplings between tensors, between groups of one tensor, and between positions; that `a` and `g`
    depend on each other. Layers whose weights are expanded to a kernel or to patterns (`layers`) have factors of the
    weights themselves, by the chain rule. curvlinops has the same factors as KFAC of the type `expand`.

    References: Martens, Grosse (2015), arXiv 1503.05671; convolutions: Grosse, Martens (2016), arXiv 1602.01407;
    shared weights: Eschenhagen et al. (2023), arXiv 2311.00636; copies: Immer et al. (2022), arXiv 2202.10638.

    Example:
        >>> from learnsym.objectives.marginal_likelihood.likelihoods import Classes
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
        >>> held = Kronecker().held(net, dict(net.named_parameters()))
        >>> _, curvature = Kronecker().of(net, held, torch.rand(5, 4, 4), Classes())
        >>> {name: tuple(mean.shape) for name, mean in curvature.means.items()}
        {'1:inputs': (1, 16, 16), '1:gradients': (1, 3, 3)}
    """

    def held(self, model: nn.Module, weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """Those of linear layers and convolutions.

        Raises:
            ValueError: naming weights of other layers, or factors that would be too large.
        """
        return held_in(model, weights, LINEAR, flat=NORMALISATIONS)

    def of(
        self,
        model: nn.Module,
        held: Mapping[str, nn.Parameter],
        x: Whole,
        likelihood: Likelihood,
        *,
        create_graph: bool = True,
    ) -> tuple[Float[Tensor, "B D"], KroneckerCurvature]:
        """Outputs and factors of a batch."""
        return curvature_of(model, LINEAR, held, x, likelihood, create_graph)


@dataclass(frozen=True)
class KroneckerAndDiagonal:
    """As `Kronecker`, and scales and shifts of normalisations have a normal prior and the diagonal of the curvature.

        H_ii = N · 1/B Σ_{n,d} (Σ_t g_ntdi x'_nti)²

    with the normalised input `x'`; batch norm is as in evaluation. A scale and the weights before it can be traded for
    each other without a change of the function, which a prior on both pays for twice.
    """

    def held(self, model: nn.Module, weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """Those of linear layers, convolutions and normalisations.

        Raises:
            ValueError: as `Kronecker`.
        """
        return held_in(model, weights, {**LINEAR, **NORMALISATIONS}, flat={})

    def of(
        self,
        model: nn.Module,
        held: Mapping[str, nn.Parameter],
        x: Whole,
        likelihood: Likelihood,
        *,
        create_graph: bool = True,
    ) -> tuple[Float[Tensor, "B D"], KroneckerCurvature]:
        """Outputs and factors of a batch."""
        return curvature_of(model, {**LINEAR, **NORMALISATIONS}, held, x, likelihood, create_graph)


def acting(model: nn.Module, table: Table) -> dict[str, tuple[nn.Module, Acting]]:
    """The layers of a table, by path."""
    return {
        path: (module, table[type(module)](module)) for path, module in model.named_modules() if type(module) in table
    }


def held_in(
    model: nn.Module, weights: Mapping[str, nn.Parameter], table: Table, flat: Table
) -> dict[str, nn.Parameter]:
    """The weights in the layers of a table.

    Raises:
        ValueError: naming weights of layers in neither table, none at all, or factors that would be too large.
    """
    own = {_joined(path, name) for path, (_, each) in acting(model, table).items() for name in each.blocks}
    free = {
        _joined(path, name)
        for path, module in model.named_modules()
        if type(module) in flat
        for name, _ in module.named_parameters(recurse=False)
    }
    others = [name for name in weights if name not in own | free]
    if others:
        raise ValueError(
            f"model: {others[0]} belongs to a layer without Kronecker factors, which Linear, convolutions of torch, "
            "maps between grids, GroupConv2d, SteerableConv and EquivariantLinear have; freeze it, or take the chooser "
            "validation"
        )
    held = {name: weight for name, weight in weights.items() if name in own}
    if not held:
        raise ValueError("model: has no trained Linear layer or convolution, whose evidence could be taken; add one")
    return held


def curvature_of(
    model: nn.Module,
    table: Table,
    held: Mapping[str, nn.Parameter],
    x: Whole,
    likelihood: Likelihood,
    create_graph: bool,
) -> tuple[Float[Tensor, "B D"], KroneckerCurvature]:
    """Outputs and factors of the layers of a table that hold weights."""
    blocks, layers = {}, {}
    for path, (module, each) in acting(model, table).items():
        own = {_joined(path, name): moments for name, moments in each.blocks.items() if _joined(path, name) in held}
        blocks |= {name: tuple(f"{path}:{moment}" for moment in moments) for name, moments in own.items()}
        if own:
            layers[path] = module, each
    f, means = moments_of(model, layers, x, likelihood, create_graph)
    used = {moment for moments in blocks.values() for moment in moments}
    means = {name: mean for name, mean in means.items() if name in used}
    return f, KroneckerCurvature(means, {name: blocks[name] for name in held})


def moments_of(
    model: nn.Module,
    layers: Mapping[str, tuple[nn.Module, Acting]],
    x: Whole,
    likelihood: Likelihood,
    create_graph: bool,
) -> tuple[Float[Tensor, "B D"], dict[str, Float[Tensor, "M n n"]]]:
    """Outputs and second moments, see `Kronecker`."""
    with _recorded({path: module for path, (module, _) in layers.items()}) as seen:
        f = model(x).flatten(1)
    outputs = [given for _, given in seen.values()]
    columns = likelihood.root(f if create_graph else f.detach()).unbind(-1)
    slopes = [
        torch.autograd.grad(f, outputs, v, create_graph=create_graph, retain_graph=True, materialize_grads=True)
        for v in columns
    ]
    moments = {}
    with torch.set_grad_enabled(create_graph):
        for i, (path, (taken, _)) in enumerate(seen.items()):
            _, each = layers[path]
            for name, a in each.taken(taken).items():
                a = _over_copies(a, len(f)).mean(0)
                moments[f"{path}:{name}"] = _second(path, a) / (len(f) * a.shape[2])
            given = [each.given(taken, slope[i]) for slope in slopes]
            for name in given[0]:
                g = torch.cat([_over_copies(column[name], len(f)).sum(0) for column in given])
                moments[f"{path}:{name}"] = _second(path, g) / len(f)
    return f if create_graph else f.detach(), moments


def _second(path: str, rows: Float[Tensor, "R M T I"]) -> Float[Tensor, "M I I"]:
    """Sums of products over rows and positions."""
    if rows.shape[-1] > LARGEST:
        raise ValueError(
            f"model: {path} has weights of {rows.shape[-1]} numbers, whose Kronecker factor has their square; must be "
            f"at most {LARGEST}; take a narrower network, or factored or sparsified maps"
        )
    each = rows.transpose(0, 1).flatten(1, 2)
    return each.mT @ each


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


def _over_copies(rows: Float[Tensor, "R M T I"], examples: int) -> Float[Tensor, "S B M T I"]:
    """Rows in the order of copies by copy and example."""
    if len(rows) % examples:
        raise ValueError(
            f"model: a layer takes {len(rows)} inputs for {examples} examples; must be so many copies of each, as "
            "augment.Augmented makes them"
        )
    return rows.unflatten(0, (-1, examples))
