"""Laws of invariant integration: invariance, gradients, its plain twin, and the definition as a slow loop."""

import copy
import math
import pickle

import jaxtyping
import pytest
import torch

import learnsym as ls
from learnsym import equivariant as eq
from learnsym.equivariant.integration.points import Neighbours, Points

C, D = ls.groups.Cyclic, ls.groups.Dihedral
LATTICE = [C(1), C(2), C(4), D(1), D(2), D(4)]
GROUPS = [*LATTICE, C(3), C(8), D(3), D(8)]
KERNELS = {
    "monomials": lambda t: eq.Monomials(t, count=4, factors=3, seed=1),
    "sums": lambda t: eq.WeightedSums(t, 6),
    "mlp": lambda t: eq.PointwiseMLP(t, 6, hidden=5),
}
every_kernel = pytest.mark.parametrize("kernel", KERNELS)


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def make(group, kernel, fields=2, **options):
    in_type = eq.FieldType.regular(group, fields)
    return eq.InvariantIntegration(KERNELS[kernel](in_type), **options), torch.randn(3, in_type.size, 6, 6)


def exact_elements(group):
    """Elements that move pixels onto pixels."""
    return [g for g in group.components if bool(D(4).contains(g))]


def invariance_error(layer, x, group):
    symmetry = ls.Symmetry(group, eq.FeatureField(layer.in_type), eq.FeatureField(layer.out_type))
    moved = [symmetry.on_input(g.expand(len(x), 2, 2).contiguous(), x) for g in exact_elements(group)]
    return max(float((layer(y) - layer(x)).detach().abs().max()) for y in moved)


@every_kernel
@pytest.mark.parametrize("group", GROUPS, ids=str)
@pytest.mark.parametrize("size", [5, 6])
def test_invariant_on_the_lattice(group, kernel, size):
    layer, x = make(group, kernel)
    assert invariance_error(layer, x[..., :size, :size], group) <= 1e-10


@every_kernel
def test_shifts_are_exact_with_a_circular_border(kernel):
    layer, x = make(D(4), kernel, padding_mode="circular")
    torch.testing.assert_close(layer(x.roll((2, -1), (-2, -1))), layer(x), atol=1e-12, rtol=0)


@every_kernel
def test_other_motions_are_told_apart(kernel):
    layer, x = make(C(4), kernel)
    assert float((layer(x.flip(-1)) - layer(x)).abs().max()) > 1e-6
    assert float((layer(x) - layer(x[..., torch.randperm(6)])).abs().max()) > 1e-6


@every_kernel
@pytest.mark.parametrize("group", [C(1), C(4), D(4), C(8)], ids=str)
@pytest.mark.parametrize("padding_mode", ["zeros", "circular"])
def test_plain_twin_computes_the_same(group, kernel, padding_mode):
    layer, x = make(group, kernel, padding_mode=padding_mode)
    for parameter in layer.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    plain = layer.plain()
    torch.testing.assert_close(plain(x), layer(x), atol=1e-10, rtol=1e-10)
    assert not [m for m in plain.modules() if type(m).__module__.startswith("learnsym")]
    torch.testing.assert_close(pickle.loads(pickle.dumps(plain))(x), layer(x), atol=1e-10, rtol=1e-10)


@every_kernel
def test_gradient_reaches_every_parameter(kernel):
    layer, x = make(D(4), kernel)
    layer(x).square().sum().backward()
    assert all(float(p.grad.abs().sum()) > 0 for p in layer.parameters())


@pytest.mark.parametrize("group", [C(4), D(2), C(8)], ids=str)
def test_neighbours_follow_their_definition(group):
    """`v[f, p, g](t) = x_f(t + g u_p, g h_p)`, by loops and a bilinear formula."""
    order = len(group.components)
    points = Points(((0, 0), (1, 0), (2, 1)), (0, order - 1, 1))
    x = torch.randn(1, 2, order, 5, 5)
    found, table = Neighbours(group, points)(x), ls.groups.cayley_table(group)
    for p, (u, h) in enumerate(zip(points.offsets, points.elements, strict=True)):
        for g in range(order):
            right, up = (group.components[g] @ torch.tensor(u, dtype=torch.float64)).tolist()
            for row in range(5):
                for column in range(5):
                    expected = bilinear(x[0, :, table[g, h]], row - up, column + right)
                    torch.testing.assert_close(found[0, :, p, g, row, column], expected)


