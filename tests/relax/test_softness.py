"""Laws of soft equivariance: both ends exact, errors below the bound and monotone, the state never changed."""

from __future__ import annotations

import copy
import importlib.util
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.groups import O2, O3, SO2, SO3, Cyclic, Dihedral, Octahedral
from learnsym.relax import (
    FixedSoftness,
    KernelPixels,
    LearnedSoftness,
    MapEntries,
    Softened,
    TokenGrid,
    hard_mask,
    moved_parameters,
    smooth_mask,
)
from learnsym.relax.softness.moved_entries import directions_of
from learnsym.relax.softness.softened import SoftParameter
from learnsym.relax.softness.speeds import generating_elements, moving_directions, reach
from learnsym.representations import Irrep, Regular

C4, D4 = Cyclic(4), Dihedral(4)
MASKS = pytest.mark.parametrize("mask", [hard_mask, smooth_mask])
DIALS = (0.0, 0.05, 0.3, 0.5, 0.72, 0.9, 1.0)
MAPS = {
    "C_4 regular": (C4, MapEntries(Regular(C4), Regular(C4))),
    "C_4 frequencies": (C4, MapEntries(Irrep(C4, 1), Regular(C4))),
    "D_4 regular": (D4, MapEntries(Regular(D4), Irrep(D4, 1))),
    "C_12 regular": (Cyclic(12), MapEntries(Regular(Cyclic(12)), Irrep(Cyclic(12), 2))),
    "SO(2)": (SO2(), MapEntries(Irrep(SO2(), 1), Irrep(SO2(), 2))),
    "O(2)": (O2(), MapEntries(Irrep(O2(), 1), Irrep(O2(), 1))),
    "SO(3)": (SO3(), MapEntries(Irrep(SO3(), 1), Irrep(SO3(), 2))),
    "O(3)": (O3(), MapEntries(Irrep(O3(), 1, 1), Irrep(O3(), 1))),
}
every_map = pytest.mark.parametrize("name", MAPS)


def classifier():
    """A network whose strides are exact at an odd size, and whose poolings keep what does not move."""
    conv = (
        nn.Conv2d(2, 6, 5, padding=2, bias=True),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3, stride=2, padding=1),
    )
    return nn.Sequential(*conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


def elements(group):
    if group.order:
        return group.components
    return torch.cat([group.haar(40, dtype=torch.float64), -group.identity(1, dtype=torch.float64)])[
        : 40 + (group.n == 2)
    ]


@pytest.fixture
def x():
    return torch.rand(5, 2, 9, 9)


def test_dial_0_is_strict_for_a_filtered_convolution(x):
    soft = Softened(nn.Conv2d(2, 5, 3, padding=1), C4, FixedSoftness(0))
    for k in range(4):
        assert float((soft(x.rot90(k, (2, 3))) - soft(x).rot90(k, (2, 3))).detach().abs().max()) < 1e-5


@every_map
def test_dial_0_is_strict_for_a_filtered_linear_map_of_several_copies(name):
    group, moved = MAPS[name]
    linear = nn.Linear(2 * moved.source.size, 3 * moved.target.size, bias=False).double()
    soft = Softened(linear, group, FixedSoftness(0), parameters={"weight": moved}).double()
    x = torch.randn(7, 2, moved.source.size, dtype=torch.float64)
    for g in elements(group):
        turned = soft((x @ moved.source(g[None])[0].mT).flatten(1))
        wanted = soft(x.flatten(1)).unflatten(1, (3, -1)) @ moved.target(g[None])[0].mT
        torch.testing.assert_close(turned, wanted.flatten(1), atol=1e-9, rtol=0)


@MASKS
def test_dial_1_is_the_source_bit_for_bit(mask, x):
    net = classifier().eval()
    soft = Softened(copy.deepcopy(net), D4, FixedSoftness(1), mask).eval()
    assert torch.equal(soft(x), net(x))
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in soft.plain().state_dict().items())


