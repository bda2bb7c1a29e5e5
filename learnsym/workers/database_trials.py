"""New trials of a study in PostgreSQL, in one message: the study is never locked while messages travel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from learnsym.workers.database_locks import DatabaseLocks

SCRIPT = """
SELECT study_id FROM studies WHERE study_id = {study} FOR UPDATE;
WITH new AS (
    INSERT INTO trials (study_id, number, state, datetime_start)
    SELECT {study}, count(*), 'RUNNING', clock_timestamp() AT TIME ZONE 'utc'
    FROM trials WHERE study_id = {study} HAVING count(*) < {total}
    RETURNING trial_id, number
), keyed AS (
    SELECT trial_id, number, sha256('\\x{prefix}'::bytea || convert_to(number::text, 'UTF8')) AS hash FROM new
)
SELECT trial_id, number, pg_try_advisory_lock(('x' || left(encode(hash, 'hex'), 16))::bit(64)::bigint) FROM keyed
"""
"""In the tables of Optuna 5: the study is locked as Optuna does it, and a trial has the number of those before it."""


@contextmanager
def new_trial(locks: DatabaseLocks, study: int, total: int, prefix: str) -> Iterator[tuple[int, int] | None]:
    """A new running trial: its id and number; None when the study has `total`.

    Its lock `PREFIX NUMBER` is held in the block, and was before anybody could see the trial.

    Args:
        locks: of the study.
        study: its id.
        total: trials, over all who work on it.
        prefix: of the names of locks.
    """
    script = SCRIPT.format(study=int(study), total=int(total), prefix=locks.bytes_of(f"{prefix} ").hex())
    with locks.made(script, lambda row: f"{prefix} {row[1]}") as row:
        yield None if row is None else (row[0], row[1])
