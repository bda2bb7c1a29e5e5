"""Exceptions that reach another process as they are, or as their text."""

from __future__ import annotations

import pickle


def sendable(error: BaseException) -> Exception:
    """The exception itself when it survives pickling, otherwise a `RuntimeError` with its name and text."""
    try:
        copy = pickle.loads(pickle.dumps(error))
        if isinstance(error, Exception) and type(copy) is type(error) and str(copy) == str(error):
            return error
    except Exception:  # whatever a foreign class does; what it says is kept below
        pass
    return RuntimeError(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def reason(error: BaseException) -> str:
    """What an exception says; its name where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
