"""Where are the rows? One engine, two kinds of session: `reading()` and `writing()`."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Select, create_engine, event, insert, text
from sqlalchemy.engine import Connection, make_url
from sqlmodel import Session, SQLModel

# SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode with several connections (the WAL-reset race, fixed in
# 3.51.3 and in two backports); there the rollback journal is used instead.
WAL_SAFE: Final = (3, 51, 3)
WAL_BACKPORTS: Final = {(3, 44): 6, (3, 50): 7}
BUSY_MS: Final = 30_000
MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"
WRITING: Final = "BEGIN IMMEDIATE"
ONE_WRITER: Final = int.from_bytes(b"dondoc")  #: name of PostgreSQL's advisory lock, within one database


def journal_mode(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> str:
    """`wal` where this SQLite is safe with it, else `delete`."""
    backport = WAL_BACKPORTS.get(version[:2])
    return "wal" if version >= WAL_SAFE or (backport is not None and version[2] >= backport) else "delete"


class Database:
    """The database at an address. Nothing slow (network, rendering, files) may happen inside `writing()`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = create_engine(url, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            event.listen(self.engine, "connect", _prepare_postgresql)
            event.listen(self.engine, "begin", _begin_postgresql)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session whose writes are refused by the database itself; it sees one state from first to last query.

        It ends by COMMIT: at a ROLLBACK psycopg forgets the statements that PostgreSQL has planned, and planning
        takes longer than most of them.
        """
        options: dict[str, Any] = (
            {"dondoc_begin": "BEGIN"}
            if self.is_sqlite
            else {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        )
        with self.engine.connect().execution_options(**options) as connection:
            try:
                with connection.begin():
                    if self.is_sqlite:
                        connection.exec_driver_sql("PRAGMA query_only = on")
                    with Session(connection) as session:
                        yield session
            finally:
                if self.is_sqlite:
                    connection.exec_driver_sql("PRAGMA query_only = off")
                    connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: commits at the end, rolls back on any error. One writer at a time, on both databases.

        BEGIN IMMEDIATE on SQLite: the default, deferred BEGIN finds out at its first write that it cannot have the
        lock any more, and loses the transaction instead of waiting. On PostgreSQL a lock of the same meaning: every
        act ends at the one row of the journal's head anyhow, and who waits at the start cannot deadlock in between.
        """
        with self.engine.connect().execution_options(dondoc_begin=WRITING) as connection:
            with Session(connection, expire_on_commit=False) as session:
                yield session
                session.commit()
            connection.commit()

    def upgrade(self, to: str = "head") -> None:
        """Brings the tables to a migration, both databases from the same files; all of it or nothing."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.connect().execution_options(dondoc_begin=WRITING) as connection:
            config.attributes["connection"] = connection
            with self._foreign_keys_off(connection):
                command.upgrade(config, to)
                if self.is_sqlite and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                    raise ValueError(f"expected every row to be there that another names, got {tuple(lost)}")
                connection.commit()

    @contextmanager
    def _foreign_keys_off(self, connection: Connection) -> Iterator[None]:
        """SQLite makes a table anew to change a column; others may point to the old one while it is dropped.

        The switch works between transactions only; what the block leaves is checked before it commits (see
        "Making Other Kinds Of Table Schema Changes" in SQLite's page on ALTER TABLE).
        """
        if not self.is_sqlite:
            yield
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = off")
        try:
            yield
        finally:
            connection.rollback()
            driver.execute("PRAGMA foreign_keys = on")

    def standing(self) -> Literal["missing", "older", "current", "newer"]:
        """How its tables stand to the migrations that this program has."""
        script = ScriptDirectory(str(MIGRATIONS))
        with self.engine.connect().execution_options(dondoc_begin="BEGIN") as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        if found is None:
            return "missing"
        if found == script.get_current_head():
            return "current"
        return "older" if found in {each.revision for each in script.walk_revisions()} else "newer"

    def close(self) -> None:
        self.engine.dispose()


def insert_new(
    session: Session, table: type[SQLModel], columns: Sequence[str], rows: Select[Any], *, unless: Sequence[str]
) -> int:
    """Inserts the selected rows whose `unless` columns are not there yet; says how many were new."""
    # As words after the SELECT, alike on both databases: SQLAlchemy puts its own upserts together anew each time.
    # SQLite needs a WHERE in the SELECT to tell ON CONFLICT from a join's ON; every caller has one.
    once = rows.suffix_with(text(f"ON CONFLICT ({', '.join(unless)}) DO NOTHING"))
    statement = insert(table).from_select(list(columns), once)
    return int(session.connection().execute(statement, execution_options={"preserve_rowcount": True}).rowcount)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the begin event below opens transactions, not the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    cursor.execute(f"PRAGMA journal_mode = {journal_mode()}")
    cursor.execute("PRAGMA synchronous = full")
    cursor.execute("PRAGMA foreign_keys = on")
    cursor.close()


def _prepare_postgresql(connection: Any, _record: object) -> None:
    """Without its compiler: that takes seconds for branches that look costly and are never taken, at every question."""
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(str(connection.get_execution_options().get("dondoc_begin", WRITING)))


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("dondoc_begin") == WRITING:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_WRITER})")
