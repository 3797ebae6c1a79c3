"""Opening the database, and short transactions on it that several processes may make at one time.

Why it exists: SQLite suits a department if every writer says at once that it will write (``BEGIN IMMEDIATE``), waits
for the others, and is soon done. A read that turns into a write would fail instead of waiting. PostgreSQL is given the
same two promises, because all that is written here relies on them: writers come one after the other (an advisory lock
for the time of the transaction), and a read sees one moment (REPEATABLE READ).
Source: SQLite, "Write-ahead logging"; SQLAlchemy, "Serializable isolation / savepoints / transactional DDL" (pysqlite);
PostgreSQL, "Advisory locks", "Transaction isolation".
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tumorboard.errors import InputError, MissingDependency, OutputError
from tumorboard.serve.settings import DepartmentSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

READ, WRITE = "DEFERRED", "IMMEDIATE"
"""How a transaction begins, in SQLite's words."""

WRITERS = 0x7475_6D6F_7262
"""Number of the advisory lock that a writer holds in PostgreSQL; chosen."""

BUSY_SECONDS = 30
"""How long a writer waits for the others."""

SCHEMA = 2
"""Version of the tables; a database of another version is refused."""

_NEVER = "audit rows are never changed or deleted"

_TRIGGERS = {
    "sqlite": tuple(
        f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb} ON audit "
        f"BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_never()",
        "CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_never()",
    ),
}


@dataclass(frozen=True)
class Database:
    """An open database; safe to share between threads, not between processes."""

    engine: Engine

    @contextlib.contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a transaction that may write; committed at its end, rolled back on an error.

        Examples
        --------
        >>> import tempfile; from pathlib import Path; from tumorboard.serve.data.tables import Patient
        >>> with tempfile.TemporaryDirectory() as d:
        ...     db = open_database(DepartmentSettings(home=Path(d)))
        ...     with db.begin() as session:
        ...         session.add(Patient(patient_id="P1"))
        ...     with db.read() as session:
        ...         print(session.query(Patient).count())
        ...     db.close()
        1
        """
        with self._session(WRITE) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that only reads; it waits for nobody, and what is changed in it is dropped."""
        with self._session(READ) as session:
            try:
                yield session
            finally:
                session.expunge_all()  # what was read stays readable
                session.rollback()

    @contextlib.contextmanager
    def _session(self, how: str) -> Iterator[Session]:
        from sqlalchemy.orm import Session

        moment = {"isolation_level": "REPEATABLE READ"} if how == READ and self.engine.name == "postgresql" else {}
        engine = self.engine.execution_options(begin=how, **moment)
        with Session(engine, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(settings: DepartmentSettings) -> Database:
    """Open the department's database, and make its tables where they are not there.

    Parameters
    ----------
    settings : DepartmentSettings
        They say where it is.

    Returns
    -------
    Database

    Raises
    ------
    InputError
        The database is of another version, or cannot be reached.
    MissingDependency
        The driver of PostgreSQL is not installed.
    OutputError
        The home folder cannot be made.
    """
    from sqlalchemy.exc import SQLAlchemyError

    _make_home(settings)
    engine = _engine(settings.database_url)
    try:
        _make_tables(engine)
    except InputError:
        engine.dispose()
        raise
    except SQLAlchemyError as error:
        engine.dispose()
        got = type(error).__name__
        raise InputError(
            "a database that can be used", got=got, where="database", remedy="check its address"
        ) from error
    return Database(engine)


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine, event

    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        told = "pip install 'tumorboard[postgresql]'"
        raise MissingDependency("the driver of PostgreSQL", got="none", where="database", remedy=told) from error
    event.listen(engine, "begin", _wait_for_writers)
    return engine


def _make_home(settings: DepartmentSettings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise OutputError("a home folder that can be written", got=type(error).__name__, where="home") from error


def _set_up(connection: Any, _record: Any) -> None:
    """Let us begin transactions ourselves, keep what is committed, and hold references to account."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', WRITE)}")


def _wait_for_writers(connection: Connection) -> None:
    """Let a writer wait for the others; the lock ends with its transaction."""
    if connection.get_execution_options().get("begin", WRITE) == WRITE:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


def _make_tables(engine: Engine) -> None:
    from sqlalchemy import insert, select, text

    from tumorboard.serve.data.people import Schema

    with engine.begin() as connection:
        Schema.metadata.create_all(connection)
        for trigger in _TRIGGERS[engine.dialect.name]:
            connection.execute(text(trigger))
        there = connection.execute(select(Schema.version)).scalars().all()
        if not there:
            connection.execute(insert(Schema).values(version=SCHEMA))
        elif there != [SCHEMA]:
            told = f"version {max(there)}"
            raise InputError(f"a database of version {SCHEMA}", got=told, where="database", remedy="use that release")