def bilinear(image, row, column):
    """`Σ_pixels max(1 - |Δrow|, 0) max(1 - |Δcolumn|, 0) image`."""
    rows = (1 - (torch.arange(image.shape[-2]) - row).abs()).clamp(min=0)
    columns = (1 - (torch.arange(image.shape[-1]) - column).abs()).clamp(min=0)
    return torch.einsum("mhw,h,w->m", image, rows, columns)


def test_monomials_of_a_constant_map_are_geometric_means():
    in_type = eq.FieldType.regular(C(4), 1)
    layer = eq.InvariantIntegration(eq.Monomials(in_type, count=2, factors=3, radius=1), padding_mode="circular")
    torch.testing.assert_close(layer(torch.full((1, 4, 5, 5), 2.0)), torch.full((1, 2), 2.01))


def test_monomials_are_safe_at_zero_and_far_out():
    layer, _ = make(C(4), "monomials")
    for value in (-1.0, 0.0, 1e-30, 1e6):
        x = torch.full((1, 8, 6, 6), value, requires_grad=True)
        layer(x).sum().backward()
        assert bool(x.grad.isfinite().all()) and all(bool(p.grad.isfinite().all()) for p in layer.parameters())
    assert bool((layer.integrand.exponents() > 0).all())


def test_selected_monomials_are_the_same_monomials():
    in_type = eq.FieldType.regular(D(2), 3)
    kernel = eq.Monomials(in_type, count=5)
    kernel.raw_exponents.data += torch.randn(5, 3)
    x = torch.rand(2, in_type.size, 6, 6)
    all_of_them = eq.InvariantIntegration(kernel)(x).unflatten(1, (3, 5))
    few = eq.InvariantIntegration(kernel.selected([4, 1]))
    torch.testing.assert_close(few(x).unflatten(1, (3, 2)), all_of_them[:, :, [4, 1]])
    assert few.out_type.size == 6


@every_kernel
def test_contract(kernel, monkeypatch):
    layer, x = make(C(4), kernel)
    assert layer.exact() is layer
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(twin(x), layer(x))
    keys = list(layer.train().state_dict())
    assert keys == list(layer.eval().state_dict()) == [key for key, _ in layer.named_parameters()]
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), layer(x))
    parameters = dict(layer.named_parameters())

    def loss(values, one):
        return torch.func.functional_call(layer, values, (one[None],)).square().sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    together = torch.func.grad(lambda p: torch.func.functional_call(layer, p, (x,)).square().sum())(parameters)
    for name, gradient in together.items():
        torch.testing.assert_close(each[name].sum(0), gradient)
    _, tangent = torch.func.jvp(layer, (x,), (torch.ones_like(x),))
    numeric = (layer(x + 1e-6) - layer(x - 1e-6)) / 2e-6
    torch.testing.assert_close(tangent, numeric, atol=1e-5, rtol=1e-5)
    single = copy.deepcopy(layer).float()
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(single(x.float()).double(), layer(x), atol=0.1, rtol=0.1)
    torch.testing.assert_close(single.double()(x), layer(x), atol=1e-6, rtol=1e-6)


BAD = {
    "in_type": lambda: eq.WeightedSums(eq.FieldType.trivial(C(4), 2), 3),
    "features": lambda: eq.WeightedSums(eq.FieldType.regular(C(4), 2), 0),
    "hidden": lambda: eq.PointwiseMLP(eq.FieldType.regular(C(4), 2), 3, hidden=0),
    "factors": lambda: eq.Monomials(eq.FieldType.regular(C(1), 2), factors=99, radius=1),
    "epsilon": lambda: eq.Monomials(eq.FieldType.regular(C(1), 2), epsilon=math.nan),
    "kept": lambda: eq.Monomials(eq.FieldType.regular(C(1), 2)).selected([8]),
    "padding_mode": lambda: make(C(4), "sums", padding_mode="mirror"),
    "x: got": lambda: make(C(4), "sums")[0](torch.zeros(1, 3, 6, 6)),
    "elements": lambda: Points(((0, 0),), ()),
    "points": lambda: Neighbours(C(4), Points(((0, 0),), (4,))),
    "FieldType.regular": lambda: eq.WeightedSums(eq.FieldType.irreps(ls.groups.SO2(), {0: 1}), 3),
}


@pytest.mark.parametrize("word", BAD)
def test_bad_input_is_named(word):
    with pytest.raises(ValueError, match=word):
        BAD[word]()
