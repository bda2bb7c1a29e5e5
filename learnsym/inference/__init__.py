"""Inference from the data alone: which symmetries do examples have, and which do their labels tolerate?"""

from learnsym.inference.advice import advice, snippet
from learnsym.inference.candidates import Candidate, candidates_of
from learnsym.inference.config import InferenceConfig
from learnsym.inference.findings import Finding, VerdictStatus
from learnsym.inference.verdicts import findings_of

__all__ = [
    "Candidate",
    "Finding",
    "InferenceConfig",
    "VerdictStatus",
    "advice",
    "candidates_of",
    "findings_of",
    "snippet",
]
