"""Dynamics of bodies in space: simulators whose symmetry is known, and a certificate that measures it."""

from learnsym.data.dynamics.blow_up import SimulationBlewUp
from learnsym.data.dynamics.candidates import CandidateSymmetry, standard_candidates
from learnsym.data.dynamics.certificate import CertificateRow, SymmetryCertificate, symmetry_certificate
from learnsym.data.dynamics.charged import ChargedSystem
from learnsym.data.dynamics.clamps import Clamp, ComponentClamp, NoClamp, NormClamp
from learnsym.data.dynamics.fields import Field, LorentzField, NoField, UniformField
from learnsym.data.dynamics.frames import FramedSystem
from learnsym.data.dynamics.gravity import GravitySystem
from learnsym.data.dynamics.orientation import AnyOrientation, Orientation, TurnedBy
from learnsym.data.dynamics.sources import SOURCES
from learnsym.data.dynamics.springs import SpringSystem
from learnsym.data.dynamics.system import PairwiseSystem

__all__ = [
    "SOURCES",
    "AnyOrientation",
    "CandidateSymmetry",
    "CertificateRow",
    "ChargedSystem",
    "Clamp",
    "ComponentClamp",
    "Field",
    "FramedSystem",
    "GravitySystem",
    "LorentzField",
    "NoClamp",
    "NoField",
    "NormClamp",
    "Orientation",
    "PairwiseSystem",
    "SimulationBlewUp",
    "SpringSystem",
    "SymmetryCertificate",
    "TurnedBy",
    "UniformField",
    "standard_candidates",
    "symmetry_certificate",
]
