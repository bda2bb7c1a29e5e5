"""The closure test for any single element: is the law of the data the same after moving every example by `g`?"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.groups import Group
from learnsym.measure.pose.closure import Closure, closure_of
from learnsym.measure.pose.networks import default_network
from learnsym.measure.pose.reader import BATCH, LEARNING_RATE, WEIGHT_DECAY, Network
from learnsym.symmetry import Symmetry


def closure_test(
    x: Tensor,
    symmetry: Symmetry,
    element: Float[Tensor, "n n"],
    *,
    network: Network | None = None,
    steps: int = 300,
    folds: int = 2,
    seed: int = 0,
) -> Closure:
    """Whether a network that is trained for it tells `g·x` from `x` on held-out examples.

    For an element with a square root `r` in the group, `r·x` is compared with `r^-1·x`, so that interpolation alters
    both alike; elements of other components (flips) are compared with no move at all. To test many moves along one
    generator with one network take `PosePosterior.closure`.

    Args:
        x: examples.
        symmetry: whose action moves them.
        element: the element `g`.
        network: a function of the number of scores (1) that returns a module; chosen by the data when None.
        steps: training steps per fold.
        folds: number of folds.
        seed: of folds and networks.

    Returns:
        The p-value for "closed under g", and how often examples are told apart.

    Raises:
        ValueError: when `x` does not fit the symmetry or `element` is not in the group.
    """
    symmetry.on_input.check_data(symmetry.group, x)
    if not bool(symmetry.group.contains(element)):
        raise ValueError(f"element: got a matrix that is not in {symmetry.group.name}; take one from exp or components")
    forward, backward = (
        symmetry.on_input(g.expand(len(x), *g.shape).to(x), x) for g in _sides(symmetry.group, element)
    )
    fold = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)) % folds
    scores = torch.zeros(2, len(x))
    for k in range(folds):
        held_out = fold == k
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed * folds + k)
            make = network or (
                lambda bins: default_network(symmetry.on_input, x, bins, closed=symmetry.group.is_compact)
            )
            net = _trained(make(1).to(x.device), forward[~held_out], backward[~held_out], steps)
        with torch.no_grad():
            scores[:, held_out] = torch.stack([net(side[held_out]).squeeze(1).cpu() for side in (forward, backward)])
    return closure_of(scores[0], scores[1])


def _trained(net: nn.Module, forward: Tensor, backward: Tensor, steps: int) -> nn.Module:
    optimiser = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(len(forward), (BATCH // 2,), device=forward.device)
        score = net(torch.cat([forward[rows], backward[rows]])).squeeze(1)
        side = torch.cat([score.new_ones(len(rows)), score.new_zeros(len(rows))])
        optimiser.zero_grad(set_to_none=True)
        F.binary_cross_entropy_with_logits(score, side).backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def _sides(group: Group, element: Tensor) -> tuple[Tensor, Tensor]:
    g = element.double()
    if group.dim:
        root = group.exp(group.log(g) / 2)
        if torch.allclose(group.compose(root, root), g, atol=1e-6):
            return root, group.inverse(root)
    return g, group.identity(dtype=g.dtype)
