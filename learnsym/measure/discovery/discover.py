"""Generators under which the output of a trained network does not change, read off its gradients.

Legend of axes: `B` examples, `K` candidate generators, `R` those that can be told apart, `P` permutations.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._modes import evaluating
from learnsym.measure._probe import Model, Output
from learnsym.measure.discovery.fields import MovedBy, all_candidates, check_candidates, velocities
from learnsym.measure.discovery.polarisation import gradients, polarisation
from learnsym.statistics import Estimate, student_interval

ROUNDING = 1e-11
"""Mean squared cosines of gradients and velocities below this are rounding, of gradients in single precision."""
TIE = 1e-5
"""Squared relative singular values that are nearer than this are equal: gradients may be in single precision."""


@dataclass(frozen=True, kw_only=True)
class GeneratorCandidate:
    """One generator, how much it changes the output, and how often unrelated gradients look as symmetric."""

    matrix: Float[Tensor, "n n"]
    """Of Frobenius norm 1."""
    singular_value: Estimate
    """Root mean square change of the output, 1 = as under unrelated gradients."""
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """Candidate generators of the symmetry of a network, the most symmetric first."""

    candidates: tuple[GeneratorCandidate, ...]
    untested: Float[Tensor, "M n n"]
    """Generators that change the output under no pairing: what the data or the model do not see of a motion."""

    def symmetries(self, level: float = 0.05, below: float = 0.3) -> Float[Tensor, "M n n"]:
        """Generators with a p-value of at most `level` whose singular value is below `below` with that confidence."""
        matrices = [
            each.matrix
            for each in self.candidates
            if each.p_value <= level and student_interval(each.singular_value, 1 - 2 * level).ends[1] < below
        ]
        return torch.stack(matrices) if matrices else self.untested[:0]


def discover_generators(
    model: Model,
    x: Float[Tensor, "B ..."],
    action: MovedBy = None,
    candidates: Float[Tensor, "K n n"] | None = None,
    probes: int = 16,
    permutations: int = 199,
    seed: int = 0,
    *,
    output: Output | None = None,
    batch_size: int = 64,
) -> Discovery:
    """Candidate generators of the symmetry of a network, from its polarisation matrix.

    The output changes along `A = sum_k a_k E_k` by `<∇f(x_i), A·x_i> = sum_k a_k r_ik`, and not at all when `A`
    generates a symmetry. Candidates are the generalised singular vectors of `r`,

        C a = s² N a,    C = mean_i r_i r_iᵀ,    N = mean over permutations π of the same with <∇f(x_π(i)), E_k·x_i>

    so that `s = 0` is an exact symmetry and `s = 1` the change that gradients of other examples would make. The p-value
    of the k-th smallest `s` is the share of permutations whose k-th smallest is no larger: a small one says that
    gradients and examples are coupled. It does not say that the symmetry is exact, or strong: saturated outputs couple
    them too (`s` of 0.5 to 0.9), so read both numbers. Only invariance and only the identity component are seen.

    Reference: Moskalev et al., "LieGG: studying learned Lie group generators" (2022), arXiv 2210.04345.

    Args:
        model: any differentiable callable of a batch; a module is put into evaluation mode and back.
        x: examples, a few hundred: time and memory grow with `B² K`.
        action: how matrices move them: `Image`, `Volume`, `PointCloud`, or None for vectors `(B, d)`. The velocity of
            images is by central differences.
        candidates: the `E_k`, such as `group.algebra`; all linear maps of points and vectors, all affine fields of
            images and volumes when None.
        probes: random projections of the outputs; no more outputs than this are read one by one.
        permutations: number `P`; the smallest p-value is `1 / (P + 1)`.
        seed: of permutations and projections.
        output: takes the tensor out of what the model returns, when it returns a tuple or a dictionary.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        The candidates with singular values (examples are the units of the standard error) and p-values. Generators in a
        common null space are any basis of it: compare spans. See `Discovery.untested` for what has no p-value.

    Raises:
        ValueError: when data do not fit the action, for fewer than 2 examples, or outputs without a gradient.

    Example:
        >>> x = torch.randn(300, 2, dtype=torch.float64)
        >>> found = ls.measure.discover_generators(lambda x: x.square().sum(1, keepdim=True), x)
        >>> matrix = found.symmetries().squeeze(0)
        >>> float((matrix + matrix.T).norm()) < 1e-12  # the rotation
        True
    """
    _check(x, action, candidates, probes, permutations)
    basis = all_candidates(action, x) if candidates is None else candidates.double().cpu()
    generator = torch.Generator().manual_seed(seed)
    orders = torch.stack([torch.randperm(len(x), generator=generator) for _ in range(permutations)])
    with evaluating(model):
        moved = velocities(action, basis, x).flatten(2)
        speed = moved.double().square().sum(2).mean(1).sqrt()
        # of like speed, so that rounding can be told from small changes
        scale = torch.where(speed > 0, 1 / speed, 1.0)[:, None, None]
        read = gradients(model, x, probes, seed, output, batch_size)
        rows, shuffled = polarisation(read, moved * scale.to(moved), orders)
    return _discovery(basis * scale.cpu(), rows.cpu(), shuffled.cpu())


def _discovery(
    basis: Float[Tensor, "K n n"], rows: Float[Tensor, "M B K"], shuffled: Float[Tensor, "P K K"]
) -> Discovery:
    own = torch.einsum("mbk,mbl->kl", rows, rows) / rows.shape[1]
    count = 1 + len(shuffled)
    sizes, axes = torch.linalg.eigh((own + shuffled.sum(0)) / count)
    seen = sizes > ROUNDING
    # with N = U Σ Uᵀ and a = U Σ^-1/2 v the problem is C' v = s² v
    whiten = axes[:, seen] / sizes[seen].sqrt()
    squared, v = torch.linalg.eigh(whiten.T @ own @ whiten)
    null = torch.linalg.eigvalsh(whiten.T @ shuffled @ whiten)
    p_values = (1.0 + (null <= squared + TIE).sum(0).double()) / count
    a = whiten @ v
    changes = (rows @ a).square().sum(0).T
    estimates = zip(_matrices(a, basis), changes, p_values.tolist(), strict=True)
    candidates = [GeneratorCandidate(matrix=m, singular_value=_root(change), p_value=p) for m, change, p in estimates]
    return Discovery(candidates=tuple(candidates), untested=_matrices(axes[:, ~seen], basis))


def _matrices(a: Float[Tensor, "K R"], basis: Float[Tensor, "K n n"]) -> Float[Tensor, "R n n"]:
    """`sum_k a_k E_k`, scaled to norm 1."""
    matrices = torch.einsum("kr,kij->rij", a, basis)
    return matrices / matrices.flatten(1).norm(dim=1)[:, None, None]


def _root(squares: Float[Tensor, "B"]) -> Estimate:
    """The square root of a mean of squares, `s + (q_i - s²) / 2s` of each example (delta method)."""
    square = squares.mean()
    return Estimate.of((square + squares) / (2 * square.sqrt()) if square > 0 else torch.zeros_like(squares))


def _check(x: Tensor, action: MovedBy, candidates: Tensor | None, probes: int, permutations: int) -> None:
    for name, value in (("probes", probes), ("permutations", permutations)):
        if value < 1:
            raise ValueError(f"{name}: got {value}, must be >= 1; leave it out for the usual number")
    if len(x) < 2:
        raise ValueError(f"x: got {len(x)} examples, must be >= 2; a few hundred tell generators apart")
    check_candidates(action, candidates, x)
