"""What has an admin typed so far? A plan's text before it is applied, whether it parses or not."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from models.columns import Moment


class PlanDraft(SQLModel, table=True):
    """One a plan and a person; applying or throwing it away ends it."""

    __tablename__ = "plan_draft"
    __table_args__ = (UniqueConstraint("plan", "by"),)
    id: int = Field(default=None, primary_key=True)
    plan: str  #: its code, also one that no plan has yet
    by: str
    text: str
    base: str | None = None  #: hash of the revision that it was begun from; None: there was none
    saved_at: datetime = Field(sa_type=Moment)


def plan_draft_of(session: Session, plan: str, by: str) -> PlanDraft | None:
    return session.exec(select(PlanDraft).where(col(PlanDraft.plan) == plan, col(PlanDraft.by) == by)).first()
