"""Local symmetry: each chart has its own generators and reach, absence is told, and norms decide nothing."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.linalg import subspace_angles

from learnsym import actions, groups
from learnsym.measure import local_basis
from learnsym.measure.discovery.local import REACHES, Judge, _reach, random_matrices

PLANE, STAYS = actions.PointCloud(dim=2), actions.Invariant()
SHAPE = torch.tensor([[1.0, 0.5], [0.5, 1.0]])


def hill(form, centre=(0.0, 0.0)):
    """A normal hill over the plane, with ellipses of `form`."""
    inverse, middle = form.inverse(), torch.tensor(centre)

    def value(x):
        away = x[:, 0] - middle
        return torch.exp(-torch.einsum("bi,ij,bj->b", away, inverse, away) / 2)[:, None]

    return value


def skew(form):
    """Of ellipses."""
    values, axes = torch.linalg.eigh(form.double())
    root = axes @ values.sqrt().diag() @ axes.T
    return root @ groups.SO2().algebra[0] @ root.inverse()


def angle(found, truth):
    return math.degrees(subspace_angles(found.flatten(1).T.numpy(), truth.flatten()[:, None].numpy()).max())


@pytest.fixture(scope="module")
def sheet():
    torch.manual_seed(0)
    x = torch.randn(3, 1200, 1, 2)
    charts = {
        "round": (hill(torch.eye(2)), x[0]),
        "long": (hill(SHAPE), x[1]),
        "elsewhere": (hill(torch.eye(2), (1.5, 0.5)), x[2]),
    }
    return local_basis(charts, PLANE, STAYS, 2, delta=0.15, steps=450)


def test_each_chart_has_its_own_generator(sheet):
    for name, form in (("round", torch.eye(2)), ("long", SHAPE)):
        chart = sheet.charts[name]
        assert chart.verdicts[0] == "certified" and "certified" not in chart.verdicts[1:]
        assert angle(chart.present, skew(form)) < 5
        # a turn by any angle
        assert chart.reaches[0] == REACHES[-1]
        assert chart.p_values[0] == pytest.approx(1 / 200)


def test_absence_is_told_and_the_norm_does_not_reach_its_cap(sheet):
    chart = sheet.charts["elsewhere"]
    assert chart.verdicts == ("refuted", "refuted") and len(chart.present) == 0
    assert chart.norms.max() < 0.95
    assert "elsewhere: 0 of 2" in str(sheet)


def test_what_charts_share_is_judged_on_all_of_them(sheet):
    assert sheet.holds["round", "round"] == (True,) and sheet.holds["round", "long"] == (False,)
    assert sheet.holds["elsewhere", "round"] == () and len(sheet.shared) == 0
    x = torch.randn(2, 800, 1, 2)
    both = {"a": (hill(torch.eye(2)), x[0]), "b": (hill(2 * torch.eye(2)), x[1])}
    found = local_basis(both, PLANE, STAYS, 1, delta=0.15, steps=400)
    assert angle(found.shared, skew(torch.eye(2))) < 5


def test_a_range_ends_where_the_law_does():
    # a function of the angle that is flat within a sector: small turns are followed, large ones are not
    def sector(x):
        turn = torch.atan2(x[:, 0, 1], x[:, 0, 0])
        return (torch.sigmoid(8 * (turn.abs() - 2.2)) + (1 - x[:, 0].norm(dim=1)).square())[:, None]

    turn = 0.6 * torch.randn(2000)
    radius = 0.5 + torch.rand(2000)
    x = (radius * torch.stack([turn.cos(), turn.sin()])).T[:, None]
    chart = local_basis({"sector": (sector, x)}, PLANE, STAYS, 1, delta=0.2, steps=300).charts["sector"]
    assert angle(chart.matrices[:1], skew(torch.eye(2))) < 5
    assert 0 < chart.reaches[0] < REACHES[-1]


def test_what_all_moves_follow_is_no_discovery():
    # a linear map of points follows every generator alike, so that random ones do as well
    found = local_basis({"linear": (lambda x: 3 * x, torch.randn(400, 2, 2))}, PLANE, PLANE, 1, steps=50)
    chart = found.charts["linear"]
    assert chart.defects[0].estimate < 1e-6 and chart.p_values[0] == 1
    assert chart.verdicts == ("not decided",)


def test_images_are_moved():
    size = torch.arange(9) - 4.0
    form = torch.exp(-(size[:, None].square() + size.square()) / 6)
    x = torch.nn.functional.avg_pool2d(torch.randn(400, 1, 13, 13), 5, 1)
    image = actions.Image(mode="bicubic", padding="border")
    found = local_basis({"blob": (lambda x: (x * form).sum((2, 3)), x)}, image, STAYS, 1, delta=0.3, steps=120)
    assert angle(found.charts["blob"].matrices, skew(torch.eye(2))) < 10


@pytest.mark.parametrize(
    "matrix", [skew(torch.eye(2)), skew(torch.tensor([[1.0, 0.8], [0.8, 1.0]]))], ids=["round", "long"]
)
def test_bounds_hold_as_often_as_they_say(matrix):
    """On examples that had no part in choosing: of 200 draws of a chart whose true error many examples give."""
    model, tail, trials = hill(SHAPE), 0.05, 200

    def bounds(count, seed):
        x = torch.randn(count, 1, 2, generator=torch.Generator().manual_seed(seed))
        return Judge.of("drawn", model, x, PLANE, STAYS).bounds(matrix, 1.0, tail, seed)

    truth = bounds(100_000, 0)[0]
    found = [bounds(300, seed) for seed in range(1, trials + 1)]
    # at most three standard errors of a share beyond the nominal one
    allowed = trials * tail + 3 * math.sqrt(trials * tail * (1 - tail))
    assert sum(low > truth for _, low, _ in found) <= allowed
    assert sum(high < truth for _, _, high in found) <= allowed


@pytest.mark.slow
def test_random_generators_have_uniform_p_values():
    """The null hypothesis: a generator that is one of the random ones has a small p-value as often as it says."""
    judge = Judge.of("drawn", hill(SHAPE), torch.randn(300, 1, 2), PLANE, STAYS)
    errors = torch.stack([judge.error(each, 0) for each in random_matrices(2, 299, 0.95, 0)])
    sets = errors.split(199)[:30]
    beside, new = sets[:15], torch.cat(sets[15:])
    p = torch.cat([(1 + (errors <= new[:, None]).sum(1)) / (1 + len(errors)) for errors in beside])
    for level in (0.05, 0.2, 0.5):
        # both the generators and those beside them are drawn, 15 times 199 of each
        spread = 3 * math.sqrt(level * (1 - level) * 2 / len(new))
        assert abs((p <= level).double().mean().item() - level) <= spread


def test_reaches_end_before_the_first_failure():
    assert _reach([True] * 6) == 4.5 and _reach([False, True, True, True, True, True]) == 0.0
    assert _reach([True, True, False, True, True, True]) == 0.5


def test_bad_input_is_refused():
    x = torch.randn(50, 1, 2)
    good = (hill(torch.eye(2)), x)
    for words, call in {
        "charts: got none": lambda: local_basis({}, PLANE, STAYS),
        "'few' has 30 examples": lambda: local_basis({"few": (good[0], x[:30])}, PLANE, STAYS),
        "outputs of 'flat' are the same": lambda: local_basis({"flat": (lambda x: 0 * x[:, 0], x)}, PLANE, STAYS),
        "delta: got 2": lambda: local_basis({"a": good}, PLANE, STAYS, delta=2.0),
        "level: got 95": lambda: local_basis({"a": good}, PLANE, STAYS, level=95.0),
        "on_input: got Invariant": lambda: local_basis({"a": good}, STAYS, STAYS),
        "generators: got 5": lambda: local_basis({"a": good}, PLANE, STAYS, 5),
        "reward: got 0": lambda: local_basis({"a": good}, PLANE, STAYS, reward=0.0),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()
