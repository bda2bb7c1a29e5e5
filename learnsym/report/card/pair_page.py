"""The page of two models: which is more symmetric, both answers side by side, and links to both cards."""

from __future__ import annotations

from learnsym.files import write_atomically
from learnsym.report.card import gauge, verdict
from learnsym.report.card.versus import Pair, gap, sentence, table_of
from learnsym.report.html import environment


def write_pair_page(pair: Pair) -> None:
    """Write `card.html` beside the folders of both cards."""
    pages = environment()
    pages.globals.update(gauge=gauge, verdict=verdict, gap=gap, sentence=sentence, table_of=table_of)
    page = pages.get_template("card_pair.html.j2").render(pair=pair)
    write_atomically(pair.page, page.encode())
