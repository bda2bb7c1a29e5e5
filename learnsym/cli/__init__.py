"""The command `learnsym`.

Exit codes: 0 done, 1 failed, 2 bad input (one sentence on standard error), 130 and 143 stopped by SIGINT and SIGTERM.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from learnsym.cli import analyze, claims, compare, config, data, export, infer, measure, scale, suite, tune
from learnsym.cli._parser import Parser
from learnsym.cli.train import train_command

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    main_process = int(os.environ.get("RANK", "0")) == 0
    logging.getLogger("learnsym").setLevel(logging.INFO if main_process else logging.ERROR)
    try:
        return train_command(given[1:]) if given[:1] == ["train"] else _command(given)
    except BrokenPipeError:
        return 1
    except (ValueError, FileNotFoundError) as error:
        return _fail(2, error)
    except (OSError, ImportError, RuntimeError, FloatingPointError) as error:
        return _failure(error)
    except KeyboardInterrupt:
        return _fail(130, "interrupted")
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        return _fail(code, error)


def _fail(code: int, message: object) -> int:
    print(f"learnsym: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def _failure(error: Exception) -> int:
    """What went wrong with good input; an error that is not ours comes with its traceback."""
    if isinstance(error, RuntimeError) and type(error).__module__.split(".")[0] != "learnsym":
        logging.getLogger("learnsym").error("unexpected error", exc_info=error)
    if isinstance(error, OSError) and error.strerror:
        return _fail(1, f"{error.strerror} [{error.filename}]" if error.filename else error.strerror)
    return _fail(1, error)


def _command(arguments: list[str]) -> int:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and "overrides" not in options:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.overrides = rest or getattr(options, "overrides", [])
    return options.call(options)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="learnsym", description="Learn how much symmetry a data set has.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commands.add_parser("train", help="train with learned symmetry; resumes when RUN exists")
    for command in (infer, analyze, compare, scale, tune, measure, suite, claims, export, data, config):
        command.add(commands)
    return parser
