"""`python -m learnsym` is the command `learnsym`."""

from learnsym.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
