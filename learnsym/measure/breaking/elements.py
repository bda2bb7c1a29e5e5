"""The elements by which measures of data sets move examples exactly, without interpolation."""

from __future__ import annotations

from learnsym._settings import shown
from learnsym.actions import Image, LabelMap, Volume
from learnsym.symmetry import Symmetry


def check_exact(symmetry: Symmetry, shape: tuple[int, ...]) -> None:
    """Refuse moves that interpolate: a network would tell moved examples by their blur.

    Args:
        symmetry: of one tensor of examples.
        shape: of an example.

    Raises:
        ValueError: for images, label maps or volumes under a group that does not permute pixels.
    """
    if not isinstance(symmetry.on_input, Image | LabelMap | Volume):
        return
    group, sides = symmetry.group, set(shape[-symmetry.group.n :])
    permutes = group.order is not None and bool((group.components == group.components.round()).all())
    if not permutes:
        raise ValueError(
            f"symmetry: got {shown(group.name)}, which interpolates pixels, must permute them, as quarter_turns2d, "
            "flip2d and square2d do; for ranges of angles take ls.measure.pose_posterior"
        )
    if len(sides) > 1 and len(group.components) > 2:
        raise ValueError(f"x: got examples of shape {shape}, must be square for {group.name}; crop them")
