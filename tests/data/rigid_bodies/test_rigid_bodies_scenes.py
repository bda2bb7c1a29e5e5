"""Shapes, initial scenes and tokens, which need no simulator."""

import numpy as np
import pytest
import torch

import learnsym as ls
from learnsym.data.rigid_bodies import (
    SHAPES,
    BodyFrames,
    RigidBodies,
    SurfacePoints,
    WithSurroundings,
    World,
    over_floor,
    throws,
)
from learnsym.data.rigid_bodies.generation import drawn_scene
from learnsym.data.rigid_bodies.scenes import stack
from learnsym.data.rigid_bodies.shapes import BOX, CAPSULE, CYLINDER, half_lengths, reach, volume

FREE, FLOOR, SLOPE = World(), over_floor(), over_floor(20.0)
LAYOUTS = [SurfacePoints(), SurfacePoints(8), SurfacePoints(14), BodyFrames()]
KNOWN = [WithSurroundings(SurfacePoints()), WithSurroundings(BodyFrames())]


def _scenes(count, world=FREE, bodies=4):
    return stack([drawn_scene(world, bodies, 0, index) for index in range(count)])


def _moved(scenes, g):
    """Scenes moved by the elements `g (B, 3, 3)` of O(3): a spin is an axial vector."""
    turn = lambda part: np.einsum("bij,bnj->bni", g, part)  # noqa: E731
    spin = np.linalg.det(g)[:, None, None] * turn(scenes.spin)
    frame = np.einsum("bij,bnjk->bnik", g, scenes.frame)
    return scenes._replace(position=turn(scenes.position), velocity=turn(scenes.velocity), spin=spin, frame=frame)


def _depth(kind, h, p):
    """Below 1 inside of a body, 1 on its surface, for points in its own frame."""
    a, _, c = h
    across, along = np.hypot(p[:, 0], p[:, 1]), np.abs(p[:, 2])
    return {
        BOX: (np.abs(p) / h).max(-1),
        CYLINDER: np.maximum(across / a, along / c),
        CAPSULE: np.hypot(across, np.maximum(along - (c - a), 0.0)) / a,
    }.get(kind, np.sqrt((p**2 / h**2).sum(-1)))


@pytest.mark.parametrize("kind", range(len(SHAPES)), ids=SHAPES)
def test_points_lie_on_surfaces_and_volumes_are_right(kind):
    random, kinds = np.random.default_rng(kind), np.array([kind])
    h = half_lengths(kinds, random.uniform(0.2, 0.6, (1, 3)))
    points = SurfacePoints(14).own(kinds, h)[0]
    np.testing.assert_allclose(_depth(kind, h[0], points), 1.0, atol=1e-12)
    assert set(map(tuple, points.round(12))) == set(map(tuple, 0.0 - points.round(12)))
    assert np.linalg.norm(points, axis=-1).max() <= reach(kinds, h)[0] + 1e-12
    cloud = random.uniform(-1.0, 1.0, (200_000, 3)) * h[0]
    share = (_depth(kind, h[0], cloud) <= 1).mean()
    assert abs(share * 8 * h.prod() / volume(kinds, h)[0] - 1) < 0.01


@pytest.mark.parametrize("world", [FREE, FLOOR, SLOPE], ids=lambda world: world.name)
def test_nothing_touches_at_the_start(world):
    scenes = _scenes(60, world)
    radius = reach(scenes.kind, scenes.half_lengths)
    apart = np.linalg.norm(scenes.position[:, :, None] - scenes.position[:, None], axis=-1) + 9 * np.eye(4)
    assert (apart >= radius[:, :, None] + radius[:, None]).all()
    assert not world.floor or (scenes.position[..., 2] >= radius).all()
    np.testing.assert_allclose(
        scenes.frame @ scenes.frame.swapaxes(-1, -2), np.broadcast_to(np.eye(3), (60, 4, 3, 3)), atol=1e-12
    )


def test_the_law_of_free_scenes_is_isotropic():
    scenes = _scenes(800)
    for part in (scenes.position, scenes.velocity, scenes.spin, *np.moveaxis(scenes.frame, -1, 0)):
        flat = part.reshape(-1, 3)
        scale = (flat**2).mean()
        assert np.abs(flat.mean(0)).max() < 5 * (scale / len(flat)) ** 0.5
        np.testing.assert_allclose(flat.T @ flat / len(flat) / scale, np.eye(3), atol=0.1)
    assert abs((np.linalg.det(scenes.frame) > 0).mean() - 0.5) < 0.05


