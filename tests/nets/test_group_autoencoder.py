"""Group autoencoders: exact under every pose, a chain of ordinary convolutions equal to the layers one by one."""

import copy
import pickle

import jaxtyping
import pytest
import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.equivariant import (
    EquivariantSubsample2d,
    EquivariantUpsample2d,
    ExtendedConv2d,
    FeatureField,
    FieldType,
    LatticePose,
    RestrictedConv2d,
    cosets_of,
)
from learnsym.equivariant.subsampling.cosets import factorise
from learnsym.equivariant.subsampling.fields import by_field
from learnsym.equivariant.subsampling.gather import transported
from learnsym.equivariant.subsampling.index import response
from learnsym.equivariant.subsampling.pose import compose, lattice_tables, wrapped
from learnsym.nets import ConvAutoencoder, GConvAutoencoder, GroupAutoencoder, matched_width, parameter_count

C1, C4, D4 = ls.groups.Cyclic(1), ls.groups.Cyclic(4), ls.groups.Dihedral(4)
PLANE = [C1, ls.groups.Cyclic(2), C4, ls.groups.Dihedral(1), ls.groups.Dihedral(2), D4]
SIZE, COUNT = 16, 20


def network(group: ls.groups.Group) -> GroupAutoencoder:
    return GroupAutoencoder(group, SIZE, channels=2, width=3, code=5).double()


def images() -> Tensor:
    return torch.randn(COUNT, 2, SIZE, SIZE, dtype=torch.float64)


def poses(group: ls.groups.Group) -> LatticePose:
    return LatticePose(torch.randint(SIZE, (COUNT, 2)), torch.randint(len(group.components), (COUNT,)))


def moved(group: ls.groups.Group, pose: LatticePose, x: Tensor) -> Tensor:
    cosets = cosets_of(group, group, 1)
    return by_field(FieldType.trivial(group, x.shape[1]), x, lambda part, _: transported(cosets, pose, part))


@pytest.mark.parametrize("group", PLANE, ids=str)
def test_images_move_with_images(group: ls.groups.Group) -> None:
    net, x, g = network(group), images(), poses(group)
    assert (net(moved(group, g, x)) - moved(group, g, net(x))).abs().max() < 1e-10
    assert net(x).std() > 1e-3


@pytest.mark.parametrize("group", PLANE, ids=str)
def test_codes_stay_and_poses_move(group: ls.groups.Group) -> None:
    net, x, g = network(group), images(), poses(group)
    latent, after = net.encode(x), net.encode(moved(group, g, x))
    expected = wrapped(compose(lattice_tables(group), g, latent.pose), (SIZE, SIZE))
    assert torch.equal(after.pose.shift, expected.shift)
    assert torch.equal(after.pose.element, expected.element)
    torch.testing.assert_close(after.code, latent.code)
    assert float(latent.index.margin.min()) > 0


@pytest.mark.parametrize("group", [C4, D4], ids=str)
def test_turns_about_the_centre_in_single_precision(group: ls.groups.Group) -> None:
    net, x = network(group).float(), torch.rand(1, 2, SIZE, SIZE).expand(len(group.components), -1, -1, -1)
    field = FeatureField(FieldType.trivial(group, 2))
    y = net(x)
    error = (net(field(group.components.float(), x)) - field(group.components.float(), y)).abs().max()
    assert error <= 1e-6 * y.abs().max().clamp(min=1)


def leaky(x: Tensor) -> Tensor:
    return nn.functional.leaky_relu(x, 0.1)


def layer_by_layer(net: GroupAutoencoder, x: Tensor) -> tuple[Tensor, Tensor]:
    """The same network as Xu et al. run it: every level samples its own coset, nothing is moved as a whole."""
    down = [layer for layer in net.down if isinstance(layer, RestrictedConv2d)]
    up = [layer for layer in net.up if isinstance(layer, ExtendedConv2d)]
    f, index = leaky(net.stem.conv(x)), net.encode(x).pose
    kept = [down[0].in_type, *(layer.out_type for layer in down)]
    outputs = [net.stem.conv.out_type, *(layer.conv.out_type for layer in down)]
    strides = [2, *(layer.stride for layer in down)]
    levels = [cosets_of(o.group, k.group, s) for o, k, s in zip(outputs, kept, strides, strict=True)]
    factors, rest = factorise(levels, index)
    assert not wrapped(rest, (1, 1)).shift.any()
    assert not rest.element.any()
    for k, (level, pose) in enumerate(zip(levels, factors, strict=True)):
        f = leaky(down[k - 1].conv(f)) if k else f
        f = EquivariantSubsample2d(outputs[k], level.stride, subgroup=kept[k].group)(f, pose)
    code = net.down[-1](f.flatten(1))
    y = net.up[0](code)
    for layer, pose in zip(up, factors[::-1], strict=True):
        extended = EquivariantUpsample2d(layer.conv.in_type, layer.stride, subgroup=layer.in_type.group)(y, pose)
        y = leaky(layer.conv(extended))
    return code, net.up[-1](y)


@pytest.mark.parametrize("group", PLANE, ids=str)
def test_equals_its_layers_one_by_one(group: ls.groups.Group) -> None:
    net, x = network(group), images()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.2)
    code, y = layer_by_layer(net, x)
    f = leaky(net.stem.conv(x)).unflatten(1, (-1, net.order))
    torch.testing.assert_close(net.first_response(x), response(f))
    torch.testing.assert_close(net.encode(x).code, code)
    torch.testing.assert_close(net(x), y)


def test_parameters_of_the_paper() -> None:
    assert parameter_count(ConvAutoencoder(64)) == 361_923
    assert parameter_count(GroupAutoencoder(C1, 64, width=32)) == 349_443
    assert matched_width(lambda width: GroupAutoencoder(C4, 64, width=width), 361_923, 30) == 20
    with pytest.raises(ValueError, match="target: got 1000"):
        matched_width(lambda width: nn.Linear(1, width), 1000, largest=10)


def test_every_parameter_learns() -> None:
    for net in (network(D4), GConvAutoencoder(C4, SIZE, 2, 3).double(), ConvAutoencoder(SIZE, 2, 4).double()):
        x = images()
        (net(x) - x).square().mean().backward()
        assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters())


def test_works_as_other_modules_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    net, x = network(C4), images()[:3]
    y = net(x)
    torch.testing.assert_close(torch.compile(net, backend="eager", fullgraph=True)(x), y)
    torch.testing.assert_close(torch.func.vmap(lambda one: net(one[None])[0])(x), y)
    assert torch.equal(copy.deepcopy(net)(x), y)
    assert torch.equal(pickle.loads(pickle.dumps(net))(x), y)
    plain = ls.relax.plain_twin(net)
    torch.testing.assert_close(plain(x), y)
    assert not any(isinstance(module, RestrictedConv2d | ExtendedConv2d) for module in plain.modules())


def test_bad_sizes_are_named() -> None:
    with pytest.raises(ValueError, match="size: got 28"):
        GroupAutoencoder(C4, 28)
    with pytest.raises(ValueError, match="does not map pixels"):
        GroupAutoencoder(ls.groups.Cyclic(3), 16)
