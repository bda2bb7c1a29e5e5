"""Methods: one file each, a published combination of where the degree of symmetry lives and what holds it there.

Every file of this folder that does not begin with `_` is imported, and every `Method` in it is known by its name.
"""

from __future__ import annotations

import importlib
import pkgutil

from learnsym.methods._method import Method, Setup, Twin, learns


def _found() -> dict[str, type[Method]]:
    files = sorted(file.name for file in pkgutil.iter_modules(__path__) if not file.name.startswith("_"))
    modules = [importlib.import_module(f"{__name__}.{file}") for file in files]
    kinds = [kind for module in modules for kind in vars(module).values() if _is_method_of(kind, module.__name__)]
    return {kind.name: kind for kind in kinds}


def _is_method_of(kind: object, module: str) -> bool:
    return isinstance(kind, type) and issubclass(kind, Method) and kind.__module__ == module


registry: dict[str, type[Method]] = _found()
"""Methods by their names in configurations."""

__all__ = ["Method", "Setup", "Twin", "learns", "registry"]
