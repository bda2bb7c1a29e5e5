"""The outputs of the layers of a network in one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from learnsym import _escnn
from learnsym.measure._probe import as_numbers, check_layers, check_not_exported
from learnsym.parts import Whole, device_of, examples, mapped


def features(model: nn.Module, layers: Mapping[str, nn.Module], x: Whole) -> dict[str, object]:
    """What each layer returns for `x`; the second call of a layer within one pass is `name#2`, and so on."""
    outputs: dict[str, object] = {}
    handles = []
    try:
        for name, layer in layers.items():
            handles.append(layer.register_forward_hook(partial(_record, outputs, name)))
        # which a layer may overwrite
        model(mapped(torch.clone, x))
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def chosen_layers(model: object, names: Sequence[str] | None) -> dict[str, nn.Module]:
    """The modules of these names, or all that hold no other module.

    Raises:
        ValueError: for a model that is no module or TorchScript, or a name that it has not.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"model: got a {type(model).__name__}, which has no layers; pass an nn.Module")
    check_layers(model)
    check_not_exported(model)
    known = dict(model.named_modules())
    if names is None:
        return {name: module for name, module in known.items() if not any(module.children())}
    for name in names:
        if name not in known:
            raise ValueError(f"layers: got {name!r}, must be among {', '.join(filter(None, known))}")
    return {name: known[name] for name in names}


def feature_rows(model: nn.Module, layers: Mapping[str, nn.Module], x: Whole) -> Tensor:
    """All numbers that the layers return for each example, in one row."""
    returned = [t for t in features(model, layers, x).values() if isinstance(t, Tensor) and t.ndim > 1]
    count = examples(x)
    rows = [as_numbers(t).reshape(count, -1) for t in returned if len(t) == count]
    return torch.cat(rows, 1) if rows else torch.zeros(count, 0, device=device_of(x))


def _record(outputs: dict[str, object], name: str, module: nn.Module, inputs: object, returned: object) -> None:
    call = 1 + sum(key.split("#")[0] == name for key in outputs)
    returned = _escnn.bare(returned)
    # a clone, since a later layer may work in place
    feature = returned.clone() if isinstance(returned, Tensor) else returned
    outputs[name if call == 1 else f"{name}#{call}"] = feature
