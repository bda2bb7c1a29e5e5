"""The answer of a card in words: how well a model serves, how far it is symmetric, and what it tells apart."""

from __future__ import annotations

from learnsym.report.card import elements, limits
from learnsym.report.card.amounts import amount, percent, with_ends, with_error
from learnsym.report.card.card import EXACTLY, Card
from learnsym.report.card.row import AGREEMENT, ERROR, EXACT, EXTENT, LOSS, Row
from learnsym.statistics import LEVEL

SIGNIFICANT = 0.05


def verdict(card: Card) -> list[str]:
    """The whole answer, a sentence at a time: first how well the model serves, then each symmetry."""
    return [*filter(None, (performance(card), card.doubt)), *(f"{headline(card, name)}." for name in card.symmetries)]


def performance(card: Card) -> str:
    """Accuracy and loss with their intervals; empty without targets."""
    numbers = ", ".join(f"{row.measure} {amount(row)}" for row in card.task)
    return f"{_capital(numbers)} on {card.examples:,} examples." if numbers else ""


def headline(card: Card, symmetry: str) -> str:
    """What a reader should take home about one symmetry."""
    if card.doubt:
        return f"Nothing follows about {symmetry}: {_small(card.doubt.partition(':')[0].rstrip('.'))}"
    kept, broken = _clauses(card, symmetry)
    if not kept and not broken:
        return _overall(card, symmetry)
    exactly = "exactly " if card.is_exact(symmetry) else ""
    first = [f"{exactly}{_word(card, symmetry)} to {elements.listed(kept)}"] if kept else []
    return _capital("; ".join([*first, *broken]))


def detail(card: Card, symmetry: str) -> str:
    """What the headline rests on."""
    rows = [] if card.doubt else card.of(symmetry, EXTENT)
    ends = ", ".join(f"{limits.moves_of(row)} {with_ends(row)}" for row in rows)
    parts = [f"Symmetric up to: {ends}"] if rows else []
    if stays := card.overall(symmetry, AGREEMENT):
        within = card.tried.get(symmetry) or "all of the group"
        parts.append(f"{amount(stays)} of predictions stay over moves drawn from {within}")
    if error := card.overall(symmetry, ERROR):
        parts.append(_error(card, error))
    if loss := card.overall(symmetry, LOSS):
        parts.append(f"{percent(loss.value, loss.stderr)} of the loss is due to imperfect symmetry")
    return ". ".join(map(_capital, parts)) + "." if parts else ""


def meaning(card: Card) -> str:
    """What "symmetric up to" says, in one sentence, and what brackets are."""
    return (
        "A network is symmetric up to the largest move, in both directions, up to which at least "
        f"{1 - card.tolerance:.0%} of its predictions stay or, where it gives no classes, its error exceeds that of "
        f"interpolation alone by at most {card.tolerance:g} of the distance between outputs of unrelated "
        f"examples. Brackets are {LEVEL:.0%} intervals over examples."
    )


def _clauses(card: Card, symmetry: str) -> tuple[list[str], list[str]]:
    """What a model is symmetric to, and clauses on what it is not."""
    rows = card.of(symmetry, EXTENT)
    good = [row for row in rows if not limits.is_broken(row)]
    kept = [limits.kept(card, row) for row in good]
    if good and all(map(limits.is_limited, good)) and not kept[-1].endswith(")"):
        kept[-1] += ", not beyond"
    broken = [limits.broken(card, row) for row in rows if limits.is_broken(row)]
    for kind in elements.kinds(card, symmetry):
        of_kind = elements.said(card, kind)
        kept, broken = kept + of_kind[0], broken + of_kind[1]
    return kept, broken


def _overall(card: Card, symmetry: str) -> str:
    """Of a group whose elements cannot be listed."""
    row = card.overall(symmetry, AGREEMENT) or card.overall(symmetry, ERROR)
    if row is None:
        return f"{_capital(symmetry)} was not measured"
    error, word = card.overall(symmetry, ERROR), _word(card, symmetry)
    exactly = "exactly " if error is not None and error.shown <= EXACTLY else ""
    said = {elements.KEPT: f"{exactly}{word}", elements.BROKEN: f"not {word}", elements.UNCLEAR: f"perhaps {word}"}
    return f"{_capital(said[elements.state(card, row)])} to the moves of {symmetry}{elements.stay([row])}"


def _error(card: Card, row: Row) -> str:
    text = f"equivariance error {with_error(row.shown, row.stderr)}"
    test = card.overall(row.symmetry, EXACT)
    if test is None or row.floor is None:
        return text
    alone = "rounding" if row.floor < EXACTLY else "interpolation"
    more = "more" if test.value <= SIGNIFICANT else "no more"
    return f"{text}, {more} than the {with_error(row.floor, None)} of {alone} alone (p = {test.value:.2g})"


def _word(card: Card, symmetry: str) -> str:
    return "equivariant" if symmetry in card.moving else "invariant"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
