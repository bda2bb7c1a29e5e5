"""Comparisons by log-likelihood, which may have either sign: differences in nats, no logarithms."""

import numpy as np
import pytest

from tests.comparison.tables import table

pytest.importorskip("pyarrow")

from learnsym.comparison.verdicts import (
    ACCURACY,
    LOG_LIKELIHOOD,
    LOSS,
    Scores,
    data_efficiency,
    metric_of,
    recommend,
)
from learnsym.report.comparison import read_findings, render
from learnsym.report.comparison.panels import panels
from learnsym.report.figures import styled
from tests.report.comparison.test_comparison_page import folder_of, words

# nats of each arm with 100 and 1,000 examples: exact below, learned above zero
NATS = {"plain": (-0.5, 0.1), "exact": (-0.2, -0.1), "learned": (-0.2, 0.2)}


@pytest.fixture(scope="module")
def rows():
    found = table(train=(100, 1000), accuracy=False)
    found = found[found.arm.isin(NATS)].copy()
    noise = 0.01 * found["seed"] + 0.002 * found["arm"].str.len()
    nats = [NATS[arm][int(n == 1000)] for arm, n in zip(found["arm"], found["train"], strict=True)]
    found["test_log_likelihood"] = np.array(nats) + noise
    found["val_log_likelihood"] = found["test_log_likelihood"]
    found["test_loss"] = found["val_loss"] = -found["test_log_likelihood"]
    return found


def test_the_metric_is_that_of_the_columns(rows):
    assert metric_of(rows) is LOG_LIKELIHOOD and metric_of(table()) is ACCURACY
    assert metric_of(rows.drop(columns=["test_log_likelihood"])) is LOSS
    assert metric_of(rows.assign(test_log_likelihood=np.nan)) is LOSS


def test_differences_are_in_nats_whatever_the_sign(rows):
    scores = Scores(rows, LOG_LIKELIHOOD)
    (first, last) = scores.cells
    found = scores.difference(("learned", last), ("exact", last))
    assert found.estimate == pytest.approx(0.3 + 0.002 * 2) and found.low > 0.29
    assert scores.score("plain", first).estimate == pytest.approx(-0.5 + 0.01 + 0.01)
    assert data_efficiency(rows, "plain", "exact")[0].factor > 1


def test_the_page_speaks_of_nats(rows, tmp_path):
    findings = read_findings(folder_of(tmp_path, rows))
    text = words(render(findings, []))
    assert "Take learned at 1,000 examples: +0.1" in text and "nats" in text and "% in loss" not in text
    assert recommend(rows, "plain")[-1].arm == "learned"


def test_its_figures_need_no_logarithm(rows, tmp_path):
    import matplotlib.pyplot as plt

    found = list(panels(read_findings(folder_of(tmp_path, rows))))
    assert "compute" not in [panel.kind for panel in found]
    assert any("log-likelihood" in panel.alt for panel in found)
    with styled():
        for panel in found:
            figure, ax = plt.subplots()
            panel.draw(ax)
            if panel.kind == "curves":
                assert ax.get_yscale() == "linear" and ax.get_ylim()[0] < -0.5
            plt.close(figure)
