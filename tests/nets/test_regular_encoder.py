"""Laws of the encoder of regular fields and of what reads its invariants."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import FieldType, OrbitInvariants
from learnsym.nets.regular_encoder import RegularBlock

GROUPS = [ls.groups.Cyclic(4), ls.groups.Dihedral(4), ls.groups.Dihedral(1), ls.groups.Cyclic(1)]
TIGHT = {"rtol": 1e-10, "atol": 1e-10}
every_encoder = pytest.mark.parametrize("encoder", [ls.nets.RegularEncoder, ls.nets.RegularResNet])


@every_encoder
@pytest.mark.parametrize("group", GROUPS)
def test_features_move_by_the_regular_representation_and_outputs_stay(group, encoder):
    net = ls.nets.OrbitClassifier(encoder(group, 2, fields=2, depth=3), classes=3).double().eval()
    x = torch.rand(2, 2, 8, 8, dtype=torch.float64)
    for g in group.components:
        moved, g = ls.actions.Image()(g.expand(2, 2, 2), x), g.expand(2, 2, 2)
        torch.testing.assert_close(net.encoder(moved), net.encoder.out_type.mix(g, net.encoder(x)), **TIGHT)
        torch.testing.assert_close(net(moved), net(x), **TIGHT)


@every_encoder
def test_an_example_does_not_depend_on_the_others_of_its_batch(encoder):
    net, x = encoder(ls.groups.Cyclic(4), 1, fields=4).double(), torch.rand(3, 1, 8, 8).double()
    torch.testing.assert_close(net(x)[:1], net(x[:1]), **TIGHT)


def test_blocks_of_two_convolutions_are_added_to_their_input():
    net = ls.nets.RegularResNet(ls.groups.Cyclic(4), 1, fields=2, depth=3)
    blocks = [module for module in net.modules() if isinstance(module, RegularBlock)]
    convolutions = [module for module in net.modules() if isinstance(module, ls.equivariant.GroupConv2d)]
    assert len(blocks) == 3 and len(convolutions) == 7
    for weight in blocks[0].parameters():
        nn.init.zeros_(weight)
    x = torch.rand(2, 8, 6, 6)
    torch.testing.assert_close(blocks[0](x), x)


@every_encoder
def test_every_parameter_has_a_gradient(encoder):
    net = ls.nets.OrbitClassifier(encoder(ls.groups.Dihedral(4), 1, fields=4), classes=3)
    net(torch.rand(4, 1, 16, 16)).square().sum().backward()
    without = [name for name, p in net.named_parameters() if p.grad is None or not bool(p.grad.isfinite().all())]
    assert not without


@pytest.mark.parametrize("group", GROUPS)
def test_invariants_of_an_orbit_are_its_mean_and_norm(group):
    fields = FieldType.regular(group, 2) + FieldType.trivial(group, 1)
    invariants, z = OrbitInvariants(fields).double(), torch.randn(3, fields.size, dtype=torch.float64)
    for g in group.components:
        torch.testing.assert_close(invariants(fields.mix(g.expand(3, 2, 2), z)), invariants(z), **TIGHT)
    assert invariants(z).shape == (3, invariants.out_type.size)
    order = len(group.components)
    if order > 1:
        whole = z[:, : 2 * order].unflatten(1, (2, order))
        expected = torch.cat([whole.mean(2), (whole.norm(dim=2) ** 2 / order + 1e-12).sqrt(), z[:, -1:]], 1)
        torch.testing.assert_close(invariants(z), expected, **TIGHT)
    else:
        torch.testing.assert_close(invariants(z), z, **TIGHT)


def test_fields_that_are_not_permuted_are_refused():
    with pytest.raises(ValueError, match=r"^field_type: got .* take InvariantPool"):
        OrbitInvariants(FieldType.irreps(ls.groups.SO2(), {1: 1}))
