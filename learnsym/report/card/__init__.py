"""The symmetry card: what a trained network does under named symmetries, as a table, JSON and one page."""

from learnsym.report.card.card import Card
from learnsym.report.card.examples import Examples, load_examples
from learnsym.report.card.measuring import measure_model
from learnsym.report.card.outputs import output_named
from learnsym.report.card.row import Row
from learnsym.report.card.settings import CardSettings
from learnsym.report.card.subject import Subject, config_of, load_subject
from learnsym.report.card.table import text_table

__all__ = [
    "Card",
    "CardSettings",
    "Examples",
    "Row",
    "Subject",
    "config_of",
    "load_examples",
    "load_subject",
    "measure_model",
    "output_named",
    "text_table",
]
