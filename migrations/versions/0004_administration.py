"""Drafts and proposals of plans, versions of calendars, lineage of units, days of contacts, reviews of people."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_draft")),
        sa.UniqueConstraint("plan", "by", name=op.f("uq_plan_draft_plan_by")),
    )
    op.create_table(
        "proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("diff_hash", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_index(
        "uq_proposal_waiting",
        "proposal",
        ["kind", "code"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "calendar_version",
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("agreed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["calendar"], ["calendar_sheet.code"], name=op.f("fk_calendar_version_calendar")),
        sa.PrimaryKeyConstraint("calendar", "number", name=op.f("pk_calendar_version")),
    )
    op.create_table(
        "lineage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_unit_id", sa.Integer(), nullable=False),
        sa.Column("to_unit_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["from_unit_id"], ["unit.id"], name=op.f("fk_lineage_from_unit_id")),
        sa.ForeignKeyConstraint(["to_unit_id"], ["unit.id"], name=op.f("fk_lineage_to_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lineage")),
        sa.UniqueConstraint("from_unit_id", "to_unit_id", "on", name=op.f("uq_lineage_from_unit_id_to_unit_id_on")),
    )
    op.create_index(op.f("ix_lineage_from_unit_id"), "lineage", ["from_unit_id"])
    op.create_index(op.f("ix_lineage_to_unit_id"), "lineage", ["to_unit_id"])

    with op.batch_alter_table("contact") as batch_op:
        batch_op.add_column(sa.Column("valid_from", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("valid_to", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("stands_for", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_contact_stands_for"), "contact", ["stands_for"], ["id"])
    op.add_column("revision", sa.Column("agreed_by", sa.String(), nullable=True))
    op.add_column("revision", sa.Column("restores", sa.Integer(), nullable=True))
    op.add_column("user", sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user", sa.Column("reviewed_by", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("user", "reviewed_by")
    op.drop_column("user", "reviewed_at")
    op.drop_column("revision", "restores")
    op.drop_column("revision", "agreed_by")
    with op.batch_alter_table("contact") as batch_op:
        batch_op.drop_constraint(op.f("fk_contact_stands_for"), type_="foreignkey")
        for column in ("stands_for", "valid_to", "valid_from"):
            batch_op.drop_column(column)
    op.drop_table("lineage")
    op.drop_table("calendar_version")
    op.drop_table("proposal")
    op.drop_table("plan_draft")
