"""The findings as aligned text, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from learnsym.degrees import Degree
from learnsym.report.run.results import Analysis, DataResult, EquivarianceError
from learnsym.report.run.words import also, doubts, score
from learnsym.report.tables import aligned
from learnsym.report.words import bracketed

SHORT = {"degree": "°", "shortest side": "side", "log": "log", "1": ""}


def text_table(analysis: Analysis) -> str:
    """Two aligned tables: one row per data set and twin, one row per data set, notion and method."""
    level = f"{analysis.level:.0%}"
    twins = aligned(
        [
            (
                *("data", "twin", f"{score_name(analysis.data)} [{level}]"),
                *(f"{name} [{level}]" for name in also_names(analysis.data)),
                "equivariance error (floor)",
            ),
            *_twin_rows(analysis.data),
        ]
    )
    ranges = aligned(list(_range_rows(analysis)))
    table = f"{twins}\n\nInferred degrees [{level} interval, or the set within noise of the best]\n{ranges}"
    found = [f"{data.label}, {sentence}" for data in analysis.data for sentence in doubts(data.degrees)]
    return "\n".join([table, *(f"note: {sentence}" for sentence in (*found, *analysis.unfinished))])


def generators(degrees: Iterable[Degree]) -> dict[str, str]:
    """Unit of each generator, in order of appearance, rotation first."""
    units = {degree.generator: degree.unit for degree in degrees}
    return dict(sorted(units.items(), key=lambda item: item[0] != "rotation"))


def by_site(data: DataResult) -> dict[tuple[str, str, str], dict[str, Degree]]:
    """Degrees of one data set: (site, notion, method) to generator to degree."""
    of_site: dict[tuple[str, str, str], dict[str, Degree]] = {}
    for degree in data.degrees:
        of_site.setdefault((degree.site, degree.notion, degree.method), {})[degree.generator] = degree
    return of_site


def error_text(error: EquivarianceError | None) -> str:
    """An equivariance error with standard error and floor."""
    return "-" if error is None else f"{error.mean:.3f} ± {error.stderr:.3f} ({error.floor:.3f})"


def score_name(data: Iterable[DataResult]) -> str:
    """What the scores of the twins are: `accuracy`, `squared error` or both."""
    return " / ".join(dict.fromkeys(twin.score for result in data for twin in result.twins)) or "accuracy"


def also_names(data: Iterable[DataResult]) -> list[str]:
    """Names of the further errors of the twins."""
    return list(dict.fromkeys(name for result in data for twin in result.twins for name in twin.also))


def _twin_rows(data: Sequence[DataResult]) -> Iterable[tuple[str, ...]]:
    names = also_names(data)
    for result in data:
        for twin in result.twins:
            yield result.label, twin.name, score(twin), *(also(twin, name) for name in names), error_text(twin.error)


def _range_rows(analysis: Analysis) -> Iterable[tuple[str, ...]]:
    units = generators(analysis.degrees)
    yield (
        "data",
        "site",
        "notion",
        "method",
        *(f"{name} {SHORT.get(unit, unit)}".strip() for name, unit in units.items()),
    )
    for result in analysis.data:
        for where, degrees in by_site(result).items():
            cells = [cell_text(degrees[name]) if name in degrees else "" for name in units]
            yield (result.label, *where, *cells)


def cell_text(degree: Degree) -> str:
    """A half-width with its interval, without the unit; with its status unless it is ok."""
    digits = 0 if degree.unit == "degree" else 2
    ends = (None if end is None else f"{end:.{digits}f}" for end in (degree.low, degree.high))
    return bracketed(f"{degree.estimate:.{digits}f}", *ends) + degree.caveat
