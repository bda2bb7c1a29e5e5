"""Exactness: at which input sizes the strided operations of a network commute with quarter turns and flips."""

from learnsym.measure.exactness.remedies import next_exact_size, pad_to_exact, warn_if_inexact
from learnsym.measure.exactness.sizes import Break, ExactSizes, SizeVerdict, exact_sizes
from learnsym.measure.exactness.windows import strided_is_exact

__all__ = [
    "Break",
    "ExactSizes",
    "SizeVerdict",
    "exact_sizes",
    "next_exact_size",
    "pad_to_exact",
    "strided_is_exact",
    "warn_if_inexact",
]
