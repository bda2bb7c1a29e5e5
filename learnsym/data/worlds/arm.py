"""The arm of the reacher in MuJoCo: two links in a plane with a motor at either joint, how it moves and is seen.

Legend of axes: `N` arms, `H`, `W` pixels.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from learnsym.data._mujoco import mujoco_or

LINK = 0.1
"""Length of either link in m; the shoulder is at the origin."""
TIMESTEP, SUBSTEPS = 0.005, 20
"""Of the integrator in s, and how many make one step of the world: 0.1 s."""
FINER = 2
"""Pixels along an axis that are drawn for each of the picture, and averaged."""
DISTANCE, VIEW = 10.0, 0.46
"""Of the camera from the shoulder, and the width and height that it sees there, in m."""

_MODEL = """
<mujoco>
  <option timestep="{timestep}" integrator="implicitfast"><flag contact="disable" gravity="disable"/></option>
  <statistic extent="1" center="0 0 0"/>
  <visual>
    <headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/>
    <quality offsamples="0" shadowsize="0"/>
    <global offwidth="{size}" offheight="{size}"/>
  </visual>
  <default><joint axis="0 0 1" damping="2e-3"/><geom type="capsule" density="1000"/></default>
  <worldbody>
    <camera pos="{position}" xyaxes="{axes}" fovy="{angle}"/>
    <geom type="cylinder" size="0.02 0.001" pos="{goal} 0" rgba="0.3 0.45 0.9 {visible}"/>
    <body>
      <joint name="shoulder"/>
      <geom fromto="0 0 0 {link} 0 0" size="0.016" rgba="0.9 0.25 0.25 1"/>
      <body pos="{link} 0 0">
        <joint name="elbow"/>
        <geom fromto="0 0 0 {link} 0 0" size="0.012" rgba="0.3 0.75 0.35 1"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="shoulder" gear="0.04"/><motor joint="elbow" gear="0.012"/></actuator>
</mujoco>
"""


def simulate(
    angles: Float[Tensor, "N 2"], velocities: Float[Tensor, "N 2"], torques: Float[Tensor, "N 2"]
) -> tuple[Float[Tensor, "N 2"], Float[Tensor, "N 2"]]:
    """Angles in rad and velocities in rad/s a step later, float64, under torques that stay, in units of 40 mN m at the
    shoulder and 12 mN m at the elbow.

    Raises:
        ValueError: when MuJoCo is missing.
    """
    mujoco = _mujoco()
    model = _model(mujoco)
    data = mujoco.MjData(model)
    after = np.empty((2, len(angles), 2))
    for k, (q, v, torque) in enumerate(zip(angles.numpy(), velocities.numpy(), torques.numpy(), strict=True)):
        data.qpos[:], data.qvel[:], data.ctrl[:] = q, v, torque
        mujoco.mj_step(model, data, SUBSTEPS)
        after[0, k], after[1, k] = data.qpos, data.qvel
    return torch.from_numpy(after[0]), torch.from_numpy(after[1])


def pictures(
    angles: Float[Tensor, "N 2"], size: int, tilt: float, goal: tuple[float, float] | None
) -> UInt8[Tensor, "N 3 H W"]:
    """Pictures of arms by the renderer of MuJoCo, without a screen.

    Args:
        angles: of shoulder and elbow in rad.
        size: of the pictures in pixels.
        tilt: of the camera from straight above, in degrees.
        goal: where a disc lies that nothing touches, in m; None draws none.

    Raises:
        ValueError: when MuJoCo or a way to draw is missing.
    """
    mujoco = _mujoco()
    model = _model(mujoco, FINER * size, tilt, goal)
    data = mujoco.MjData(model)
    with _drawing(mujoco, model, FINER * size) as draw:
        seen = np.stack([draw(data, q) for q in angles.double().numpy()])
    fine = torch.from_numpy(seen).permute(0, 3, 1, 2).flip(2).unfold(2, FINER, FINER).unfold(3, FINER, FINER)
    return fine.float().mean((4, 5)).to(torch.uint8)


def _mujoco() -> Any:  # noqa: ANN401 - a module that may be missing
    return mujoco_or("mujoco: is not installed, and moves and draws the reacher; run `pip install learnsym[sim]`")


def _model(mujoco: Any, size: int = 1, tilt: float = 0.0, goal: tuple[float, float] | None = None) -> Any:  # noqa: ANN401
    c, s = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    text = _MODEL.format(
        timestep=TIMESTEP,
        size=size,
        link=LINK,
        position=f"0 {-DISTANCE * s} {DISTANCE * c}",
        axes=f"1 0 0 0 {c} {s}",
        angle=math.degrees(2 * math.atan(VIEW / 2 / DISTANCE)),
        goal=" ".join(map(repr, goal or (0.0, 0.0))),
        visible=int(goal is not None),
    )
    return mujoco.MjModel.from_xml_string(text)


@contextmanager
def _drawing(mujoco: Any, model: Any, size: int) -> Iterator[Callable[[Any, np.ndarray], np.ndarray]]:  # noqa: ANN401
    """What draws an arm at given angles, rows from the bottom."""
    with ExitStack() as stack:
        context = _context(mujoco, size)
        stack.callback(context.free)
        context.make_current()
        target = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        stack.callback(target.free)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, target)
        scene, options, camera = mujoco.MjvScene(model, 10), mujoco.MjvOption(), mujoco.MjvCamera()
        scene.flags[:] = 0  # no shadow, reflection, sky or haze
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        area, picture = mujoco.MjrRect(0, 0, size, size), np.empty((size, size, 3), np.uint8)

        def draw(data: Any, angles: np.ndarray) -> np.ndarray:  # noqa: ANN401
            data.qpos[:] = angles
            mujoco.mj_forward(model, data)
            mujoco.mjv_updateScene(model, data, options, None, camera, mujoco.mjtCatBit.mjCAT_ALL, scene)
            mujoco.mjr_render(area, scene, target)
            mujoco.mjr_readPixels(picture, None, area, target)
            return picture.copy()

        yield draw


def _context(mujoco: Any, size: int) -> Any:  # noqa: ANN401
    """What OpenGL draws into, without a screen unless MUJOCO_GL asks for one.

    Raises:
        ValueError: when there is none.
    """
    backend = os.environ.get("MUJOCO_GL") or ("cgl" if sys.platform == "darwin" else "egl")
    try:
        return import_module(f"{mujoco.__name__}.{backend}").GLContext(size, size)
    except Exception as error:  # whatever a driver raises
        raise ValueError(
            f"MUJOCO_GL: no picture can be drawn with {backend!r} ({error}); install libegl1 and a driver, or "
            "libosmesa6 and set MUJOCO_GL=osmesa"
        ) from error
