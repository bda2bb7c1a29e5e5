"""Claims of experiments: every folder has some, their numbers stand in its README, and bad files get one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from learnsym.cli import main
from learnsym.report.claims import VERDICTS, markdown_table, read_claims, text_table

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
GOOD = """
paper: Somebody 2020
arxiv: "2001.00001"
seeds: 3
level: 0.9
command: python run.py
minutes: 2.5
hardware: one CPU thread
claims:
  - {claim: It is so., quantity: error, found: 0.5, interval: [0.4, 0.6], verdict: holds}
  - {claim: It is | not <b>so</b>., quantity: none, found: null, verdict: not decided, arxiv: null, minutes: null}
"""
CLAIMS = read_claims(EXPERIMENTS)
NAMES = sorted(path.parent.name for path in EXPERIMENTS.glob("*/README.md"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "claims.yaml").write_text(GOOD)
    return tmp_path


def test_every_experiment_has_claims():
    assert sorted({claim.experiment for claim in CLAIMS}) == NAMES and len(NAMES) > 30


def numbers(text: str) -> set[float]:
    """All numbers of a text, without signs: `4,095`, `1.2e-7`, `.433`."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return {float(found) for found in re.findall(r"(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?", plain)}


WORDS = {0.0: "no", 6.0: "six"}


@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_were_found_stand_in_the_readme(name):
    text = "\n".join(path.read_text(encoding="utf8") for path in (EXPERIMENTS / name).rglob("README.md"))
    known = numbers(text)
    for claim in (claim for claim in CLAIMS if claim.experiment == name):
        given = [claim.found] if claim.found is not None else []
        missing = [value for value in given if abs(value) not in known and WORDS.get(value, "\0") not in text]
        for end in claim.interval or ():
            # an end stands there, or the half of the width does
            if abs(end) not in known and round(abs(end - claim.found), 9) not in known:
                missing.append(end)
        assert not missing, f"{claim.claim} {missing}"


@pytest.mark.parametrize("name", NAMES)
def test_arxiv_numbers_stand_in_the_readme(name):
    text = "\n".join(path.read_text(encoding="utf8") for path in (EXPERIMENTS / name).rglob("README.md"))
    assert all(claim.arxiv in text for claim in CLAIMS if claim.experiment == name and claim.arxiv)


def test_files_that_are_run_exist():
    root = EXPERIMENTS.parent
    named = {word for claim in CLAIMS for word in claim.command.split() if re.search(r"\.(py|yaml)$", word)}
    assert named and all((root / word).exists() for word in named)


def test_the_table_says_what_the_file_says(folder, capsys):
    assert main(["claims", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "0.5 [0.4, 0.6]" in shown and "Somebody 2020, 2001.00001" in shown
    assert shown.strip().endswith("2 claims of 1 experiments: 1 hold, 0 fail, 1 not decided.")
    assert text_table(read_claims(folder)) in shown


def test_the_page_is_one_file_with_everything_escaped(folder, capsys):
    page = folder / "pages" / "claims.html"
    assert main(["claims", str(folder), "--out", str(page)]) == 0
    text = page.read_text()
    assert "https://arxiv.org/abs/2001.00001" in text and "0.5 [0.4, 0.6]" in text
    assert "&lt;b&gt;so&lt;/b&gt;" in text and "<b>so</b>" not in text and "src=" not in text
    assert str(page) in capsys.readouterr().out


def test_the_page_of_all_experiments_has_every_claim(tmp_path):
    page = tmp_path / "claims.html"
    assert main(["claims", str(EXPERIMENTS), "--out", str(page)]) == 0
    text = page.read_text(encoding="utf8")
    assert text.count("<code>") == len(CLAIMS) and all(verdict in text for verdict in VERDICTS)


def test_markdown_has_a_row_of_each_and_links(folder):
    lines = markdown_table(read_claims(folder)).splitlines()
    assert len(lines) == 4 and "[one](one/README.md)" in lines[2] and r"\|" in lines[3]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


BAD = {
    "claims: []": "a list `claims` that is not empty",
    "- 1": "a list `claims` that is not empty",
    GOOD.replace("hardware: one", "machine: one"): "machine: is not known",
    GOOD.replace("quantity: error", "amount: error"): "claim 1: amount: is not known",
    GOOD.replace("verdict: holds", "verdict: perhaps"): "claim 1: verdict: got 'perhaps', must be one of holds",
    GOOD.replace("found: 0.5, ", ""): "claim 1: found: is missing",
    GOOD.replace("found: 0.5", "found: true"): "claim 1: found: got True, must be a number or null",
    GOOD.replace("found: 0.5", "found: half"): "claim 1: found: got 'half', must be a number or null",
    GOOD.replace("found: 0.5", "found: .nan"): "claim 1: found: got nan, must be finite",
    GOOD.replace("[0.4, 0.6]", "[0.6, 0.4]"): "claim 1: interval: got [0.6, 0.4], must begin with the smaller end",
    GOOD.replace("[0.4, 0.6]", "[0.4]"): "claim 1: interval: got [0.4], must be two numbers",
    GOOD.replace("level: 0.9", "level: 90"): "claim 1: level: got 90, must lie in (0, 1)",
    GOOD.replace("level: 0.9", "level: null"): "claim 1: interval: stands alone",
    GOOD.replace('"2001.00001"', "2001.00001"): "claim 1: arxiv: got 2001.00001, must be text or null",
    GOOD.replace('"2001.00001"', '"hep/99"'): "claim 1: arxiv: got 'hep/99', must be a number such as",
    GOOD.replace("seeds: 3", "seeds: 0"): "claim 1: seeds: got 0, must be >= 1",
    GOOD.replace("minutes: 2.5", "minutes: -1"): "claim 1: minutes: got -1, must be >= 0",
    GOOD.replace("claim: It is so.", "claim: ''"): "claim 1: claim: got an empty text",
    "claims: [": "this is not YAML",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_gets_one_sentence(folder, capsys, text):
    (folder / "one" / "claims.yaml").write_text(text)
    assert main(["claims", str(folder)]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and BAD[text] in error[0] and "claims.yaml" in error[0], error


def test_a_folder_without_claims_and_a_page_of_another_kind_are_refused(tmp_path, folder, capsys):
    empty = tmp_path / "none"
    for words, named in (
        ([str(empty)], "has no */claims.yaml"),
        ([str(folder), "--out", "a.pdf"], "must end in .html"),
    ):
        assert main(["claims", *words]) == 2
        assert named in capsys.readouterr().err
