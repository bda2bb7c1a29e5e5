"""MuJoCo, set up so that its futures are as symmetric and as accurate as it can give them.

Contacts have elliptic friction cones: pyramids, the default of the engine, prefer two tangents that it derives from
the axes of space, which breaks rotations by 1e-3 m² of mean squared position after half a second, where bodies move by
0.3 m². Collision detection and solver iterate to the last digits, for where they stop depends on the frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from learnsym.data._mujoco import mujoco_or
from learnsym.data.dynamics import SimulationBlewUp
from learnsym.data.rigid_bodies.scenes import Poses, Scenes, Surroundings
from learnsym.data.rigid_bodies.shapes import SHAPES, size_of

DENSITY, FRICTION = 100.0, 0.5
"""The density in kg/m³, and the coefficient of friction of sliding; torsion and rolling have no friction."""
CONTACT_TIME, CONTACT_DAMPING = 0.02, 0.3
"""Time constant in s and damping ratio of a contact: restitution is 0.42 to 0.47, depth up to 15 mm at 4 m/s."""
BOUND = 1e3
"""Largest coordinate or velocity in SI units; beyond it a simulation has blown up."""

_OPTION = (
    '<option timestep="{timestep!r}" integrator="implicitfast" cone="elliptic" solver="Newton" gravity="{gravity}" '
    'tolerance="1e-14" iterations="100" ls_iterations="100" ls_tolerance="1e-6" '
    'ccd_tolerance="1e-12" ccd_iterations="200"><flag autoreset="disable"/></option>'
    f'<default><geom condim="3" friction="{FRICTION} 0 0" density="{DENSITY}" '
    f'solref="{CONTACT_TIME} {CONTACT_DAMPING}"/></default>'
)


def engine() -> Any:  # noqa: ANN401 - a module that may be missing
    """The module `mujoco`.

    Raises:
        ValueError: when it is not installed.
    """
    return mujoco_or(
        "mujoco: is not installed and these scenes have not been simulated yet; run `pip install learnsym[sim]`, or "
        "set LEARNSYM_DATA to a folder that holds them"
    )


def is_installed() -> bool:
    """Whether scenes can be simulated."""
    try:
        return bool(engine())
    except ValueError:
        return False


def simulate(scene: Scenes, surroundings: Surroundings, steps: int, timestep: float) -> Poses:
    """Poses `steps` time steps later, of one scene; other threads may run meanwhile.

    Raises:
        SimulationBlewUp: when a coordinate or velocity is not finite or too large.
        ValueError: when MuJoCo is missing.
    """
    mujoco = engine()
    model = mujoco.MjModel.from_xml_string(_model(scene, surroundings, timestep))
    data = mujoco.MjData(model)
    handed = np.sign(np.linalg.det(scene.frame))
    right = handed[:, None, None] * scene.frame
    poses, rates = data.qpos.reshape(-1, 7), data.qvel.reshape(-1, 6)
    poses[:, :3], rates[:, :3] = scene.position, scene.velocity
    rates[:, 3:] = np.einsum("nij,ni->nj", right, scene.spin)  # in the frame of the body
    for quaternion, frame in zip(poses[:, 3:], right, strict=True):
        mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(frame).reshape(9))
    mujoco.mj_step(model, data, steps)
    _check(data, steps, timestep)
    frames = np.empty((len(poses), 9))
    for frame, quaternion in zip(frames, poses[:, 3:], strict=True):
        mujoco.mju_quat2Mat(frame, quaternion)
    return Poses(poses[:, :3].copy(), handed[:, None, None] * frames.reshape(-1, 3, 3))


def _check(data: Any, steps: int, timestep: float) -> None:  # noqa: ANN401
    numbers = np.concatenate([data.qpos, data.qvel])
    if not bool((np.abs(numbers) <= BOUND).all()):  # NaN compares as outside
        raise SimulationBlewUp(
            f"scene: a coordinate is not finite or beyond {BOUND:g} within {steps * timestep:g} s; take a smaller "
            f"timestep than {timestep:g}, and bodies that do not overlap at the start"
        )


def _model(scene: Scenes, surroundings: Surroundings, timestep: float) -> str:
    kinds = scene.kind.tolist()
    bodies = "".join(
        f'<body><freejoint/><geom type="{SHAPES[kind]}" size="{_text(size_of(kind, h))}"/></body>'
        for kind, h in zip(kinds, scene.half_lengths, strict=True)
    )
    option = _OPTION.format(timestep=timestep, gravity=_text(surroundings.gravity.tolist()))
    return f"<mujoco>{option}<worldbody>{_floor(surroundings.plane)}{bodies}</worldbody></mujoco>"


def _floor(plane: Float[np.ndarray, "4"]) -> str:
    if np.isnan(plane[0]):
        return ""
    normal, origin = plane[:3].tolist(), (plane[3] * plane[:3]).tolist()
    return f'<geom type="plane" size="0 0 1" zaxis="{_text(normal)}" pos="{_text(origin)}"/>'


def _text(numbers: tuple[float, ...] | list[float]) -> str:
    return " ".join(repr(number) for number in numbers)
