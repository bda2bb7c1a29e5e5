"""Modules of fields commute with every group, at every lattice element, and are ordinary modules of torch."""

import copy
import io
import itertools
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import (
    AveragePool,
    FeatureField,
    FieldBatchNorm,
    FieldType,
    FourierNonlinearity,
    Gated,
    GlobalAveragePool,
    InvariantPool,
    NormNonlinearity,
    Pointwise,
    Restrict,
    Sequential,
    SteerableConv,
)
from learnsym.groups import O2, O3, SO2, SO3, Cyclic, Dihedral
from learnsym.relax import plain_twin
from learnsym.training import global_batch_norm as global_norm

FINITE = [Cyclic(1), Cyclic(4), Cyclic(8), Dihedral(1), Dihedral(4), Dihedral(8)]
GROUPS = [*FINITE, Cyclic(3), SO2(), O2(), SO3(), O3()]
MODULES = ["batch norm", "gated", "norm", "fourier", "invariants", "average pool", "global pool", "pointwise"]


def fields(group):
    mixed = FieldType.all_irreps(group, 2, None if group.order else 2)
    return mixed + FieldType.regular(group, 1) if group.order else mixed


def build(name, group):
    mixed = fields(group)
    permuted = FieldType.regular(group, 2) if group.order else FieldType.trivial(group, 2)
    made = {
        "batch norm": lambda: FieldBatchNorm(mixed),
        "gated": lambda: Gated(mixed),
        "norm": lambda: NormNonlinearity(mixed),
        "fourier": lambda: FourierNonlinearity(group, 2, None if group.order else 2),
        "invariants": lambda: InvariantPool(mixed),
        "average pool": lambda: AveragePool(mixed),
        "global pool": lambda: GlobalAveragePool(mixed),
        "pointwise": lambda: Pointwise(permuted, nn.ELU()),
    }
    return made[name]()


def lattice(group):
    """All elements of a group that map pixels onto pixels."""
    dim = 3 if group.space == "space" else 2
    signs = itertools.product((1.0, -1.0), repeat=dim)
    signed = [
        torch.eye(dim, dtype=torch.float64)[list(order)] * torch.tensor(sign, dtype=torch.float64)
        for sign in signs
        for order in itertools.permutations(range(dim))
    ]
    return [g for g in signed if bool(group.contains(g))]


def sample(in_type, count=2, size=5):
    return torch.randn(count, in_type.size, *[size] * (3 if in_type.group.space == "space" else 2)).double()


def error(module, x):
    """Over all lattice elements, as one batch."""
    symmetry = ls.Symmetry(module.in_type.group, FeatureField(module.in_type), FeatureField(module.out_type))
    elements = lattice(module.in_type.group)
    g = torch.stack(elements).repeat_interleave(len(x), 0)
    copies, y = (z.repeat(len(elements), *[1] * (z.ndim - 1)) for z in (x, module(x)))
    return (module(symmetry.on_input(g, copies)) - symmetry.on_output(g, y)).abs().max().item()


def perturbed(module):
    """With weights and statistics unlike those of the start."""
    with torch.no_grad():
        for tensor in [*module.parameters(), *(b for name, b in module.named_buffers() if "running" in name)]:
            tensor.add_(torch.rand_like(tensor))
    return module


@pytest.mark.parametrize("group", GROUPS, ids=str)
@pytest.mark.parametrize("name", MODULES)
def test_commutes_with_every_lattice_element(name, group):
    module = perturbed(build(name, group).double())
    x = sample(module.in_type)
    assert error(module.train(), x) < 1e-10
    assert error(module.eval(), x) < 1e-10