@MASKS
@every_map
def test_error_is_below_the_bound_for_100_weights_and_grows_with_the_dial(name, mask):
    group, moved = MAPS[name]
    weights = torch.randn(100 * moved.target.size, moved.source.size, dtype=torch.float64)  # of a hundred maps
    g = elements(group)
    before = torch.full((100,), -1.0, dtype=torch.float64)
    for b in DIALS:
        soft = SoftParameter(moved, group, FixedSoftness(b), mask).double()
        kept = soft(weights).unflatten(0, (100, -1))
        norms = kept.flatten(1).norm(dim=1)
        bound = reach(group) * (soft.moving(weights) * soft.speeds()).flatten(1).norm(dim=1)
        change = moved.target(g)[:, None] @ kept - kept @ moved.source(g)[:, None]
        assert bool((torch.linalg.matrix_norm(change, 2).amax(0) <= bound + 1e-9).all())
        whole = norms > 1e-9  # nothing is left of a map between different irreps at 0
        speed = torch.where(whole, bound / norms, before)
        assert bool((speed >= before - 1e-9).all())
        before = speed
    one = weights[: moved.target.size]
    torch.testing.assert_close(reach(group) * soft.error(one), speed[0])


@MASKS
@pytest.mark.parametrize("name", [name for name, (group, _) in MAPS.items() if group.order])
def test_the_mean_square_error_over_a_finite_group_grows_with_the_dial(name, mask):
    group, moved = MAPS[name]
    weights = torch.randn(100 * moved.target.size, moved.source.size, dtype=torch.float64)
    g, before = elements(group), torch.zeros(100, dtype=torch.float64)
    for b in DIALS:
        kept = SoftParameter(moved, group, FixedSoftness(b), mask).double()(weights).unflatten(0, (100, -1))
        change = moved.target(g)[:, None] @ kept - kept @ moved.source(g)[:, None]
        error = change.square().sum((2, 3)).mean(0)
        assert bool((error >= before - 1e-9).all())
        before = error
    assert float(before.min()) > 1e-3


def test_hard_mask_bounds_the_speed_by_the_dial_itself():
    moved, weight = KernelPixels(5), torch.randn(3, 2, 5, 5)
    fastest = directions_of(moved, C4).speeds.amax()
    for b in DIALS:
        assert float(SoftParameter(moved, C4, FixedSoftness(b), hard_mask).error(weight)) <= b * fastest + 1e-6


def test_hard_mask_applied_twice_is_once_and_the_smooth_one_is_not():
    weight = torch.randn(4, 3, 5, 5, dtype=torch.float64)
    for mask, same in ((hard_mask, True), (smooth_mask, False)):
        soft = SoftParameter(KernelPixels(5), C4, FixedSoftness(0.75), mask).double()
        assert torch.allclose(soft(soft(weight)), soft(weight), atol=1e-12) is same


@MASKS
def test_evaluation_leaves_the_state_as_it_is(mask, x):
    soft = Softened(classifier(), C4, FixedSoftness(0.6), mask).eval()
    before = {name: value.clone() for name, value in soft.state_dict().items()}
    first = soft(x)
    assert torch.equal(soft(x), first)
    assert list(before) == list(soft.state_dict())
    assert all(torch.equal(value, before[name]) for name, value in soft.state_dict().items())


def test_the_table_of_positions_does_not_decay():
    """A table that is filtered in place at every pass goes to the strict one; here a hundred passes are one."""
    net = Table()
    soft = Softened(net, C4, FixedSoftness(0.8), parameters={"table": TokenGrid(4, prefix=1)}).eval()
    tokens = torch.rand(2, 17, 3)
    first = soft(tokens)
    for _ in range(100):
        soft(tokens)
    assert torch.equal(soft(tokens), first) and torch.equal(soft.weights()["table"][:, 0], net.table[:, 0])


class Table(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(1, 17, 3))

    def forward(self, tokens):
        return tokens + self.table


def alternating(differences, w, sweeps):
    """Projections onto what one generator leaves fixed, one generator after the other."""
    projectors = [torch.eye(len(w)).double() - torch.linalg.pinv(L, rtol=1e-9) @ L for L in differences]
    for _ in range(sweeps):
        for projector in projectors:
            w = projector @ w
    return w


def test_several_generators_have_the_exact_intersection():
    moved = MapEntries(Irrep(SO3(), 1), Irrep(SO3(), 1))
    differences, w = moved.differences(SO3()), torch.randn(9, dtype=torch.float64)
    basis = moving_directions(differences).basis
    exact = w - basis @ (basis.mT @ w)
    # the only matrices that commute with all rotations are multiples of the identity
    torch.testing.assert_close(exact.view(3, 3), w.view(3, 3).trace() / 3 * torch.eye(3).double())
    swept = [float((alternating(differences, w, sweeps) - exact).norm()) for sweeps in (1, 2, 60)]
    assert swept[0] > 1e-3 and swept[0] > swept[1] > swept[2] and swept[2] < 1e-6
    moved_by = (differences.flatten(0, 1) @ exact).norm()
    assert float(moved_by) < 1e-12 < float((differences.flatten(0, 1) @ alternating(differences, w, 2)).norm())


