"""Workers: processes that share work through a folder or a database, on one machine or many."""

from learnsym.workers.locks import DatabaseLocks, FolderLocks, Locks, locks_for
from learnsym.workers.storage import StorageLost, check_storage, storage_errors, study_storage

__all__ = [
    "DatabaseLocks",
    "FolderLocks",
    "Locks",
    "StorageLost",
    "check_storage",
    "locks_for",
    "storage_errors",
    "study_storage",
]
