"""Steerable convolution: equivariant on the lattice, a plain function of its parameters, the whole kernel space."""

import copy
import itertools
import pickle

import pytest
import torch
from torch import nn

from learnsym import groups
from learnsym.equivariant import FeatureField, FieldType, SteerableConv
from learnsym.equivariant.steerable.scalar_basis import multiplets, positions
from learnsym.representations import Harmonics

FINITE = [*[groups.Cyclic(n) for n in (1, 2, 3, 4, 8)], *[groups.Dihedral(n) for n in (1, 2, 4, 8)]]
GROUPS = {str(group): group for group in [*FINITE, groups.SO2(), groups.O2(), groups.SO3(), groups.O3()]}


def lattice(group):
    """Elements of a group that map the pixel grid onto itself."""
    n = group.n
    signs = [torch.tensor(sign, dtype=torch.float64) for sign in itertools.product([1.0, -1.0], repeat=n)]
    moves = [
        torch.eye(n, dtype=torch.float64)[list(order)] * s for order in itertools.permutations(range(n)) for s in signs
    ]
    return [g for g in moves if bool(group.contains(g))][:20]


def types(group):
    image = FieldType.trivial(group, 2)
    fields = FieldType.all_irreps(group, 2, None if group.order else 2)
    return image, fields + FieldType.regular(group, 1) if group.order else fields


def images(field_type, size=7):
    return torch.randn(2, field_type.size, *[size] * field_type.group.n, dtype=torch.float64)


@pytest.fixture(params=GROUPS.values(), ids=GROUPS.keys())
def group(request):
    return request.param


def error(layer, x, group):
    before, after = FeatureField(layer.in_type), FeatureField(layer.out_type)
    y = layer(x)
    moved = [
        (layer(before(g.expand(2, -1, -1), x)) - after(g.expand(2, -1, -1), y)).abs().max() for g in lattice(group)
    ]
    return max(moved) / y.abs().max()


@pytest.mark.parametrize(
    "options", [{"padding": 1}, {"padding": 1, "padding_mode": "circular"}, {"stride": 2}, {"dilation": 2}]
)
def test_equivariant_on_the_lattice(group, options):
    image, fields = types(group)
    for source, target in ((image, fields), (fields, fields)):
        layer = SteerableConv(source, target, 3, **options).double()
        assert error(layer, images(source), group) <= 1e-10


def test_even_kernels_on_groups_of_even_order():
    group = groups.Dihedral(4)
    image, fields = types(group)
    assert error(SteerableConv(image, fields, 4, stride=2).double(), images(image, 8), group) <= 1e-10


def test_the_variance_is_kept(group):
    _, fields = types(group)
    layer = SteerableConv(fields, fields, 3, bias=False).double()
    y = layer(images(fields, 12))
    assert 0.4 < y.std() < 2.5


def test_plain_is_the_same_function(group):
    image, fields = types(group)
    layer = SteerableConv(image, fields, 3, padding=1, stride=2).double()
    for weight in layer.bias.weights.values():
        nn.init.normal_(weight)
    x = images(image)
    plain = layer.plain()
    torch.testing.assert_close(plain(x), layer(x))
    assert type(plain).__module__.startswith("torch.") and layer.exact() is layer


def test_gradients_reach_every_parameter(group):
    _, fields = types(group)
    layer = SteerableConv(fields, fields, 3).double()
    layer(images(fields)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in layer.parameters())


def test_a_function_of_its_parameters():
    image, fields = types(groups.Dihedral(4))
    layer, x = SteerableConv(image, fields, 3, padding=1).double(), images(image)
    parameters = dict(layer.named_parameters())

    def loss(p, one):
        return torch.func.functional_call(layer, p, (one[None],)).square().sum()

    per_example = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    assert all(per_example[name].shape == (2, *p.shape) for name, p in parameters.items())
    torch.testing.assert_close(torch.compile(layer, fullgraph=True, backend="eager")(x), layer(x))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(twin(x), layer(x))
    marks = {key for key in layer.state_dict() if key.endswith("_extra_state")}
    assert layer.train().state_dict().keys() == layer.eval().state_dict().keys() == parameters.keys() | marks
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.float()(x.float()).dtype == torch.bfloat16


def test_multiplets_turn_as_harmonics():
    for group in (groups.O2(), groups.O3()):
        for functions in multiplets(group, 5):
            rho = Harmonics(group, functions.degree)
            for g in lattice(group):
                u = positions(5, group.n)
                index = torch.cdist((u @ g.mT).flatten(0, -2), u.flatten(0, -2)).argmin(1)
                values = functions.values.flatten(2)
                torch.testing.assert_close(values[..., index], rho(g) @ values, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("message", "make"),
    [
        (
            "must be one group",
            lambda: SteerableConv(FieldType.trivial(groups.SO2(), 1), FieldType.trivial(groups.O2(), 1), 3),
        ),
        ("kernel_size: got 4, must be odd for C_3", lambda: SteerableConv(*types(groups.Cyclic(3)), 4)),
        ("band_limit: got 3, must be in 0 ... 2", lambda: SteerableConv(*types(groups.SO2()), 3, band_limit=3)),
        ("kernel_size: got 0", lambda: SteerableConv(*types(groups.SO2()), 0)),
        (
            "no kernel of 1 pixels",
            lambda: SteerableConv(FieldType.irreps(groups.SO2(), {1: 1}), FieldType.irreps(groups.SO2(), {2: 1}), 1),
        ),
        ("x: got 3 channels, must have the 2", lambda: SteerableConv(*types(groups.SO2()), 3)(torch.rand(1, 3, 5, 5))),
    ],
)
def test_bad_input_is_named(message, make):
    with pytest.raises(ValueError, match=message):
        make()