@pytest.mark.parametrize("group", [Cyclic(1), Cyclic(6), D4, Dihedral(5), Octahedral()], ids=str)
def test_generators_make_the_group_and_the_reach_holds_for_every_element(group):
    letters = group.components[list(generating_elements(group))]
    reached = torch.tensor([0])
    for _ in range(len(group.components)):
        products = torch.cat([group.components[reached], *(letter @ group.components[reached] for letter in letters)])
        distances = torch.cdist(products.flatten(1), group.components.flatten(1))
        reached = distances.argmin(1).unique()
    assert len(reached) == len(group.components)
    vector = torch.randn(20, group.n, dtype=torch.float64)
    stacked = (vector @ letters.mT - vector).square().sum((0, 2)).sum().sqrt() if len(letters) else torch.tensor(0.0)
    assert bool(
        (((vector @ group.components.mT) - vector).flatten(1).norm(dim=1) <= reach(group) * stacked + 1e-9).all()
    )


def test_directions_leave_out_exactly_what_does_not_move():
    for moved, fixed in ((KernelPixels(3), 3), (KernelPixels(4), 4), (TokenGrid(8, prefix=1), 16)):
        assert moved.together - len(directions_of(moved, C4).speeds) == fixed  # orbits of pixels
    w = torch.randn(5, 25, dtype=torch.float64)
    found, differences = directions_of(KernelPixels(5), D4), KernelPixels(5).differences(D4)
    speeds = torch.einsum("rij,nj->nri", differences, w).flatten(1).norm(dim=1)
    torch.testing.assert_close(((w @ found.basis) * found.speeds).norm(dim=1), speeds)


@MASKS
def test_masks_go_from_0_to_1_and_never_back(mask):
    speeds = torch.linspace(1e-3, 1, 50)
    shares = torch.stack([mask(speeds, torch.tensor(b)) for b in torch.linspace(0, 1, 41).tolist()])
    assert bool((shares[0] == 0).all()) and bool((shares[-1] == 1).all())
    assert bool((shares.diff(dim=0) >= 0).all()) and bool((shares.diff(dim=1) <= 0).all())


def test_plain_is_the_softened_network_under_the_keys_of_the_source(x, tmp_path):
    net = classifier()
    soft = Softened(copy.deepcopy(net), C4, FixedSoftness(0.4)).eval()
    plain = soft.plain().eval()
    assert torch.equal(plain(x), soft(x)) and type(plain) is nn.Sequential
    assert list(plain.state_dict()) == list(net.state_dict())
    fresh = classifier().eval()
    fresh.load_state_dict(plain.state_dict(), strict=True)
    assert torch.equal(fresh(x), soft(x))
    path = ls.export.export_model(soft, x, tmp_path / "soft.pt2")
    torch.testing.assert_close(torch.export.load(path).module()(x), soft(x), atol=1e-6, rtol=0)


def test_exact_is_equivariant_while_it_is_trained(x):
    exact = Softened(classifier(), C4, LearnedSoftness(0.9)).exact()
    optimiser = torch.optim.SGD(exact.parameters(), lr=0.1)
    for _ in range(3):
        exact(x).square().sum().backward()
        optimiser.step()
    exact.eval()
    assert float((exact(x.rot90(1, (2, 3))) - exact(x)).detach().abs().max()) < 1e-5
    assert exact.symmetry_parameters() == [] and float(exact.distance().detach()) < 1e-6


def test_gradients_reach_weights_and_learned_dials_and_copies_are_equal(x):
    soft = Softened(classifier(), C4, LearnedSoftness(0.5))
    soft.train()(x).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in soft.symmetry_parameters())
    assert len(soft.symmetry_parameters()) == 2 and soft.net[0].weight.grad is not None
    soft.eval()
    for other in (copy.deepcopy(soft), pickle.loads(pickle.dumps(soft))):
        assert torch.equal(other(x), soft(x))
    assert Softened(nn.Conv2d(1, 2, 3).double(), C4).weights()["weight"].dtype == torch.float64
    double = copy.deepcopy(soft).double()
    torch.testing.assert_close(double(x.double()), soft(x).double(), atol=1e-5, rtol=1e-5)


