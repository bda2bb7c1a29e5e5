"""Twins of a whole network; see `learnsym.equivariant.twins`, from where the networks of `equivariant` use them."""

from __future__ import annotations

from learnsym.equivariant.twins import exact_twin, plain_twin

__all__ = ["exact_twin", "plain_twin"]
