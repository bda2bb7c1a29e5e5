"""Degree: a number that cannot be trusted says so wherever it goes."""

from __future__ import annotations

from typing import Any

import pytest

import learnsym as ls

ABOUT: dict[str, Any] = {
    "site": "input",
    "group": "rotation2d",
    "generator": "rotation",
    "unit": "degree",
    "notion": "distribution",
    "estimate": 180.0,
    "low": 150.0,
    "high": 180.0,
    "method": "pose posterior",
}


def test_doubt_travels_with_the_number(tmp_path):
    degree = ls.Degree(**ABOUT, status="rejected", reason="the noise law does not fit")
    assert str(degree).endswith("; rejected: the noise law does not fit")
    ls.write_degrees(tmp_path / "symmetry.json", [degree])
    assert ls.read_degrees(tmp_path / "symmetry.json") == [degree]


def test_a_trusted_number_has_no_doubt():
    degree = ls.Degree(**ABOUT)
    assert (degree.status, degree.doubt) == ("ok", "")
    assert ";" not in str(degree)


@pytest.mark.parametrize("about", [{"status": "fine"}, {"status": "rejected"}, {"reason": "why not"}])
def test_a_status_has_its_reason(about):
    with pytest.raises((ValueError, TypeError), match=r"status|reason"):
        ls.Degree(**ABOUT, **about)
