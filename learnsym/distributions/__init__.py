"""Distributions over group elements: box, normal, categorical, Haar, products; fixed or learnable."""

from learnsym.distributions._distribution import GroupDistribution, LearnableDistribution
from learnsym.distributions._precision import full_precision
from learnsym.distributions.box import LieBox
from learnsym.distributions.categorical import GroupCategorical
from learnsym.distributions.components import ComponentMixture
from learnsym.distributions.fixed import Fixed
from learnsym.distributions.haar import Haar
from learnsym.distributions.learnable import LearnableBox, LearnableNormal
from learnsym.distributions.learnable_elements import LearnableCategorical, LearnableComponents, learnable
from learnsym.distributions.noise import part_of_batch, uniform_noise
from learnsym.distributions.normal import WrappedNormal
from learnsym.distributions.product import LearnableProduct, ProductDistribution
from learnsym.distributions.quadrature import Quadrature
from learnsym.distributions.sobol import midpoints

__all__ = [
    "ComponentMixture",
    "Fixed",
    "GroupCategorical",
    "GroupDistribution",
    "Haar",
    "LearnableBox",
    "LearnableCategorical",
    "LearnableComponents",
    "LearnableDistribution",
    "LearnableNormal",
    "LearnableProduct",
    "LieBox",
    "ProductDistribution",
    "Quadrature",
    "WrappedNormal",
    "full_precision",
    "learnable",
    "midpoints",
    "part_of_batch",
    "uniform_noise",
]
