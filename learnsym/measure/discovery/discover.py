"""Generators under which the output of a trained network does not change, read off its gradients.

Legend of axes: `B` examples, `K` candidate generators, `R` those that can be told apart, `J` examples that judge.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym._modes import evaluating
from learnsym.measure._inputs import OutputLike, as_tensors, output_of
from learnsym.measure._probe import Model, check_one_tensor
from learnsym.measure.discovery.candidate import GeneratorCandidate
from learnsym.measure.discovery.fields import MovedBy, all_candidates, check_candidates, velocities
from learnsym.measure.discovery.polarisation import changes, polarisation, unit_gradients, unit_velocities
from learnsym.parts import Whole

ROUNDING = 1e-11
"""Mean squared cosines of gradients and velocities below this are rounding, of gradients in single precision."""
TIE = 1e-5
"""Squared singular values that are nearer than this are equal: gradients may be in single precision."""


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """Candidate generators of the symmetry of a network, the most symmetric first."""

    candidates: tuple[GeneratorCandidate, ...]
    untested: Float[Tensor, "M n n"]
    """Generators that change the output under no pairing: what the data or the model do not see of a motion."""

    def bounds(self, level: float = 0.05) -> list[float]:
        """Upper bounds of the singular values, which hold all at once with probability `1 - level` (Bonferroni)."""
        return [each.bound(level / len(self.candidates)) for each in self.candidates]

    def symmetries(self, level: float = 0.05, below: float = 0.3) -> Float[Tensor, "M n n"]:
        """Generators with a p-value of at most `level` and a bound (see `bounds`) below `below`.

        With probability `1 - level` none of them has a true singular value above `below`. About a hundred examples are
        needed for the first one: fewer cannot rule out that a generator fails at examples like those not seen.
        """
        judged = zip(self.candidates, self.bounds(level), strict=True)
        matrices = [each.matrix for each, bound in judged if each.p_value <= level and bound < below]
        return torch.stack(matrices) if matrices else self.untested[:0]


def discover_generators(
    model: Model,
    x: Whole,
    action: MovedBy = None,
    candidates: Float[Tensor, "K n n"] | None = None,
    probes: int = 16,
    permutations: int = 199,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> Discovery:
    """Candidate generators of the symmetry of a network, from its polarisation matrix.

    The output changes along `A = sum_k a_k E_k` by `<∇f(x_i), A·x_i> = sum_k a_k r_ik`, and not at all when `A`
    generates a symmetry. On one half of the examples, drawn by the seed, candidates are chosen: the generalised
    singular vectors of `r`,

        C a = s² N a,    C = mean_i r_i r_iᵀ,    N = mean over all pairs of the same with <∇f(x_i), E_k·x_j>

    so that `s = 0` is an exact symmetry and `s = 1` the change that gradients of other examples would make. On the
    other half they are judged, since the smallest of many noisy numbers is smaller than it should be. Each example
    counts alike: gradients are taken over their size at the example, motions over that of all `E_k`, so that no few
    large examples decide; `s` is therefore one of root mean square cosines.

    The p-value of a candidate is the share of permutations of the examples that judge with no larger change: a small
    one says that gradients and examples are coupled. It does not say that the symmetry is exact, or strong: saturated
    outputs couple them too (`s` of 0.5 to 0.9), so read `Discovery.bounds` as well. Examples must be independent. Only
    invariance and only the identity component are seen.

    Reference: Moskalev et al., "LieGG: studying learned Lie group generators" (2022), arXiv 2210.04345.

    Args:
        model: any differentiable callable of a batch; a module is put into evaluation mode and back.
        x: independent examples, a tensor or a NumPy array, a few hundred: time and memory grow with `B² K`.
        action: how matrices move them: `Image`, `Volume`, `PointCloud`, or None for vectors `(B, d)`. The velocity of
            images is by central differences.
        candidates: the `E_k`, such as `group.algebra`; all linear maps of points and vectors, all affine fields of
            images and volumes when None.
        probes: random projections of the outputs; no more outputs than this are read one by one.
        permutations: number `P`; the smallest p-value is `1 / (P + 1)`.
        seed: of the halves, permutations and projections.
        output: key of the part of what the model returns that is measured, or a function that takes it out.
        batch_size: examples per call of the model; does not change the result.

    Returns:
        The candidates with singular values (examples that judge are the units of the standard error), bounds and
        p-values. Generators in a common null space are any basis of it: compare spans. See `Discovery.untested` for
        what has no p-value.

    Raises:
        ValueError: when data do not fit the action, for fewer than 4 examples, or outputs without a gradient.

    Example:
        >>> x = torch.randn(300, 2, dtype=torch.float64)
        >>> found = ls.measure.discover_generators(lambda x: x.square().sum(1, keepdim=True), x)
        >>> matrix = found.symmetries().squeeze(0)
        >>> float((matrix + matrix.T).norm()) < 1e-12  # the rotation
        True
    """
    x, output = as_tensors(x, model), output_of(output)
    check_one_tensor(x)
    _check(x, action, candidates, probes, permutations)
    basis = all_candidates(action, x) if candidates is None else candidates.double().cpu()
    generator = torch.Generator().manual_seed(seed)
    with evaluating(model):
        moved = unit_velocities(velocities(action, basis, x).flatten(2))
        read = unit_gradients(model, x, probes, seed, output, batch_size)
    # of like speed, so that rounding can be told from small changes
    speed = moved.double().square().sum(2).mean(1).sqrt()
    scale = torch.where(speed > 0, 1 / speed, 1.0)
    moved, basis = moved * scale[:, None, None].to(moved), basis * scale.cpu()[:, None, None]
    choosing, judging = torch.randperm(len(x), generator=generator).to(x.device).tensor_split(2)
    a, unseen = _chosen(*polarisation(read[:, choosing], moved[:, choosing]))
    table = changes(read[:, judging], torch.einsum("kr,kbf->rbf", a.to(moved), moved[:, judging]))
    orders = torch.stack([torch.randperm(len(judging), generator=generator) for _ in range(permutations)])
    found = [_judged(m, t, orders) for m, t in zip(_matrices(a.cpu(), basis), table.cpu(), strict=True)]
    return Discovery(candidates=tuple(found), untested=_matrices(unseen.cpu(), basis))


def _chosen(
    own: Float[Tensor, "K K"], pairs: Float[Tensor, "K K"]
) -> tuple[Float[Tensor, "K R"], Float[Tensor, "K U"]]:
    """Generalised singular vectors, and a basis of what no pairing sees."""
    sizes, axes = torch.linalg.eigh(pairs)
    seen = sizes > ROUNDING
    # with N = U Σ Uᵀ and a = U Σ^-1/2 v the problem is C' v = s² v
    whiten = axes[:, seen] / sizes[seen].sqrt()
    _, v = torch.linalg.eigh(whiten.mT @ own @ whiten)
    return whiten @ v, axes[:, ~seen]


def _judged(matrix: Tensor, table: Float[Tensor, "J J"], orders: Int[Tensor, "P J"]) -> GeneratorCandidate:
    count = len(table)
    q = table.diagonal()
    h = (table.sum(0) + table.sum(1) - 2 * q) / (count - 1)
    h = h - h.mean() / 2
    null = table[orders, torch.arange(count)].mean(1)
    p_value = (1.0 + float((null <= q.mean() + TIE * h.mean()).sum())) / (1 + len(orders))
    return GeneratorCandidate(matrix=matrix, change=q, unrelated=h, p_value=p_value)


def _matrices(a: Float[Tensor, "K R"], basis: Float[Tensor, "K n n"]) -> Float[Tensor, "R n n"]:
    """`sum_k a_k E_k`, scaled to norm 1."""
    matrices = torch.einsum("kr,kij->rij", a, basis)
    return matrices / matrices.flatten(1).norm(dim=1)[:, None, None]


def _check(x: Tensor, action: MovedBy, candidates: Tensor | None, probes: int, permutations: int) -> None:
    for name, value in (("probes", probes), ("permutations", permutations)):
        if value < 1:
            raise ValueError(f"{name}: got {value}, must be >= 1; leave it out for the usual number")
    if len(x) < 4:
        raise ValueError(f"x: got {len(x)} examples, must be >= 4; a few hundred tell generators apart")
    check_candidates(action, candidates, x)
