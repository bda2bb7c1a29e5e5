"""Latent symmetry: coordinates, learned from states and their successors, in which a non-linear symmetry is linear.

Legend of axes: `B` pairs, `F` numbers per state, `d` latent numbers, `K` generators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud
from learnsym.measure._inputs import as_tensors
from learnsym.measure._probe import check_one_tensor
from learnsym.measure.certified.certificates import check_tolerance
from learnsym.measure.discovery.basis import BATCH, CAP, START, shape_penalty
from learnsym.measure.discovery.local import REACHES, ChartBasis, Judge, random_matrices
from learnsym.parts import Whole
from learnsym.statistics import check_level

HIDDEN, LEARNING_RATE, BASIS_RATE = 64, 2e-3, 1e-2
STATE, MOVE, CLOSURE, MOMENTS, CLIP = 10.0, 0.3, 0.1, 1.0, 1.0
"""Weights of the way to states and back, of the departure of moves, of the way from moved latent states and
back, and of the moments of latent states; largest norm of the gradient of networks."""
WARM = 0.2
"""Share of the steps in which states are only encoded and decoded."""
LEAST = 400
"""Fewest pairs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LatentSymmetry:
    """An encoder, a decoder, and generators of a linear action between them, with what is surely known of these."""

    encoder: nn.Module
    """From states over their standard deviations, about their means, to latent ones; see `encode`."""
    decoder: nn.Module
    mean: Float[Tensor, "F"]
    scale: Float[Tensor, "F"]
    basis: ChartBasis
    """Judged on pairs that had no part in training, by a map that was trained without the symmetry."""
    reconstruction: float
    """Root mean square error of states that are encoded and decoded, over their standard deviation."""
    prediction: float
    """The same of the latent change from a state to its successor by the map that judges."""
    delta: float
    reason: str = ""
    """Why nothing can be decided; empty when it can."""

    def encode(self, x: Float[Tensor, "B F"]) -> Float[Tensor, "B d"]:
        """Latent states."""
        return self.encoder((x - self.mean) / self.scale)

    def decode(self, z: Float[Tensor, "B d"]) -> Float[Tensor, "B F"]:
        """States of latent ones."""
        return self.decoder(z) * self.scale + self.mean

    def act(self, matrix: Float[Tensor, "d d"], x: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
        """`D(g E(x))`: the non-linear action of `g = exp(matrix)` on states."""
        with torch.no_grad():
            return self.decode(self.encode(x) @ torch.linalg.matrix_exp(matrix.to(x)).mT)

    @property
    def present(self) -> Float[Tensor, "M d d"]:
        """Certified generators, of norm 1; none where nothing can be decided."""
        return self.basis.present[:0] if self.reason else self.basis.present


def latent_symmetry(
    x: Whole,
    following: Whole,
    latent: int = 2,
    generators: int = 1,
    delta: float = 0.1,
    level: float = 0.95,
    reward: float = 0.05,
    steps: int = 3000,
    seed: int = 0,
) -> LatentSymmetry:
    """Coordinates in which the map from states to their successors has a linear symmetry, if there are any.

    An encoder `E`, a decoder `D`, a map `h` of latent changes and a basis `B_1 ... B_K` of gl(d) are trained together:

        s |D(z) - x|² + |h(z) - (z' - z)|² / var(z' - z) + a |h(g z) - g h(z)|² / var h + b |E(D(g z)) - g z|²
            - λ Σ_k min(|B_k|, 1) + shape of B + c (|E z|² + |cov z - 1|²)

    with `z = E(x)`, `z' = E(x')` and `g = exp(Σ_k c_k B_k)`, `c` uniform in [-1, 1]; the third term and the reward are
    those of `learned_basis`. There is no discriminator. The published method asks that moved trajectories look like
    data; here a moved state must have the moved successor, and be a state.

    Half of the pairs train. On a quarter a second map is trained in the same coordinates and without the symmetry; it
    is judged on the last quarter as in `local_basis`: bounds of the relative error of moves, and random generators. So
    what is certified is followed by a map that was never asked to. Nothing is decided unless states are decoded, and
    changes predicted, to within `delta`.

    *What it means*: these coordinates are a discovery only as far as not every system has them. Any smooth flow in the
    plane onto a cycle has some in which a turn is a symmetry (phase and isochrons), and any linear map commutes with
    itself. Chaos in space has none. Coordinates are not unique.

    Reference: Yang et al., "LaLiGAN" (2023), arXiv 2310.00105; its adversary, its law of coefficients and its sparse
    equations are not used.

    Args:
        x: states `(B, F)`, of independent trajectories.
        following: their successors `(B, F)`.
        latent: `d`.
        generators: `K`.
        delta: the largest relative error of a symmetry, of reconstructions and of predictions. With 0.2 coordinates in
            which something is a symmetry were found in a quarter of chaotic maps, with 0.1 in none of 20.
        level: probability with which all verdicts hold.
        reward: `λ`.
        steps: of Adam, of 256 pairs.
        seed: of networks, halves and draws; the caller's random state is left alone.

    Raises:
        ValueError: when shapes do not fit, or numbers are out of range.

    Example:
        >>> x = torch.randn(400, 5)
        >>> found = ls.measure.latent_symmetry(x, 0.9 * x, steps=5)
        >>> len(found.present), found.reason[:22]
        (0, 'states are decoded onl')
    """
    x, following = (as_tensors(each) for each in (x, following))
    _check(x, following, latent, generators, delta, level, reward, steps)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(x), generator=generator).to(x.device)
    mean, scale = x.mean(0), x.std(0)
    here, there = (((each - mean) / scale).float()[order] for each in (x, following))
    half, most = len(x) // 2, 3 * len(x) // 4
    nets = _Networks.new(x.shape[1], latent, seed).to(x.device)
    basis = _trained(nets, here[:half], there[:half], generators, reward, steps, generator)
    with torch.no_grad():
        z, change = nets.encoder(here), nets.encoder(there) - nets.encoder(here)
    _fit(nets.judge, z[half:most], change[half:most], steps, generator)
    nets.eval().requires_grad_(False)
    reconstruction, prediction = nets.errors(here[most:], z[most:], change[most:])
    return LatentSymmetry(
        encoder=nets.encoder,
        decoder=nets.decoder,
        mean=mean,
        scale=scale,
        basis=_judged(nets.judge, z[most:], basis, delta, level, seed),
        reconstruction=reconstruction,
        prediction=prediction,
        delta=delta,
        reason=_reason(reconstruction, prediction, delta),
    )


