"""What effective dimensions say of layers with two paths, a free one beside an exact one."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.relax import GridPathway
from learnsym.relax.interpolation import Interpolation


def path_shares(model: nn.Module, dimensions: Mapping[str, Tensor]) -> dict[str, dict[str, Float[Tensor, ""]]]:
    """The share of entries that the data determine, `Σ_l γ_l / Σ_l P_l` over the tensors of each path of each layer.

    Reference: van der Ouderaa, Immer, van der Wilk (2023), arXiv 2310.06131, who look at each tensor by itself.

    Args:
        model: with layers of the kind `relax.GridPathway`.
        dimensions: `γ_l` of tensors by name.
    """
    found = {}
    for layer, module in model.named_modules():
        if isinstance(module, GridPathway):
            found[layer] = {path: _share(layer, path, module, dimensions) for path in GridPathway.answers_for}
    return {layer: both for layer, both in found.items() if None not in both.values()}


def layer_degree(layer: str, free: float, conv: float) -> Degree:
    """How far a layer is its exact path, by effective dimensions: `γ_conv / (γ_free + γ_conv)`, shares of entries."""
    return Degree(
        site=f"layer:{layer}",
        group="translation2d",
        generator="translations, by effective dimensions",
        unit="1",
        notion="task",
        estimate=conv / max(free + conv, 1e-12),
        method="grid pathway",
        status="no interval",
        reason=ONE_TRAINING,
    )


def bandwidths(model: nn.Module) -> set[int]:
    """Identities of the bandwidths of sparsified layers that are learned."""
    return {id(p) for module in model.modules() if isinstance(module, Interpolation) for p in module.parameters()}


def _share(layer: str, path: str, module: GridPathway, dimensions: Mapping[str, Tensor]) -> Tensor | None:
    """Of the tensors of a path that have an effective dimension; None for none."""
    start = f"{layer}.{path}." if layer else f"{path}."
    known = {f"{start}{name}": p.numel() for name, p in module.get_submodule(path).named_parameters()}
    held = [name for name in known if name in dimensions]
    if not held:
        return None
    return sum((dimensions[name] for name in held[1:]), dimensions[held[0]]) / sum(known[name] for name in held)