@pytest.mark.parametrize("tokens", LAYOUTS, ids=str)
def test_decoding_undoes_encoding_and_commutes_with_e3(tokens):
    scenes = _scenes(10)
    x = tokens.encode(scenes, FREE)
    for part, again in zip(scenes, tokens.decode(x, 4), strict=True):
        np.testing.assert_allclose(again, part, atol=1e-12)
    g = ls.groups.O3().haar(10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    moved = _moved(scenes, g.numpy())
    torch.testing.assert_close(tokens.on_input(4)(g, x), tokens.encode(moved, FREE), atol=1e-12, rtol=0)
    poses = ls.data.rigid_bodies.Poses(scenes.position, scenes.frame)
    later = ls.data.rigid_bodies.Poses(moved.position, moved.frame)
    torch.testing.assert_close(
        tokens.on_output(g, tokens.targets(scenes, poses)), tokens.targets(moved, later), atol=1e-12, rtol=0
    )


def test_a_left_handed_frame_gives_the_same_set_of_points():
    scenes = _scenes(5)
    other = scenes._replace(frame=-scenes.frame)
    x, y = (SurfacePoints().encode(part, FREE) for part in (scenes, other))
    assert not torch.equal(x, y)
    order = torch.arange(24).view(4, 2, 3).flip(1).flatten()
    torch.testing.assert_close(x, y[:, order], atol=1e-14, rtol=0)


@pytest.mark.parametrize("tokens", KNOWN, ids=str)
def test_surroundings_are_read_from_tokens_wherever_the_floor_is(tokens):
    scenes = _scenes(6, SLOPE)
    x = tokens.encode(scenes, SLOPE)
    g = torch.zeros(6, 4, 4, dtype=torch.float64)
    g[:, :3, :3] = ls.groups.O3().haar(6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    g[:, :3, 3] = torch.tensor([1.0, 2.0, 3.0])
    moved = tokens.on_input(4)(g, x)
    around = tokens.surroundings(moved, FREE)
    gravity, normal = torch.tensor(SLOPE.gravity, dtype=torch.float64), g[:, :3, 2]
    np.testing.assert_allclose(around.gravity, (g[:, :3, :3] @ gravity).numpy(), atol=1e-12)
    np.testing.assert_allclose(around.plane[:, :3], normal.numpy(), atol=1e-12)
    np.testing.assert_allclose(around.plane[:, 3], (normal @ g[0, :3, 3]).numpy(), atol=1e-12)
    np.testing.assert_allclose(tokens.decode(moved, 4).half_lengths, scenes.half_lengths, atol=1e-12)


def test_larger_sets_begin_with_smaller_ones():
    system = RigidBodies(bodies=3)
    assert torch.equal(system.initial(5, seed=1), system.initial(9, seed=1)[:5])
    assert not torch.equal(system.initial(5, seed=1), system.initial(5, seed=2))


def test_a_slope_leans_about_its_axis():
    about_x, about_y = over_floor(30.0), over_floor(30.0, axis=(0, 1, 0))
    np.testing.assert_allclose(np.linalg.norm(about_x.gravity), 9.81)
    np.testing.assert_allclose(about_x.gravity, (0.0, 4.905, -8.4957), atol=1e-4)
    np.testing.assert_allclose(about_y.gravity, (-4.905, 0.0, -8.4957), atol=1e-4)
    assert [world.name for world in (FREE, FLOOR, SLOPE, World(gravity=(0.0, 0.0, -1.0)))] == [
        "free",
        "floor",
        "tilted",
        "falling",
    ]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: SurfacePoints(7), "points: got 7"),
        (lambda: World(gravity=(0.0, 0.0, 1.0), floor=True), "gravity"),
        (lambda: World(gravity=(0.0, 0.0, float("nan"))), "gravity"),
        (lambda: over_floor(90.0), "tilt: got 90"),
        (lambda: over_floor(20.0, axis=(0, 0, 1)), "axis"),
        (lambda: RigidBodies(bodies=0), "bodies: got 0"),
        (lambda: RigidBodies(timestep=1.0), "duration, timestep"),
        (lambda: RigidBodies(duration=float("inf")), "duration, timestep"),
        (lambda: RigidBodies().initial(0), "count: got 0"),
        (lambda: RigidBodies().future(torch.zeros(2, 24, 21)), r"x: got shape \(2, 24, 21\)"),
        (lambda: RigidBodies().future(torch.zeros(0, 24, 22)), "x: got shape"),
        (lambda: RigidBodies(tokens=KNOWN[0]).initial(1), "WithSurroundings"),
        (lambda: RigidBodies().dataset(1, threads=0), "threads: got 0"),
        (lambda: ls.data.DataConfig(name="rigid"), "data.name"),
    ],
)
def test_bad_arguments(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_too_many_bodies(monkeypatch):
    monkeypatch.setattr(throws, "TRIES", 50)
    with pytest.raises(ValueError, match="bodies: got 60, which do not fit"):
        RigidBodies(bodies=60).initial(1)


def test_named_sources_have_clouds_and_symmetries():
    names = [source.name for source in ls.data.rigid_bodies.SOURCES]
    assert len(names) == 10 and set(names) <= set(ls.data.registry)
    signature = ls.data.Signature(in_shape=(24, 22), on_input=RigidBodies().on_input, on_output=RigidBodies().on_output)
    assert signature.symmetry("e3").group.name == "E(3)"
    assert ls.data.Signature.from_json(signature.to_json()) == signature
