"""Links between the pages of the built documentation lead somewhere: python docs/check_links.py docs/_build/html."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r'(?:href|src)="([^"#?]+)(?:[#?][^"]*)?"')


def dead_links(site: Path) -> list[str]:
    """`page: link` for each link to a file that is not there."""
    found = []
    for page in sorted(site.rglob("*.html")):
        links = set(LINK.findall(page.read_text(encoding="utf8")))
        inside = {link for link in links if not re.match(r"\w+:|//", link)}
        found += [f"{page.relative_to(site)}: {link}" for link in inside if not (page.parent / unquote(link)).exists()]
    return found


if __name__ == "__main__":
    dead = dead_links(Path(sys.argv[1]))
    print("\n".join(dead), file=sys.stderr)
    raise SystemExit(bool(dead))
