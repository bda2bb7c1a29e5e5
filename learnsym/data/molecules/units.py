"""Units of energies and lengths, as factors to eV and Angstrom."""

from __future__ import annotations

from typing import NamedTuple

from learnsym.data.molecules.frames import ase


class Units(NamedTuple):
    """By what energies and lengths are multiplied to be in eV and Angstrom."""

    energy: float
    length: float

    @staticmethod
    def of(text: str) -> Units:
        """Those of a text such as `kcal/mol/Angstrom`.

        Raises:
            ValueError: for units that are not known.
        """
        units = ase("units")
        energies = {"eV": 1.0, "meV": 1e-3, "Hartree": units.Hartree}
        energies |= {"kcal/mol": units.kcal / units.mol, "kJ/mol": units.kJ / units.mol}
        lengths = {"Angstrom": 1.0, "nm": units.nm, "Bohr": units.Bohr}
        energy, _, length = text.rpartition("/")
        if energy not in energies or length not in lengths:
            raise ValueError(
                f"units: got {text!r}, must be one of {', '.join(energies)}, then / and one of {', '.join(lengths)}"
            )
        return Units(energies[energy], lengths[length])
