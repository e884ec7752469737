"""Who logs in? Users, what they may do where, and their sessions."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select

from models.columns import Moment


class UserRole(StrEnum):
    ADMIN = "admin"  #: everything, plans and people too
    SECRETARIAT = "secretariat"  #: chases, reviews, decides on days, keeps units and contacts
    REVIEWER = "reviewer"  #: accepts and returns
    VIEWER = "viewer"  #: looks


class User(SQLModel, table=True):
    """Personal data stands here alone; the journal says user:3."""

    id: int = Field(default=None, primary_key=True)
    login: str = Field(unique=True)  #: NFC, lower case
    name: str
    email: str | None = None
    lang: str = "vi"
    password: str | None = None  #: argon2id hash; None: none chosen yet, or the way in is OIDC
    totp: str | None = None  #: secret of the second factor, sealed with the office's key; None: not set up
    totp_used: int = 0  #: the last time step that was taken: a code works once
    subject: str | None = Field(default=None, unique=True)  #: who this is to the OIDC provider
    is_active: bool = True
    created_at: datetime = Field(sa_type=Moment)
    reviewed_at: datetime | None = Field(default=None, sa_type=Moment)  #: when somebody last looked over what they may
    reviewed_by: str | None = None


class UserScope(SQLModel, table=True):
    """A role at a unit and everything below it; without a unit: everywhere."""

    __tablename__ = "user_scope"
    __table_args__ = (
        UniqueConstraint("user_id", "role", "unit_id"),
        Index(
            "uq_user_scope_everywhere",
            "user_id",
            "role",
            unique=True,
            sqlite_where=text("unit_id IS NULL"),
            postgresql_where=text("unit_id IS NULL"),
        ),
    )
    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    role: str  #: a UserRole
    unit_id: int | None = Field(default=None, foreign_key="unit.id")


class SignIn(SQLModel, table=True):
    """A session: one browser that somebody signed in with. The cookie's token is known by its hash alone."""

    __tablename__ = "session"
    id: int = Field(default=None, primary_key=True)
    hash: str = Field(unique=True)  #: SHA-256 of the token
    user_id: int = Field(foreign_key="user.id", index=True)
    agent: str  #: what the browser calls itself
    created_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    is_whole: bool = False  #: the second factor was given, where one is needed
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class RecoveryCode(SQLModel, table=True):
    """A way in when the second factor is lost; works once."""

    __tablename__ = "recovery_code"
    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    hash: str  #: HMAC-SHA256 with the office's key: a code is shorter than a token
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class Invitation(SQLModel, table=True):
    """A link with which a user chooses a password, the first or a new one; works once."""

    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    hash: str = Field(unique=True)  #: SHA-256 of the token
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


def is_admin(session: Session, user_id: int) -> bool:
    """Anywhere: whoever may change the people of one unit needs a second factor too."""
    query = select(UserScope.id).where(col(UserScope.user_id) == user_id, col(UserScope.role) == UserRole.ADMIN.value)
    return session.exec(query).first() is not None


def chief_admins(session: Session) -> list[int]:
    """The active users who may do everything everywhere: there is always one."""
    query = select(User.id).join(UserScope, col(UserScope.user_id) == col(User.id))
    everywhere = (col(UserScope.role) == UserRole.ADMIN.value, col(UserScope.unit_id).is_(None))
    return list(session.exec(query.where(col(User.is_active), *everywhere)))
