"""A parser whose errors are sentences, the types of its options, and tables of text."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from learnsym._memory import gibibytes
from learnsym._settings import shown
from learnsym.files import check_folder

EXECUTED = "A FILE.py that names a network or data is EXECUTED: give none that you do not trust."
"""What the help of every command says that takes such files."""


class Parser(argparse.ArgumentParser):
    """Raises `ValueError` where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{re.sub(r'^argument (--)?', '', message)}; see {self.prog} --help")


def folder(text: str) -> Path:
    """The type of an option that names a folder, which is there or can be made."""
    try:
        return check_folder(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).partition(": ")[2]) from error


def whole(low: int, high: int) -> Callable[[str], int]:
    """The type of an option that is a whole number, from one number to another."""

    def number(text: str) -> int:
        digits = re.fullmatch(r"[-+]?\d{1,18}", text.strip())
        if digits is None or not low <= int(text) <= high:
            given = text if digits else shown(text)
            raise argparse.ArgumentTypeError(f"got {given}, must be a whole number in [{low}, {high}]")
        return int(text)

    return number


def positive(text: str) -> float:
    """The type of an option that is a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got {shown(text)}, must be a finite number > 0")
    return value


def amount(text: str) -> float:
    """The type of an option that is an amount of memory, in GiB."""
    try:
        return gibibytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def share(text: str) -> float:
    """The type of an option that is a number between 0 and 1."""
    value = positive(text)
    if not value < 1:
        raise argparse.ArgumentTypeError(f"got {shown(text)}, must be a number in (0, 1)")
    return value


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
