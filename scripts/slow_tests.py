"""Write tests/slow.txt, tests that `make test` leaves out beside those marked in their files, from durations.

make test-all PYTEST_ADDOPTS=--durations=0 | tee durations.txt   # on an idle machine
python scripts/slow_tests.py durations.txt

Set-up does not count, since that of a fixture that several tests share would fall to the next of them.
"""

import argparse
import re
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "tests" / "slow.txt"
LINE = re.compile(r"([\d.]+)s call +(\S.*)")


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("durations", type=Path, help="what pytest printed")
    parser.add_argument("--seconds", type=float, default=1.6, help="tests that take longer are slow")
    options = parser.parse_args()
    found = [LINE.fullmatch(line.strip()) for line in options.durations.read_text(encoding="utf8").splitlines()]
    calls = [match for match in found if match]
    if not calls:
        parser.error(f"durations: {options.durations} has no line of a call; run pytest with --durations=0")
    slow = {match[2] for match in calls if float(match[1]) >= options.seconds}
    FILE.write_text("\n".join(sorted(slow)) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
