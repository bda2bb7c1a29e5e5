"""A posterior over likelihoods: normal in the Fourier coefficients, with a prior that follows the depth of a network.

Legend of axes: `S` draws, `D` coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from pyro.distributions import Normal
from torch import Tensor, nn

from learnsym._constant import constant
from learnsym.groups import Group
from learnsym.relax.likelihood.likelihood import Likelihood

START_SCALE = 0.1


class NormalPosterior(nn.Module):
    """Coefficients with a posterior `q(c) = N(m, s²)`: a reparameterised draw in training, the mean otherwise."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(count))
        self.log_scale = nn.Parameter(torch.full((count,), START_SCALE).log())

    def distribution(self) -> Normal:
        """`q(c)`."""
        return Normal(self.mean, self.log_scale.exp(), validate_args=False)

    def forward(self) -> Float[Tensor, "D"]:
        """A draw or the mean."""
        return self.mean + self.log_scale.exp() * torch.randn_like(self.mean) if self.training else self.mean

    def assign(self, values: Float[Tensor, "D"]) -> None:
        """Take this mean."""
        with torch.no_grad():
            self.mean.copy_(values)

    def draws(self, count: int) -> Float[Tensor, "S D"]:
        """The same draws each time, for intervals."""
        random = torch.Generator().manual_seed(0)
        noise = torch.randn(count, len(self.mean), generator=random, dtype=torch.float64)
        return (self.mean + self.log_scale.exp() * noise.to(self.mean)).detach()


def bayesian_likelihood(
    group: Group, band_limit: int | None = None, *, band_limit_out: int | None = None, degree: int | None = None
) -> Likelihood:
    """A `Likelihood` whose coefficients have a normal posterior, so that its degrees come with credible intervals.

    Args:
        group, band_limit, band_limit_out, degree: as of `Likelihood`.

    Example:
        >>> likelihood = ls.relax.bayesian_likelihood(ls.groups.Cyclic(4))
        >>> conv_degrees = ls.relax.coverage_degrees(likelihood, "layer:0")
        >>> conv_degrees[0].low < conv_degrees[0].high <= 1
        True
    """
    plain = Likelihood(group, band_limit, band_limit_out=band_limit_out, degree=degree)
    plain.coefficients = NormalPosterior(plain.harmonics().shape[1])
    return plain


def kl_along_depth(likelihoods: Sequence[Likelihood], scale: float = 1.0, step: float = 0.5) -> Float[Tensor, ""]:
    """`KL(q | p)` for the prior `p(c_1) = N(0, scale²)` and `p(c_l | c_{l-1}) = N(c_{l-1}, step²)` along the depth.

        Σ_l E_{q(c_{l-1})} KL(q(c_l) | p(c_l | c_{l-1})),    E |c_{l-1} - m_l|² = |m_{l-1} - m_l|² + s_{l-1}²

    What an early layer has lost a later one cannot regain, so that a layer should not differ from the one before it
    without reason. In closed form.

    Args:
        likelihoods: from the first layer to the last, of one group and band limit, with posteriors.
        scale, step: standard deviations of the prior.

    Raises:
        ValueError: for a likelihood without a posterior, or one of another number of coefficients.
    """
    posteriors = [_posterior(likelihood) for likelihood in likelihoods]
    total = posteriors[0].mean.new_zeros(()) if posteriors else torch.zeros(())
    for index, q in enumerate(posteriors):
        before = posteriors[index - 1] if index else None
        if before is not None and len(before.mean) != len(q.mean):
            raise ValueError(
                f"likelihoods: got {len(before.mean)} and {len(q.mean)} coefficients in successive layers, must be as "
                "many; give all layers the same band_limit"
            )
        total = total + _kl(q, before, step if index else scale)
    return total


def _kl(q: NormalPosterior, before: NormalPosterior | None, deviation: float) -> Tensor:
    mean = torch.zeros_like(q.mean) if before is None else before.mean
    variance = q.log_scale.mul(2).exp()
    squared = (q.mean - mean).square() + variance
    if before is not None:
        squared = squared + before.log_scale.mul(2).exp()
    log_ratio = torch.log(constant(torch.as_tensor(deviation), q.mean)) - q.log_scale
    return (log_ratio + squared / (2 * deviation**2) - 0.5).sum()


def _posterior(likelihood: Likelihood) -> NormalPosterior:
    if not isinstance(likelihood.coefficients, NormalPosterior):
        raise ValueError("likelihoods: got one without a posterior, must have one; make them with bayesian_likelihood")
    return likelihood.coefficients
