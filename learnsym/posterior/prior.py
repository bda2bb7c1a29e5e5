"""A prior on degrees with point masses at no symmetry and at full symmetry.

Legend of axes: `*S` sample shape, `*B` batch shape, `D` degrees, `Z` configurations.
"""

from __future__ import annotations

from itertools import product

import torch
from jaxtyping import Float, Int
from pyro.distributions import TorchDistribution
from torch import Tensor
from torch.distributions import constraints

NONE, SLAB, FULL = 0, 1, 2


class SpikedPrior(TorchDistribution):
    """A spike-and-slab law of a degree as a fraction `s` of its cap: none, full, or somewhere between.

        p(s) = π_0 δ(s) + π_1 δ(s - 1) + (1 - π_0 - π_1) a b s^(a-1) (1 - s^a)^(b-1)

    The slab is Kumaraswamy's law, which is close to the Beta law of the same parameters and has its quantiles in closed
    form; a = b = 1 is uniform. Densities are with respect to counting measure at both ends and length between them.

    References: spikes: Mitchell, Beauchamp, "Bayesian variable selection in linear regression" (1988); slab:
    Kumaraswamy, "A generalized probability density function for double-bounded random processes" (1980).

    Args:
        none: `π_0`, the probability of no symmetry; one number, or one per degree.
        full: `π_1`, that of full symmetry.
        a, b: of the slab, positive.

    Raises:
        ValueError: for probabilities that are not positive or leave none for the slab, or parameters not positive.

    Example:
        >>> prior = ls.posterior.SpikedPrior(0.3, 0.2)
        >>> prior.log_prob(torch.tensor([0.0, 0.5, 1.0])).exp()
        tensor([0.3000, 0.5000, 0.2000])
        >>> float((prior.sample((1000,)) == 0).float().mean())
        0.3...
    """

    has_rsample = False
    arg_constraints: dict = {}  # noqa: RUF012  torch's name; the constructor checks, with a remedy

    def __init__(
        self,
        none: float | Float[Tensor, "*B"] = 0.25,
        full: float | Float[Tensor, "*B"] = 0.25,
        a: float | Float[Tensor, "*B"] = 1.0,
        b: float | Float[Tensor, "*B"] = 1.0,
    ) -> None:
        values = [torch.as_tensor(value, dtype=torch.get_default_dtype()) for value in (none, full, a, b)]
        self.none, self.full, self.a, self.b = torch.broadcast_tensors(*values)
        _check(self.none, self.full, self.a, self.b)
        super().__init__(self.none.shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        """Fractions of the cap, both ends among them."""
        return constraints.unit_interval

    def expand(self, batch_shape: torch.Size | tuple[int, ...], _instance: object = None) -> SpikedPrior:
        """The same law for a larger batch."""
        return SpikedPrior(*(value.expand(batch_shape) for value in (self.none, self.full, self.a, self.b)))

    def spikes(self) -> Float[Tensor, "*B 3"]:
        """The probabilities of none, of the slab and of full."""
        return torch.stack([self.none, 1 - self.none - self.full, self.full], -1)

    def log_slab(self, s: Float[Tensor, "*#S"]) -> Float[Tensor, "*#S"]:
        """The log density of the slab by itself, at fractions within (0, 1)."""
        tiny = torch.finfo(s.dtype).tiny
        inner = s.clamp(tiny, 1 - torch.finfo(s.dtype).eps)
        powered = torch.log1p(-(inner**self.a))
        return (self.a * self.b).log() + (self.a - 1) * inner.log() + (self.b - 1) * powered

    def log_prob(self, value: Float[Tensor, "*#S"]) -> Float[Tensor, "*#S"]:
        """The log mass at 0 and 1, the log density between them."""
        between = torch.log1p(-self.none - self.full) + self.log_slab(value)
        return torch.where(value <= 0, self.none.log(), torch.where(value >= 1, self.full.log(), between))

    def slab_quantile(self, u: Float[Tensor, "*#S"]) -> Float[Tensor, "*#S"]:
        """The fraction below which a share `u` of the slab lies: `(1 - (1 - u)^(1/b))^(1/a)`."""
        return (1 - (1 - u) ** (1 / self.b)) ** (1 / self.a)

    def quantile(self, u: Float[Tensor, "*#S"]) -> Float[Tensor, "*#S"]:
        """The fraction below which a share `u` of the whole law lies; flat at the spikes, differentiable elsewhere."""
        return self.slab_quantile(((u - self.none) / (1 - self.none - self.full)).clamp(0, 1))

    def sample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Float[Tensor, "*S"]:
        """Draws, of which some are exactly 0 and some exactly 1."""
        return self.quantile(torch.rand(self._extended_shape(torch.Size(sample_shape))).to(self.none))


def configurations(prior: SpikedPrior) -> tuple[Int[Tensor, "Z D"], Float[Tensor, "Z"]]:
    """All ways in which `D` degrees can each be none, in the slab or full, with their prior log probabilities."""
    (count,) = prior.batch_shape
    table = torch.tensor(list(product((NONE, SLAB, FULL), repeat=count)))
    return table, prior.spikes().log().gather(1, table.mT).sum(0)


def configured(s: Float[Tensor, "*#S D"], z: Int[Tensor, "*#S D"]) -> Float[Tensor, "*S D"]:
    """The degrees of a configuration: 0, the given one of the slab, or 1."""
    return torch.where(z == SLAB, s, (z == FULL).to(s))


def _check(none: Tensor, full: Tensor, a: Tensor, b: Tensor) -> None:
    if not bool(((none > 0) & (full > 0) & (none + full < 1)).all()):
        raise ValueError(
            f"none, full: got {none.tolist()} and {full.tolist()}, must be positive with a sum below 1; 0.25 each "
            "leaves half for what lies between"
        )
    if not bool(((a > 0) & (b > 0)).all()):
        raise ValueError(f"a, b: got {a.tolist()} and {b.tolist()}, must be positive; 1 and 1 are uniform")