class _Networks(nn.Module):
    """Encoder, decoder, the map of latent changes that is trained with them, and the one that judges."""

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.latent = latent
        self.encoder, self.decoder = _network(features, latent), _network(latent, features)
        self.change, self.judge = _network(latent, latent), _network(latent, latent)

    @classmethod
    def new(cls, features: int, latent: int, seed: int) -> _Networks:
        """With weights of the seed; the caller's random state is left alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(features, latent)

    def coordinates(self, x: Float[Tensor, "B F"], z: Float[Tensor, "B d"]) -> Float[Tensor, ""]:
        """How far latent states are from being decoded, and from moments of 0 and 1."""
        moments = z.mean(0).square().sum() + (z.mT.cov() - torch.eye(z.shape[1]).to(z)).square().sum()
        return STATE * (self.decoder(z) - x).square().mean() + MOMENTS * moments

    def dynamics(
        self, z: Float[Tensor, "B d"], later: Float[Tensor, "B d"], g: Float[Tensor, "B d d"]
    ) -> Float[Tensor, ""]:
        """How far changes are from being predicted, their moves from being followed, and moved states from being
        states."""
        moved, step, seen = (g @ z[..., None])[..., 0], later - z, self.change(z)
        unit = step.var(0).mean().detach().clamp(min=1e-6)
        followed = (self.change(moved) - (g @ seen[..., None])[..., 0]).square().mean() / unit
        back = (self.encoder(self.decoder(moved)) - moved).square().mean()
        return (seen - step).square().mean() / unit + MOVE * followed + CLOSURE * back

    def errors(
        self, x: Float[Tensor, "B F"], z: Float[Tensor, "B d"], change: Float[Tensor, "B d"]
    ) -> tuple[float, float]:
        """Of states that are decoded, and of changes by the map that judges, over standard deviations."""
        wrong = (self.judge(z) - change).square().mean()
        return float((self.decoder(z) - x).square().mean().sqrt()), float((wrong / change.var(0).mean()).sqrt())


def _judged(
    net: nn.Module, z: Float[Tensor, "B d"], basis: Float[Tensor, "K d d"], delta: float, level: float, seed: int
) -> ChartBasis:
    """The basis, the largest generator first, by what a map of latent changes follows."""
    generators, d = len(basis), z.shape[1]
    order, points = basis.flatten(1).norm(dim=1).argsort(descending=True), PointCloud(dim=d)
    return Judge.of("latent", _AsPoints(net), z[:, None], points, points).basis(
        basis[order].double().cpu(),
        random_matrices(d, generators, level, seed),
        delta,
        (1 - level) / (2 * len(REACHES) * generators),
        (1 - level) / generators,
        level,
        seed,
    )


class _AsPoints(nn.Module):
    """A map of latent states as one of single points."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, z: Float[Tensor, "B 1 d"]) -> Float[Tensor, "B 1 d"]:
        return self.net(z)


