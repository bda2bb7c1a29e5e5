"""A PostgreSQL server of the tests' own: on loopback, in a temporary folder, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

FOLDERS = ["/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin"]
PASSWORD = "s3cret{%}"
"""Has characters that addresses and Optuna's templates treat in ways of their own."""
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class NoServer(RuntimeError):
    """There is no PostgreSQL here, or it does not start."""


def find_program(name: str) -> str:
    """Where a program of PostgreSQL lies."""
    found = shutil.which(name)
    others = sorted((path for folder in FOLDERS for path in Path("/").glob(f"{folder[1:]}/{name}")), reverse=True)
    if found is None and not others:
        raise NoServer(f"{name} of PostgreSQL is not installed")
    return found or str(others[0])


def as_server_user() -> list[str]:
    """What comes before a command: PostgreSQL does not run as root, and shall end with this process."""
    if shutil.which("setpriv") is None:
        raise NoServer("setpriv is not installed")
    if os.geteuid():
        return ["setpriv", "--pdeathsig", "INT"]
    try:
        pwd.getpwnam("postgres")
    except KeyError as error:
        raise NoServer("there is no user postgres, and PostgreSQL does not run as root") from error
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig", "INT"]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running server.

    Args:
        folder: of its files.
        settings: of postgresql.conf.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder, self.settings, self.port = folder, dict(settings), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres", *, user: str = "tester", password: str = PASSWORD) -> str:
        from urllib.parse import quote

        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = {**self.settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options |= {"listen_addresses": "127.0.0.1"}
        command = [*as_server_user(), find_program("postgres"), "-D", str(self.folder / "data")]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self._wait()

    def stop(self) -> None:
        """At once, as when the machine fails."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def query(self, statement: str, database: str = "postgres") -> list[tuple]:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute(statement)  # type: ignore[arg-type]
            return found.fetchall() if found.description else []

    def create(self, database: str) -> str:
        """Make a database; returns its address."""
        self.query(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def _wait(self) -> None:
        import psycopg

        for _ in range(300):
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert self.process is not None
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise NoServer(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-500:]}")


@contextmanager
def postgres_server(**settings: str) -> Iterator[Server]:
    """A new server; settings such as `max_connections="300"`.

    Raises:
        NoServer: when PostgreSQL is not there.
    """
    folder = Path(tempfile.mkdtemp(prefix="learnsym-postgres-"))
    try:
        (folder / "password").write_text(PASSWORD, encoding="utf8")
        before = as_server_user()
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres", "postgres")
        command = [find_program("initdb"), "-D", str(folder / "data"), "-U", "tester", "-A", "scram-sha-256"]
        command += ["--pwfile", str(folder / "password"), "--no-sync", "-E", "UTF8", "--locale", "C"]
        made = subprocess.run([*before, *command], capture_output=True, text=True, cwd=folder, check=False)
        if made.returncode:
            raise NoServer(f"initdb fails: {made.stderr[-500:]}")
        server = Server(folder, {**QUICK, **settings})
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
