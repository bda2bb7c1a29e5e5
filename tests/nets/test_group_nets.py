"""Laws of the networks of group convolutions."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import CosetPool, FieldType, GlobalAveragePool, GroupConv2d
from learnsym.groups import Cyclic, Dihedral
from learnsym.nets import P4CNN, GroupResNet, group_resnet18, group_resnet44

GROUPS = [Cyclic(1), Cyclic(2), Cyclic(4), Dihedral(1), Dihedral(2), Dihedral(4)]


def _weights(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def _random(net: nn.Module, x) -> nn.Module:
    """Weights and running statistics that are not those of the start."""
    net.double()
    for module in net.modules():
        if isinstance(module, GroupConv2d) and module.bias is not None:
            nn.init.normal_(module.bias)
    for _ in range(3):
        net(x)
    return net.eval()


def _error(net: nn.Module, group, size: int) -> float:
    x = torch.randn(len(group.components), 2, size, size, dtype=torch.float64)
    _random(net, x)
    symmetry = ls.Symmetry(group, ls.actions.Image())
    one = x[:1].expand_as(x).contiguous()
    y = net(symmetry.on_input(group.components, one)).detach()
    return float((y - y[:1]).abs().max())


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_invariant_at_exact_sizes(group):
    assert _error(P4CNN(2, 3, group, width=2), group, 12) <= 1e-10
    assert _error(GroupResNet(2, 3, group, width=2, blocks=(1, 1, 1)), group, 13) <= 1e-10


def test_broken_at_others():
    assert _error(P4CNN(2, 3, width=2), Cyclic(4), 13) > 1e-4
    assert _error(GroupResNet(2, 3, width=2, blocks=(1, 1, 1)), Cyclic(4), 12) > 1e-4


@pytest.mark.parametrize(
    ("net", "sizes", "exact"),
    [
        (P4CNN(3, 10, width=1), range(26, 31), (26, 28, 30)),
        (group_resnet44(3, 10, width=1), (31, 32, 33, 35, 37), (33, 37)),
        (group_resnet44(3, 10, Dihedral(4), width=1), (32, 33), (33,)),
        (group_resnet18(3, 10, width=1), (32, 33, 37, 41), (33, 41)),
    ],
    ids=["p4cnn", "resnet44 p4", "resnet44 p4m", "resnet18"],
)
def test_exact_sizes(net, sizes, exact):
    assert ls.measure.exact_sizes(net, sizes).exact == exact


def test_numbers_of_parameters():
    # Edixhoven et al. (2023), and Z2 twins of about as many
    assert _weights(P4CNN(3, 10)) == 24_990
    assert _weights(P4CNN(3, 10, Cyclic(1), width=20)) == 25_570
    assert _weights(group_resnet44(3, 10, Cyclic(1))) == 2_636_458
    assert _weights(group_resnet44(3, 10)) == 2_632_026
    assert _weights(group_resnet44(3, 10, Dihedral(4))) == 2_959_366
    assert _weights(group_resnet18(3, 10)) == 11_165_738
    assert abs(_weights(group_resnet18(3, 10, Cyclic(1))) / 11_165_738 - 1) < 0.01
    assert abs(_weights(group_resnet18(3, 10, Dihedral(4))) / 11_165_738 - 1) < 0.05


@pytest.mark.parametrize("net", [P4CNN(2, 3, width=2), GroupResNet(2, 3, width=2, blocks=(1, 1))], ids=["p4", "resnet"])
def test_gradients_and_copies(net):
    x = torch.rand(4, 2, 13, 13)
    net.train()(x).square().sum().backward()
    # a bias before batch normalisation has no effect
    names = [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.isfinite().all()]
    assert not names
    y = net.eval()(x)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        torch.testing.assert_close(twin(x), y)
    torch.testing.assert_close(ls.relax.plain_twin(net)(x), y)
    assert set(net.train().state_dict()) == set(net.eval().state_dict())
    values = {name: weight.detach() for name, weight in net.named_parameters()}
    torch.testing.assert_close(torch.func.functional_call(net, values, (x,)), y)


def test_unequivariance_is_learned_at_even_sizes_only():
    """Fourteen parameters tell an image from its quarter turn on 32 pixels, and never on 33 (Edixhoven et al. 2023)."""
    losses = {size: _learn(size) for size in (32, 33)}
    assert losses[32] < 0.4
    assert abs(losses[33] - torch.tensor(2.0).log().item()) < 1e-3


def _learn(size: int) -> float:
    torch.manual_seed(1)
    group = Cyclic(4)
    image, fields = FieldType.trivial(group, 1), FieldType.regular(group, 1)
    conv = GroupConv2d(image, fields, 3, stride=2, padding=1)
    net = nn.Sequential(conv, GlobalAveragePool(fields), CosetPool(fields, "max"), nn.Linear(1, 2))
    assert _weights(net) == 14
    picture = nn.functional.interpolate(torch.rand(1, 1, 6, 6), (size, size), mode="bicubic")
    picture = (picture - picture.mean()) / picture.std()
    x, y = torch.cat([picture, torch.rot90(picture, 1, (-2, -1))]), torch.tensor([0, 1])
    optimiser = torch.optim.SGD(net.parameters(), 0.3, 0.9)
    for _ in range(200):
        loss = nn.functional.cross_entropy(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return float(loss.detach())


def test_clear_errors():
    with pytest.raises(ValueError, match="width: got 0"):
        P4CNN(1, 10, width=0)
    with pytest.raises(ValueError, match="C_8 does not map pixels"):
        P4CNN(1, 10, Cyclic(8))
    with pytest.raises(ValueError, match="blocks: got 0"):
        GroupResNet(1, 10, blocks=())
