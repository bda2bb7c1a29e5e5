"""What networks cost: floating-point operations by layer."""

from learnsym.nets.cost.flops import Flops, LayerFlops, flops
from learnsym.nets.cost.rules import nominal_rules

__all__ = ["Flops", "LayerFlops", "flops", "nominal_rules"]
