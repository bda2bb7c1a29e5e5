"""The degree of symmetry in the weights: layers between exactly equivariant and free."""

from learnsym.relax.twins import exact_twin, plain_twin

__all__ = ["exact_twin", "plain_twin"]
