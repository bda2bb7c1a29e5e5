"""Laws of probabilistic steerable convolutions: the ends of the line, subgroups, twins, certificates, torch habits."""

import copy
import itertools
import pickle

import jaxtyping
import pytest
import torch

import learnsym as ls
from learnsym import equivariant as E
from learnsym import groups as G
from learnsym.relax import Likelihood, ProbabilisticSteerableConv, certificates, exact_twin, plain_twin
from learnsym.relax.deviation import flattened, kernel_columns
from learnsym.representations import Irrep
from tests.reference.averaged_kernel import averaged_kernel

PLANE = [G.Cyclic(1), G.Cyclic(4), G.Cyclic(3), G.Dihedral(1), G.Dihedral(4), G.SO2(), G.O2()]
GROUPS = [*PLANE, G.SO3(), G.O3()]
LOW = -40.0


def types(group):
    band_limit = None if group.order else 1
    return E.FieldType.trivial(group, 2), E.FieldType.all_irreps(group, 2, band_limit)


def layer(group, *, into=None, likelihood=None, **options):
    image, fields = types(group)
    likelihood = likelihood or Likelihood(group, 1 if group.space == "space" else None)
    return ProbabilisticSteerableConv(image, into or fields, 3, padding=1, likelihood=likelihood, **options).double()


def random_likelihood(group, scale=0.5):
    likelihood = Likelihood(group, 1 if group.space == "space" else None).double()
    for parameter in likelihood.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    return likelihood


def examples(group, batch=2, size=7):
    return torch.randn(batch, 2, *[size] * (3 if group.space == "space" else 2), dtype=torch.float64)


def lattice(group):
    if group.space == "plane":
        found = [*G.Dihedral(4).components.double()]
    else:
        signs = itertools.product([1.0, -1.0], repeat=3)
        eye = torch.eye(3, dtype=torch.float64)
        found = [eye[list(p)] * torch.tensor(s)[:, None] for s in signs for p in itertools.permutations(range(3))]
    return [g for g in found if bool(group.contains(g))]


def error(conv, elements, x):
    """The largest equivariance error over elements that keep the pixel grid."""
    y, worst = conv(x), 0.0
    symmetry = ls.Symmetry(conv.in_type.group, E.FeatureField(conv.in_type), E.FeatureField(conv.out_type))
    for element in elements:
        g = element.to(x).expand(len(x), *element.shape).contiguous()
        worst = max(worst, (conv(symmetry.on_input(g, x)) - symmetry.on_output(g, y)).abs().max().item())
    return worst


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_uniform_likelihood_is_the_exact_layer(group):
    conv, x = layer(group), examples(group)
    assert (conv(x) - conv.exact()(x)).abs().max() <= 1e-10
    assert error(conv, lattice(group), x) <= 1e-10
    assert conv.distance() <= 1e-10


@pytest.mark.parametrize("group", GROUPS[1:], ids=str)
def test_the_usual_band_limit_trains(group):
    conv = layer(group, likelihood=Likelihood(group))
    x = examples(group, size=5)
    conv(x).square().mean().backward()
    assert conv(x).isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in conv.parameters())


@pytest.mark.parametrize("group", GROUPS[1:], ids=str)
def test_other_likelihoods_break_the_symmetry(group):
    conv, x = layer(group, likelihood=random_likelihood(group)), examples(group)
    exact = conv.exact()
    assert error(exact, lattice(group), x) <= 1e-10
    assert conv.distance() > 1e-3
    if len(lattice(group)) > 1:
        assert error(conv, lattice(group), x) > 1e-3


@pytest.mark.parametrize(
    ("group", "subgroup"),
    [(G.Dihedral(4), G.Cyclic(4)), (G.Dihedral(4), G.Dihedral(1)), (G.Cyclic(4), G.Cyclic(2)), (G.O2(), G.SO2())],
    ids=str,
)
def test_uniform_on_a_subgroup_is_equivariant_to_it_alone(group, subgroup):
    likelihood = Likelihood(group).double()
    likelihood.assign(torch.where(subgroup.contains(likelihood.elements()), 0.0, LOW).double())
    conv, x = layer(group, likelihood=likelihood), examples(group)
    inside = [g for g in lattice(group) if bool(subgroup.contains(g))]
    assert error(conv, inside, x) <= 1e-10
    assert error(conv, lattice(group), x) > 1e-2


@pytest.mark.parametrize("group", [G.Cyclic(4), G.Dihedral(2), G.SO2()], ids=str)
def test_the_identity_alone_frees_every_kernel(group):
    """All columns together span all kernels of rings times harmonics."""
    source = target = Irrep(group, 1)
    irreps = tuple(ls.representations.irreps(group, None if group.order else 6))
    columns = flattened(kernel_columns(source, target, 3, None, irreps)).flatten(1)
    scalars = torch.cat([m.values.flatten(0, 1) for m in E.steerable.scalar_basis.multiplets(group, 3)]).flatten(1)
    assert torch.linalg.matrix_rank(columns) == source.size * target.size * torch.linalg.matrix_rank(scalars)
    if group.order is None:
        return
    likelihood = Likelihood(group).double()
    likelihood.assign(torch.where(torch.arange(group.order) == 0, 0.0, LOW).double())
    for irrep, matrix in zip(likelihood.irreps, likelihood.fourier(), strict=True):
        torch.testing.assert_close(matrix, torch.eye(irrep.size, dtype=torch.float64))


