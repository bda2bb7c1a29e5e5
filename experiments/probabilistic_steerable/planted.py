"""Planted kernels: one convolution of O(2) fields learns from one whose free kernel was averaged over a subgroup."""

import torch
from torch import Tensor
from torch.nn import functional as F

from learnsym.equivariant import FieldType
from learnsym.groups import O2, Dihedral, Group
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
    fit(student, x, y + deviation * torch.randn_like(y), float(deviation))
    masses = cell_masses(student.streams()[0], CELLS).detach().double()
    return masses, float(0.5 * (masses - planted_masses(subgroup, CELLS)).abs().sum())


def fit(student: ProbabilisticSteerableConv, x: Tensor, y: Tensor, deviation: float) -> None:
    """The mode of the posterior: likelihood of the data, prior of the free kernel, KL to uniform, alignment."""
    likelihood = student.streams()[0]
    peaked(likelihood, 8.0)
    known = {id(parameter) for parameter in likelihood.parameters()}
    weights = [parameter for parameter in student.parameters() if id(parameter) not in known]
    optimiser = torch.optim.Adam([{"params": weights}, {"params": likelihood.parameters()}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [0.01, 0.3], total_steps=STEPS)
    for _ in range(STEPS):
        chosen = torch.randint(len(x), (BATCH,))
        task = (student(x[chosen]) - y[chosen]).square().sum() / (2 * BATCH * deviation**2)
        prior = (4 * student.penalty() + 2 * likelihood.kl_to_uniform()) / len(x)
        optimiser.zero_grad()
        (task + prior + 5 * likelihood.alignment()).backward()
        optimiser.step()
        schedule.step()
