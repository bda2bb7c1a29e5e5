"""Rigid bodies that collide: simulated by MuJoCo in parallel, with a certificate of their symmetry."""

from learnsym.data.rigid_bodies.body_frames import BodyFrames
from learnsym.data.rigid_bodies.certificate import candidates, certificate_of, certify, mirror
from learnsym.data.rigid_bodies.scenes import Poses, Scenes, Surroundings
from learnsym.data.rigid_bodies.shapes import SHAPES
from learnsym.data.rigid_bodies.sources import SOURCES
from learnsym.data.rigid_bodies.surface_points import SurfacePoints
from learnsym.data.rigid_bodies.system import RigidBodies
from learnsym.data.rigid_bodies.tokens import Tokens
from learnsym.data.rigid_bodies.with_surroundings import WithSurroundings
from learnsym.data.rigid_bodies.world import World, over_floor

__all__ = [
    "SHAPES",
    "SOURCES",
    "BodyFrames",
    "Poses",
    "RigidBodies",
    "Scenes",
    "SurfacePoints",
    "Surroundings",
    "Tokens",
    "WithSurroundings",
    "World",
    "candidates",
    "certificate_of",
    "certify",
    "mirror",
    "over_floor",
]
