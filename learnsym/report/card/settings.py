"""Settings of a symmetry card."""

from __future__ import annotations

from dataclasses import dataclass

from learnsym.measure.lie.flow import Derivative, check_derivative


@dataclass(frozen=True, kw_only=True)
class CardSettings:
    """How much is measured, and within which limits."""

    examples: int = 200
    """Examples for measures of the output."""
    layer_examples: int = 16
    """Examples for measures of layers."""
    samples: int = 8
    """Group elements per example."""
    derivative: Derivative = "spectral"
    """On images, see `measure.local_equivariance_error`."""
    layers: bool = True
    """Whether layers are measured."""
    memory: float = 4.0
    """GiB for activations: batches are as large as that allows."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("examples", 2), ("layer_examples", 2), ("samples", 2), ("seed", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be >= {low}")
        if not self.memory > 0:
            raise ValueError(f"memory: got {self.memory}, must be > 0 GiB")
        check_derivative(self.derivative)