def _trained(
    nets: _Networks,
    here: Float[Tensor, "B F"],
    there: Float[Tensor, "B F"],
    generators: int,
    reward: float,
    steps: int,
    generator: torch.Generator,
) -> Float[Tensor, "K d d"]:
    basis = torch.randn(generators, nets.latent, nets.latent, generator=generator)
    basis = (START * basis / basis.flatten(1).norm(dim=1)[:, None, None]).to(here).requires_grad_()
    networks = [p for net in (nets.encoder, nets.decoder, nets.change) for p in net.parameters()]
    optimiser = torch.optim.Adam([{"params": networks, "lr": LEARNING_RATE}, {"params": [basis], "lr": BASIS_RATE}])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for count in range(steps):
        rows = torch.randint(len(here), (BATCH,), generator=generator).to(here.device)
        c = (2 * torch.rand(BATCH, generators, generator=generator) - 1).to(here)
        z = nets.encoder(here[rows])
        loss = nets.coordinates(here[rows], z)
        # coordinates first: changes have no size yet
        if count >= WARM * steps:
            g = torch.linalg.matrix_exp(torch.einsum("bk,kij->bij", c, basis))
            size = basis.flatten(1).norm(dim=1).clamp(max=CAP).sum()
            loss = loss + nets.dynamics(z, nets.encoder(there[rows]), g) - reward * size + shape_penalty(basis)
        _set_gradients(loss, [*networks, basis])
        nn.utils.clip_grad_norm_(networks, CLIP)
        optimiser.step()
        schedule.step()
    return basis.detach()


def _fit(net: nn.Module, z: Tensor, change: Tensor, steps: int, generator: torch.Generator) -> None:
    """A map of latent changes, without the symmetry."""
    parameters = list(net.parameters())
    optimiser = torch.optim.Adam(parameters, LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    unit = change.var(0).mean()
    for _ in range(steps):
        rows = torch.randint(len(z), (BATCH,), generator=generator).to(z.device)
        _set_gradients((net(z[rows]) - change[rows]).square().mean() / unit, parameters)
        optimiser.step()
        schedule.step()


def _set_gradients(loss: Tensor, parameters: Sequence[Tensor]) -> None:
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, found, strict=True):
        parameter.grad = gradient


def _network(features: int, out: int) -> nn.Sequential:
    sizes = [features, HIDDEN, HIDDEN]
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.SiLU())]
    return nn.Sequential(*layers, nn.Linear(HIDDEN, out))


def _reason(reconstruction: float, prediction: float, delta: float) -> str:
    if reconstruction > delta:
        return f"states are decoded only to within {reconstruction:.2g}; take more latent numbers, steps or examples"
    if prediction > delta:
        return f"changes are predicted only to within {prediction:.2g}; take more latent numbers, steps or examples"
    return ""


def _check(
    x: Tensor, following: Tensor, latent: int, generators: int, delta: float, level: float, reward: float, steps: int
) -> None:
    for name, each in (("x", x), ("following", following)):
        check_one_tensor(each)
        if each.ndim != 2 or not each.is_floating_point() or not each.isfinite().all():
            raise ValueError(
                f"{name}: got {tuple(each.shape)} of {each.dtype}, must be finite floating-point rows (pairs, numbers)"
            )
    if x.shape != following.shape or len(x) < LEAST:
        raise ValueError(
            f"x, following: got {tuple(x.shape)} and {tuple(following.shape)}, must be alike, of >= {LEAST} pairs"
        )
    if not (x.std(0) > 0).all():
        raise ValueError("x: a number is the same in all states; leave it out")
    check_level(level)
    check_tolerance(delta)
    if latent not in (2, 3, 4) or not 1 <= generators <= latent**2:
        raise ValueError(
            f"latent, generators: got {latent} and {generators}, must be 2, 3 or 4, and between 1 and latent²"
        )
    for name, value in (("reward", reward), ("steps", steps)):
        if not value > 0:
            raise ValueError(f"{name}: got {value}, must be positive; leave it out for the usual number")
