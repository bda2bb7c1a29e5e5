"""What MuJoCo makes of scenes: conservation, symmetry, reproducibility, and files that survive interruptions."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

import learnsym as ls
from learnsym.data.dynamics import SimulationBlewUp
from learnsym.data.rigid_bodies import (
    BodyFrames,
    RigidBodies,
    SurfacePoints,
    WithSurroundings,
    World,
    certificate,
    certificate_of,
    certify,
    generation,
    over_floor,
    store,
)
from learnsym.data.rigid_bodies.engine import simulate
from learnsym.data.rigid_bodies.generation import drawn_scene
from learnsym.data.rigid_bodies.shapes import BOX, SPHERE, volume
from learnsym.data.rigid_bodies.tokens import surroundings_of

pytest.importorskip("mujoco")

FREE, FLOOR, SLOPE = World(), over_floor(), over_floor(20.0)
ABOVE = over_floor().gravity


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNSYM_CACHE", str(tmp_path))
    monkeypatch.delenv("LEARNSYM_DATA", raising=False)
    monkeypatch.setattr(store, "CHUNK", 8)
    monkeypatch.setattr(certificate, "EXAMPLES", 4)


def _scene(world=FREE, bodies=4, index=0):
    return drawn_scene(world, bodies, 0, index)


def _after(scene, world=FREE, steps=300, timestep=1e-3):
    return simulate(scene, surroundings_of(world, 1).at(0), steps, timestep)


def test_a_lone_body_flies_straight_and_falls():
    scene = _scene(bodies=1)
    np.testing.assert_allclose(_after(scene).position, scene.position + 0.3 * scene.velocity, atol=1e-10)
    fallen = _after(scene, World(gravity=ABOVE)).position - _after(scene).position
    # a step of the semi-implicit method falls by g h² (n + 1) n / 2
    np.testing.assert_allclose(fallen[0], np.array(ABOVE) * 300 * 301 / 2 * 1e-6, atol=1e-10)


def test_free_flight_keeps_energy_and_angular_momentum():
    """Of a lone box: a second simulation from its end gives its spin there."""
    scene = _scene(bodies=1)._replace(kind=np.array([BOX]), half_lengths=np.array([[0.15, 0.25, 0.35]]))
    h, dt = scene.half_lengths[0], 1e-4
    inertia = (h @ h - h**2) / 3

    def momentum(steps):
        now, next_ = (_after(scene, steps=steps + k, timestep=dt).frame[0] for k in (0, 1))
        skew = (next_ @ now.T - now @ next_.T) / (2 * dt)
        spin = np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
        own = now.T @ spin
        return now @ (inertia * own), (inertia * own**2).sum()

    (first, energy), (last, final) = momentum(1), momentum(5000)
    np.testing.assert_allclose(last, first, rtol=0, atol=2e-3 * float(np.linalg.norm(first)))
    assert abs(final / energy - 1) < 2e-3


def test_collisions_keep_momentum_and_lose_energy():
    for index in range(3):
        scene = _scene(index=index)
        mass = volume(scene.kind, scene.half_lengths)[:, None]
        before, after = (_after(scene, steps=steps).position for steps in (800, 801))
        velocity = (after - before) / 1e-3
        assert np.abs(velocity - scene.velocity).max() > 0.1
        np.testing.assert_allclose((mass * velocity).sum(0), (mass * scene.velocity).sum(0), atol=1e-9)
        assert (mass * velocity**2).sum() < (mass * scene.velocity**2).sum()


def test_balls_part_with_half_the_speed_with_which_they_met():
    pair = _scene(bodies=2)._replace(
        kind=np.array([SPHERE, SPHERE]),
        half_lengths=np.full((2, 3), 0.2),
        position=np.array([[-0.3, 0.0, 0.0], [0.3, 0.0, 0.0]]),
        velocity=np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]),
        spin=np.zeros((2, 3)),
    )
    before, after = (_after(pair, steps=steps).position for steps in (500, 600))
    speed = (after - before)[1, 0] / 0.1
    assert 0.38 < speed < 0.5
    assert min(float(np.diff(_after(pair, steps=k).position[:, 0])[0]) for k in range(100, 130)) > 0.39


def test_a_ball_comes_to_rest_on_the_floor():
    ball = _scene(bodies=1)._replace(
        kind=np.array([SPHERE]), half_lengths=np.full((1, 3), 0.2), position=np.array([[0.0, 0.0, 0.4]])
    )
    still = ball._replace(velocity=np.zeros((1, 3)), spin=np.zeros((1, 3)))
    assert abs(_after(still, FLOOR, 4000).position[0, 2] - 0.2) < 0.005
    assert _after(still, SLOPE, 4000).position[0, 1] > 1.0


def test_the_order_of_bodies_and_the_sense_of_frames_do_not_matter():
    scene, order = _scene(index=1), np.array([2, 0, 3, 1])
    mixed = type(scene)(*(part[order] for part in scene))._replace(frame=-scene.frame[order])
    first, second = _after(scene, steps=500), _after(mixed, steps=500)
    np.testing.assert_allclose(second.position, first.position[order], atol=1e-5)
    np.testing.assert_allclose(second.frame, -first.frame[order], atol=1e-4)


@pytest.mark.parametrize(
    ("world", "kept"),
    [
        (FREE, {"SO(3)", "O(3)", "SO(2) about z", "mirror of x", "mirror of y", "mirror of z", "x, y", "z", "floor"}),
        (FLOOR, {"SO(2) about z", "mirror of x", "mirror of y", "x, y", "floor"}),
        (SLOPE, {"mirror of x", "x, y"}),
    ],
    ids=["free", "floor", "tilted"],
)
def test_certificates(world, kept):
    measured = certify(RigidBodies(world=world, duration=0.4, timestep=2e-3), examples=16, samples=2)
    long = {"x, y": "translations along x, y", "z": "translations along z", "floor": "motions of the floor"}
    exact = {row.candidate for row in measured.rows if row.verdict == "exact"}
    assert exact == {long.get(name, name) for name in kept}
    assert all(row.floor < 1e-6 for row in measured.rows if row.candidate in exact)
    assert all(row.floor > 1e-3 for row in measured.rows if row.candidate not in exact)


@pytest.mark.parametrize("tokens", [SurfacePoints(), BodyFrames()], ids=["points", "bodies"])
def test_known_surroundings_restore_e3(tokens):
    system = RigidBodies(world=SLOPE, tokens=WithSurroundings(tokens), duration=0.3, timestep=2e-3)
    measured = certify(system, examples=8, samples=2)
    assert {row.verdict for row in measured.rows} == {"exact"}
    assert max(row.floor for row in measured.rows) < 1e-6


def test_the_certificate_is_kept_and_read_again(tmp_path, monkeypatch):
    system = RigidBodies(bodies=2, duration=0.02, timestep=2e-3, tokens=BodyFrames())
    measured = certificate_of(system)
    assert measured["O(3)"].verdict == "exact" and measured.examples == 4
    monkeypatch.setattr(generation, "simulate", None)
    assert certificate_of(system) == measured
    assert list(tmp_path.rglob("certificate.json"))


def test_results_do_not_depend_on_threads_or_on_what_was_there(tmp_path, monkeypatch):
    system = RigidBodies(bodies=3, duration=0.3, timestep=2e-3)
    alone = system.dataset(20, seed=3, threads=1)
    monkeypatch.setenv("LEARNSYM_CACHE", str(tmp_path / "other"))
    first = system.dataset(5, seed=3, threads=4)
    together = system.dataset(20, seed=3, threads=4)
    assert torch.equal(alone.x, together.x) and torch.equal(alone.y, together.y)
    assert torch.equal(first.y, alone.y[:5])
    torch.testing.assert_close(alone.y.double(), system.future(system.initial(20, seed=3)), atol=1e-5, rtol=0)
    assert torch.equal(alone.x, system.initial(20, seed=3).float())


def test_an_interrupted_generation_goes_on(tmp_path, monkeypatch, caplog):
    system, made = RigidBodies(bodies=3, duration=0.02, timestep=2e-3), []

    def counted(*arguments):
        made.append(1)
        if len(made) == 20:
            raise KeyboardInterrupt
        return simulate(*arguments)

    monkeypatch.setattr(generation, "simulate", counted)
    with pytest.raises(KeyboardInterrupt):
        system.dataset(24, threads=1)
    assert len(list(tmp_path.rglob("*.npz"))) == 2 and not list(tmp_path.rglob("*.tmp*"))
    made[:] = [0] * 100
    data = system.dataset(24, threads=2)
    assert len(made) == 108  # the third chunk alone
    path = sorted(tmp_path.rglob("*.npz"))[1]
    path.write_bytes(path.read_bytes()[:100])
    with caplog.at_level(logging.WARNING):
        assert torch.equal(system.dataset(24).y, data.y)
    assert "simulated again" in caplog.text and len(made) == 116


def test_scenes_that_blow_up_are_drawn_again(monkeypatch, caplog):
    failed = []

    def fragile(scene, *rest):
        if len(failed) < 3:
            failed.append(scene)
            raise SimulationBlewUp("scene: too fast")
        return simulate(scene, *rest)

    monkeypatch.setattr(generation, "simulate", fragile)
    system = RigidBodies(bodies=2, duration=0.02, timestep=2e-3)
    with caplog.at_level(logging.WARNING):
        data = system.dataset(2, threads=1)
    assert "attempt 2" in caplog.text and not torch.equal(data.x[:1], system.initial(1).float())
    monkeypatch.setattr(generation, "simulate", lambda *_: (_ for _ in ()).throw(SimulationBlewUp("no")))
    with pytest.raises(SimulationBlewUp, match="blew up 10 times"):
        system.dataset(1, seed=1, threads=1)


def test_overlapping_and_endless_scenes_are_found():
    scene = _scene()
    with pytest.raises(SimulationBlewUp, match="smaller timestep"):
        _after(scene._replace(velocity=np.full((4, 3), 1e4)))
    system = RigidBodies(world=FLOOR, duration=0.1)
    buried = system.initial(1) * 1.0
    buried[..., 2] -= 3e3
    with pytest.raises(SimulationBlewUp):
        system.future(buried)


def test_another_version_of_mujoco_is_refused(tmp_path):
    system = RigidBodies(bodies=2, duration=0.02, timestep=2e-3)
    system.dataset(1)
    about = next(tmp_path.rglob("system.json"))
    about.write_text(json.dumps({**json.loads(about.read_text()), "mujoco": "0.0"}))
    assert len(system.dataset(8)) == 8  # nothing is missing
    with pytest.raises(ValueError, match=r"mujoco: is .* simulated by 0\.0"):
        system.dataset(9)


def test_without_mujoco_kept_scenes_can_be_read(monkeypatch):
    system = RigidBodies(bodies=2, duration=0.02, timestep=2e-3)
    kept = system.dataset(8)
    monkeypatch.setitem(__import__("sys").modules, "mujoco", None)
    assert torch.equal(system.dataset(8).y, kept.y)
    with pytest.raises(ValueError, match=r"pip install learnsym\[sim\]"):
        system.dataset(9)


def test_splits_by_name_are_nested_and_apart(monkeypatch):
    small = RigidBodies(bodies=2, duration=0.02, timestep=2e-3)
    source = ls.data.source_by_name("rigid-free")
    read = source.read.func, "rigid-free", lambda: small
    monkeypatch.setitem(ls.data.registry, "rigid-free", replace(source, read=lambda *rest: read[0](*read[1:], *rest)))
    few, many = (ls.data.load_splits(ls.data.DataConfig(name="rigid-free", train=n, val=4, test=4)) for n in (6, 12))
    assert torch.equal(few.val.x, many.val.x) and torch.equal(few.test.x, many.test.x)
    rows = {tuple(row) for row in many.train.x.flatten(1).tolist()}
    assert {tuple(row) for row in few.train.x.flatten(1).tolist()} <= rows
    assert not rows & {tuple(row) for row in many.test.x.flatten(1).tolist()}
    assert few.train.signature.symmetry("e3").group.name == "E(3)" and few.train.name == "rigid-free"
