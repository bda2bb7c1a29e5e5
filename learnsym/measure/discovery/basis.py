"""A basis of an unknown symmetry, learned by finite moves of the inputs of a trained network.

Legend of axes: `B` examples, `K` generators, `n` size of their matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._modes import evaluating
from learnsym.actions import Action, Image, PointCloud, VectorField, Volume
from learnsym.actions._checks import check_floating
from learnsym.measure._inputs import OutputLike, as_tensors, output_of
from learnsym.measure._probe import Model, Output, check_one_tensor, check_probe, tensor_of
from learnsym.measure._reader import outputs_of
from learnsym.parts import Whole
from learnsym.statistics import check_level, student_quantile

BATCH, LEARNING_RATE = 256, 1e-2
CAP = 1.0
"""Norm up to which a generator is rewarded: that of a turn by up to 0.7 radians."""
TINY = 1e-12
"""Errors below this are rounding."""
START = 0.1
"""Norm with which generators begin."""
ORTHOGONALITY, SPARSITY = 0.1, 0.001


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedBasis:
    """Generators whose finite moves a network follows, as far as a reward for their size could stretch them."""

    matrices: Float[Tensor, "K n n"]
    """The largest first."""
    error: float
    """Mean squared departure of the moves, over the variance of the outputs."""

    @property
    def norms(self) -> Float[Tensor, "K"]:
        """Frobenius norms: 1 where nothing stopped a generator, small where the network does not follow."""
        return self.matrices.flatten(1).norm(dim=1)

    def present(
        self, judge: Float[Tensor, "K"], controls: Float[Tensor, "C K"], level: float = 0.95
    ) -> Float[Tensor, "M n n"]:
        """The generators that this network follows, and another one follows surely better than controls do.

        All are errors of the same generators, see `move_errors`: `judge` of a network that was trained like this one
        with another seed, `controls` of networks that were trained on shuffled labels. Had the judge been trained on
        shuffled labels, too, its log error would lie, with probability `level` for all generators at once, above

            m - t_{C - 1} s (1 + 1/C)^1/2

        with mean `m` and standard deviation `s` of the log errors of the controls. Norms alone do not tell: a network
        that had nothing to learn is nearly linear, and follows a change of scale.

        Raises:
            ValueError: for fewer than 3 controls, errors that do not fit, or a level outside (0, 1).
        """
        check_level(level)
        count, wanted = len(controls), len(self.matrices)
        if count < 3:
            raise ValueError(f"controls: got {count}, must be >= 3; train on shuffled labels with other seeds")
        if judge.shape != (wanted,) or controls.shape[1] != wanted:
            got = f"{tuple(judge.shape)} and {tuple(controls.shape)}"
            raise ValueError(f"judge, controls: got errors {got}, must be of {wanted} generators each")
        logs, own = (errors.double().clamp(min=TINY).log() for errors in (controls, judge))
        t = student_quantile(1 - 2 * (1 - level) / wanted, count - 1)
        edge = logs.mean(0) - t * (1 + 1 / count) ** 0.5 * logs.std(0)
        return self.matrices[(self.norms >= CAP / 2) & (own < edge)]


def learned_basis(
    model: Model,
    x: Whole,
    on_input: Action,
    on_output: Action,
    generators: int = 6,
    reward: float = 0.05,
    steps: int = 1500,
    seed: int = 0,
    *,
    output: OutputLike = None,
) -> LearnedBasis:
    """A basis `B_1 ... B_K` of gl(n) whose moves a trained network follows, without naming a group.

        L(B) = E |f(g·x) - g·f(x)|² / var f - λ Σ_k min(|B_k|, 1) + o Σ_{k<l} cos²(B_k, B_l) + p Σ_k |B_k|_1 / |B_k|

    with `g = exp(Σ_k c_k B_k)` and `c` uniform in [-1, 1]. The network is left as it is and takes the place of the
    adversary of LieGAN. Generators that it follows grow to norm 1; others stay where the error outweighs the reward.
    A norm is no proof: compare with controls, see `LearnedBasis.present`. The basis within the symmetry is not unique;
    compare spans. `certify_model` bounds what this shows.

    References: Yang et al., "Generative adversarial symmetry discovery" (2023), arXiv 2302.00236; Santos-Escriche et
    al., "LieAugmenter" (2025), arXiv 2506.03914, for the reward; without their adversary and their joint training.

    Args:
        model: any differentiable callable of a batch; a module is put into evaluation mode and back.
        x: points `(B, N, F)`, images, volumes or fields of vectors.
        on_input, on_output: how matrices move inputs and outputs; `Invariant` where outputs stay.
        generators: `K`, at most the square of the dimension of space.
        reward: `λ`.
        steps: of Adam, of 256 examples.
        seed: of the start and all draws; the caller's random state is left alone.
        output: key of the part of what the model returns that is measured, or a function that takes it out.

    Raises:
        ValueError: when shapes do not fit, outputs do not vary, or numbers are out of range.

    Example:
        >>> x = torch.randn(200, 2, 2)
        >>> points = ls.actions.PointCloud(dim=2)
        >>> basis = ls.measure.learned_basis(lambda x: x.pow(3), x, points, points, generators=2, steps=5)
        >>> basis.matrices.shape
        torch.Size([2, 2, 2])
    """
    x, output = as_tensors(x, model), output_of(output)
    check_one_tensor(x)
    check_floating(x)
    check_probe(model, x)
    n = dimension_of_space(on_input)
    if not 1 <= generators <= n * n:
        raise ValueError(f"generators: got {generators}, must lie between 1 and {n * n}, the dimension of gl({n})")
    for name, value in (("reward", reward), ("steps", steps)):
        if not value > 0:
            raise ValueError(f"{name}: got {value}, must be positive; leave it out for the usual number")
    generator = torch.Generator().manual_seed(seed)
    basis = torch.randn(generators, n, n, generator=generator)
    basis = (START * basis / basis.flatten(1).norm(dim=1)[:, None, None]).to(x).requires_grad_()
    optimiser = torch.optim.Adam([basis], LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    with evaluating(model):
        outputs, unit = _outputs(model, x, output)
        for _ in range(steps):
            rows = torch.randint(len(x), (min(BATCH, len(x)),), generator=generator)
            error = _departure(model, output, x[rows], outputs[rows], on_input, on_output, basis, generator) / unit
            loss = error - reward * basis.flatten(1).norm(dim=1).clamp(max=CAP).sum() + shape_penalty(basis)
            optimiser.zero_grad(set_to_none=True)
            (basis.grad,) = torch.autograd.grad(loss, basis)
            optimiser.step()
            schedule.step()
        found = basis.detach()
        with torch.no_grad():
            error = float(_departure(model, output, x, outputs, on_input, on_output, found, generator)) / unit
    order = found.flatten(1).norm(dim=1).argsort(descending=True)
    return LearnedBasis(matrices=found[order].double().cpu(), error=error)


def move_errors(
    model: Model,
    x: Whole,
    on_input: Action,
    on_output: Action,
    matrices: Float[Tensor, "K n n"],
    seed: int = 0,
    *,
    output: OutputLike = None,
) -> Float[Tensor, "K"]:
    """`E |f(g·x) - g·f(x)|² / var f` for each generator, with `g = exp(c B / |B|)` and `c` uniform in [-1, 1].

    Args:
        model, x, on_input, on_output, output: as for `learned_basis`.
        matrices: the generators `B`.
        seed: of `c`; the same moves for all generators and models.

    Raises:
        ValueError: when shapes do not fit, or outputs do not vary.

    Example:
        >>> x, points = torch.randn(50, 2, 2), ls.actions.PointCloud(dim=2)
        >>> turn = ls.groups.SO2().algebra
        >>> errors = ls.measure.move_errors(lambda x: x * x.square().sum(-1, keepdim=True), x, points, points, turn)
        >>> bool(errors < 1e-9)
        True
    """
    x, output = as_tensors(x, model), output_of(output)
    check_one_tensor(x)
    check_floating(x)
    check_probe(model, x)
    unit_norm = matrices.to(x) / matrices.to(x).flatten(1).norm(dim=1)[:, None, None]
    with evaluating(model), torch.no_grad():
        outputs, unit = _outputs(model, x, output)
        errors = []
        for each in unit_norm:
            generator = torch.Generator().manual_seed(seed)
            errors.append(_departure(model, output, x, outputs, on_input, on_output, each[None], generator) / unit)
    return torch.stack(errors).cpu()


def _outputs(model: Model, x: Tensor, output: Output | None) -> tuple[Tensor, float]:
    """Outputs, and their mean variance."""
    outputs = outputs_of(model, x, output).to(x)
    unit = float((outputs - outputs.mean(0)).square().mean())
    if not unit > 0:
        raise ValueError("model: its outputs are the same for all examples, so that no move has a scale; check it")
    return outputs, unit


def _departure(
    model: Model,
    output: Output | None,
    x: Tensor,
    outputs: Tensor,
    on_input: Action,
    on_output: Action,
    basis: Float[Tensor, "K n n"],
    generator: torch.Generator,
) -> Tensor:
    """`mean |f(g·x) - g·f(x)|²`."""
    return square_departures(model, output, x, outputs, on_input, on_output, basis, generator).mean()


def square_departures(
    model: Model,
    output: Output | None,
    x: Tensor,
    outputs: Tensor,
    on_input: Action,
    on_output: Action,
    basis: Float[Tensor, "K n n"],
    generator: torch.Generator,
    reach: float = 1.0,
) -> Float[Tensor, "B"]:
    """`|f(g·x) - g·f(x)|²` of each example over the number of outputs, `c` uniform up to `reach`."""
    c = reach * (2 * torch.rand(len(x), len(basis), generator=generator) - 1).to(x)
    g = torch.linalg.matrix_exp(torch.einsum("bk,kij->bij", c, basis))
    moved = tensor_of(model(on_input(g, x)), len(x), output)
    return (moved - on_output(g, outputs)).square().flatten(1).mean(1)


def dimension_of_space(action: Action) -> int:
    """Of the space whose matrices move data.

    Raises:
        ValueError: for actions that matrices of gl(n) do not have.
    """
    if isinstance(action, PointCloud | VectorField):
        return action.dim
    if isinstance(action, Image | Volume):
        return 2 if isinstance(action, Image) else 3
    raise ValueError(f"on_input: got {type(action).__name__}, must be PointCloud, Image, Volume or VectorField")


def shape_penalty(basis: Float[Tensor, "K n n"]) -> Tensor:
    """Directions that differ, and have few entries."""
    unit = basis.flatten(1) / basis.flatten(1).norm(dim=1, keepdim=True).clamp(min=1e-6)
    return ORTHOGONALITY * (unit @ unit.mT).triu(1).square().sum() + SPARSITY * unit.abs().sum()
