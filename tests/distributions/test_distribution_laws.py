"""Laws of every distribution over group elements."""

import copy
import math
import pickle

import pytest
import torch

import learnsym as ls
from learnsym.distributions import (
    ComponentMixture,
    GroupCategorical,
    Haar,
    LearnableBox,
    LearnableCategorical,
    LearnableNormal,
    LieBox,
    ProductDistribution,
    Quadrature,
    WrappedNormal,
    midpoints,
)
from learnsym.groups import O2, SE2, SO2, SO3, Affine2, Colour, Cyclic, Dihedral, Join, Permutation, Scale2

DRAWS = 20_000


def t(*values):
    return torch.tensor(values, dtype=torch.float64)


def product():
    return ProductDistribution(LieBox(SO2(), t(0.5)), GroupCategorical(Dihedral(1), t(0.3, -0.4)))


CASES = {
    "box_so2": lambda: LieBox(SO2(), t(0.7)),
    "box_so2_full": lambda: LieBox(SO2(), t(math.pi)),
    "box_so2_batch": lambda: LieBox(SO2(), t(0.2, 0.7, 1.5)[:, None]),
    "box_se2": lambda: LieBox(SE2(), t(0.2, 0.3, 1.1)),
    "box_affine2": lambda: LieBox(Affine2(), t(0.1, 0.2, 0.5, 0.3, 0.2, 0.1)),
    "box_affine2_degenerate": lambda: LieBox(Affine2(), t(0.0, 0.2, 0.5, 0.0, 0.0, 0.1)),
    "box_so3": lambda: LieBox(SO3(), t(0.4, 0.9, 1.2)),
    "box_colour": lambda: LieBox(Colour(), t(0.2, 0.3)),
    "normal_so2": lambda: WrappedNormal(SO2(), t(0.4)),
    "normal_so2_wide": lambda: WrappedNormal(SO2(), t(2.5)),
    "normal_so2_batch": lambda: WrappedNormal(SO2(), t(0.05, 1.0)[:, None]),
    "normal_se2": lambda: WrappedNormal(SE2(), t(0.2, 0.3, 0.4)),
    "categorical_c4": lambda: GroupCategorical(Cyclic(4), t(1.0, 0.0, -1.0, 0.5)),
    "categorical_d4_batch": lambda: GroupCategorical(Dihedral(4), torch.randn(3, 8, dtype=torch.float64)),
    "categorical_s3": lambda: GroupCategorical(Permutation(3), torch.randn(6, dtype=torch.float64)),
    "components_o2": lambda: ComponentMixture(LieBox(O2(), t(0.6)), t(0.5, -0.5)),
    "components_joined": lambda: ComponentMixture(
        LieBox(Join(SE2(), Scale2(), Dihedral(1)), t(0.2, 0.3, 0.6, 0.4)), t(0.5, -0.5)
    ),
    "components_square": lambda: ComponentMixture(
        LieBox(Join(Scale2(), Dihedral(4)), t(0.3)), torch.linspace(-1, 1, 8, dtype=torch.float64)
    ),
    "haar_so2": lambda: Haar(SO2(), dtype=torch.float64),
    "haar_o2": lambda: Haar(O2(), (2,), dtype=torch.float64),
    "haar_d4": lambda: Haar(Dihedral(4), dtype=torch.float64),
    "haar_so3": lambda: Haar(SO3(), dtype=torch.float64),
    "haar_s9": lambda: Haar(Permutation(9), dtype=torch.float64),
    "product": product,
    "product_of_boxes": lambda: LieBox(ls.groups.Product(Affine2(), Colour()), t(*[0.1] * 8)),
}
COMPACT = [name for name, make in CASES.items() if make().group.is_compact]
DISCRETE = ["categorical_c4", "categorical_d4_batch", "categorical_s3", "haar_d4"]


def case(names=CASES):
    return pytest.mark.parametrize("name", list(names))


def draws(distribution, count=DRAWS):
    return distribution.rsample((count,)).detach()


@case()
def test_samples_are_elements_of_the_right_shape(name):
    distribution = CASES[name]()
    n = distribution.group.n
    g = distribution.rsample((5, 2))
    assert g.shape == (5, 2, *distribution.batch_shape, n, n)
    assert distribution().shape == (*distribution.batch_shape, n, n)
    assert g.dtype == torch.float64
    assert distribution.support.check(g).all()
    assert distribution.log_prob(g).shape == g.shape[:-2]
    assert distribution.log_prob(g).isfinite().all()


@case()
def test_expand_repeats_the_law(name):
    distribution = CASES[name]()
    wide = distribution.expand((4, *distribution.batch_shape))
    assert type(wide) is type(distribution)
    assert wide.batch_shape == (4, *distribution.batch_shape)
    g = wide.rsample((3,))
    torch.testing.assert_close(wide.log_prob(g), distribution.log_prob(g))
    torch.testing.assert_close(wide.entropy(), distribution.entropy().expand(wide.batch_shape))


