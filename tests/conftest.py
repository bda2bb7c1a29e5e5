"""What tests of several folders share: levels of loggers that come back, and a PostgreSQL server."""

from __future__ import annotations

import itertools
import logging

import pytest

_numbers = itertools.count()
LOGGERS = ("learnsym", "learnsym.training")
"""Those whose level a command sets, which is for the rest of its process."""


@pytest.fixture(autouse=True)
def levels_of_loggers():
    """A command that a test runs in its own process does not silence the tests after it."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(scope="session")
def postgres():
    """A server of this process's own."""
    pytest.importorskip("psycopg")
    from postgres_cluster import NoServer, postgres_server

    try:
        context = postgres_server(max_connections="150")
        server = context.__enter__()
    except NoServer as error:
        pytest.skip(str(error))
    yield server
    context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_url(postgres):
    """The address of a database that tests share."""
    return postgres.create("shared")


@pytest.fixture
def postgres_database(postgres):
    """The address of an empty database."""
    return postgres.create(f"test_{next(_numbers)}")
