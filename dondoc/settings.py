"""What may an office set? Every setting with its default and meaning; the environment prefix is DONDOC_."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: Where the web pages of a playground have a Zalo of their own.
TRIAL_ZALO: Final = "/trial/zalo"
TRIAL_SECRETS: Final = "zalo"  #: the folder of its secrets

_BOUNCES: Final = re.compile(r"[A-Za-z0-9._-]{1,24}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_ADDRESS: Final = re.compile(r"[^\s@<>,;\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_HOUR: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Settings(BaseSettings):
    """Read from the environment (`DONDOC_DATA`, `DONDOC_SMTP_URL`, ...). The README's table is this class."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_", extra="ignore", hide_input_in_errors=True)

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
    mail_record: bool = Field(
        True, description="Whether what goes to a chat, such as Zalo, goes to the contact's e-mail too, to be kept."
    )
    bounce_address: str | None = Field(
        None,
        description="Where letters come back to that cannot be delivered, as bounce+12-ab34@...; else to the sender.",
    )
    bounce_imap: SecretStr | None = Field(
        None, description="The mailbox of that address: imaps://user:password@host:port/INBOX or imap://..."
    )
    bounce_folder: Path | None = Field(
        None, description="Instead of a mailbox: a folder where the mail server puts what comes back, as .eml files."
    )
    secrets: Path | None = Field(
        None, description="Folder with one file a secret: the keys of Zalo and the addresses of other services."
    )
    zalo_url: str | None = Field(
        None,
        description="A stand-in for Zalo's own servers, such as http://127.0.0.1:8090 (python -m samples.fake_zalo).",
    )
    quiet: str = Field(
        "18:00-07:30",
        description="Hours in which only what is urgent goes out, and so on days off; empty: at any hour of any day.",
    )
    digest_at: str = Field("08:00", description="From this hour on, the daily message tells what the calendar says.")
    messages_a_day: int = Field(3, ge=1, description="Messages to one contact a day; what is over waits for the next.")
    messages_a_week: int = Field(10, ge=1, description="Messages to one contact in any seven days.")
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
    second_person: bool = Field(
        False, description="Whether a plan or a calendar comes into force only when a second person agrees."
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

    @field_validator("quiet")
    @classmethod
    def _is_a_night(cls, quiet: str) -> str:
        from_, _, until = quiet.partition("-")
        if quiet and not (_HOUR.fullmatch(from_) and _HOUR.fullmatch(until) and until < from_):
            raise ValueError("expected the hours from one day to the next such as 18:00-07:30, or nothing")
        return quiet

    @field_validator("digest_at")
    @classmethod
    def _is_by_day(cls, digest_at: str, given: ValidationInfo) -> str:
        first, last = _decent(given.data.get("quiet", "")) or ("00:00", "24:00")
        if not (_HOUR.fullmatch(digest_at) and first <= digest_at < last):
            raise ValueError(f"expected an hour from {first} to before {last} such as 08:00")
        return digest_at

    @field_validator("smtp_url")
    @classmethod
    def _leads_to_a_server(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value()) if url is not None else None
        if parts is not None and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname):
            raise ValueError("expected smtp://host:port or smtps://host:port")
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        if not _ADDRESS.fullmatch(address):
            raise ValueError("expected an e-mail address such as van-phong@example.org")
        return address

    @field_validator("bounce_address")
    @classmethod
    def _has_a_name_and_a_domain(cls, address: str | None) -> str | None:
        if address and not _BOUNCES.fullmatch(address):
            raise ValueError("expected an address such as bounce@example.org, of at most 24 letters before the @")
        return address or None

    @field_validator("bounce_imap")
    @classmethod
    def _leads_to_a_mailbox(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value()) if url is not None else None
        if parts is None:
            return None
        is_whole = parts.scheme in {"imap", "imaps"} and parts.hostname and parts.username
        if not is_whole or parts.port == 0:  # reading the port refuses what is no number
            raise ValueError("expected imaps://user:password@host:port/INBOX or imap://...")
        return url

    @property
    def decent_hours(self) -> tuple[str, str] | None:
        """The hours that are not quiet: from the first to before the second; None: all are."""
        return _decent(self.quiet)

    @property
    def database(self) -> str:
        """The address that is really used."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'dondoc.sqlite'}"

    @property
    def here(self) -> str:
        """Where this machine reaches its own web pages."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared, not listened on
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def trial_zalo(self) -> Path | None:
        """The secrets of the Zalo that a playground has of its own; None in an office, or beside another stand-in."""
        folder = self.data / TRIAL_SECRETS
        is_here = self.zalo_url is None and self.port != 0 and self.clock.exists() and folder.is_dir()
        return folder if is_here else None

    @property
    def secrets_folder(self) -> Path | None:
        """The folder of secrets that is really used."""
        return self.trial_zalo or self.secrets

    @property
    def zalo_host(self) -> str | None:
        """Where all of Zalo's servers are; None: where Zalo has them."""
        return f"{self.here}{TRIAL_ZALO}" if self.trial_zalo else self.zalo_url

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


def _decent(quiet: str) -> tuple[str, str] | None:
    from_, _, until = quiet.partition("-")
    return (until, from_) if quiet else None
