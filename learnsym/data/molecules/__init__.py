"""Molecules: extended xyz files, configurations with energies and forces, and three published sets."""

from learnsym.data.molecules.botnet import ACAC, BPA, ETHANOL, load_molecules
from learnsym.data.molecules.configurations import Molecules, NetLoad, check_invariance, net_load
from learnsym.data.molecules.extxyz import read_atoms, read_extxyz, read_structures
from learnsym.data.molecules.structures import Structures

SOURCES = (BPA, ACAC, ETHANOL)

__all__ = [
    "SOURCES",
    "Molecules",
    "NetLoad",
    "Structures",
    "check_invariance",
    "load_molecules",
    "net_load",
    "read_atoms",
    "read_extxyz",
    "read_structures",
]
