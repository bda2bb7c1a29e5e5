"""World models: pictures to latent states of objects, scenes or frames, and what actions do to those."""

from learnsym.nets.world.encoder import ObjectEncoder
from learnsym.nets.world.frames import FrameEncoder, FrameModel, FreeTurn, Turn, orthonormal
from learnsym.nets.world.layers import ARMS, FreeLinear, Layers, free_conv
from learnsym.nets.world.model import ObjectModel
from learnsym.nets.world.scene import SceneEncoder, SceneModel, SceneTransition
from learnsym.nets.world.transition import ObjectTransition

__all__ = [
    "ARMS",
    "FrameEncoder",
    "FrameModel",
    "FreeLinear",
    "FreeTurn",
    "Layers",
    "ObjectEncoder",
    "ObjectModel",
    "ObjectTransition",
    "SceneEncoder",
    "SceneModel",
    "SceneTransition",
    "Turn",
    "free_conv",
    "orthonormal",
]
