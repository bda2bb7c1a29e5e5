"""The tables of methods and of their choosers, as the documents show them."""

from __future__ import annotations

from collections.abc import Sequence

from learnsym.methods import registry
from learnsym.methods._method import Method
from learnsym.objectives import choosers
from learnsym.objectives.choosers import Chooser

PLACES = ("data", "weights", "loss")


def methods_table() -> str:
    """One row a method: its name in configurations, where the degree lives, its networks, and the papers."""
    header = ("`method.name`", "method", "place", "`net.name`", "paper")
    rows = [(f"`{m.name}`", m.title, m.place, ", ".join(_nets(m)), _links(m.papers)) for m in _by_place()]
    return _table([header, *rows])


def choosers_table() -> str:
    """Place x chooser: what each pair of a method and a chooser needs, and why the others make no sense."""
    kinds = list(choosers.registry.values())
    header = ("place", "method", *(f"`{kind.name}`" for kind in kinds))
    rows = [(m.place, f"`{m.name}`", *(_cell(m, kind) for kind in kinds)) for m in _by_place()]
    return _table([header, *rows])


def _by_place() -> list[type[Method]]:
    return sorted(registry.values(), key=lambda method: (PLACES.index(method.place), method.name))


def _nets(method: type[Method]) -> tuple[str, ...]:
    return (*method.nets, "your own") if method.takes_any_net() else method.nets


def _cell(method: type[Method], chooser: type[Chooser]) -> str:
    return chooser.needs if chooser.name in method.choosers else "–"


def _links(papers: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{authors}, [{number}](https://arxiv.org/abs/{number})" for authors, number in papers)


def _table(rows: Sequence[Sequence[str]]) -> str:
    header, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([header, "|" + "---|" * len(rows[0]), *body])
