"""The certificate finds the symmetry of each simulator, and the floor that a broken one implies."""

import json

import jaxtyping
import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud
from learnsym.data.dynamics import (
    ChargedSystem,
    GravitySystem,
    LorentzField,
    NoClamp,
    NormClamp,
    SpringSystem,
    UniformField,
    standard_candidates,
    symmetry_certificate,
)
from learnsym.groups import SO3, AxialSO2, SignedPermutations

IN, OUT = PointCloud(1, 1), PointCloud()
ROTATIONS, CUBE = ls.Symmetry(SO3(), IN, OUT), ls.Symmetry(SignedPermutations(), IN, OUT)
ABOUT = {axis: ls.Symmetry(AxialSO2(axis), IN, OUT) for axis in (0, 1, 2, (1, 1, 1))}


@pytest.fixture(autouse=True)
def without_shape_checks(monkeypatch):
    """They take most of the time of thousands of steps; the tests of the systems have them."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def _frame_30(count, **parts):
    system = ChargedSystem(**parts)
    return system, system.advance(system.initial(count), 3100)


@pytest.mark.slow
def test_the_component_clamp_leaves_the_cube_and_implies_the_floor():
    system, x = _frame_30(500)
    rotations = symmetry_certificate(system.future, x, [ROTATIONS], samples=4)["SO(3)"]
    cube = symmetry_certificate(system.future, x[:100], [CUBE], samples=4)["O_h"]
    assert rotations.verdict == "broken" and cube.verdict == "exact" and cube.is_whole and cube.elements == 48
    assert abs(rotations.floor - 2.29e-3) < 3 * (rotations.floor_stderr + 1.4e-4)
    assert rotations.floor_stderr < 8e-4 and cube.floor < 1e-5


@pytest.mark.parametrize("clamp", [NormClamp(), NoClamp()], ids=["norm", "none"])
def test_other_clamps_keep_rotations(clamp):
    system, x = _frame_30(200, clamp=clamp)
    row = symmetry_certificate(system.future, x, [ROTATIONS], samples=3)["SO(3)"]
    assert row.verdict == "exact" and row.floor < 1e-3


@pytest.mark.parametrize(("field", "axis"), [(UniformField(), 2), (LorentzField(), (1, 1, 1))], ids=["z", "111"])
def test_fields_leave_rotations_about_their_direction(field, axis):
    system, x = _frame_30(60, clamp=NormClamp(), field=field)
    certificate = symmetry_certificate(system.future, x, [*ABOUT.values(), ROTATIONS], samples=3)
    verdicts = {row.candidate: row.verdict for row in certificate.rows}
    assert verdicts.pop(ABOUT[axis].name) == "exact"
    assert set(verdicts.values()) == {"broken"}


@pytest.mark.parametrize("system", [GravitySystem(), SpringSystem()], ids=["gravity", "springs"])
def test_gravity_and_springs_have_every_standard_symmetry(system):
    x = system.initial(20)
    certificate = symmetry_certificate(
        lambda x: system.future(x, 100), x, standard_candidates(system.bodies), samples=2
    )
    assert [row.verdict for row in certificate.rows] == ["exact"] * 9


def test_float32_is_judged_by_its_own_rounding():
    system = GravitySystem()
    assert symmetry_certificate(system.future, system.initial(20).float(), [ROTATIONS]).rows[0].verdict == "exact"


def test_the_floor_is_the_orbit_variance():
    """f(p) = n (n·p) with a constant axis n: `g^-1 f(g p) = m (m·p)` with uniform `m`, of variance 2/9 |p|²."""
    p = torch.randn(200, 1, 3, dtype=torch.float64)
    symmetry = ls.Symmetry(SO3(), OUT, OUT)
    row = symmetry_certificate(lambda x: x * x.new_tensor([0.0, 0.0, 1.0]), p, [symmetry], samples=64).rows[0]
    # E|m (m·p)|² = |p|²/3, |E m (m·p)|² = |p|²/9
    expected = p.square().sum(-1).mean() * (1 / 3 - 1 / 9) / 3
    assert abs(row.floor - expected) < 4 * row.floor_stderr
    assert row.verdict == "broken" and abs(row.defect - 2 * row.floor) < 5 * row.defect_stderr


def test_rare_breaks_are_not_decided():
    def simulate(x):
        return torch.where((torch.arange(len(x)) == 3)[:, None, None], x * x.new_tensor([0.0, 0.0, 1.0]), x)

    x = torch.randn(50, 2, 3, dtype=torch.float64)
    assert symmetry_certificate(simulate, x, [ls.Symmetry(SO3(), OUT, OUT)]).rows[0].verdict == "not decided"


def test_it_can_be_written_and_read():
    system = GravitySystem()
    certificate = symmetry_certificate(system.future, system.initial(4), [ROTATIONS, CUBE], samples=2)
    written = json.loads(json.dumps(certificate.to_dict()))
    assert written == certificate.to_dict() and written["rows"][1]["candidate"] == "O_h"
    table = str(certificate).splitlines()
    assert len(table) == 4 and "all 48" in table[2] and table[1].endswith("exact")
    with pytest.raises(KeyError, match=r"SO\(2\).*must be one of SO\(3\), O_h"):
        certificate["SO(2)"]


def test_bad_arguments():
    system = GravitySystem()
    x = system.initial(3)
    for arguments in ((system.future, x, []), (system.future, x[:1], [ROTATIONS]), (lambda x: x[:1], x, [ROTATIONS])):
        with pytest.raises(ValueError, match=r"candidates|simulate"):
            symmetry_certificate(*arguments)
    with pytest.raises(ValueError, match="distribution"):
        symmetry_certificate(system.future, x, [ls.Symmetry(ls.groups.SE3(), IN, OUT)])
    with pytest.raises(ValueError, match="reach"):
        standard_candidates(3, reach=0.0)