@case()
def test_entropy_is_the_mean_of_minus_log_density(name):
    distribution = CASES[name]()
    log_density = distribution.log_prob(draws(distribution))
    error = 5 * log_density.std(0) / math.sqrt(DRAWS) + 2e-3
    assert ((-log_density.mean(0) - distribution.entropy()).abs() <= error).all()


@case(COMPACT)
def test_divergence_to_haar_is_the_mean_log_ratio(name):
    distribution = CASES[name]()
    g = draws(distribution, 4000)
    ratio = distribution.log_prob(g) - Haar(distribution.group, dtype=torch.float64).log_prob(g)
    error = 5 * ratio.std(0) / math.sqrt(len(g)) + 2e-3
    assert ((ratio.mean(0) - distribution.kl_to_haar()).abs() <= error).all()
    assert (distribution.kl_to_haar() >= -1e-3).all()


SEVERAL_COMPONENTS = ["components_joined", "components_square"]  # beyond the box that is the proposal


@case(
    [
        name
        for name in CASES
        if name not in (*DISCRETE, *SEVERAL_COMPONENTS, "product", "haar_s9", "box_affine2_degenerate")
    ]
)
def test_density_integrates_to_one(name):
    distribution = CASES[name]()
    group = distribution.group
    if group.is_compact:
        g = Haar(group, dtype=torch.float64).from_uniform(midpoints(4096, Haar(group).uniforms).double())
        log_proposal = Haar(group, dtype=torch.float64).log_prob(g)
    else:
        wide = distribution.widths() * (0.6 if isinstance(distribution, LieBox) else 1.5)
        proposal = LieBox(group, wide)
        g = proposal.from_uniform(midpoints(4096, group.dim).double())
        log_proposal = proposal.log_prob(g)
    log_density = distribution.log_prob(g.reshape(len(g), *[1] * len(distribution.batch_shape), group.n, group.n))
    log_proposal = log_proposal.reshape(len(g), *[1] * len(distribution.batch_shape))
    total = (log_density - log_proposal).exp().mean(0)
    torch.testing.assert_close(total, torch.ones_like(total), atol=0.06, rtol=0)


@case([*DISCRETE, "haar_d4"])
def test_probabilities_sum_to_one(name):
    distribution = CASES[name]()
    elements = distribution.group.elements(dtype=torch.float64)
    elements = elements.reshape(len(elements), *[1] * len(distribution.batch_shape), *elements.shape[1:])
    total = distribution.log_prob(elements).exp().sum(0)
    torch.testing.assert_close(total, torch.ones_like(total))


@case([name for name in CASES if name.startswith(("box", "normal")) or name == "product_of_boxes"])
def test_gradient_of_draws_is_that_of_finite_differences(name):
    distribution = CASES[name]()
    ((key, value),) = distribution.tensors().items()
    shape = (16, *distribution.batch_shape, distribution.uniforms)
    u = torch.rand(shape, dtype=torch.float64)
    weight = torch.randn(distribution.group.n, distribution.group.n, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda value: (distribution.replace({key: value}).from_uniform(u) * weight).sum((-1, -2)).square().mean(0),
        (value.clone().requires_grad_(),),
    )


@case(["categorical_c4", "categorical_d4_batch", "categorical_s3"])
def test_straight_through_gradient_is_exact_for_linear_functions(name):
    distribution = CASES[name]()
    logits = distribution.logits.clone().requires_grad_()
    elements = distribution.group.elements(dtype=torch.float64)
    weight = torch.randn_like(elements[0])
    exact = (logits.softmax(-1) * (elements * weight).sum((-1, -2))).sum()
    sampled = (distribution.replace({"logits": logits}).rsample((7,)) * weight).sum((-1, -2)).mean(0).sum()
    expected, got = (torch.autograd.grad(value, logits)[0] for value in (exact, sampled))
    torch.testing.assert_close(got, expected)


@case()
def test_copies_and_pickles(name):
    distribution = CASES[name]()
    g = distribution.rsample((3,))
    for twin in (copy.deepcopy(distribution), pickle.loads(pickle.dumps(distribution))):
        torch.testing.assert_close(twin.log_prob(g), distribution.log_prob(g))


@case()
def test_degrees_are_one_per_width(name):
    distribution = CASES[name]()
    if name == "haar_s9":
        return
    found = distribution.degrees("input", "fixed")
    components = 1 if name == "haar_o2" else 0
    assert len(found) == distribution.widths().shape[-1] + components
    assert all(degree.estimate >= 0 and degree.site == "input" for degree in found)


