"""Do the migrations make the tables that the models say, and can they be taken back?"""

from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from dondoc.database import Database
from models.entry import JournalHead, append
from models.tables import metadata
from tests.builders import at


def test_the_migrations_and_the_models_say_the_same(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_partial_indexes_and_their_conditions_are_there_too(database: Database) -> None:
    """What Alembic does not compare."""
    asked = inspect(database.engine)
    for table in metadata.sorted_tables:
        found = {index["name"]: index for index in asked.get_indexes(table.name)}
        for index in table.indexes:
            options: Any = index.dialect_options[database.engine.dialect.name]
            known = found[index.name].get("dialect_options", {})
            has_condition = any(name.endswith("_where") for name in known)
            assert has_condition == (options["where"] is not None), index.name


def test_all_is_taken_back_and_made_again(database_url: str) -> None:
    database = Database(database_url)
    database.upgrade()
    made = _shape(database)
    assert "task" in made
    _downgrade(database)
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    database.upgrade()
    assert _shape(database) == made
    with database.writing() as session:
        append(session, "tried", by="office", at=at("2021-12-01"))
        assert session.get_one(JournalHead, 1).number == 1
    database.close()


def test_an_office_that_was_at_work_is_brought_up_to_date_with_all_its_rows(database_url: str) -> None:
    """Made anew are tables that other rows point to."""
    database = Database(database_url)
    database.upgrade("0002")
    moment = "'2026-01-05 07:30:00'"
    rows = {
        "unit": "(id, code, name) VALUES (1, 'x', 'X')",
        "contact": "(id, unit_id, role, name, lang, is_active, is_bouncing)"
        " VALUES (1, 1, 'contact', 'X', 'vi', true, false)",
        "message": "(id, contact_id, channel, address, reference, state, subject, text, html, created_at, try_after,"
        " tries)"
        f" VALUES (1, 1, 'email', 'x@example.org', 'r', 'sent', 's', 't', 'h', {moment}, {moment}, 1)",
        "attempt": f"(id, message_id, number, at, outcome) VALUES (1, 1, 1, {moment}, 'sent')",
    }  # fmt: skip
    with database.engine.begin() as connection:
        for table, words in rows.items():
            connection.execute(text(f"INSERT INTO {table} {words}"))
    database.upgrade()
    assert database.standing() == "current"
    with database.reading() as session:
        attempts = session.execute(text("SELECT contact.name FROM attempt JOIN message ON message.id = message_id"
                                        " JOIN contact ON contact.id = contact_id")).scalars().all()  # fmt: skip
    assert attempts == ["X"]
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database: Database) -> None:
    before = _shape(database)
    database.upgrade()
    assert _shape(database) == before


@pytest.mark.parametrize("change", ["UPDATE entry SET act = 'nothing'", "DELETE FROM entry"])
def test_the_database_itself_refuses_to_change_the_journal(database: Database, change: str) -> None:
    with database.writing() as session:
        append(session, "tried", by="office", at=at("2021-12-01"))
    with pytest.raises(DBAPIError, match="the journal is append-only"), database.writing() as session:
        session.execute(text(change))


def _shape(database: Database) -> dict[str, Any]:
    asked = inspect(database.engine)
    return {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in asked.get_columns(name)],
            sorted(str(index["name"]) for index in asked.get_indexes(name)),
        )
        for name in asked.get_table_names()
    }


def _downgrade(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", "migrations")
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
