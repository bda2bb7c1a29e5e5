"""The linear maps are all that commute with the group, found numerically; laws of features under its elements."""

import pytest
import torch

from learnsym.equivariant import projective as ga
from learnsym.equivariant.projective import attention, maps
from tests.reference import geometric_algebra as slow

GROUPS = ("E(3)", "SE(3)", "SO(3)")
every_group = pytest.mark.parametrize("group", GROUPS)


def _mirrors(group):
    """As many mirrors as the group allows: two through the origin make a rotation."""
    count = {"E(3)": 3, "SE(3)": 4, "SO(3)": 2}[group]
    shift = 0.0 if group == "SO(3)" else 1.0
    return [(torch.randn(3, dtype=torch.float64), shift * float(torch.randn(()))) for _ in range(count)]


def _equations(group, sign):
    """`ρ(g) W = sign W ρ(g)` for some elements; sign between channels of different parity, for odd elements."""
    identity = torch.eye(16, dtype=torch.float64)
    rows = []
    for _ in range(4):
        action = slow.action(_mirrors(group)).contiguous()
        rows.append(torch.kron(action, identity) - sign * torch.kron(identity, action.T.contiguous()))
    return torch.cat(rows)


def _matrices(group):
    """`(K, 16, 16)` of the maps, the vector part times the identity on rows."""
    basis = maps.map_basis(group).double()
    identity = torch.eye(3, dtype=torch.float64)
    return torch.stack([torch.block_diag(scalar, torch.kron(vector, identity)) for scalar, vector in basis])


@pytest.mark.parametrize(
    ("group", "sign", "count"), [("SO(3)", 1, 32), ("SE(3)", 1, 16), ("E(3)", 1, 7), ("E(3)", -1, 9)]
)
def test_all_maps(group, sign, count):
    equations, found = _equations(group, sign), _matrices(group)
    assert 256 - int(torch.linalg.matrix_rank(equations, rtol=1e-10)) == count
    if group == "E(3)":
        found = found[maps.map_parity(group) == sign]
    assert len(found) == count and int(torch.linalg.matrix_rank(found.flatten(1))) == count
    torch.testing.assert_close(equations @ found.flatten(1).T, torch.zeros(len(equations), count, dtype=torch.float64))


def _acted(group, x, signs, mirrors):
    """Features moved: multivectors by mirrors, with one more sign for odd elements in channels of sign -1."""
    width = x.vectors.shape[0]
    blades = ga.Multivectors(x.scalars[:width].unflatten(0, (4, -1)), x.vectors.unflatten(0, (4, -1)))
    moved = slow.components(*blades) @ slow.action(mirrors).T
    if len(mirrors) % 2:
        moved = moved * signs[:, None]
    scalars, vectors = slow.parts(moved)
    return ga.Features(torch.cat([scalars.flatten(0, 1), x.scalars[width:]]), vectors.flatten(0, 1))


def _features(channels, scalars, tokens=6):
    return ga.Features(
        torch.randn(4 * channels + scalars, tokens, dtype=torch.float64),
        torch.randn(4 * channels, 3, tokens, dtype=torch.float64),
    )


def _close(x, y):
    for a, b in zip(x, y, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@every_group
@pytest.mark.parametrize("scalars", [(0, 0), (3, 5)], ids=str)
def test_linear_commutes(group, scalars):
    linear = ga.MultivectorLinear((4, 6), scalars, group).double()
    torch.nn.init.normal_(linear.up)
    x, g = _features(4, scalars[0]), _mirrors(group)
    moved = _acted(group, x, maps.signs_of(group, 4).double(), g)
    _close(linear(moved), _acted(group, linear(x), maps.signs_of(group, 6).double(), g))


@every_group
def test_linear_keeps_sizes(group):
    linear = ga.MultivectorLinear((16, 16), (64, 64), group).double()
    with torch.no_grad():
        y = linear(_features(16, 64, 500))
    assert all(0.5 <= float(part.std()) <= 1.5 for part in (y.scalars[:64], y.scalars[64:], y.vectors))


@every_group
def test_layers_commute(group):
    x, g = _features(8, 16, 12), _mirrors(group)
    signs = maps.signs_of(group, 8).double()
    moved = _acted(group, x, signs, g)
    _close(ga.normalised(moved), _acted(group, ga.normalised(x), signs, g))
    mlp = ga.GeometricMLP(8, 16, group).double()
    _close(mlp(moved), _acted(group, mlp(x), signs, g))
    attention = ga.GeometricAttention(8, 16, 4, group).double()
    _close(attention(moved, 3), _acted(group, attention(x, 3), signs, g))


@pytest.mark.parametrize("group", ["E(3)", "SE(3)"])
def test_points_commute(group):
    positions, vectors, scalars = (torch.randn(s, dtype=torch.float64) for s in ((6, 3), (6, 2, 3), (6, 1)))
    mirrors = _mirrors(group)
    matrix, shift = slow.motion(mirrors)
    moved = positions @ matrix.T + shift, vectors @ matrix.T, scalars
    signs = torch.tensor([1.0, 1, 1, -1, -1, -1], dtype=torch.float64)
    if group == "SE(3)":
        signs = signs.abs()
    x = ga.embedded(positions, vectors, scalars)
    _close(ga.embedded(*moved), _acted(group, x, signs, mirrors))
    # seen from their own points nothing but the linear part is left
    turns = [(normal, 0.0) for normal, _ in mirrors]
    own = ga.in_own_frame(ga.embedded(*moved), moved[0])
    _close(own, _acted(group, ga.in_own_frame(x, positions), signs, turns))


def test_own_frame_of_a_point_is_the_origin():
    positions = torch.randn(6, 3, dtype=torch.float64)
    vectors = torch.randn(6, 1, 3, dtype=torch.float64)
    x = ga.in_own_frame(ga.embedded(positions, vectors, vectors[:, 0, :0]), positions)
    expected = ga.embedded(torch.zeros_like(positions), vectors, vectors[:, 0, :0])
    _close(x, expected)


def test_attention_sees_distances(monkeypatch):
    monkeypatch.setattr(attention, "EPSILON", 0.0)
    positions, weights = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    vectors = torch.zeros(3, 5, 1, 3, dtype=torch.float64)
    vectors[..., 0, 2] = (positions * weights[:, None]).T
    scalars = torch.stack([torch.zeros_like(weights), weights], 1)[:, None]
    q = attention.query_features(scalars, vectors, 1)[:, 0]
    logits = q @ attention.key_features(q, 1).T - torch.outer(weights, weights)
    expected = -torch.outer(weights, weights) * torch.cdist(positions, positions).square()
    torch.testing.assert_close(logits, expected)


def test_parity_of_products():
    """Points and velocities alone, without channels of sign -1, leave e, B, q and r at 0 for ever."""
    blades = torch.zeros(16, dtype=torch.float64)
    blades[[0, 1]], blades[10:] = 1, 1  # 1, p, m, P
    x, y = torch.randn(2, 9, 16, dtype=torch.float64) * blades
    assert not (slow.product(x, y) * (1 - blades)).any()
    assert (slow.join(x, y) * (1 - blades)).any()


def test_errors():
    with pytest.raises(ValueError, match="group: got 'O"):
        ga.MultivectorLinear((2, 2), (0, 0), "O(3)")
    with pytest.raises(ValueError, match="channels: got"):
        ga.MultivectorLinear((3, 2), (0, 0), "E(3)")
