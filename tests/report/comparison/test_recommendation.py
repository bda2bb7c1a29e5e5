"""What a comparison recommends, in words: one sentence that is as sure as the table is."""

import re

import pytest

from tests.comparison.tables import CURVES, table
from tests.report.comparison.test_comparison_page import folder_of, page_of, words

pytest.importorskip("pyarrow")

from learnsym.comparison.verdicts import LOSS, recommend
from learnsym.report.comparison import read_findings
from learnsym.report.comparison.recommendation import headline, recommendation


def better(factor):
    return lambda n: factor * CURVES["plain"](n)


def sentence(rows, base="plain"):
    return headline(recommend(rows, base)[-1])


def test_an_arm_that_is_known_to_be_better_is_taken_with_its_lead():
    rows = table({"plain": CURVES["plain"], "exact": better(0.5)}, train=(100, 450), noise=0.01)
    text = sentence(rows)
    assert re.fullmatch(r"Take exact at 450 examples: \+8\.\d points \[8\.\d, [89]\.\d\] over plain", text)


def test_of_several_better_arms_the_best_is_taken():
    rows = table({"plain": CURVES["plain"], "good": better(0.6), "best": better(0.3)}, train=(450,), noise=0.01)
    assert sentence(rows).startswith("Take best at 450 examples: +")


def test_losses_are_said_to_be_lower():
    rows = table({"plain": CURVES["plain"], "exact": better(0.5)}, train=(450,), noise=0.01, accuracy=False)
    assert re.fullmatch(
        r"Take exact at 450 examples: a loss (50|49|51) % \[4\d, 5\d\] lower than plain's", sentence(rows)
    )


def test_nothing_told_apart_takes_the_cheapest():
    rows = table({"plain": CURVES["plain"], "exact": CURVES["plain"]}, train=(450,), noise=0.2)
    assert sentence(rows) == "No arm is told apart from plain at 450 examples; take the cheapest, plain"
    # exact takes 2.5 times the FLOPs, and is the base here
    assert sentence(rows, "exact") == "No arm is told apart from exact at 450 examples; take the cheapest, plain"


def test_an_arm_that_is_known_to_be_worse_is_not_the_cheapest():
    rows = table({"exact": CURVES["plain"], "plain": better(3.0), "learned": CURVES["plain"]}, train=(450,), noise=0.1)
    found = recommend(rows, "exact")[-1]
    assert found.leads["plain"].sign < 0 and found.arm == "exact"
    assert headline(found).startswith("No arm is known to be better than exact at 450 examples")


def test_a_base_that_beats_all_is_taken_with_its_lead():
    rows = table({"plain": CURVES["plain"], "exact": better(2.0), "learned": better(3.0)}, train=(450,), noise=0.01)
    assert re.match(r"Take plain at 450 examples: \+\d+ points \[.*\] over exact, the next best", sentence(rows))


def test_one_seed_recommends_more_seeds():
    assert sentence(table(seeds=(0,))).startswith("With one seed nothing is told apart at 30,000 examples")


def test_intervals_allow_for_the_number_of_arms():
    few = {"plain": CURVES["plain"], "exact": better(0.9)}
    many = few | {f"arm {k}": CURVES["plain"] for k in range(8)}
    one, other = (recommend(table(curves, train=(450,)), "plain")[-1].leads["exact"] for curves in (few, many))
    assert (other.high - other.low) > 1.5 * (one.high - one.low)


def test_what_holds_with_fewer_examples_is_in_the_detail(tmp_path):
    found = recommendation(read_findings(folder_of(tmp_path, table(noise=0.003))))
    assert "30,000 examples" in found.headline
    assert "exact at 100 (+" in found.detail and "90%, for all 3 comparisons with plain together" in found.detail


def test_an_arm_alone_is_no_choice(tmp_path):
    rows = table({"plain": CURVES["plain"]}, train=(100, 300))
    assert "nothing to choose from beside plain" in words(page_of(tmp_path, rows, arms={"plain": {}}))


def test_the_metric_may_be_named():
    rows = table({"plain": CURVES["plain"], "exact": better(0.5)}, train=(450,), noise=0.01)
    assert "a loss" in headline(recommend(rows, "plain", LOSS)[-1])


def test_titles_follow_what_is_compared(tmp_path):
    page = words(page_of(tmp_path, table(), base={"data": {"name": "some/own.npz"}}))
    assert "Which is best on own.npz: plain, augmented, exact or learned?" in page
    assert "4 arms over training examples (100 to 30,000) and 3 seeds: 72 of 72 cells" in page
    many = {f"arm {k}": {} for k in range(12)}
    page = words(page_of(tmp_path, table(dict.fromkeys(many, CURVES["plain"]), train=(100,)), arms=many))
    assert "Which of 12 arms is best on digits?" in page and "12 arms over 3 seeds" in page


@pytest.mark.parametrize("accuracy", [True, False])
def test_nothing_goes_beyond_what_can_be(tmp_path, accuracy):
    """With two seeds, intervals of accuracies would leave 0 to 100 %, and those of losses would be huge percentages."""
    for random in range(2):
        curves = {arm: lambda n, k=k: 0.4 + 0.1 * k for k, arm in enumerate(CURVES)}
        rows = table(curves, train=(100, 300), seeds=(0, 1), noise=0.3, accuracy=accuracy, random=random)
        text = words(page_of(tmp_path, rows))
        assert not re.search(r"at (most|least) [\d.]+ \[", text)
        brackets = re.findall(r"(\[[^\]]+\]) ?(?:points|%)|%\s(\[[^\]]+\])", text)
        ends = [float(end.replace("−", "-")) for pair in brackets for end in re.findall(r"[−-]?[\d.]+", "".join(pair))]
        assert max(map(abs, ends), default=0.0) <= 100 and (ends or "a factor of" in text)
