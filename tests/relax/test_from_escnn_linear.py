"""Linear maps of escnn with a learned degree of equivariance: alone, after convolutions, and of every group."""

from __future__ import annotations

import importlib.util

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym import _escnn
from learnsym.objectives.terms import Prior
from learnsym.relax.escnn.blocks import basis_of, blocks_of, exact_kernel

pytestmark = [pytest.mark.filterwarnings("ignore")]
if importlib.util.find_spec("escnn") is None:
    pytestmark.append(pytest.mark.skip(reason="escnn is not installed: pip install learnsym[steerable]"))

GROUPS = {
    "C_2": lambda group: (group.cyclic_group(2), lambda s: 2 * [s.regular_repr]),
    "C_4": lambda group: (group.cyclic_group(4), lambda s: [s.regular_repr, s.trivial_repr]),
    "D_3": lambda group: (group.dihedral_group(3), lambda s: [s.regular_repr, s.trivial_repr]),
    "D_4": lambda group: (group.dihedral_group(4), lambda s: [s.regular_repr]),
    "SO(2)": lambda group: (group.so2_group(3), lambda s: [s.trivial_repr, s.irrep(1), s.irrep(2)]),
    "O(2)": lambda group: (group.o2_group(3), lambda s: [s.trivial_repr, s.irrep(1, 1), s.irrep(1, 2)]),
    "SO(3)": lambda group: (group.so3_group(2), lambda s: [s.trivial_repr, s.irrep(1)]),
    "O(3)": lambda group: (group.o3_group(2), lambda s: [s.trivial_repr, s.irrep(1, 1)]),
}


@pytest.fixture(autouse=True, scope="module")
def without_randomized_svd():
    with _escnn.numerical_coefficients():
        yield


def _linear(name):
    from escnn import group, gspaces
    from escnn import nn as enn

    torch.manual_seed(0)
    fibers, representations = GROUPS[name](group)
    space = gspaces.no_base_space(fibers)
    fields = enn.FieldType(space, representations(space))
    return enn.Linear(fields, fields)


def _called(net, x):
    return net(net.in_type(x)).tensor


@pytest.mark.parametrize("layer", ["probabilistic", "residual"])
@pytest.mark.parametrize("name", GROUPS)
def test_outputs_weights_and_exact_twin_are_those_of_the_map(name, layer):
    net = _linear(name)
    learned, x = ls.relax.from_escnn(net, layer=layer), torch.randn(4, net.in_type.size)
    twin = ls.relax.to_escnn(learned)
    assert type(twin) is type(net) and type(learned) is not type(net)
    for mode in (True, False):
        for other in (learned, twin):
            torch.testing.assert_close(_called(other.train(mode), x), _called(net.train(mode), x), atol=1e-6, rtol=0)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), twin.parameters(), strict=True))
    assert all(degree.estimate == pytest.approx(1, abs=1e-6) for degree in ls.degrees(learned))
    symmetry = ls.equivariant.escnn_symmetry(learned)
    assert symmetry.name == name
    assert ls.measure.equivariance_error(learned, x, symmetry).mean < 1e-5


@pytest.mark.parametrize("name", GROUPS)
def test_a_likelihood_at_the_identity_frees_the_map(name):
    layer = ls.relax.from_escnn(_linear(name))
    for block in blocks_of(layer.equivariant):
        both = torch.cat([basis_of(layer.equivariant, block), layer.deviation.bases[block.name]()]).flatten(1)
        assert torch.linalg.matrix_rank(both.double(), rtol=1e-4) == both.shape[1] == len(both)