@pytest.mark.parametrize("group", [G.Cyclic(4), G.Dihedral(4), G.SO2(), G.O2()], ids=str)
def test_kernel_is_the_average_of_a_free_kernel(group):
    """Against the slow twin: the kernel with the identity's matrices, averaged element by element."""
    likelihood = random_likelihood(group)
    if group.order is None:
        likelihood = Likelihood(group, 1, band_limit_out=6).double()
        torch.nn.init.normal_(likelihood.coefficients.values)
    source, target = Irrep(group, 1), Irrep(group, 1)
    found = kernel_columns(source, target, 3, None, likelihood.irreps)
    functions = E.steerable.scalar_basis.multiplets(group, 3)
    tensors = [torch.randn(len(m.values), 2, 2, m.values.shape[1], dtype=torch.float64) for m in functions]
    identity = torch.eye(2, dtype=torch.float64)[None]
    free = averaged_kernel(source, target, 3, tensors, identity, torch.ones(1, dtype=torch.float64))
    stacked = flattened(found).flatten(1)
    weights = torch.linalg.lstsq(stacked.mT, free.flatten()[:, None], driver="gelsd").solution[:, 0]
    torch.testing.assert_close(weights @ stacked, free.flatten())
    start, kernel = 0, 0
    for kernels, matrix in zip(found, likelihood.fourier(), strict=True):
        count = kernels.shape[0] * kernels.shape[1]
        block = weights[start : start + count].unflatten(0, kernels.shape[:2])
        kernel = kernel + torch.einsum("pq,mq,mp...->...", matrix, block, kernels)
        start += count
    expected = averaged_kernel(source, target, 3, tensors, likelihood.elements(), likelihood.masses())
    torch.testing.assert_close(kernel, expected)


@pytest.mark.parametrize("group", [G.Cyclic(4), G.Dihedral(4), G.SO2(), G.O2(), G.SO3()], ids=str)
def test_certificate_bounds_the_error(group):
    """h·k_λ - k_λ has the coefficients (ψ(h) - 1) λ̂(ψ) w."""
    conv = layer(group, likelihood=random_likelihood(group))
    elements = conv.streams()[0].elements()
    bounds = conv.certificate(elements)
    identity = (elements - torch.eye(group.n)).abs().amax((1, 2)) < 1e-9
    assert bounds[identity].abs().sum() < 1e-9
    fourier = conv.streams()[0].fourier()[1:]
    step = 1 if group.space == "plane" else 20
    for h, bound in list(zip(elements, bounds, strict=True))[::step]:
        moved = [irrep(h[None])[0] @ m - m for irrep, m in zip(conv.deviation.irreps, fourier, strict=True)]
        norm = conv.deviation.square_norms([moved] * len(conv.out_type.parts)).sum().sqrt()
        slack = 1e-9 if group.space == "plane" else 0.02  # elements of the sphere's rule do not form a group
        assert norm / conv.square_norm().sqrt() <= bound + slack
    (report,) = certificates(torch.nn.Sequential(conv))
    assert report.site == "layer:0"
    assert report.bound == pytest.approx(bounds.max().item())


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_twins_compute_what_they_say(group):
    net = torch.nn.Sequential(layer(group, likelihood=random_likelihood(group)))
    x = examples(group)
    torch.testing.assert_close(plain_twin(net)(x), net(x))
    assert error(exact_twin(net)[0], lattice(group), x) <= 1e-10
    assert not any("learnsym" in type(module).__module__ for module in plain_twin(net).modules())


def test_streams_have_degrees_of_their_own():
    group = G.Dihedral(4)
    out = E.FieldType.regular(group, 1) + E.FieldType.trivial(group, 2)
    likelihoods = [Likelihood(group).double(), random_likelihood(group)]
    conv = layer(group, into=out, likelihood=likelihoods)
    deviation = (conv.kernel() - conv.invariant.kernel()).abs().amax((1, 2, 3))
    assert deviation[:8].max() <= 1e-12
    assert deviation[8:].min() > 1e-4
    assert len(conv.streams()) == 2
    assert len(conv.degrees("layer:0")) == 6
    assert conv.certificate(group.components.double()).max() > 0


def test_a_shared_likelihood_is_one_and_separate_layers_share_nothing():
    group = G.Cyclic(4)
    shared = Likelihood(group)
    one, two, three = layer(group, likelihood=shared), layer(group, likelihood=shared), layer(group)
    assert one.streams()[0] is two.streams()[0]
    assert three.streams()[0] is not one.streams()[0]
    assert layer(group).streams()[0] is not three.streams()[0]


