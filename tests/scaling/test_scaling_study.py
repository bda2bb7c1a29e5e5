"""The study of a comparison finds the laws that its table was made from."""

import json

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from scaling_grids import CHINCHILLA
from scaling_tables import COSTS, LAWS, table, write

from learnsym.report.scaling import problem_rows
from learnsym.report.scaling.words import split
from learnsym.scaling import IsoFlop, Law, RepeatedIntervals, StudySettings, read_runs, study_folder, write_study

QUICK = StudySettings(replicates=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("comparison"), table())


@pytest.fixture(scope="module")
def found(folder):
    return study_folder(folder, QUICK)


def test_the_laws_are_found(found):
    for arm in found.arms:
        truth = LAWS[arm.runs.arm]
        assert arm.irreducible and arm.law is arm.with_E
        assert arm.law.law.a == pytest.approx(truth.a, abs=0.03) and arm.law.law.b == pytest.approx(truth.b, abs=0.03)
        assert arm.law.E.low * 0.9 < truth.E < arm.law.E.high * 1.1


def test_costs_are_those_of_the_rule_chosen(found):
    for arm in found.arms:
        factor, exponent = COSTS[arm.runs.arm]
        assert arm.costs["nominal"].factor == pytest.approx(factor)
        assert arm.costs["counted"].factor == pytest.approx(1.3 * factor)
        assert arm.costs["nominal"].exponent == pytest.approx(exponent)


def test_the_frontier_is_that_of_the_law_under_the_cost(found):
    for arm in found.arms:
        frontier, truth = arm.frontiers["nominal"], LAWS[arm.runs.arm]
        best = truth.frontier(frontier.C, COSTS[arm.runs.arm][0])
        assert frontier.loss.value == pytest.approx(best, rel=0.03)
        assert (frontier.loss.low <= frontier.loss.high).all()
        assert frontier.N_exponent.low - 0.01 < truth.a_opt < frontier.N_exponent.high + 0.01


def test_parabolas_agree_with_the_law(found):
    profile = found.arms[0].isoflops["counted"]
    assert isinstance(profile, IsoFlop)
    assert profile.a_opt == pytest.approx(LAWS["plain"].a_opt, abs=0.06)


def test_twins_of_one_exponent_differ_by_the_true_factor(found):
    pair = found.of("exact", "plain", "nominal")
    assert pair.comparison.paired and pair.comparison.p_value > 0.01
    C = float(pair.comparison.C[pair.middle])
    wanted = LAWS["plain"].frontier(C, 6.0)
    reached = LAWS["exact"].frontier(C * pair.ratios[pair.middle].estimate, 31.0)
    assert reached == pytest.approx(wanted, rel=0.02)
    assert pair.ratios[pair.middle].high < 1
    slower = found.of("exact", "plain", "seconds")
    assert slower.ratios[slower.middle].estimate == pytest.approx(2 * pair.ratios[pair.middle].estimate, rel=0.02)


def test_the_file_holds_both_rules_and_no_infinity(found, tmp_path):
    write_study(found, tmp_path / "scaling.json")
    read = json.loads((tmp_path / "scaling.json").read_text(), parse_constant=pytest.fail)
    assert read["version"] == 1 and set(read["arms"]) == {"plain", "exact"}
    assert {pair["kind"] for pair in read["pairs"]} == {"counted", "nominal", "seconds"}
    plain = read["arms"]["plain"]
    assert {"with_E", "without_E"} == set(plain["laws"]) and {"counted", "nominal"} < set(plain["frontier"])
    assert plain["repeated"] == {"problem": "no run sees an example twice"}


def test_chinchilla_is_recovered(tmp_path):
    sizes, steps = np.geomspace(1e7, 1e10, 5), np.geomspace(1e8, 1e11, 5)
    frame = table({"plain": CHINCHILLA}, sizes, steps, trains=(10**14,), seeds=2, noise=0.002)
    law = study_folder(write(tmp_path, frame), QUICK).arms[0].law
    for name in ("E", "a", "b", "a_opt"):
        interval, truth = getattr(law, name), getattr(CHINCHILLA, name)
        slack = interval.high - interval.low
        assert interval.low - slack < truth < interval.high + slack
        assert slack < 0.2 * truth


def test_no_irreducible_loss_is_no_constant(tmp_path):
    law = Law(E=0.0, A=20.0, a=0.45, B=30.0, b=0.4)
    arm = study_folder(write(tmp_path, table({"plain": law})), QUICK).arms[0]
    assert not arm.irreducible and arm.law is arm.without_E