def test_a_likelihood_on_a_subgroup_keeps_the_equivariance_of_the_subgroup():
    layer = ls.relax.from_escnn(_linear("D_4"))
    turns = torch.linalg.det(layer.likelihood.elements()) > 0
    layer.likelihood.assign(torch.where(turns, 0.0, -30.0).double())
    x = layer.in_type(torch.randn(2, 8))
    kept = {
        element: torch.allclose(layer(x).transform(element).tensor, layer(x.transform(element)).tensor, atol=1e-5)
        for element in layer.in_type.fibergroup.elements
    }
    assert all(alike == (not element.value[0]) for element, alike in kept.items())
    assert {d.generator: round(d.estimate, 4) for d in ls.degrees(layer)}["all"] == 0.5


def test_a_residual_map_is_projected_onto_the_nearest_exact_one_and_has_a_plain_twin():
    layer = ls.relax.from_escnn(_linear("C_4"), layer="residual")
    start = float(Prior(1)(layer, torch.zeros(1)).total)
    with torch.no_grad():
        layer.free.normal_(std=0.1)
    assert float(Prior(1)(layer, torch.zeros(1)).total) > start
    twin, plain = ls.relax.to_escnn(layer), ls.relax.plain_twin(layer)
    rest = layer.kernel() - exact_kernel(twin)
    assert float((rest * exact_kernel(twin)).sum().abs()) < 1e-4
    share = ls.degrees(layer)[0].estimate
    assert share == pytest.approx(float((exact_kernel(twin).norm() / layer.kernel().norm()) ** 2), abs=1e-5)
    assert 0.1 < share < 0.99
    x = torch.randn(3, 5)
    torch.testing.assert_close(_called(plain, x), _called(layer, x), atol=1e-6, rtol=0)
    assert plain.weight.shape == (5, 5) and plain.weight.requires_grad


class Head(nn.Module):
    """A convolution of escnn, and a linear map of what its pixels have on average."""

    def __init__(self):
        from escnn import gspaces
        from escnn import nn as enn

        super().__init__()
        space = gspaces.rot2dOnR2(4)
        flat = gspaces.no_base_space(space.fibergroup)
        self.image = enn.FieldType(space, [space.trivial_repr])
        self.conv = enn.R2Conv(self.image, enn.FieldType(space, 2 * [space.regular_repr]), 3)
        self.flat = enn.FieldType(flat, 2 * [flat.regular_repr])
        self.linear = enn.Linear(self.flat, enn.FieldType(flat, 2 * [flat.trivial_repr]))

    def forward(self, x):
        fields = self.conv(self.image(x)).tensor.relu().mean((2, 3))
        return self.linear(self.flat(fields)).tensor


@pytest.mark.parametrize("layer", ["probabilistic", "residual"])
def test_the_learned_twin_trains_where_the_symmetry_is_broken(layer):
    """To tell images from themselves turned by a quarter: an invariant network cannot."""
    torch.manual_seed(0)
    net = Head()
    learned = ls.relax.from_escnn(net, layer=layer)
    x = torch.randn(16, 1, 7, 7)
    x[..., :3] += 1
    x, target = torch.cat([x, x.rot90(1, (-2, -1))]), torch.arange(2).repeat_interleave(16)
    torch.testing.assert_close(learned(x), net(x), atol=1e-6, rtol=0)
    assert [degree.site for degree in ls.degrees(learned)] == ["layer:conv", "layer:linear"]
    optimiser = torch.optim.Adam(learned.parameters(), lr=0.03)
    losses = []
    for _ in range(40):
        loss = nn.functional.cross_entropy(learned(x), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.05
    assert ls.degrees(learned)[1].estimate < 0.999
    upright, turned = ls.relax.to_escnn(learned).eval()(x).chunk(2)
    torch.testing.assert_close(upright, turned, atol=1e-4, rtol=0)


def test_what_has_one_point_is_not_weighted_pixel_by_pixel():
    net = Head()
    learned = ls.relax.from_escnn(net, layer="relaxed")
    assert type(learned.linear) is type(net.linear) and type(learned.conv) is not type(net.conv)
    with pytest.raises(ValueError, match=r"net: has no R2Conv and no .* of escnn, which are what can be"):
        ls.relax.from_escnn(_linear("C_4"), layer="relaxed")
