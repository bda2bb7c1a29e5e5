"""Responses of known content: shares are exact, sum to 1, stay when inputs move, and obey Fourier analysis."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import learnsym as ls

LIMITS = {"quarter_turns2d": None, "square2d": None, "so3": 2, "o3": 2}
every_group = pytest.mark.parametrize("name", LIMITS)


def cloud(count=12):
    return torch.randn(count, 5, 3, dtype=torch.float64)


def traceless(x):
    outer = torch.einsum("bni,bnj->bij", x, x)
    return outer - outer.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * torch.eye(3, dtype=x.dtype)


RESPONSES = {
    "scalar": (lambda x: x.square().sum((1, 2))[:, None], (1, 0, 0)),
    "constant": (lambda x: torch.ones(len(x), 2, dtype=x.dtype), (1, 0, 0)),
    "vector": (lambda x: x.mean(1), (0, 1, 0)),
    "one component of a vector": (lambda x: x.mean(1)[:, :1], (0, 1, 0)),
    "pseudovector": (lambda x: torch.linalg.cross(x[:, 0], x[:, 1]), (0, 1, 0)),
    "rank 2": (traceless, (0, 0, 1)),
    "outer product of one vector": (lambda x: x[:, 0, :, None] * x[:, 0, None], (1 / 3, 0, 2 / 3)),
    "cube of a component": (lambda x: x[:, 0, :1] ** 3, (0, 21 / 25, 0)),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_known_responses_to_rotations_of_space(name):
    response, wanted = RESPONSES[name]
    found = ls.measure.irrep_content(response, cloud(), "so3")
    for rank, share in enumerate(wanted):
        estimate = found.of_rank(rank)
        assert estimate.mean == pytest.approx(share, abs=1e-9) and estimate.stderr < 1e-6
    assert found.rest.mean == pytest.approx(1 - sum(wanted), abs=1e-9)


def test_parities_of_reflections():
    odd = ls.measure.irrep_content(lambda x: x.mean(1), cloud(), "o3", 1)
    even = ls.measure.irrep_content(lambda x: torch.linalg.cross(x[:, 0], x[:, 1]), cloud(), "o3", 1)
    shares = [{(i.frequency, i.parity): s.mean for i, s in found.shares.items()} for found in (odd, even)]
    # the Wigner matrix of a rotation times det^parity: a vector changes sign under the inversion
    assert shares[0][1, 1] == pytest.approx(1) and shares[1][1, 0] == pytest.approx(1)


def network(name):
    if name in ("so3", "o3"):
        return nn.Sequential(nn.Flatten(), nn.Linear(15, 20), nn.Tanh(), nn.Linear(20, 4)).double(), cloud()
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(48, 4)).double(), images()


def images():
    return torch.randn(9, 1, 6, 6, dtype=torch.float64)


@every_group
def test_shares_sum_to_one_and_stay_when_inputs_move(name):
    net, x = network(name)
    symmetry = ls.symmetry_by_name(name)
    found = ls.measure.irrep_content(net, x, symmetry, LIMITS[name], degree=11 if LIMITS[name] else None)
    shares = [*found.shares.values(), found.rest]
    assert sum(share.mean for share in shares) == pytest.approx(1, abs=1e-9)
    assert all(share.mean >= 0 and share.stderr > 0 for share in found.shares.values())
    if symmetry.group.order:
        assert found.rest.mean == pytest.approx(0, abs=1e-9)
    g = symmetry.group.haar(1, dtype=torch.float64).expand(len(x), -1, -1)
    again = ls.measure.irrep_content(
        net, symmetry.on_input(g, x), symmetry, LIMITS[name], degree=11 if LIMITS[name] else None
    )
    for irrep, share in found.shares.items():
        assert again.shares[irrep].mean == pytest.approx(share.mean, abs=5e-3)


def test_quarter_turns_are_a_discrete_fourier_transform():
    x = images()
    found = ls.measure.irrep_content(lambda x: x[:, 0, 0, :2], x, "quarter_turns2d")
    orbit = torch.stack([x.rot90(k, (2, 3))[:, 0, 0, :2] for k in range(4)])
    power = (torch.fft.fft(orbit, dim=0).abs() / 4).square().sum((1, 2))
    wanted = torch.stack([power[0], power[1] + power[3], power[2]]) / power.sum()
    means = torch.tensor([share.mean for share in found.shares.values()], dtype=torch.float64)
    torch.testing.assert_close(means, wanted)


def test_rotations_of_the_plane():
    points = ls.Symmetry(ls.groups.SO2(), ls.actions.PointCloud(dim=2))
    x = torch.randn(10, 3, 2, dtype=torch.float64)
    z = lambda x: torch.view_as_complex(x[:, 0].contiguous())  # noqa: E731
    for frequency in (1, 2, 3):
        power = ls.measure.irrep_content(lambda x, m=frequency: torch.view_as_real(z(x) ** m), x, points, 3)
        assert power.of_rank(frequency).mean == pytest.approx(1, abs=1e-9)
    mixed = ls.measure.irrep_content(
        lambda x: torch.cat([z(x).abs()[:, None], 2 * torch.view_as_real(z(x))], 1), x, points
    )
    assert mixed.of_rank(0).mean == pytest.approx(1 / 5) and mixed.of_rank(1).mean == pytest.approx(4 / 5)
    assert str(mixed).startswith("scalar 0.2 ±")


def test_the_standard_error_is_that_over_examples():
    net, _ = network("so3")
    values = [ls.measure.irrep_content(net, cloud(25), "so3").of_rank(1) for _ in range(10)]
    spread = float(torch.tensor([each.mean for each in values]).std())
    assert 0.4 < spread / (sum(each.stderr for each in values) / len(values)) < 2


def test_what_does_not_fit_is_one_sentence():
    x = cloud()
    with pytest.raises(ValueError, match=r"^degree: got 3 for the band limit 2, must be at least 4"):
        ls.measure.irrep_content(lambda x: x.mean(1), x, "so3", degree=3)
    with pytest.raises(ValueError, match=r"^model: its outputs are 0"):
        ls.measure.irrep_content(lambda x: 0 * x.mean(1), x, "so3")
    with pytest.raises(ValueError, match=r"^group: got SE\(3\)"):
        ls.measure.irrep_content(lambda x: x.mean(1), x, "se3", 2)
    with pytest.raises(ValueError, match=r"^frequency: got 5, must be one of \[0, 1, 2\]"):
        ls.measure.irrep_content(lambda x: x.mean(1), x, "so3").of_rank(5)
