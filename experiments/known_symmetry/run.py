"""The known-symmetry suite, with its table as Markdown and what the table was made of in one small file."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import learnsym as ls
from learnsym.files import write_json


def main() -> None:
    """Run the suite, or continue it, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the suite")
    parser.add_argument("--size", default="small", choices=ls.suite.SIZES)
    parser.add_argument("--methods", nargs="*", choices=ls.suite.METHODS, default=[], help="what is asked")
    parser.add_argument("--choosers", nargs="*", default=[], help="of the methods that are trained")
    parser.add_argument("--half", choices=("calibrate", "judge", "both"), default="both")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seeds", nargs="*", type=int, default=[])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--results", type=Path, help="file for the scores and answers")
    options = parser.parse_args()
    config = ls.suite.SuiteConfig(
        size=options.size,
        methods=options.methods,
        choosers=options.choosers,
        half=options.half,
        only=options.only,
        seeds=options.seeds,
        workers=options.workers,
    )
    suite = ls.suite.run(config, options.out)
    print(ls.suite.markdown_table(suite))
    if options.results:
        write_json(options.results, content(suite), indent=1)


def content(suite: ls.suite.Suite) -> dict[str, object]:
    """What was asked, the scores, and each answer without what is known of its task anyway."""
    names = ("task", "estimator", "arm", "seed", "result")
    answers = [{name: entry[name] for name in names} for entry in suite.entries if not entry["reason"]]
    return {"config": asdict(suite.config), "scores": [asdict(score) for score in suite.scores], "answers": answers}


if __name__ == "__main__":
    main()
