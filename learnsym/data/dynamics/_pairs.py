"""Sums over pairs of bodies, each pair once, in buffers that are made once.

Pairs are visited by cyclic offset: body `i` with body `i + k` mod `N`, for `k = 1 ... N // 2`. Positions lie in a
buffer of `N + N // 2` rows whose last rows repeat the first ones, so that both members of all pairs of one offset are
two slices of it and no step gathers or allocates.

Legend of axes: `N` bodies, `C` trajectories, last and contiguous.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


class PairBuffers:
    """Positions, forces and scratch of one chunk of trajectories.

        F_i = sum_{j != i} c_ij s(|x_i - x_j|²) (x_i - x_j),    s(r²) = (r² + softening)^(-3/2), or 1 for springs

    Args:
        x: initial positions.
        coupling: symmetric `c`; the diagonal is not read.
        softening: added to squared distances; None for springs, `s = 1`.
    """

    def __init__(self, x: Float[Tensor, "3 N C"], coupling: Float[Tensor, "N N C"], softening: float | None) -> None:
        n, c = x.shape[1:]
        self.n, self.half, self.softening = n, n // 2, softening
        self.wrapped, self.total = x.new_empty(3, n + self.half, c), x.new_empty(3, n + self.half, c)
        self.wrapped[:, :n] = x
        self.x, self.force = self.wrapped[:, :n], self.total[:, :n]
        difference, product = x.new_empty(3, n, c), x.new_empty(3, n, c)
        square, weight = x.new_empty(n, c), x.new_empty(n, c)
        self.pairs = []
        for k in range(1, self.half + 1):
            m = n // 2 if 2 * k == n else n  # opposite bodies meet once
            i = torch.arange(m, device=x.device)
            ends = (self.wrapped[:, :m], self.wrapped[:, k : k + m], self.total[:, :m], self.total[:, k : k + m])
            scratch = (difference[:, :m], product[:, :m], square[:m], weight[:m])
            self.pairs.append((coupling[i, (i + k) % n].contiguous(), ends, scratch))

    def sum_(self) -> Float[Tensor, "3 N C"]:
        """Forces at the present positions, in a buffer that the next call overwrites."""
        self.wrapped[:, self.n :] = self.wrapped[:, : self.half]
        self.total.zero_()
        for coupling, (x_i, x_j, force_i, force_j), (d, product, square, weight) in self.pairs:
            torch.sub(x_i, x_j, out=d)
            if self.softening is None:
                d.mul_(coupling)
            else:
                torch.mul(d, d, out=product)
                torch.add(product[0], product[1], out=square).add_(product[2]).add_(self.softening)
                torch.sqrt(square, out=weight).mul_(square)
                d.mul_(torch.div(coupling, weight, out=weight))
            force_i.add_(d)
            force_j.sub_(d)
        self.force[:, : self.half] += self.total[:, self.n :]
        return self.force
