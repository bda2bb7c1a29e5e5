"""The closure test for any single element: is the law of the data the same after moving every example by `g`?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym._batches import COPIES, activation_bytes, rows_within
from learnsym._memory import MEMORY
from learnsym.measure._inputs import moving
from learnsym.measure.pose.centre import centre_of, is_off_centre, named, survives
from learnsym.measure.pose.closure import LEVEL, Closure, closure_of
from learnsym.measure.pose.ground import grounded
from learnsym.measure.pose.networks import default_network
from learnsym.measure.pose.reader import BATCH, LEARNING_RATE, READ, WEIGHT_DECAY, Network
from learnsym.measure.pose.sides import centred_sides, elements_of_sides, moved_sides
from learnsym.parts import Whole
from learnsym.symmetry import SymmetryLike


def closure_test(
    x: Whole,
    symmetry: SymmetryLike,
    element: Float[Tensor, "n n"],
    *,
    network: Network | None = None,
    steps: int = 300,
    folds: int = 2,
    seed: int = 0,
    memory: float = MEMORY,
) -> Closure:
    """Whether a network that is trained for it tells `g·x` from `x` on held-out examples.

    Interpolation alters both sides alike. An element that moves these data exactly (flips and quarter turns of images,
    all moves of points) is compared with no move; any other is halved, `g = r² c` with `c` exact, and `r c·x` is
    compared with `r^-1·x`, images after smoothing and a random shift by up to half a pixel, which hide the lattice. A
    constant border is taken off first.

    On images and volumes the offset of all objects from the middle may be what tells the sides apart. A law that is
    refused is therefore tested again about the centre of the objects; when less than half of what was told apart is
    left, that test is the answer, and its `flags` name the offset.

    To test many moves along one generator with one network take `PosePosterior.closure`.

    Args:
        x: examples: a tensor, a NumPy array, or a structure of them, of which what moves is read.
        symmetry: whose action moves them; or its name.
        element: the element `g`.
        network: a function of the number of scores (1) that returns a module; chosen by the data when None.
        steps: training steps per fold.
        folds: number of folds; each example is scored by a network that has not seen it.
        seed: of folds, networks and shifts.
        memory: limit in GiB for what is computed at a time beside the examples and both sides; does not change the
            result.

    Returns:
        The p-value for "closed under g", and how often examples are told apart.

    Raises:
        ValueError: when `x` does not fit the symmetry or is too small, `element` is not in the group or cannot be
            halved, a border that is not constant would tell the move, or a training step takes more than the memory.
    """
    x, symmetry = moving(x, symmetry)
    symmetry.on_input.check_data(symmetry.group, x)
    if folds < 2 or len(x) < 10 * folds:
        raise ValueError(f"x: got {len(x)} examples for {folds} folds, must be at least 2 folds of 10; take more data")
    if not bool(symmetry.group.contains(element)):
        raise ValueError(f"element: got a matrix that is not in {symmetry.group.name}; take one from exp or components")
    action, closed = symmetry.on_input, symmetry.group.is_compact
    sides, exact = elements_of_sides(symmetry, element, x)
    x = grounded(x, action, shows=not (closed or exact))
    make = network or (lambda bins: default_network(action, x, bins, closed=closed))
    rows = rows_of(make, x, memory)
    generator = torch.Generator().manual_seed(seed)
    plain = _tested(moved_sides(action, sides, x, exact, generator), make, steps, folds, seed, rows)
    if plain.p_value > LEVEL or not is_off_centre(action, element, x):
        return plain
    centred = _tested(centred_sides(action, sides, x, exact, generator), make, steps, folds, seed, rows)
    if survives(centred.accuracy - 0.5, plain.accuracy - 0.5):
        return plain
    reason = f"{named(centre_of(x))}, by which {plain.accuracy:.0%} are told apart; tested about that centre"
    return replace(centred, flags=(reason,))


def _tested(
    sides: tuple[Tensor, Tensor], make: Callable[[int], nn.Module], steps: int, folds: int, seed: int, rows: int
) -> Closure:
    """The test of two samples that are paired by the examples that they were made from, `rows` of them at a time."""
    forward, backward = sides
    fold = torch.randperm(len(forward), generator=torch.Generator().manual_seed(seed)) % folds
    scores = torch.zeros(2, len(forward))
    for k in range(folds):
        held_out = fold == k
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed * folds + k)
            known = (~held_out).nonzero().squeeze(1)
            net = trained_sides(make(1).to(forward.device), forward, backward, steps, known)
        with torch.no_grad():
            for known in held_out.nonzero().squeeze(1).split(rows):
                scores[:, known] = torch.stack([net(side[known]).squeeze(1).cpu() for side in (forward, backward)])
    return closure_of(scores[0], scores[1], fold)


def rows_of(make: Callable[[int], nn.Module], x: Tensor, memory: float) -> int:
    """How many examples are read at a time within a limit in GiB; a training step always takes a batch.

    Raises:
        ValueError: when a training step takes more.
    """
    with torch.random.fork_rng(devices=[]):
        net = make(1).to(x.device)
    return rows_within(COPIES * activation_bytes(net, x[:1]), memory, READ, BATCH)


def trained_sides(
    net: nn.Module, forward: Tensor, backward: Tensor, steps: int, known: Int[Tensor, "K"] | None = None
) -> nn.Module:
    """A network of one score that tells two samples apart, positive for the first; trained on the `known` pairs."""
    count = len(forward) if known is None else len(known)
    optimiser = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(count, (BATCH // 2,), device=forward.device)
        rows = rows if known is None else known.to(rows.device)[rows]
        score = net(torch.cat([forward[rows], backward[rows]])).squeeze(1)
        side = torch.cat([score.new_ones(len(rows)), score.new_zeros(len(rows))])
        optimiser.zero_grad(set_to_none=True)
        F.binary_cross_entropy_with_logits(score, side).backward()
        optimiser.step()
        schedule.step()
    return net.eval()
