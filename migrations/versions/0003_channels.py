"""Other ways than e-mail, notices that are held, acknowledgements, the office's own wording."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_webhook_event")),
    )
    op.create_index(
        "ix_webhook_event_open",
        "webhook_event",
        ["at"],
        unique=False,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )

    op.create_table(
        "wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lang", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wording")),
    )
    op.create_index(
        "uq_wording_used",
        "wording",
        ["kind", "lang"],
        unique=True,
        sqlite_where=sa.text("is_used"),
        postgresql_where=sa.text("is_used"),
    )

    op.create_table(
        "zalo_account",
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("oa_id", sa.String(), nullable=False),
        sa.Column("access_token", sa.String(), nullable=False),
        sa.Column("refresh_token", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refreshing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alarm", sa.String(), nullable=True),
        sa.Column("alarm_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_zalo_account")),
    )
    op.create_table(
        "address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consent_source", sa.String(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_address_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
        sa.UniqueConstraint(
            "contact_id", "channel", "account", "address", name=op.f("uq_address_contact_id_channel_account_address")
        ),
    )
    op.create_index("ix_address_who", "address", ["channel", "account", "address"], unique=False)

    op.create_table(
        "link_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_link_code_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_code")),
    )
    op.create_index(op.f("ix_link_code_contact_id"), "link_code", ["contact_id"], unique=False)
    op.create_index(op.f("ix_link_code_hash"), "link_code", ["hash"], unique=False)

    op.create_table(
        "acknowledgement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_acknowledgement_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )
    op.create_index(op.f("ix_acknowledgement_task_id"), "acknowledgement", ["task_id"], unique=False)

    # SQLite adds a foreign key by copying the table; the defaults are for the rows that are there, and go again.
    with op.batch_alter_table("message") as batch_op:
        batch_op.add_column(sa.Column("account", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("is_urgent", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("instead_of", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(op.f("ix_message_provider_id"), ["provider_id"])
        batch_op.create_foreign_key(op.f("fk_message_instead_of"), "message", ["instead_of"], ["id"])
    with op.batch_alter_table("message") as batch_op:
        batch_op.alter_column("account", server_default=None)
        batch_op.alter_column("is_urgent", server_default=None)

    op.create_index(
        "ix_message_failed",
        "message",
        ["id"],
        sqlite_where=sa.text("state IN ('refused', 'bounced', 'unknown')"),
        postgresql_where=sa.text("state IN ('refused', 'bounced', 'unknown')"),
    )
    op.add_column("notice", sa.Column("held", sa.String(), nullable=True))
    op.add_column("notice", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_notice_held",
        "notice",
        ["held_until"],
        unique=False,
        sqlite_where=sa.text("message_id IS NULL AND dropped IS NULL"),
        postgresql_where=sa.text("message_id IS NULL AND dropped IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_notice_held", "notice")
    op.drop_column("notice", "held_until")
    op.drop_column("notice", "held")
    op.drop_index("ix_message_failed", "message")
    with op.batch_alter_table("message") as batch_op:
        batch_op.drop_constraint(op.f("fk_message_instead_of"), type_="foreignkey")
        batch_op.drop_index(op.f("ix_message_provider_id"))
        for column in ("read_at", "arrived_at", "instead_of", "is_urgent", "account"):
            batch_op.drop_column(column)
    op.drop_table("acknowledgement")
    op.drop_table("link_code")
    op.drop_table("address")
    op.drop_table("zalo_account")
    op.drop_table("wording")
    op.drop_table("webhook_event")
