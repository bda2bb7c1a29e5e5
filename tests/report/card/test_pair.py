"""Which of two models is more symmetric."""

from __future__ import annotations

import json

import pytest
from known import Constant, Pooled, Sectors, convolution, random_net, sectors

from learnsym.report import card

X, Y = sectors(48)
QUICK = card.CardSettings(samples=4, layers=False)


@pytest.fixture
def compared(tmp_path, monkeypatch):
    """Compares without a page of each."""
    from learnsym.report.card import measuring

    monkeypatch.setattr(measuring, "write_page", lambda card: None)

    def compare(first, second, *symmetries, y=Y):
        subjects = [card.Subject(name=name, model=model) for name, model in (("one", first), ("two", second))]
        examples = card.Examples(name="spots", x=X, y=y)
        return card.measure_pair(subjects, examples, symmetries, tmp_path, QUICK, progress=False)

    return compare


def test_the_invariant_network_is_more_symmetric(compared, tmp_path):
    pair = compared(Sectors(), Pooled(random_net()), "quarter_turns2d", y=None)
    (found,) = pair.differences
    assert found.leads == 1 and found.second == 1 and found.low <= found.value <= found.high < 0
    assert any("B is more symmetric" in sentence for sentence in card.text_of(pair))
    content = json.loads((tmp_path / "card.json").read_text())
    assert content["pair"] == {"first": "one", "second": "two"} and len(content["differences"]) == 1
    page = pair.page.read_text()
    assert "B is more symmetric" in page and 'href="second/card.html"' in page


def test_a_network_is_as_symmetric_as_itself(compared):
    pair = compared(Sectors(), Sectors(), "flip2d", "quarter_turns2d")
    assert [(each.value, each.low, each.high, each.leads) for each in pair.differences] == [(0, 0, 0, None)] * 2
    assert repr(pair).count("neither is known to be more symmetric") == 2


def test_less_error_is_more_symmetric_where_there_are_no_classes(compared):
    pair = compared(Pooled(convolution()), convolution(), "quarter_turns2d", y=None)
    (found,) = pair.differences
    assert found.measure == "equivariance error" and found.leads == 1 and found.value > 0


def test_nothing_follows_from_guesses(compared):
    pair = compared(Sectors(), Constant(), "quarter_turns2d", y=Y % 3)
    assert pair.second.doubt and any("nothing follows, since" in sentence for sentence in card.text_of(pair))


def test_two_at_most():
    with pytest.raises(ValueError, match="model: got 3 models, must be one, or two"):
        card.check_count(["a", "b", "c"])
