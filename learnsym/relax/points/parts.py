"""What a relaxed network says for the relaxed parts of the network that it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree, degrees


def penalties(net: nn.Module) -> Iterable[Float[Tensor, ""]]:
    """The penalty of each outermost module that has one."""
    if callable(getattr(net, "penalty", None)):
        layer: Any = net
        yield layer.penalty()
        return
    for child in net.children():
        yield from penalties(child)


def degrees_within(net: nn.Module, site: str) -> list[Degree]:
    """Degrees of the modules of a network held as `net` by the module at a site."""
    path = "net" if site == "input" else f"{site.removeprefix('layer:')}.net"
    return [
        replace(d, site=f"layer:{path}" if d.site == "input" else f"layer:{path}.{d.site.removeprefix('layer:')}")
        for d in degrees(net)
    ]
