"""Point symmetries of a network that stands for an equation: chosen on one half of the points, bounded on the other.

Legend of axes: `P` points, `J` those that judge, `K` candidates, `R` given generators, `n` inputs, `m` equations.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._modes import evaluating, module_of
from learnsym.measure._probe import Model, check_probe
from learnsym.measure._reader import outputs_of
from learnsym.measure.certified.directions import directions
from learnsym.measure.discovery.polarisation import gradients
from learnsym.measure.discovery.ratio import lower_ratio, upper_ratio
from learnsym.measure.equation.basis import sparse_places, sparse_span, unseen
from learnsym.measure.equation.frame import Frame, check_levels
from learnsym.measure.equation.jets import Jets
from learnsym.measure.equation.symmetries import EquationSymmetries, dimension_of, point_generators

BATCH = 512


def certify_surrogate(
    model: Model,
    jets: Jets,
    leading: Sequence[str],
    inputs: Sequence[str],
    generators: int = 2,
    delta: float = 0.1,
    level: float = 0.95,
    seed: int = 0,
) -> EquationSymmetries:
    """Point symmetries of `u_lead = f(z)` with a network `f`, with bounds of their defects.

    The defect is that of `certify_equation`, with derivatives of the network by automatic differentiation. One half of
    the points, drawn by the seed, chooses directions; on the other half each has an upper and a lower bound (Fieller),
    and so have all combinations of the first ones, together valid with probability `level` (Bonferroni). One point more
    is counted, on which the symmetry fails.

    The answer is about the network, which may have symmetries that the equation has not where it does not fit. So
    nothing is decided unless its misfit on the points that judge, as a share of the standard deviation of the leading
    derivatives, is at most `delta`. This is a rule, not a test: what is left may still break a symmetry where it
    changes quickly. Coefficients have no intervals, since a network has no law of errors.

    Reference: Hu et al., "LieNLSD" (2025), arXiv 2510.01855; the bounds are our own.

    Args:
        model: from inputs `(P, n)`, in the units of the data and in the order of `inputs`, to `(P, m)`, or to `(P,)`
            where `m` is 1.
        jets: independent points that had no part in training.
        leading, inputs, generators: as in `certify_equation`.
        delta: the largest defect of a symmetry.
        level: probability with which all verdicts hold.
        seed: of the halves.

    Raises:
        ValueError: when names do not fit, or the model has no derivatives.

    Example:
        >>> t, x, u, v, w, y = torch.randn(6, 2000, dtype=torch.float64)
        >>> jets = ls.measure.Jets(values={"t": t, "x": x, "u": u, "u_x": v, "u_xx": w, "u_tx": y, "u_t": w - u * v})
        >>> model = lambda z: z[:, 4] - z[:, 2] * z[:, 3]  # the equation of Burgers
        >>> ls.measure.certify_surrogate(model, jets, ["u_t"], ["t", "x", "u", "u_x", "u_xx"]).dimension
        5
    """
    check_levels(delta, level)
    frame = Frame.of(jets, leading, inputs, generators)
    f, slopes = _read(model, frame, seed)
    order = torch.randperm(len(jets), generator=torch.Generator().manual_seed(seed))
    choosing, judging = order.tensor_split(2)
    departure, motion = frame.departure(f, slopes), frame.motion(f)
    found = directions(departure[choosing].flatten(0, 1), motion[choosing].flatten(0, 1))
    misfit = float((frame.y - f)[judging].square().mean().sqrt())
    reason = "" if misfit <= delta else f"the model misses {misfit:.2g} of the leading derivatives; train it further"
    departure, motion = departure[judging] @ found.theta.mT, motion[judging] @ found.theta.mT
    estimates = (departure.square().sum((0, 1)) / motion.square().sum((0, 1))).sqrt()
    bounds, spans = _bounds(departure, motion, level)
    dimension = dimension_of(spans, delta, reason)
    chosen = found.theta[:dimension]
    return EquationSymmetries(
        generators=point_generators(frame.coefficients(found.theta), estimates, bounds, delta, level, reason),
        spans=spans,
        dimension=dimension,
        basis=sparse_span(frame, chosen, sparse_places(frame, chosen)),
        low=None,
        high=None,
        least=0.0,
        unseen=unseen(frame, found),
        variables=jets.variables,
        exponents=frame.prolongation.exponents,
        delta=delta,
        level=level,
        fit_p=1.0,
        misfit=misfit,
        reason=reason,
    )


def equation_defects(
    model: Model,
    jets: Jets,
    leading: Sequence[str],
    inputs: Sequence[str],
    coefficients: Float[Tensor, "R V M"],
    generators: int = 2,
) -> Float[Tensor, "R"]:
    """Defects `|pr v(F)| / |pr v|` of given generators for an equation `u_lead = f(z)` that is known, or a network.

    Args:
        model, jets, leading, inputs, generators: as in `certify_surrogate`.
        coefficients: of each generator, as in `EquationSymmetries.basis`.

    Raises:
        ValueError: when names or coefficients do not fit, or a generator moves no coordinate.

    Example:
        >>> t, x, u, v, w, y = torch.randn(6, 100, dtype=torch.float64)
        >>> jets = ls.measure.Jets(values={"t": t, "x": x, "u": u, "u_x": v, "u_xx": w, "u_tx": y, "u_t": w})
        >>> shifts = torch.eye(3, dtype=torch.float64)[:, :, None]
        >>> heat = lambda z: z[:, 2]
        >>> ls.measure.equation_defects(heat, jets, ["u_t"], ["t", "u", "u_xx"], shifts[::2], generators=0)
        tensor([0., 0.], dtype=torch.float64)
    """
    frame = Frame.of(jets, leading, inputs, generators)
    wanted = (len(jets.variables), len(frame.prolongation.exponents))
    if coefficients.ndim != 3 or coefficients.shape[1:] != wanted:
        raise ValueError(
            f"coefficients: got {tuple(coefficients.shape)}, must be (generators, {wanted[0]} variables, {wanted[1]} "
            "monomials); take them from EquationSymmetries.basis"
        )
    theta = frame.theta(coefficients)
    f, slopes = _read(model, frame, 0)
    departure, motion = (each @ theta.mT for each in (frame.departure(f, slopes), frame.motion(f)))
    size = motion.square().sum((0, 1))
    if not (size > 0).all():
        raise ValueError(
            f"coefficients: generator {int((size == 0).nonzero()[0])} moves no coordinate of the equation; leave it "
            "out, or add to inputs what it moves"
        )
    return (departure.square().sum((0, 1)) / size).sqrt()


def _read(model: Model, frame: Frame, seed: int) -> tuple[Float[Tensor, "P m"], Float[Tensor, "P m n"]]:
    """What the model says of the leading derivatives, and its slopes, over standard deviations."""
    n, m = len(frame.inputs), len(frame.leading)
    module = module_of(model)
    weight = None if module is None else next(module.parameters(), None)
    x = (frame.z * frame.own[:n]).to(torch.float64 if weight is None else weight)
    check_probe(model, x)
    with evaluating(model):
        f = outputs_of(model, x, _rows, BATCH)
        if f.shape[1] != m:
            raise ValueError(
                f"model: returns {f.shape[1]} numbers a point, must be {m}, one for each of {frame.leading}; change it"
            )
        slopes = torch.stack(list(gradients(model, x, m, seed, _rows, BATCH)), 1)
    return f.double().cpu() / frame.own[n:], slopes.double().cpu() * frame.own[:n] / frame.own[n:, None]


def _rows(returned: object) -> Tensor:
    tensor = returned if isinstance(returned, Tensor) else torch.as_tensor(returned)
    return tensor.reshape(len(tensor), -1)


def _bounds(
    departure: Float[Tensor, "J m R"], motion: Float[Tensor, "J C R"], level: float
) -> tuple[list[tuple[float, float]], tuple[float, ...]]:
    """Bounds of each direction, and upper bounds of all combinations of the first ones."""
    count = departure.shape[2]
    # two bounds of each direction, and one of each span
    tail = (1 - level) / (3 * count)
    squares = zip(departure.square().sum(1).mT, motion.square().sum(1).mT, strict=True)
    bounds = [(lower_ratio(q, h, tail), _upper(q, h, tail)) for q, h in squares]
    return bounds, tuple(_span(departure[..., :first], motion[..., :first], tail) for first in range(1, count + 1))


def _upper(q: Float[Tensor, "J"], h: Float[Tensor, "J"], tail: float) -> float:
    return upper_ratio(q, h, tail, extra=max(float(q.max()), float(h.mean())))


def _span(departure: Float[Tensor, "J m d"], motion: Float[Tensor, "J C d"], tail: float) -> float:
    """Upper bound of the defects of all combinations: `max θᵀCθ / θᵀDθ <= tr C / λ_min(D)`."""
    _, vectors = torch.linalg.eigh(torch.einsum("pik,pil->kl", motion, motion))
    return _upper(departure.square().sum((1, 2)), (motion @ vectors[:, 0]).square().sum(1), tail)
