"""The version, for files that depend on it and must not import the whole library."""

__version__ = "0.1.0"
