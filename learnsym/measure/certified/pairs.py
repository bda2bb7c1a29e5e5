"""Pairs of generators: how an unknown symmetry moves inputs, and outputs with them.

Legend of axes: `K` pairs, `n` numbers per input, `m` numbers per output.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratorPairs:
    """Candidates `(A, B)` of an equivariance `J_f(x) A x = B f(x)`: a basis of all that may be found.

    Example:
        >>> ls.measure.GeneratorPairs.free(3, 2).input.shape  # of gl(3) x gl(2)
        torch.Size([13, 3, 3])
    """

    input: Float[Tensor, "K n n"]
    """`A`, which acts on flattened inputs; of size `n + 1` where inputs are shifted as well, see `with_shifts`."""
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

    def with_shifts(self, copies: int = 1) -> GeneratorPairs:
        """These, and shifts of inputs that leave outputs alone: a basis of the affine motions `x -> A x + b`.

        A motion is one matrix that acts on `(x, 1)`, so that brackets of motions are those of matrices:

            (A  b)
            (0  0)

        With `tied` these are the affine symmetries of a vector field `f`: `J_f(x) (A x + b) = A f(x)`. A shift alone
        leaves outputs alone, so that relative to its own size it fails wholly or moves neither side: ask for it with
        `invariance`. Take copies of vectors (`repeated`) first.

        Args:
            copies: of how many vectors an input is made; they are shifted alike.

        Raises:
            ValueError: when inputs are not made of so many vectors.

        Example:
            >>> ls.measure.GeneratorPairs.tied(2).with_shifts().input.shape  # gl(2), and two shifts
            torch.Size([6, 3, 3])
        """
        n = self.input.shape[1]
        if copies < 1 or n % copies:
            raise ValueError(f"copies: got {copies} for inputs of {n} numbers, must divide them; 1 shifts each alone")
        shifts = self.input.new_zeros(n // copies, n + 1, n + 1)
        shifts[:, :n, n] = torch.eye(n // copies, dtype=shifts.dtype).repeat(1, copies)
        still = self.output.new_zeros(n // copies, *self.output.shape[1:])
        return GeneratorPairs(
            input=torch.cat([pad(self.input, (0, 1, 0, 1)), shifts]), output=torch.cat([self.output, still])
        )

    def in_units(self, n: int, unit: float) -> GeneratorPairs:
        """The same motions of `x / unit`: only shifts have a size of their own."""
        sizes = self.input.new_tensor([1.0] * n + [unit] * (self.input.shape[2] - n))
        return GeneratorPairs(input=self.input / sizes, output=self.output)

    def moved(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B n K"]:
        """`A x`, or `A x + b`."""
        n, matrices = x.shape[1], self.input.to(x)
        return torch.einsum("kij,bj->bik", matrices[:, :n], pad(x, (0, matrices.shape[2] - n), value=1.0))

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
        affine = self.input.shape[1:] == (n + 1, n + 1) and not self.input[:, n].any()
        if not (affine or self.input.shape[1:] == (n, n)) or self.output.shape[1:] != (m, m):
            got = f"{tuple(self.input.shape[1:])} on inputs and {tuple(self.output.shape[1:])} on outputs"
            raise ValueError(
                f"pairs: got matrices of {got}, must be {(n, n)} and {(m, m)} for these data; those that shift inputs "
                f"have a row and a column more, the row 0, see GeneratorPairs.with_shifts"
            )

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
