"""Workers: processes that share work through a folder or a database, on one machine or many."""

from learnsym.workers.full_disk import full_disk
from learnsym.workers.local import follow_parent, is_first_worker, is_worker, run_workers
from learnsym.workers.locks import DatabaseLocks, FolderLocks, Locks, locks_for
from learnsym.workers.slurm import Cluster, submit, wait
from learnsym.workers.storage import StorageLost, check_storage, storage_errors, study_storage

__all__ = [
    "Cluster",
    "DatabaseLocks",
    "FolderLocks",
    "Locks",
    "StorageLost",
    "check_storage",
    "follow_parent",
    "full_disk",
    "is_first_worker",
    "is_worker",
    "locks_for",
    "run_workers",
    "storage_errors",
    "study_storage",
    "submit",
    "wait",
]
