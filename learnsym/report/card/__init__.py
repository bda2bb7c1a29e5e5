"""The symmetry card: what a trained network does under named symmetries, as a table, JSON and one page."""

from learnsym.report.card.card import Card
from learnsym.report.card.examples import Examples, load_examples
from learnsym.report.card.markdown import markdown, write_markdown
from learnsym.report.card.measuring import measure_model
from learnsym.report.card.output_as import OutputAs
from learnsym.report.card.outputs import output_named
from learnsym.report.card.pair import check_count, measure_pair
from learnsym.report.card.ranges import read_ranges
from learnsym.report.card.row import Row
from learnsym.report.card.settings import CardSettings
from learnsym.report.card.subject import Subject, config_of, load_subject
from learnsym.report.card.table import text_table
from learnsym.report.card.verdict import verdict
from learnsym.report.card.versus import Difference, Pair, text_of

__all__ = [
    "Card",
    "CardSettings",
    "Difference",
    "Examples",
    "OutputAs",
    "Pair",
    "Row",
    "Subject",
    "check_count",
    "config_of",
    "load_examples",
    "load_subject",
    "markdown",
    "measure_model",
    "measure_pair",
    "output_named",
    "read_ranges",
    "text_of",
    "text_table",
    "verdict",
    "write_markdown",
]
