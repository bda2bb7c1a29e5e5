"""Posteriors of degrees: priors with spikes at none and full, held-out likelihoods, NUTS and variational inference."""

from learnsym.posterior.axes import Axis, MixAxis, RangeAxis
from learnsym.posterior.degree_posterior import DegreePosterior
from learnsym.posterior.diagnostics import Diagnostics
from learnsym.posterior.infer import degree_posterior, posterior_of
from learnsym.posterior.laplace import LaplacePosterior, laplace_degrees, laplace_posterior
from learnsym.posterior.likelihood import DegreeLikelihood, HeldOutLikelihood, held_out_likelihood
from learnsym.posterior.of_outputs import LogLikelihood
from learnsym.posterior.prior import SpikedPrior
from learnsym.posterior.residual import residual_variances
from learnsym.posterior.seeds import degrees_over_seeds
from learnsym.posterior.softness import SoftnessPosterior, softness_posterior

__all__ = [
    "Axis",
    "DegreeLikelihood",
    "DegreePosterior",
    "Diagnostics",
    "HeldOutLikelihood",
    "LaplacePosterior",
    "LogLikelihood",
    "MixAxis",
    "RangeAxis",
    "SoftnessPosterior",
    "SpikedPrior",
    "degree_posterior",
    "degrees_over_seeds",
    "held_out_likelihood",
    "laplace_degrees",
    "laplace_posterior",
    "posterior_of",
    "residual_variances",
    "softness_posterior",
]
