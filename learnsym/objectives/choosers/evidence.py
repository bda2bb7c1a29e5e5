"""What held-out losses say of hypotheses: how probable each is, and what chance reaches.

Legend of axes: `H` hypotheses, `N` held-out examples.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from learnsym.objectives.losses import LossFunction, loss_of
from learnsym.parts import split
from learnsym.ragged import Ragged, points_in

ERRORS = 1.0
"""Standard errors by which a wider hypothesis may be behind in a tie."""
ALIKE = 1e-3
"""Difference of held-out losses that is none, in losses of constant outputs."""
DRAWS = 2000
"""Resamples of the held-out examples."""
SCALES = torch.logspace(-1, 1, 41)
"""Inverse temperatures."""


def loss_per_example(loss_fn: LossFunction, outputs: Tensor, targets: Tensor | Ragged) -> Float[Tensor, "N"]:
    """The loss of each example by itself."""
    pairs = zip(outputs.split(1), split(targets, 1), strict=True)
    return torch.stack([loss_of(loss_fn, output, target) for output, target in pairs]).double()


def calibrated(loss_fn: LossFunction, outputs: Tensor, targets: Tensor | Ragged) -> Tensor:
    """Logits at the temperature at which their loss on classes is least; numbers as they are.

    Networks that are still learning a wide law are less sure than right. Comparing them with others at one temperature
    would count that against them.

    Reference: Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks" (2017), arXiv 1706.04599.
    """
    if points_in(targets).is_floating_point():
        return outputs
    scaled = [factor * outputs for factor in SCALES.tolist()]
    return min(scaled, key=lambda each: float(loss_of(loss_fn, each, targets)))


def chance(loss_fn: LossFunction, outputs: Tensor, targets: Tensor | Ragged) -> float:
    """The loss of outputs that are the same for all examples, one number per channel (of points: each).

    Each example is judged by what is best for the others, as networks are judged by examples that they have not seen.
    With the least loss `l` of one such output for all `N` of them, and `C` classes, this is for labels (Laplace's rule
    of succession, `p(c) = (n_c + 1) / (n + C)`) and for squared errors of numbers

        l + log((N - 1 + C) / N),    l (N / (N - 1))²
    """
    rest = outputs.shape[2:]
    shape = [1, 1, *rest] if isinstance(targets, Ragged) else [1, *outputs.shape[1:2], *[1] * len(rest)]
    constant = torch.zeros(shape, dtype=torch.float32, requires_grad=True)
    search = torch.optim.LBFGS([constant], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        value = loss_of(loss_fn, constant.expand_as(outputs), targets)
        value.backward()
        return value

    with torch.enable_grad():
        search.step(loss)
    least, count = float(loss_of(loss_fn, constant.detach().expand_as(outputs), targets)), len(targets)
    if points_in(targets).is_floating_point():
        return least * (count / max(1, count - 1)) ** 2
    return least + math.log((count - 1 + max([2, *outputs.shape[1:2]])) / count)


def behind(losses: Float[Tensor, "H N"], h: int, k: int) -> tuple[float, float]:
    """By how much the mean loss of hypothesis `h` is above that of `k` on the same examples, and its standard error."""
    gaps = losses[h] - losses[k]
    gaps = gaps[gaps.isfinite()]
    return float(gaps.mean()), float(gaps.std()) / math.sqrt(len(gaps))


def winning_probabilities(
    losses: Float[Tensor, "R H N"],
    last: Int[Tensor, "H"],
    eligible: Bool[Tensor, "H"],
    wider: Callable[[int, int], bool],
    alike: float = 0.0,
) -> Float[Tensor, "H"]:
    """How often each hypothesis wins when held-out examples are drawn again (bootstrap).

    Hypotheses were dropped at different rungs. Each is compared with the one `f` of the rung `r` where it was last
    seen that went on for longest, and that one in its turn at a later rung; the least `d` wins:

        d_h = l_r(h) - l_r(f) + e + d_f,    e = `ERRORS` standard errors when f is wider than h, else 0

    All that are alike share a win: of networks that make no mistake the first one, "none", would win each time.

    Args:
        losses: at each rung `R`, NaN where an example was not looked at.
        last: the rung at which each hypothesis was last looked at.
        eligible: those that are better than chance.
        wider: whether the law of the second hypothesis holds that of the first.
        alike: difference of losses that is none; 0 for the first of several that are equal.
    """
    means = _resampled(losses)
    found = torch.zeros(DRAWS, losses.shape[1], dtype=torch.float64)
    for rung in sorted(set(last.tolist()), reverse=True):
        seen = losses[rung].isfinite().any(1).nonzero().flatten().tolist()
        longest = min(seen, key=lambda h, rung=rung: (-int(last[h]), float(losses[rung, h].nanmean())))
        base = found[:, longest].clone()
        for h in (last == rung).nonzero().flatten().tolist():
            tie = ERRORS * behind(losses[rung], h, longest)[1] if wider(h, longest) else 0.0
            found[:, h] = means[rung, :, h] - means[rung, :, longest] + tie + base
    found[:, ~eligible] = float("inf")
    if not alike:
        return torch.bincount(found.argmin(1), minlength=len(last)).double() / DRAWS
    wins = (found <= found.amin(1, keepdim=True) + alike).double()
    return (wins / wins.sum(1, keepdim=True)).mean(0)


def _resampled(losses: Float[Tensor, "R H N"]) -> Float[Tensor, "R K H"]:
    """Mean losses over `K` resamples of the examples, the same ones for all hypotheses and rungs."""
    count = losses.shape[-1]
    draws = torch.randint(count, (DRAWS, count), generator=torch.Generator().manual_seed(0))
    counts = torch.zeros(DRAWS, count, dtype=torch.float64).scatter_add_(1, draws, torch.ones_like(draws).double())
    seen = losses.isfinite().double()
    total = counts @ losses.nan_to_num(nan=0.0).transpose(1, 2).double()
    return total / (counts @ seen.transpose(1, 2)).clamp(min=1)