def test_repetitions_are_told_from_new_data(tmp_path):
    options = {"sizes": (3000, 30000, 300000), "steps": (60, 250, 1000, 4000, 16000), "trains": (1000, 10_000, 100_000)}
    frame = table({"plain": LAWS["plain"]}, **options, R_star=10.0)
    found = study_folder(write(tmp_path, frame), QUICK)
    arm = found.arms[0]
    assert (arm.fitted.epochs <= 1).all() and len(arm.fitted.loss) < len(arm.runs.loss)
    assert isinstance(arm.repeated, RepeatedIntervals)
    assert arm.repeated.R_star.low * 0.9 < 10 < arm.repeated.R_star.high * 1.1
    assert any("repeat their data" in note for note in found.notes)
    assert isinstance(arm.isoflops["counted"], str)


def test_costs_that_grow_faster_than_parameters(tmp_path):
    frame = table({"plain": LAWS["plain"]}, cost=(2.0, 1.4))
    arm = study_folder(write(tmp_path, frame), QUICK).arms[0]
    assert arm.costs["nominal"].exponent == pytest.approx(1.4)
    assert arm.frontiers["nominal"].N_exponent.estimate == pytest.approx(LAWS["plain"].allocation(1.4)[0], abs=0.02)


def test_failed_and_diverged_runs_are_left_out_and_said(tmp_path):
    frame = table()
    frame.loc[0, "state"], frame.loc[1, "test_loss"] = "failed", np.nan
    runs, notes = read_runs(write(tmp_path, frame))
    assert sum(len(part.loss) for part in runs) == len(frame) - 2
    assert any(note.startswith("1 finished runs") for note in notes)
    assert any(note.startswith("1 cells failed") for note in notes)


def test_an_arm_without_enough_cells_does_not_spoil_the_others(tmp_path):
    import pandas

    few = table({"exact": LAWS["exact"]}, sizes=(1000, 10_000), steps=(100, 1000))
    found = study_folder(write(tmp_path, pandas.concat([table({"plain": LAWS["plain"]}), few])), QUICK)
    plain, exact = found.arms
    assert plain.law and exact.law is None and "2 numbers of parameters" in exact.without_E
    assert not found.pairs and any("no law of exact" in note for note in found.notes)
    assert found.of("exact", "plain") is None


@pytest.mark.parametrize("without", ["parameters", "samples"])
def test_losses_that_do_not_follow_a_law_are_not_compared(tmp_path, without):
    flat = {
        "parameters": Law(E=0.0, A=1e-30, a=0.4, B=30.0, b=0.4),
        "samples": Law(E=0.0, A=20.0, a=0.4, B=1e-30, b=0.4),
    }
    frame = table({"plain": LAWS["plain"], "learned": flat[without]}, sizes=(1000, 4000, 16_000))
    found = study_folder(write(tmp_path, frame), QUICK)
    plain, learned = found.arms
    assert plain.law and learned.law is None and not learned.frontiers
    assert f"not fixed how these losses fall with {without}" in str(learned.without_E)
    assert not found.pairs and any("no law of learned" in note for note in found.notes)
    assert [row.partition(":")[0] for row in problem_rows(found)][-1].startswith("learned")


@pytest.mark.slow
def test_a_law_that_is_refuted_does_not_stand_in_for_one_that_is_not_fixed(tmp_path):
    """Losses reach a floor, and fall with parameters in one step only."""
    law, sizes, steps = Law(E=0.5, A=0.5 * 1e3**20, a=20.0, B=30.0, b=0.6), (1000, 1500, 2000), (100, 1000, 10_000)
    frame = table({"plain": LAWS["plain"], "exact": law}, sizes, (*steps, 100_000), noise=0.003)
    exact = study_folder(write(tmp_path, frame), QUICK).arms[1]
    assert exact.irreducible and exact.law is None and "fall with parameters" in exact.problem
    assert split(exact, "counted") == f"exact: no best split, as {exact.problem}."
    with pytest.raises(ValueError, match=r"no law of any arm: it is not fixed how .* fall with parameters \("):
        study_folder(write(tmp_path, frame[frame["arm"] == "exact"]), QUICK)


def test_what_cannot_be_studied_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no table\.parquet"):
        study_folder(tmp_path)
    with pytest.raises(ValueError, match="no law of any arm: 2 numbers of parameters"):
        study_folder(write(tmp_path, table(sizes=(1000, 10_000), steps=(100, 1000))), QUICK)
    with pytest.raises(ValueError, match="none that finished"):
        study_folder(write(tmp_path, table().assign(state="failed")))
    with pytest.raises(ValueError, match="lacks arm"):
        study_folder(write(tmp_path, table().drop(columns="arm")))
    with pytest.raises(ValueError, match="loss: got 'train'"):
        read_runs(tmp_path, "train")
    (tmp_path / "table.parquet").write_bytes(b"no table")
    with pytest.raises(ValueError, match=r"table\.parquet cannot be read .*run learnsym compare again"):
        study_folder(tmp_path)
