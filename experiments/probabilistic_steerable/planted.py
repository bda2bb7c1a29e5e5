"""Planted kernels: one convolution of O(2) fields learns from one whose free kernel was averaged over a subgroup."""

import torch
from torch import Tensor
from torch.nn import functional as F

import learnsym as ls
from learnsym.equivariant import FieldType
from learnsym.groups import O2, Dihedral, Group
from learnsym.objectives.terms import Alignment, DivergenceAlongDepth, Prior
from learnsym.relax import Likelihood, ProbabilisticSteerableConv, cell_masses, peaked, planted_masses

CELLS = Dihedral(8)
BAND_LIMIT, RANK, SIZE = 4, 64, 5
EXAMPLES, STEPS, BATCH, NOISE = 2000, 900, 128, 0.1


def layer() -> ProbabilisticSteerableConv:
    """Scalars, vectors and frequency 2, with weights of full rank."""
    fields = FieldType.irreps(O2(), {0: 2, 1: 2, 2: 1})
    likelihood = Likelihood(O2(), BAND_LIMIT, band_limit_out=BAND_LIMIT)
    return ProbabilisticSteerableConv(fields, fields, SIZE, likelihood=likelihood, rank=RANK)


def averaged_kernel(conv: ProbabilisticSteerableConv, subgroup: Group) -> Tensor:
    """The kernel of random weights with the exact Fourier matrices of a subgroup."""
    assert conv.deviation is not None
    elements = conv.streams()[0].elements() if subgroup.order is None else subgroup.components
    inside = elements[subgroup.contains(elements.double())].float()
    matrices = [irrep(inside).mean(0) for irrep in conv.deviation.irreps]
    with torch.no_grad():
        return conv.invariant.kernel() + conv.deviation([matrices] * len(conv.out_type.parts))


def recovered(subgroup: Group, seed: int) -> tuple[Tensor, float]:
    """Probabilities of the cells after training, and their total variation to the planted subgroup."""
    torch.manual_seed(seed)
    teacher, student = layer(), layer()
    x = torch.randn(EXAMPLES, teacher.in_type.size, SIZE, SIZE)
    y = F.conv2d(x, averaged_kernel(teacher, subgroup))
    deviation = NOISE * y.std()
    fit(student, x, y + deviation * torch.randn_like(y), float(deviation), seed)
    masses = cell_masses(student.streams()[0], CELLS).detach().double()
    return masses, float(0.5 * (masses - planted_masses(subgroup, CELLS)).abs().sum())


def fit(student: ProbabilisticSteerableConv, x: Tensor, y: Tensor, deviation: float, seed: int) -> None:
    """The mode of the posterior: likelihood of the data, prior of the free kernel, KL to uniform, alignment."""
    peaked(student.streams()[0], 8.0)
    terms = [Prior(len(x), 4.0), DivergenceAlongDepth(0.0, 2 / len(x)), Alignment(5.0)]
    objective = ls.objectives.Regularised(ls.objectives.Supervised(Gaussian(deviation)), terms)
    optimiser = ls.training.OptimiserConfig(lr=0.01, symmetry_lr=0.3, weight_decay=0.0, warmup=3 * STEPS // 10)
    batches = ls.data.Batches(ls.data.Dataset(x, y), BATCH, seed)
    ls.training.fit(student, objective, batches, steps=STEPS, optimiser=optimiser, seed=seed)


class Gaussian:
    """The negative log likelihood of noise of a known deviation, per example and up to a constant."""

    def __init__(self, deviation: float) -> None:
        self.deviation = deviation

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().sum() / (2 * len(outputs) * self.deviation**2)
