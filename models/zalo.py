"""With which tokens do we speak to Zalo? One row an Official Account; its pair of tokens turns over."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.columns import Moment


class ZaloAccount(SQLModel, table=True):
    """Both tokens are sealed with the office's key. A refresh token works once: losing the new pair locks us out."""

    __tablename__ = "zalo_account"
    alias: str = Field(primary_key=True)
    app_id: str
    oa_id: str
    access_token: str  #: sealed
    refresh_token: str  #: sealed
    expires_at: datetime = Field(sa_type=Moment)
    refreshed_at: datetime = Field(sa_type=Moment)
    #: Set and committed before the refresh token goes out, cleared with the new pair: a crash in between is visible.
    refreshing_at: datetime | None = Field(default=None, sa_type=Moment)
    alarm: str | None = None  #: why nothing goes out by this account until a person mends it
    alarm_at: datetime | None = Field(default=None, sa_type=Moment)
