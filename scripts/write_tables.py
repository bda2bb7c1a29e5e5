"""Write the tables of methods and of claims, and the kinds of keys: python scripts/write_tables.py."""

from pathlib import Path
from typing import get_args

from learnsym.comparison.config_file import comparison_kinds
from learnsym.data import registry as data
from learnsym.methods._table import choosers_table, methods_table
from learnsym.report.claims import claims_table
from learnsym.training.config_file import CHOSEN, all_kinds

ROOT = Path(__file__).resolve().parents[1]

PLACES = {
    "README.md": ("methods", methods_table),
    "docs/methods.md": ("choosers", choosers_table),
    "experiments/README.md": ("claims", lambda: claims_table(ROOT / "experiments")),
}


KINDS_HEAD = '''"""Keys of configurations and the kinds of their values, for refusals before torch is imported.

`python scripts/write_tables.py` writes this file.
"""

# fmt: off
# ruff: noqa
from __future__ import annotations

import typing

from learnsym._settings import Distinct, In, Longest
'''


def kinds_table() -> str:
    """`learnsym/_kinds.py`."""
    names = {**{section: tuple(kinds) for section, kinds in CHOSEN.items()}, "data": tuple(data)}
    tables = {"KINDS": all_kinds(), "COMPARISON": comparison_kinds()}
    texts = {name: {key: _text(kind) for key, kind in table.items()} for name, table in tables.items()}
    texts["NAMES"] = {key: repr(value) for key, value in names.items()}
    words = {
        "KINDS": "Annotations of values; None where keys lie below, or methods or choosers differ.",
        "COMPARISON": "Those of keys of a comparison.",
        "NAMES": "Names of methods, choosers and data sets.",
    }
    parts = [KINDS_HEAD]
    for name, rows in texts.items():
        lines = "".join(f"    {key!r}: {text},\n" for key, text in rows.items())
        parts.append(f'{name}: dict[str, typing.Any] = {{\n{lines}}}\n"""{words[name]}"""\n')
    return "\n".join(parts)


def _text(kind: object) -> str:
    """An annotation as it is written."""
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else repr(kind)


def main() -> None:
    for file, (name, table) in PLACES.items():
        path = ROOT / file
        before, rest = path.read_text(encoding="utf8").split(f"<!-- {name} -->")
        after = rest.split(f"<!-- /{name} -->")[1]
        content = f"{before}<!-- {name} -->\n{table()}\n<!-- /{name} -->{after}"
        path.write_text(content, encoding="utf8")
    (ROOT / "learnsym" / "_kinds.py").write_text(kinds_table(), encoding="utf8")


if __name__ == "__main__":
    main()
