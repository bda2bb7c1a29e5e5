"""Row: one number of a symmetry card."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, EXACT = "equivariance error", "no more than interpolation"
AGREEMENT, ACCURACY, ERROR_AT = "predictions that stay", "accuracy when moved", "error at an element"
EXTENT, LOSS = "symmetric up to", "loss due to imperfect symmetry"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number, with what it is about and how far to trust it."""

    symmetry: str
    """Name of the symmetry."""
    site: str
    """`output`, or `layer:` and a module or function."""
    measure: str
    value: float
    """In `unit`."""
    generator: str | None = None
    """The generator that it is about, if one."""
    element: str | None = None
    """The group element that it is about, if one."""
    relative: float | None = None
    """The value in units of how far outputs of unrelated examples are apart, or as a share; None where neither fits."""
    stderr: float | None = None
    """Standard error over examples, of `relative` where there is one, else of `value`; None for exact numbers."""
    floor: float | None = None
    """What interpolation (errors) or chance (correlations) gives by itself, on the scale of `relative` or `value`."""
    low: float | None = None
    """Lower end of the interval around `value`, where one was computed."""
    high: float | None = None
    unit: str = "1"
    per_example: tuple[float, ...] | None = None
    """What each example adds to the number, for comparisons of two models on the same examples."""

    @property
    def about(self) -> str:
        """Generator and element."""
        return ", ".join(filter(None, (self.generator, self.element)))

    @property
    def shown(self) -> float:
        """The number that tables and figures show."""
        return self.value if self.relative is None else self.relative
