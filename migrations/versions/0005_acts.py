"""What the journal keeps of no task, such as an order for a coming day, is found by its act."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    of_no_task = sa.text("task_id IS NULL")
    op.create_index("ix_entry_act", "entry", ["task_id", "act"], sqlite_where=of_no_task, postgresql_where=of_no_task)


def downgrade() -> None:
    op.drop_index("ix_entry_act", table_name="entry")