@pytest.mark.parametrize("group", GROUPS[1:], ids=str)
def test_gradient_of_the_task_reaches_every_parameter(group):
    conv, x = layer(group, likelihood=random_likelihood(group)), examples(group)
    conv(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in conv.parameters() if p.numel())


def test_a_uniform_likelihood_has_a_gradient_too():
    conv = layer(G.O2())
    conv(examples(G.O2())).square().sum().backward()
    assert conv.streams()[0].coefficients.values.grad.abs().max() > 0


def test_weights_are_at_most_twice_those_of_the_exact_twin():
    group = G.SO2()
    fields = E.FieldType.all_irreps(group, 16, 2)
    conv = ProbabilisticSteerableConv(fields, fields, 5)
    relaxed, exact = (sum(p.numel() for p in module.parameters()) for module in (conv, conv.exact()))
    assert 1.5 * exact < relaxed <= 2 * exact


def test_functional_transforms_agree():
    group = G.O2()
    conv, x = layer(group, likelihood=random_likelihood(group)), examples(group, batch=3)
    state = dict(conv.named_parameters())
    call = torch.func.functional_call

    def loss(state, x):
        return call(conv, state, (x[None],)).square().sum()

    per_sample = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(state, x)
    conv(x).square().sum().backward()
    for name, parameter in conv.named_parameters():
        torch.testing.assert_close(per_sample[name].sum(0), parameter.grad)
    tangent = {name: torch.randn_like(value) for name, value in state.items()}
    _, change = torch.func.jvp(lambda s: call(conv, s, (x,)).square().sum(), (state,), (tangent,))
    expected = sum((state[name].grad * tangent[name]).sum() for name in state)
    torch.testing.assert_close(change, expected)


def test_habits_of_torch(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    group = G.SO2()
    conv, x = layer(group, likelihood=random_likelihood(group)), examples(group)
    y = conv(x)
    compiled = torch.compile(conv, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), y)
    torch.testing.assert_close(copy.deepcopy(conv)(x), y)
    torch.testing.assert_close(pickle.loads(pickle.dumps(conv))(x), y)
    other = layer(group)
    other.load_state_dict(conv.state_dict())
    torch.testing.assert_close(other(x), y)
    assert list(conv.train().state_dict()) == list(conv.eval().state_dict())
    single = copy.deepcopy(conv).float()
    torch.testing.assert_close(single(x.float()).double(), y, atol=1e-4, rtol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        assert (single(x.float()).float() - y).abs().max() < 0.1 * y.abs().max()


def test_bad_input():
    group = G.Cyclic(4)
    fields = E.FieldType.regular(group, 2)
    with pytest.raises(ValueError, match="out_type: got fields of C_2"):
        ProbabilisticSteerableConv(fields, E.FieldType.regular(G.Cyclic(2), 2), 3)
    with pytest.raises(ValueError, match="likelihood: got one over SO\\(2\\), must be over C_4"):
        ProbabilisticSteerableConv(fields, fields, 3, likelihood=Likelihood(G.SO2()))
    with pytest.raises(ValueError, match="likelihood: got 2, must be 1"):
        ProbabilisticSteerableConv(fields, fields, 3, likelihood=[Likelihood(group), Likelihood(group)])
    with pytest.raises(ValueError, match="rank: got 0"):
        ProbabilisticSteerableConv(fields, fields, 3, rank=0)
    with pytest.raises(ValueError, match="band_limit: got 9, must be in 0"):
        ProbabilisticSteerableConv(fields, fields, 3, band_limit=9)
    with pytest.raises(ValueError, match="x: got 3 channels"):
        ProbabilisticSteerableConv(fields, fields, 3)(torch.rand(1, 3, 5, 5))
    two = E.FieldType.regular(group, 1) + E.FieldType.regular(group, 1)
    uneven = [Likelihood(group, band_limit_out=1), Likelihood(group)]
    with pytest.raises(ValueError, match="band_limit_out=2 and 1"):
        ProbabilisticSteerableConv(fields, two, 3, likelihood=uneven)


@pytest.mark.parametrize("group", [G.Cyclic(1), G.Cyclic(4), G.O2()], ids=str)
def test_penalty_is_the_prior_of_the_initial_weights_whatever_the_likelihood(group):
    conv = layer(group, likelihood=random_likelihood(group))
    expected = torch.zeros((), dtype=torch.float64)
    parts = len(conv.in_type.parts)
    for o in range(len(conv.out_type.parts)):
        row = [weight for name, weight in conv.invariant.weights.items() if name.startswith(f"{o}-")]
        expected = expected + sum(0.5 * w.square().sum() * len(row) * w.shape[1] * w.shape[2] for w in row)
    if conv.deviation is not None:
        for name, block in conv.deviation._smoothed(conv.deviation.free()).items():
            weights = conv.deviation.pairs[name] @ block
            expected = expected + 0.5 * weights.square().sum() * parts * weights.shape[1] * weights.shape[2]
    torch.testing.assert_close(conv.penalty(), expected)
    (gradient,) = torch.autograd.grad(conv.penalty(), [conv.streams()[0].coefficients.values], allow_unused=True)
    assert gradient is None
