"""Pairs of generators: how an unknown symmetry moves inputs, and outputs with them.

Legend of axes: `K` pairs, `n` numbers per input, `m` numbers per output.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratorPairs:
    """Candidates `(A, B)` of an equivariance `J_f(x) A x = B f(x)`: a basis of all that may be found.

    Example:
        >>> ls.measure.GeneratorPairs.free(3, 2).input.shape  # of gl(3) x gl(2)
        torch.Size([13, 3, 3])
    """

    input: Float[Tensor, "K n n"]
    """`A`, which acts on flattened inputs."""
    output: Float[Tensor, "K m m"]
    """`B`, which acts on flattened outputs; zero where the output is to be invariant."""

    @classmethod
    def free(cls, n: int, m: int) -> GeneratorPairs:
        """All of gl(n) on inputs and, independently, all of gl(m) on outputs."""
        a, b = _all(n), _all(m)
        return cls(input=torch.cat([a, a.new_zeros(m * m, n, n)]), output=torch.cat([b.new_zeros(n * n, m, m), b]))

    @classmethod
    def tied(cls, n: int) -> GeneratorPairs:
        """All of gl(n), the same on inputs and outputs, as for a vector field: `A = B`."""
        return cls(input=_all(n), output=_all(n))

    @classmethod
    def invariance(cls, n: int, m: int = 1) -> GeneratorPairs:
        """All of gl(n) on inputs, nothing on outputs."""
        return cls(input=_all(n), output=torch.zeros(n * n, m, m, dtype=torch.float64))

    def repeated(self, inputs: int, outputs: int = 1) -> GeneratorPairs:
        """The same on each of several vectors that an input, or an output, is made of: `I ⊗ A` and `I ⊗ B`."""
        for name, copies in (("inputs", inputs), ("outputs", outputs)):
            if copies < 1:
                raise ValueError(f"{name}: got {copies} copies, must be >= 1; 1 leaves the generators as they are")
        return GeneratorPairs(input=_copies(self.input, inputs), output=_copies(self.output, outputs))

    @property
    def is_invariance(self) -> bool:
        """Whether no candidate moves the output."""
        return not bool(self.output.any())

    def check(self, n: int, m: int) -> None:
        """Raise ValueError where the pairs are none, or do not fit inputs of `n` and outputs of `m` numbers."""
        if len(self.input) == 0 or len(self.input) != len(self.output):
            raise ValueError(
                f"pairs: got {len(self.input)} generators on inputs and {len(self.output)} on outputs, must be as many "
                "and at least one; take GeneratorPairs.free(n, m)"
            )
        if self.input.shape[1:] != (n, n) or self.output.shape[1:] != (m, m):
            got = f"{tuple(self.input.shape[1:])} on inputs and {tuple(self.output.shape[1:])} on outputs"
            raise ValueError(f"pairs: got matrices of {got}, must be {(n, n)} and {(m, m)} for these data")

    def combined(self, theta: Float[Tensor, "R K"]) -> tuple[Float[Tensor, "R n n"], Float[Tensor, "R m m"]]:
        """`Σ_k θ_k (A_k, B_k)`, each pair scaled to Frobenius norm 1."""
        a, b = (torch.einsum("rk,kij->rij", theta, side.to(theta)) for side in (self.input, self.output))
        norm = (a.flatten(1).square().sum(1) + b.flatten(1).square().sum(1)).sqrt()[:, None, None]
        return a / norm, b / norm


def _all(n: int) -> Float[Tensor, "K n n"]:
    return torch.eye(n * n, dtype=torch.float64).unflatten(1, (n, n))


def _copies(matrices: Float[Tensor, "K n n"], copies: int) -> Tensor:
    eye = torch.eye(copies, dtype=matrices.dtype)
    return torch.stack([torch.kron(eye, each.contiguous()) for each in matrices])