def test_regular_uniforms_give_stratified_elements():
    u = midpoints(8, 1).double()
    uniform = GroupCategorical(Cyclic(8), torch.zeros(8, dtype=torch.float64))
    g = uniform.from_uniform(u)
    assert len({uniform.group.component(one).item() for one in g}) == 8
    a = SO2().log(LieBox(SO2(), t(0.8)).from_uniform(u))[:, 0]
    torch.testing.assert_close(a.sort().values, 0.8 * (torch.arange(8) + 0.5).double() / 4 - 0.8)


@pytest.mark.parametrize("dim", [1, 2, 7])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_midpoints_are_centred(count, dim):
    points = midpoints(count, dim)
    torch.testing.assert_close(points.sort(0).values, ((torch.arange(count) + 0.5) / count)[:, None].expand(-1, dim))
    assert torch.equal(points, midpoints(count, dim))


def test_outside_of_the_support_the_density_is_zero():
    box = LieBox(SO2(), t(0.5))
    assert box.log_prob(SO2().exp(t(0.6))) == -math.inf
    assert LieBox(O2(), t(3.0)).log_prob(O2().components[1]) == -math.inf
    degenerate = CASES["box_affine2_degenerate"]()
    assert degenerate.log_prob(Affine2().exp(t(0.0, 0.1, 0.1, 0.05, 0.0, 0.0))) == -math.inf
    assert GroupCategorical(Cyclic(4), torch.zeros(4)).log_prob(SO2().exp(torch.tensor([0.3]))) == -math.inf
    assert ComponentMixture(LieBox(O2(), t(0.5)), t(0.0, 0.0)).log_prob(O2().exp(t(1.0))) == -math.inf


def test_box_on_the_whole_circle_is_haar():
    torch.testing.assert_close(LieBox(SO2(), t(math.pi)).kl_to_haar(), t(0.0)[0], atol=1e-6, rtol=0)
    both = ComponentMixture(LieBox(O2(), t(math.pi)), t(0.0, 0.0))
    torch.testing.assert_close(both.kl_to_haar(), t(0.0)[0], atol=1e-6, rtol=0)
    assert LieBox(SO2(), t(0.0)).kl_to_haar() == math.inf


def test_entropy_has_a_finite_gradient_where_a_generator_is_absent():
    h = t(0.0, 0.5, 0.5).requires_grad_()
    LieBox(SE2(), h).entropy().backward()
    torch.testing.assert_close(h.grad, t(0.0, 2.0, 2.0))


BAD = {
    "half_width": [
        lambda: LieBox(SO2(), t(-0.1)),
        lambda: LieBox(SO2(), t(math.nan)),
        lambda: LieBox(SO2(), t(0.1, 0.2)),
        lambda: LieBox(SO2(), t(4.0)),
        lambda: LieBox(SE2(), t(0.1, 0.1, 4.0)),
        lambda: LieBox(SO2(), t(math.inf)),
    ],
    "scale": [lambda value=value: WrappedNormal(SO2(), t(value)) for value in (0.0, -1.0, math.nan, math.inf)],
    "caps": [
        lambda: LearnableBox(SE2(), caps={"rotation": 4.0}),
        lambda: LearnableBox(SE2(), caps={"rotation": math.nan}),
        lambda: LearnableNormal(SE2(), caps={"rotation": -1.0}),
    ],
    "init": [lambda: LearnableBox(SO2(), math.nan), lambda: LearnableCategorical(Cyclic(4), math.nan)],
    "logits": [
        lambda: GroupCategorical(Cyclic(4), t(0.0, 0.0)),
        lambda: GroupCategorical(Cyclic(2), t(0.0, math.inf)),
        lambda: GroupCategorical(Cyclic(2), t(-math.inf, -math.inf)),
        lambda: ComponentMixture(LieBox(O2(), t(0.1)), t(0.0, math.nan)),
        lambda: ComponentMixture(LieBox(O2(), t(0.1)), t(0.0, math.inf)),
        lambda: ComponentMixture(LieBox(O2(), t(0.1)), t(0.0)),
    ],
    "group": [
        lambda: LieBox(Cyclic(4), t()),
        lambda: GroupCategorical(SO2(), t(0.0)),
        lambda: GroupCategorical(Permutation(9), torch.zeros(9)),
        lambda: Haar(SE2()),
        lambda: LieBox(SE2(), t(0.1, 0.1, 0.1)).kl_to_haar(),
    ],
    "count": [lambda: midpoints(0, 2), lambda: midpoints(10**9, 2)],
    "points": [lambda points=points: Quadrature.along(SO2(), "rotation", points) for points in (1, 10**9)],
    "degree": [lambda degree=degree: Quadrature.haar(SO3(), degree) for degree in (0, 10**6)],
}


@pytest.mark.parametrize(("argument", "make"), [(name, make) for name, makes in BAD.items() for make in makes])
def test_bad_input_is_named(argument, make):
    with pytest.raises(ValueError, match=f"^{argument}: "):
        make()
