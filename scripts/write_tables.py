"""Write the tables of methods into README.md and docs/methods.md, from the registry: python scripts/write_tables.py."""

from pathlib import Path

from learnsym.methods._table import choosers_table, methods_table

ROOT = Path(__file__).resolve().parents[1]
PLACES = {"README.md": ("methods", methods_table), "docs/methods.md": ("choosers", choosers_table)}


def main() -> None:
    for file, (name, table) in PLACES.items():
        path = ROOT / file
        before, rest = path.read_text(encoding="utf8").split(f"<!-- {name} -->")
        after = rest.split(f"<!-- /{name} -->")[1]
        content = f"{before}<!-- {name} -->\n{table()}\n<!-- /{name} -->{after}"
        path.write_text(content, encoding="utf8")


if __name__ == "__main__":
    main()
