"""What may an office set? Every setting with its default and meaning; the environment prefix is DONDOC_."""

from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment (`DONDOC_DATA`, `DONDOC_SMTP_URL`, ...). The README's table is this class."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_", extra="ignore")

    data: Path = Field(Path("data"), description="The data folder: database, files, secret key, demo clock.")
    database_url: str | None = Field(
        None, description="SQLAlchemy address of the database; by default dondoc.sqlite in the data folder."
    )
    url: str = Field("http://127.0.0.1:8000", description="The public address that links in messages start with.")
    zone: str = Field("Asia/Ho_Chi_Minh", description="The organisation's time zone; deadlines end at its midnight.")
    lang: Literal["vi", "en"] = Field("vi", description="Language of the command line and of messages.")
    smtp_url: SecretStr | None = Field(
        None,
        description="smtp://user:password@host:port or smtps://...; without it messages become .eml files.",
    )
    mail_from: str = Field("dondoc@example.org", description="Sender address of e-mails.")
    mail_name: str = Field("dondoc", description="Sender name of e-mails.")
    secrets: Path | None = Field(
        None, description="Folder with one file a secret: the keys of Zalo and the addresses of other services."
    )
    zalo_url: str | None = Field(
        None,
        description="A stand-in for Zalo's own servers, such as http://127.0.0.1:8090 (python -m samples.fake_zalo).",
    )
    host: str = Field("127.0.0.1", description="Address the web pages listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port of the web pages; dondoc web takes 0 for any.")
    prefect_port: int = Field(4200, ge=1, le=65535, description="Port of the Prefect server.")
    prefect_url: str | None = Field(
        None, description="The address at which people open Prefect's pages; by default the port on this machine."
    )
    session_idle: int = Field(30, ge=1, description="Minutes without use after which a session ends.")
    session_life: int = Field(12 * 60, ge=1, description="Minutes after which a session ends in any case.")
    oidc_issuer: str | None = Field(
        None, description="Address of the organisation's OpenID provider; without it there is only the password."
    )
    oidc_client_id: str = Field("dondoc", description="What the provider calls dondoc.")
    oidc_client_secret: SecretStr | None = Field(None, description="The secret that the provider gave dondoc.")
    oidc_name: str = Field("SSO", description="What the provider is called on the sign-in page.")
    oidc_adds_users: bool = Field(
        False, description="Whether somebody whom the provider knows and dondoc does not becomes a user without a role."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("expected a time zone such as Asia/Ho_Chi_Minh") from None
        return zone

    @field_validator("smtp_url")
    @classmethod
    def _leads_to_a_server(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value()) if url is not None else None
        if parts is not None and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname):
            raise ValueError("expected smtp://host:port or smtps://host:port")
        return url

    @property
    def database(self) -> str:
        """The address that is really used."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'dondoc.sqlite'}"

    @property
    def prefect(self) -> str:
        """Where people open Prefect's pages, without a slash at the end."""
        return (self.prefect_url or f"http://127.0.0.1:{self.prefect_port}").rstrip("/")

    @property
    def files(self) -> Path:
        """Uploaded files, by content hash."""
        return self.data / "files"

    @property
    def eml(self) -> Path:
        """Messages as files, when there is no SMTP server."""
        return self.data / "messages"

    @property
    def clock(self) -> Path:
        """The demo clock; a data folder with this file is a playground."""
        return self.data / "clock"

    @property
    def key(self) -> Path:
        """The secret key that signs the links of units."""
        return self.data / "key"


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()  # type: ignore[call-arg,unused-ignore]  # every field has a default; the environment fills the rest