@pytest.mark.parametrize("group", [Dihedral(4), SO2(), SO3()], ids=str)
@pytest.mark.parametrize("name", MODULES)
def test_is_an_ordinary_module(name, group):
    module = perturbed(build(name, group))
    x = sample(module.in_type).float()
    module(x)
    trained, evaluated = set(module.state_dict()), module.eval()
    assert trained == set(evaluated.state_dict())
    y = module(x)
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(copied(x), y)
    stored = io.BytesIO()
    torch.save(module.state_dict(), stored)
    stored.seek(0)
    fresh = build(name, group).eval()
    fresh.load_state_dict(torch.load(stored))
    assert torch.equal(fresh(x), y)
    torch.testing.assert_close(plain_twin(module)(x), y)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(module(x).float(), y, atol=0.1, rtol=0.1)


@pytest.mark.parametrize("group", [Dihedral(4), O2(), SO3()], ids=str)
@pytest.mark.parametrize("name", MODULES)
def test_function_transforms(name, group):
    module = perturbed(build(name, group)).double().eval()
    x, weights = sample(module.in_type), dict(module.named_parameters())

    def loss(weights, x):
        return torch.func.functional_call(module, weights, (x[None],)).square().mean()

    values, (of_weights, of_x) = torch.func.vmap(
        lambda one: (loss(weights, one), torch.func.grad(loss, (0, 1))(weights, one))
    )(x)
    assert values.shape == (2,) and of_x.shape == x.shape
    assert all(bool(gradient.abs().sum() > 0) for gradient in of_weights.values())
    y, dy = torch.func.jvp(module, (x,), (torch.ones_like(x),))
    assert dy.shape == y.shape


# each module, and a finite, a planar and a spatial group in turn
@pytest.mark.parametrize(("name", "group"), list(zip(MODULES, itertools.cycle([Dihedral(4), O2(), SO3()]))), ids=str)
def test_compiles_to_one_graph(name, group):
    module = perturbed(build(name, group)).double().eval()
    x = sample(module.in_type)
    torch.testing.assert_close(torch.compile(module, fullgraph=True, backend="eager")(x), module(x))


@pytest.mark.parametrize("group", [Cyclic(4), SO2(), O3()], ids=str)
def test_batch_norm_gives_unit_fields_and_follows_them(group):
    norm = FieldBatchNorm(fields(group), momentum=1.0).double()
    x = 3 * sample(norm.in_type, 64)
    y = norm(x)
    for _, count, channels in norm.in_type.sections():
        rms = y[:, channels].unflatten(1, (count, -1)).square().flatten(2).mean((0, 2))
        torch.testing.assert_close(rms, torch.ones_like(rms), rtol=1e-3, atol=0)
    torch.testing.assert_close(norm.eval()(x), y, rtol=1e-3, atol=1e-3)
    assert norm(x.flatten(2).mean(2)).shape == x.shape[:2]


def test_batch_norm_takes_statistics_over_all_processes(monkeypatch):
    """With the same examples in both of two processes they are those of one."""
    norm = FieldBatchNorm(fields(SO2()))
    x, reduced = sample(norm.in_type, 4).float(), []
    whole = copy.deepcopy(norm)(x)
    monkeypatch.setattr(global_norm.distributed, "world", lambda: 2)
    monkeypatch.setattr(global_norm, "all_reduce", lambda part: reduced.append(part) or 2 * part)
    with global_norm.global_batch_norm(norm):
        torch.testing.assert_close(norm(x), whole)
    assert len(reduced) == 4  # mean and variance of scalars, mean square of two others
    assert not any("mean_square" in vars(part) for part in norm.parts)


def test_batch_norm_is_found_by_synchronisation():
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(FieldBatchNorm(FieldType.regular(Cyclic(4), 2)))
    assert any(isinstance(module, nn.SyncBatchNorm) for module in converted.modules())


@pytest.mark.parametrize("group", [SO2(), O2(), SO3(), O3()], ids=str)
def test_fourier_error_falls_with_the_grid(group):
    element, errors = group.haar(2, dtype=torch.float64), []
    for points in (3, 10):
        module = FourierNonlinearity(group, 4, 2, points=points).double()
        x = torch.randn(2, module.in_type.size).double()
        moved = module(module.in_type.mix(element, x)) - module.out_type.mix(element, module(x))
        errors.append(moved.norm().item() / module(x).norm().item())
    assert errors[1] < 0.5 * errors[0] < 0.15


