"""Write the tables of methods and of claims, and the list of keys: python scripts/write_tables.py."""

from pathlib import Path

from learnsym import _keys
from learnsym.methods._table import choosers_table, methods_table
from learnsym.report.claims import claims_table
from learnsym.training.config_file import all_keys

ROOT = Path(__file__).resolve().parents[1]

PLACES = {
    "README.md": ("methods", methods_table),
    "docs/methods.md": ("choosers", choosers_table),
    "experiments/README.md": ("claims", lambda: claims_table(ROOT / "experiments")),
}


def main() -> None:
    for file, (name, table) in PLACES.items():
        path = ROOT / file
        before, rest = path.read_text(encoding="utf8").split(f"<!-- {name} -->")
        after = rest.split(f"<!-- /{name} -->")[1]
        content = f"{before}<!-- {name} -->\n{table()}\n<!-- /{name} -->{after}"
        path.write_text(content, encoding="utf8")
    _keys.FILE.write_text("\n".join(all_keys()) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
