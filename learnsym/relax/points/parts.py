"""Degrees of the relaxed parts of the network that it holds."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from learnsym.degrees import Degree, degrees


def degrees_within(net: nn.Module, site: str) -> list[Degree]:
    """Degrees of the modules of a network held as `net` by the module at a site."""
    path = "net" if site == "input" else f"{site.removeprefix('layer:')}.net"
    return [
        replace(d, site=f"layer:{path}" if d.site == "input" else f"layer:{path}.{d.site.removeprefix('layer:')}")
        for d in degrees(net)
    ]