def test_functional_transforms_reach_the_free_weights(x):
    soft = Softened(classifier(), C4, LearnedSoftness(0.5)).eval()
    weights = dict(soft.named_parameters())

    def loss(values):
        return torch.func.functional_call(soft, values, (x,)).square().sum()

    found = torch.func.grad(loss)({name: value.detach() for name, value in weights.items()})
    soft(x).square().sum().backward()
    for name, weight in weights.items():
        torch.testing.assert_close(found[name], weight.grad, atol=1e-4, rtol=1e-4)


def test_degrees_are_the_softness_and_the_bound_of_each_parameter():
    soft = Softened(classifier(), C4, FixedSoftness(0.5))
    found = ls.degrees(soft)
    assert [(d.site, d.generator) for d in found[:2]] == [("layer:net.0", "softness"), ("layer:net.0", "largest error")]
    assert len(found) == 4 and [d.estimate for d in found[::2]] == [0.5, 0.5]
    assert [d.estimate for d in found[1::2]] == list(soft.bounds().values()) and found[1].status == "bound only"
    inside = ls.degrees(nn.Sequential(soft))
    assert inside[0].site == "layer:0.net.0"
    soft.soft[0].dial = FixedSoftness(0)
    assert soft.bounds()["0.weight"] < 1e-6 < soft.bounds()["3.weight"]


def test_a_vision_transformer_and_a_residual_network_become_exact():
    if importlib.util.find_spec("timm") is None:
        pytest.skip("timm is not installed")
    from learnsym.nets.timm_models import timm_model

    sizes = {"img_size": 16, "patch_size": 4, "embed_dim": 24, "depth": 2, "num_heads": 2}
    nets = [timm_model("vit_tiny_patch16_224", num_classes=3, in_chans=1, **sizes)]
    nets += [timm_model("resnet18", num_classes=3, in_chans=1)]
    for net, size in zip(nets, (16, 33), strict=True):
        x = torch.rand(2, 1, size, size)
        soft = Softened(net, D4, FixedSoftness(0)).eval()
        with torch.no_grad():
            moved = [soft(x.rot90(k, (2, 3)).flip(3)) - soft(x) for k in range(4)]
        assert max(float(each.abs().max()) for each in moved) < 1e-5
    assert moved_parameters(nets[0])["pos_embed"] == TokenGrid(4, prefix=1)


def test_what_does_not_fit_is_one_sentence():
    net = classifier()
    with pytest.raises(ValueError, match=r"^group: got C_8, which does not map pixels"):
        Softened(net, Cyclic(8))
    with pytest.raises(ValueError, match=r"^group: got SO\(2\), which does not map pixels"):
        Softened(net, SO2())
    with pytest.raises(ValueError, match=r"^method.group: got C_8, which does not map pixels"):
        ls.methods.registry["soft"](group="C_8")
    with pytest.raises(ValueError, match=r"^group: got SE\(2\)"):
        reach(ls.groups.SE2())
    with pytest.raises(ValueError, match=r"^mask: got hard_mask"):
        Softened(net, C4, LearnedSoftness(), hard_mask)
    with pytest.raises(ValueError, match=r"^parameters: got 'head'"):
        Softened(net, C4, parameters={"head": KernelPixels(3)})
    with pytest.raises(ValueError, match=r"^parameters: got KernelPixels\(size=3\) for '0.weight'"):
        Softened(net, C4, parameters={"0.weight": KernelPixels(3)})
    with pytest.raises(ValueError, match=r"^parameters: got 10000 entries"):
        directions_of(TokenGrid(100), C4)
    with pytest.raises(ValueError, match=r"^parameters: got a map of representations of C_4, must be of D_4"):
        directions_of(MapEntries(Regular(C4), Regular(C4)), D4)
    with pytest.raises(ValueError, match=r"^net: Linear has no square kernel"):
        Softened(nn.Linear(2, 2), C4)
    with pytest.raises(ValueError, match=r"^net: the kernel of 0 is 1 x 3"):
        Softened(nn.Sequential(nn.Conv2d(1, 1, (1, 3))), C4)
    for make in (FixedSoftness, LearnedSoftness):
        with pytest.raises(ValueError, match=r"^(value|start): got 1.5, must be in"):
            make(1.5)
    bare = nn.Module()
    bare.pos_embed = nn.Parameter(torch.zeros(1, 17, 2))
    with pytest.raises(ValueError, match=r"^net: pos_embed has the shape \(1, 17, 2\), and the grid"):
        moved_parameters(bare)
