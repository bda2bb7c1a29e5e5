"""`python -m learnsym` is the command `learnsym`."""

import gc

from learnsym.cli import main


def run() -> int:
    """One command of a process that ends with it; its exit code."""
    code = main()
    # at its end Python would search all that was made, for half a second
    gc.freeze()
    return code


if __name__ == "__main__":
    raise SystemExit(run())
