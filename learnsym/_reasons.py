"""What the errors of other people's code say, in one line."""

from __future__ import annotations

INTERPRETER = "The following operation failed in the TorchScript interpreter"


def first_line(error: BaseException) -> str:
    """The line of the message of an error that says what went wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    return lines[-1] if lines[0].startswith(INTERPRETER) else lines[0]


def reason_of(error: BaseException) -> str:
    """The kind of an error, and the line of its message that says what went wrong."""
    line = first_line(error)
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
