"""Approximately equivariant neural processes, and how much of what they predict is not equivariant.

Legend of axes: `B` tasks, `T` targets, `P` locations, `K` extra inputs, `C` values, `R` remembered tasks.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.distributions import uniform_noise
from learnsym.equivariant.twins import exact_twin
from learnsym.parts import chosen
from learnsym.relax.processes.fixed_functions import FixedFunctions
from learnsym.statistics import LEVEL, Estimate, ratio_of_means, student_interval
from learnsym.tasks import LOCATIONS, Inputs

REMEMBERED = 512
"""Training tasks whose deviation is kept, one a step."""
UNSEEN = "it has seen no two training tasks of which a deviation could be taken"


class ApproximateProcess(nn.Module):
    """An equivariant neural process whose extra inputs are fixed functions of location.

        f(D)(x) = net(D, x; t),    net(D, x; 0) equivariant

    Where `t` is 0 it is the exact process itself, so that it stays equivariant far from where it was trained. In
    training one draw for each task, with probability `drop`, sets all of its extra inputs to 0, so that the exact
    process is trained, too; there is no rescaling, and in evaluation no input is ever dropped.

    The capacity of the departure is the number `K` of functions. Its size is that of the predicted means:

        Δ = Σ_n mean_t |μ_nt - μ⁰_nt| / Σ_n mean_t |μ_nt|

    with `μ⁰` those without the extra inputs, over the first task of each of the last 512 training batches. It is a
    share of the size of the predictions, so values should have about mean 0; it can exceed 1 where parts cancel.

    Reference: Ashman, Diaconu, Weller, Bruinsma, Turner, "Approximately equivariant neural processes" (2024), arXiv
    2406.13488; that the deviation is divided by the size of the means, and its interval, are our own.

    Args:
        net: `net(x)` is equivariant, and `net(x, extras)` gets `extras(locations)` beside; it says how many `extras` it
            takes and by `group_name` what it is equivariant to, as those of `nets.processes`.
        functions: `t`, as many as the net takes.
        drop: probability in [0, 1) that a task has no extra inputs in training; 0.5 is that of the paper.

    Raises:
        ValueError: when the net takes another number of extra inputs, or the probability is out of range.

    Example:
        >>> body = ls.nets.processes.ConvBody(1, width=4, depth=1, extras=2)
        >>> exact = ls.nets.processes.ConvCNP(body, spacing=0.1, points=64)
        >>> t = ls.relax.processes.FixedFunctions(1, count=2, low=-2.0, high=2.0)
        >>> net = ls.relax.processes.ApproximateProcess(exact, t).eval()
        >>> x = ls.tasks.Tasks(torch.rand(2, 3, 1), torch.rand(2, 3, 1), torch.ones(2, 3), torch.rand(2, 5, 1))
        >>> far = {**x.inputs(), "locations": x.inputs()["locations"] + 20}
        >>> torch.equal(net(far), net.exact()(far)), torch.equal(net(x.inputs()), net.exact()(x.inputs()))
        (True, False)
    """

    deviations: Tensor
    sizes: Tensor
    looked: Tensor

    def __init__(self, net: nn.Module, functions: FixedFunctions, drop: float = 0.5) -> None:
        super().__init__()
        self.net: Any = check_extras(net)
        if self.net.extras != functions.count:
            raise ValueError(
                f"functions: got {functions.count} for a network of {self.net.extras} extra inputs, must be as many; "
                "change one of them"
            )
        if not 0 <= drop < 1:
            raise ValueError(f"drop: got {drop}, must lie in [0, 1); 0.5 is that of the paper")
        self.functions, self.drop = functions, drop
        self.register_buffer("deviations", torch.zeros(REMEMBERED))
        self.register_buffer("sizes", torch.zeros(REMEMBERED))
        self.register_buffer("looked", torch.zeros((), dtype=torch.long))

    def forward(self, x: Inputs) -> Float[Tensor, "B T K"]:
        """Means, then logarithms of variances, of each target."""
        if not self.training:
            return self.net(x, self.functions)
        self._look(chosen(x, slice(0, 1)))
        if not self.drop:
            return self.net(x, self.functions)
        locations = x[LOCATIONS]
        kept = uniform_noise((len(locations), 1, 1), locations, batch_axis=0) >= self.drop
        return self.net(x, lambda places: torch.where(kept, self.functions(places), 0.0))

    def deviation(self, x: Inputs) -> Estimate:
        """`Δ` over given tasks, with the standard error over them: what `exact` takes away.

        Targets that are padding count as the location at which they stand.

        Raises:
            ValueError: for means that are all 0.
        """
        with torch.no_grad():
            deviations, sizes = self._deviation(x)
        return ratio_of_means(Estimate.of(deviations), Estimate.of(sizes))

    def _deviation(self, x: Inputs) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
        """`mean_t |μ - μ⁰|` and `mean_t |μ|` of each task."""
        mean, without = (self.net(x, extras).chunk(2, -1)[0] for extras in (self.functions, None))
        return (mean - without).abs().mean((1, 2)), mean.abs().mean((1, 2))

    @torch.no_grad()
    def _look(self, x: Inputs) -> None:
        """Remember the deviation of one task in place of the oldest one."""
        place = (self.looked % REMEMBERED).reshape(1)
        for kept, value in zip((self.deviations, self.sizes), self._deviation(x), strict=True):
            kept.index_copy_(0, place, value.to(kept))
        self.looked.add_(1)

    def exact(self) -> nn.Module:
        """The same network without extra inputs."""
        return exact_twin(self.net).train(self.training)

    def degrees(self, site: str) -> list[Degree]:
        """`Δ` over the training tasks that it remembers, with Student's interval over these; 0 when exact."""
        seen = min(int(self.looked), REMEMBERED)
        known: dict[str, Any] = {"estimate": float("nan"), "status": "not converged", "reason": UNSEEN}
        if seen > 1 and bool(self.sizes[:seen].any()):
            share = ratio_of_means(Estimate.of(self.deviations[:seen]), Estimate.of(self.sizes[:seen]))
            low, high = student_interval(share).clipped(low=0.0).ends
            known = {"estimate": share.mean, "low": low, "high": high, "level": LEVEL}
        degree = Degree(
            site=site,
            group=self.net.group_name,
            generator="fixed functions",
            unit="1",
            notion="task",
            method="fixed functions",
            **known,
        )
        return [degree]

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """Those of the fixed functions."""
        return [*self.functions.parameters()]

    def terms(self) -> tuple[str, ...]:
        """None: their number and dropping hold them."""
        return ()

    def extra_repr(self) -> str:
        """How often inputs are dropped."""
        return f"drop={self.drop:g}"


def check_extras(net: nn.Module) -> nn.Module:
    """The network, which must take extra inputs.

    Raises:
        ValueError: when it takes none.
    """
    if not getattr(net, "extras", 0):
        raise ValueError(
            f"net: got a {type(net).__name__} without extra inputs; take one of nets.processes with `extras` above 0"
        )
    return net