@pytest.mark.parametrize("group", [Cyclic(8), Dihedral(4), SO2(), SO3()], ids=str)
def test_fourier_of_the_identity_is_the_identity(group):
    module = FourierNonlinearity(group, 2, None if group.order else 2, activation=nn.Identity()).double()
    x = sample(module.in_type)
    torch.testing.assert_close(module(x), x)


def test_average_pool_breaks_where_the_size_says_so():
    pool = AveragePool(FieldType.trivial(Cyclic(4), 1)).double()
    assert error(pool, sample(pool.in_type, size=9)) < 1e-12
    assert error(pool, sample(pool.in_type, size=8)) > 1e-2


def test_restriction_keeps_the_maps_and_commutes_with_the_subgroup():
    regular = FieldType.regular(Dihedral(4), 2)
    restrict = Restrict(regular, Dihedral(1))
    conv = SteerableConv(restrict.out_type, FieldType.regular(Dihedral(1), 3), 3, padding=1)
    net = Sequential(restrict, FieldBatchNorm(restrict.out_type), nn.ReLU(), conv).double()
    y = FeatureField(restrict.out_type)
    flip = lattice(Dihedral(1))[1].expand(2, 2, 2).contiguous()
    x = sample(regular)
    torch.testing.assert_close(net(y(flip, x)), FeatureField(conv.out_type)(flip, net(x)))


def test_sequence_knows_its_types_and_becomes_plain():
    group = SO2()
    mixed, image = fields(group), FieldType.trivial(group, 3)
    gate, pool = Gated(mixed), InvariantPool(mixed)
    net = Sequential(SteerableConv(image, gate.in_type, 3, padding=1), FieldBatchNorm(gate.in_type), gate, pool)
    net = net.double().eval()
    assert (net.in_type, net.out_type) == (image, pool.out_type)
    assert net[:2].out_type == gate.in_type
    plain, x = plain_twin(net), sample(image)
    assert type(plain) is nn.Sequential and type(plain[0]) is nn.Conv2d and type(plain[1]) is nn.BatchNorm2d
    torch.testing.assert_close(plain(x), net(x))


def test_sequence_names_the_modules_that_do_not_fit():
    a, b = FieldType.regular(Cyclic(4), 1), FieldType.regular(Cyclic(4), 2)
    with pytest.raises(ValueError, match=r"0 \(FieldBatchNorm\) gives C_4: 1 x regular, but 1 \(GlobalAveragePool\)"):
        Sequential(FieldBatchNorm(a), GlobalAveragePool(b))
    spatial = FieldType.irreps(SO2(), {1: 2})
    with pytest.raises(ValueError, match=r"1 \(ReLU\) acts on each channel alone"):
        Sequential(FieldBatchNorm(spatial), nn.ReLU())
    with pytest.raises(ValueError, match="none has field types"):
        Sequential(nn.ReLU())
    assert Sequential(nn.Upsample(3), FieldBatchNorm(spatial)).in_type == spatial


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pointwise(FieldType.irreps(SO2(), {1: 1}), nn.ReLU()), "field_type: got SO"),
        (lambda: FourierNonlinearity(SO2(), 1), "band_limit: got None"),
        (lambda: FourierNonlinearity(SO2(), 1, 4, points=1), "points: got 1, must be at least 3"),
        (lambda: InvariantPool(FieldType.trivial(SO2(), 1), "median"), "reduction: got 'median'"),
        (lambda: AveragePool(FieldType.trivial(SO2(), 1), 0), "stride: got 0"),
        (lambda: AveragePool(FieldType.trivial(SO2(), 1), sigma=0.0), "sigma: got 0"),
        (lambda: Restrict(FieldType.regular(Cyclic(4), 1), Cyclic(3)), "no subgroup"),
        (lambda: FieldBatchNorm(FieldType.regular(Cyclic(4), 1))(torch.rand(1, 3, 2, 2)), "x: got 3 channels"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
