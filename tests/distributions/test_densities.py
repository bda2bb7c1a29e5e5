"""Densities over every group: they integrate to one at the caps, their mean is the divergence, own draws are inside."""

import math

import pytest
import torch

from learnsym import groups
from learnsym.distributions import (
    ComponentMixture,
    GroupCategorical,
    Haar,
    LearnableNormal,
    LieBox,
    ProductDistribution,
    WrappedNormal,
    learnable,
    midpoints,
)

GROUPS = {name: make() for name, make in groups.registry.items()}
LIE = {name: group for name, group in GROUPS.items() if group.dim}
COMPACT = {name: group for name, group in LIE.items() if group.is_compact}
OPEN = {name: group for name, group in LIE.items() if not group.is_compact}
DTYPES = [torch.float64, torch.float32]
DRAWS = 1000
LAWS = {
    "box": lambda group, caps: LieBox(group, caps),
    "half box": lambda group, caps: LieBox(group, 0.5 * caps),
    "narrow normal": lambda group, caps: WrappedNormal(group, 0.3 * caps),
    "normal": lambda group, caps: WrappedNormal(group, 0.8 * caps),
    "wide normal": lambda group, caps: WrappedNormal(group, 1.5 * caps),
    "components": lambda group, caps: ComponentMixture(
        LieBox(group, caps), torch.linspace(0, 1, len(group.components), dtype=caps.dtype)
    ),
    "learnable": lambda group, caps: learnable(group, 0.9)().replace(
        {name: value.detach().to(caps) for name, value in learnable(group, 0.9)().tensors().items()}
    ),
    "learnable normal": lambda group, caps: WrappedNormal(group, LearnableNormal(group, caps / 2)().scale.detach()),
    "product": lambda group, caps: ProductDistribution(
        LieBox(group, caps), GroupCategorical(groups.Dihedral(1), torch.tensor([0.4, 0.0], dtype=caps.dtype))
    ),
}


def caps_of(group, dtype=torch.float64):
    return torch.tensor([min(g.cap, math.pi if g.unit == "degree" else 0.7) for g in group.generators], dtype=dtype)


def law_of(kind, group, dtype=torch.float64):
    if kind == "product" and (group.factors or group.order is not None):
        pytest.skip("a product of products")
    return LAWS[kind](group, caps_of(group, dtype))


def on(groups_by_name):
    return pytest.mark.parametrize("group", groups_by_name.values(), ids=groups_by_name.keys())


@on(LIE)
@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_own_draws_have_a_density(kind, group, dtype):
    law = law_of(kind, group, dtype)
    density = law.log_prob(law.rsample((DRAWS,)))
    assert density.isfinite().all() and density.dtype == law.reference.dtype


@on(COMPACT)
@pytest.mark.parametrize("kind", LAWS)
def test_densities_with_respect_to_haar_integrate_to_one(kind, group):
    law = law_of(kind, group)
    haar = Haar(law.group, dtype=torch.float64)
    g = haar.from_uniform(midpoints(4096, haar.uniforms).double())
    ratio = (law.log_prob(g) - haar.log_prob(g)).exp()
    assert abs(ratio.mean() - 1) <= 5 * ratio.std() / len(g) ** 0.5 + 0.01


@on(COMPACT)
@pytest.mark.parametrize("kind", LAWS)
def test_the_divergence_is_the_mean_log_density_with_respect_to_haar(kind, group):
    law = law_of(kind, group)
    g = law.rsample((DRAWS,))
    ratio = law.log_prob(g) - Haar(law.group, dtype=torch.float64).log_prob(g)
    assert law.kl_to_haar() >= 0
    assert abs(ratio.mean() - law.kl_to_haar()) <= 5 * ratio.std() / len(g) ** 0.5 + 0.02


@on(OPEN)
@pytest.mark.parametrize("kind", ["box", "wide normal"])
def test_densities_integrate_to_one_by_importance_sampling(kind, group):
    """Draws of a wide normal, whose own density sums over the same elements in another way, weigh the law."""
    law, proposal = law_of(kind, group), WrappedNormal(group, (1.0 if kind == "box" else 1.7) * caps_of(group))
    g = proposal.rsample((2 * DRAWS,))
    inside = group.log(g).isfinite().all(-1)
    weight = torch.where(inside, law.log_prob(g) - proposal.log_prob(g), -math.inf).exp()
    assert abs(weight.mean() - 1) <= 5 * weight.std() / len(g) ** 0.5 + 0.01


@on(LIE)
@pytest.mark.parametrize("kind", ["box", "wide normal"])
def test_the_entropy_is_the_mean_of_minus_the_log_density(kind, group):
    law = law_of(kind, group)
    log_density = law.log_prob(law.rsample((DRAWS,)))
    assert abs(log_density.mean() + law.entropy()) <= 5 * log_density.std() / DRAWS**0.5 + 0.02


@on(LIE)
@pytest.mark.parametrize("make", [LieBox, WrappedNormal])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_are_finite_at_the_caps(make, group, dtype):
    width = caps_of(group, dtype).requires_grad_()
    law = make(group, width)
    values = [law.entropy(), law.log_prob(law.rsample((200,))).mean()]
    values += [law.kl_to_haar()] if group.is_compact else []
    for value in values:
        assert value.isfinite()
        if value.requires_grad:
            assert torch.autograd.grad(value, width, retain_graph=True)[0].isfinite().all()


def test_a_box_of_rotations_at_its_caps_lies_a_quarter_nat_from_haar():
    """By quadrature over axes: the box meets itself where `(2π - θ)` about `-n` lies within it."""
    box = LieBox(groups.SO3(), torch.full((3,), math.pi, dtype=torch.float64))
    assert box.kl_to_haar() == pytest.approx(_divergence_on_a_grid(), abs=0.01)


def _divergence_on_a_grid(nodes=80):
    z = (torch.arange(nodes, dtype=torch.float64) + 0.5) / nodes * 2 - 1
    phi = (torch.arange(nodes, dtype=torch.float64) + 0.5) / nodes * 2 * math.pi
    z, phi = torch.meshgrid(z, phi, indexing="ij")
    largest = torch.stack([(1 - z * z).sqrt() * phi.cos(), (1 - z * z).sqrt() * phi.sin(), z]).abs().amax(0)
    theta = ((torch.arange(nodes, dtype=torch.float64) + 0.5) / nodes * math.pi)[:, None, None]
    haar = (1 - theta.cos()) / math.pi  # density of the angle
    flat = 4 * math.pi / (2 * math.pi) ** 3
    once = flat * theta**2 * (theta * largest <= math.pi)
    twice = flat * (2 * math.pi - theta) ** 2 * ((2 * math.pi - theta) * largest <= math.pi)
    density = once + twice
    return (torch.special.xlogy(density, density / haar).mean() * math.pi).item()


def test_a_box_of_a_turn_no_wider_than_half_of_one():
    with pytest.raises(ValueError, match=r"^half_width: .* orbit closes"):
        LieBox(groups.SE3(), torch.full((6,), 4.0))
