"""Which weights are shared, by bilevel optimisation whose lower level has a closed form: linear maps, squared loss.

Legend of axes: `*B` independent problems, `N` examples, `M` measurements of each, `K` weights, `R` restarts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.relax.sharing.assignment import SPREAD, soft_means
from learnsym.relax.sharing.penalties import check_penalty, sharing_penalty
from learnsym.statistics.partition import canonical


@dataclass(frozen=True)
class LinearProblem:
    """Examples of which `M` measurements each are linear in `K` weights: `y_n = X_n w + noise`.

    The mean of a Gaussian has `X_n = 1`, a linear map the block diagonal of `x_n`. A batch is of independent problems.

    Args:
        design: `X`; one that is the same for all examples may be expanded.
        targets: `y`, `(*B, N, M)`.

    Raises:
        ValueError: when their numbers of measurements differ.

    Example:
        >>> means = ls.relax.sharing.LinearProblem(torch.eye(3).expand(5, 3, 3), torch.rand(5, 3))
        >>> bool(torch.allclose(means.solution(), means.targets.mean(0)))
        True
    """

    design: Float[Tensor, "*B N M K"]
    targets: Float[Tensor, "..."]

    def __post_init__(self) -> None:
        if self.design.shape[:-1] != self.targets.shape:
            raise ValueError(
                f"targets: got shape {tuple(self.targets.shape)}, must be that of design without its last axis, "
                f"{tuple(self.design.shape[:-1])}"
            )

    def solution(self) -> Float[Tensor, "*B K"]:
        """The weights of the least squared error, without sharing."""
        return torch.linalg.lstsq(self.design.flatten(-3, -2), self.targets.flatten(-2)[..., None]).solution[..., 0]

    def moments(self) -> tuple[Float[Tensor, "*B K K"], Float[Tensor, "*B K"], Float[Tensor, "*B"]]:
        """`XᵀX`, `Xᵀy` and `yᵀy`, each over the number `N M` of measurements: all that the loss depends on."""
        x, y = self.design.flatten(-3, -2), self.targets.flatten(-2)
        count = y.shape[-1]
        return x.mT @ x / count, (x.mT @ y[..., None])[..., 0] / count, y.square().mean(-1)

    def joined(self, other: LinearProblem) -> LinearProblem:
        """The examples of both."""
        return LinearProblem(torch.cat([self.design, other.design], -3), torch.cat([self.targets, other.targets], -2))


@dataclass(frozen=True)
class LearnedSharing:
    """What `learn_sharing` found."""

    labels: Int[Tensor, "*B K"]
    """The block of each weight."""
    weights: Float[Tensor, "*B K"]
    """The weights of these blocks, fitted to training and held-out examples."""
    matrix: Float[Tensor, "*B K L"]
    """The soft assignment before it was hardened."""
    objective: Float[Tensor, "*B R"]
    """Held-out loss and penalty at the end, of each restart; the lowest one was taken."""


def shared_fit(problem: LinearProblem, labels: Int[Tensor, "*B K"]) -> Float[Tensor, "*B K"]:
    """The least-squares weights under a partition.

    Args:
        problem: examples.
        labels: of the block of each weight, below `K`.

    Example:
        >>> problem = ls.relax.sharing.LinearProblem(torch.eye(3)[None], torch.tensor([[1.0, 3.0, 5.0]]))
        >>> ls.relax.sharing.shared_fit(problem, torch.tensor([0, 0, 1]))
        tensor([2., 2., 5.])
    """
    hard = torch.nn.functional.one_hot(labels, labels.shape[-1]).to(problem.targets.dtype)
    curvature, slope, _ = problem.moments()
    # A ψ with Aᵀ XᵀX A ψ = Aᵀ Xᵀy; empty blocks have rows of zeros, which the pseudo-inverse leaves at 0
    psi = torch.linalg.pinv(hard.mT @ curvature @ hard, hermitian=True) @ (hard.mT @ slope[..., None])
    return (hard @ psi)[..., 0]


def learn_sharing(
    train: LinearProblem,
    held_out: LinearProblem,
    *,
    norm: str = "columns",
    weight: float = 0.02,
    entropy: float = 1.0,
    blocks: int | None = None,
    restarts: int = 3,
    steps: int = 1000,
    rate: float = 0.1,
    seed: int = 0,
) -> LearnedSharing:
    """Find which weights of linear problems are shared, all problems and restarts at once.

        min_A  L_val(A ψ*(A)) + weight · (|A| + entropy · H(A)),    ψ*(A) = D⁻¹ Aᵀ w*,    A = softmax(logits)

    with the least-squares weights `w*` of the training examples, `D` the masses of the columns, the norm of `A` (see
    `norms`) and the mean entropy `H` of its rows. `L_val` is the mean squared error of the held-out examples, over
    measurements. RMSprop in the logits; the restart with the lowest objective at the end is taken, each weight goes to
    its most probable block, and the weights are fitted again to all examples.

    The lower level is that of the released code; the least squares of the text cannot tell one `A` from another, see
    `soft_means`. The released code has a `weight` of 0.01, a rate of 0.02 and a weight decay of 1e-4, which keeps rows
    flat where there are many weights; the defaults are our own, see `experiments/parameter_sharing`.

    Reference: Yeh, Hu, Hasegawa-Johnson, Schwing (2022), arXiv 2204.03640.

    Args:
        train, held_out: examples of the same weights; more measurements than weights.
        norm: `columns`, the penalty of the released code, or `nuclear`, that of the text.
        weight: of the penalty, not negative.
        entropy: weight of the entropy within the penalty.
        blocks: number of columns of `A`; as many as weights when None.
        restarts, steps, rate: of RMSprop.
        seed: of the logits at the start.

    Raises:
        ValueError: when a number is out of range, or the two problems have not the same weights.

    Example:
        >>> x = torch.tensor([0.0, 0.0, 3.0]) + torch.randn(100, 3)
        >>> problem = [ls.relax.sharing.LinearProblem(torch.eye(3).expand(50, 3, 3), half) for half in x.split(50)]
        >>> ls.relax.sharing.learn_sharing(*problem, steps=300).labels
        tensor([0, 0, 1])
    """
    counts = {"restarts": restarts, "steps": steps, "blocks": blocks}
    _check(train, held_out, norm, entropy, weight, counts)
    found = train.solution()[..., None, :, None]
    curvature, slope, constant = (moment.unsqueeze(train.targets.ndim - 2) for moment in held_out.moments())
    items = found.shape[-2]
    shape = (*found.shape[:-3], restarts, items, items if blocks is None else blocks)
    generator = torch.Generator().manual_seed(seed)
    logits = (SPREAD * torch.randn(shape, generator=generator, dtype=torch.float64)).to(found).requires_grad_()
    optimiser = torch.optim.RMSprop([logits], lr=rate)
    for _ in range(steps):
        A = logits.softmax(-1)
        # w* -> A D⁻¹ Aᵀ w*
        w = (A @ soft_means(A, found.expand(*shape[:-1], 1)))[..., 0]
        # |y - X w|² from the moments
        loss = (w * ((curvature @ w[..., None])[..., 0] - 2 * slope)).sum(-1) + constant
        objective = loss + weight * sharing_penalty(A, norm, entropy)
        optimiser.zero_grad()
        objective.sum().backward()
        optimiser.step()
    best = objective.detach().argmin(-1)[..., None, None, None]
    matrix = A.detach().take_along_dim(best, -3).squeeze(-3)
    labels = _canonical(matrix.argmax(-1))
    return LearnedSharing(labels, shared_fit(train.joined(held_out), labels), matrix, objective.detach())


def _canonical(labels: Int[Tensor, "*B K"]) -> Int[Tensor, "*B K"]:
    return torch.stack([canonical(each) for each in labels.reshape(-1, labels.shape[-1])]).reshape(labels.shape)


def _check(
    train: LinearProblem,
    held_out: LinearProblem,
    norm: str,
    entropy: float,
    weight: float,
    counts: dict[str, int | None],
) -> None:
    check_penalty(norm, entropy)
    if not weight >= 0:
        raise ValueError(f"weight: got {weight}, must be >= 0; 0.02 is usual")
    for name, count in counts.items():
        if count is not None and count < 1:
            raise ValueError(f"{name}: got {count}, must be at least 1")
    of_train, of_held_out = ((*p.design.shape[:-3], p.design.shape[-1]) for p in (train, held_out))
    if of_train != of_held_out:
        raise ValueError(f"held_out: is about weights {of_held_out}, must be about those of train, {of_train}")
