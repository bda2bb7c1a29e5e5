"""Workers: processes that share work through a folder or a database, on one machine or many."""

from learnsym.workers.locks import DatabaseLocks, FolderLocks, Locks, locks_for

__all__ = ["DatabaseLocks", "FolderLocks", "Locks", "locks_for"]
