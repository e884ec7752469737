"""Where is the office? Its settings, its database and its time, for the commands that need them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dondoc.cli.trouble import of_database
from dondoc.cli.words import CommandFailedError, _, coded, lang

if TYPE_CHECKING:
    from dondoc.database import Database
    from dondoc.settings import Settings
    from notifications.channels.carrier import Carrier

#: Settings that hold a password, which is shown to nobody.
_WITH_PASSWORD: Final = (("smtp_url",), ("bounce_imap",))


@dataclass(frozen=True, slots=True)
class Office:
    settings: "Settings"
    database: "Database"
    now: datetime

    @property
    def zone(self) -> str:
        return self.settings.zone


def has_database() -> bool:
    """Is there an office here? Asked without reading the settings, whose import takes longer than `dondoc check`."""
    return bool(os.environ.get("DONDOC_DATABASE_URL")) or Path(
        os.environ.get("DONDOC_DATA") or "data", "dondoc.sqlite"
    ).exists()  # fmt: skip


def read_settings(**given: object) -> "Settings":
    """The settings of the environment, with what was `given` on the command line in their place."""
    from pydantic import ValidationError

    from dondoc.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type,unused-ignore]
    except ValidationError as error:
        lines = [
            _(
                "DONDOC_{name}: giá trị “{got}” không dùng được: {why}",
                name=_upper(each["loc"]),
                got="***" if each["loc"] in _WITH_PASSWORD else each["input"],
                why=_(each["msg"].removeprefix("Value error, ")),
            )
            for each in error.errors()
        ]
        raise CommandFailedError(*lines) from error


def reachable(**given: object) -> "Settings":
    """The settings; links lead to the address that is listened on, unless DONDOC_URL says another."""
    settings = read_settings(**given)
    if "url" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"url": f"http://{settings.host}:{settings.port}"})


@contextmanager
def office(now: datetime | None = None) -> Iterator[Office]:
    """The office with its database up to date. `now` is a moment of the demo clock's world; refused without one.

    What the engine refuses inside is put into words here.
    """
    from dondoc import clock

    settings = read_settings()
    if now is not None and not settings.clock.exists():
        raise CommandFailedError(_("--now cần một đồng hồ thử (tệp {path}); ở đây là giờ thật", path=settings.clock))
    try:
        moment = now or clock.now(settings.clock)
    except ValueError as error:
        raise CommandFailedError(str(error)) from error
    with opened(settings) as database:
        _check_tables(database)
        with in_words():
            yield Office(settings, database, moment)


@contextmanager
def opened(settings: "Settings", *, is_new: bool = False) -> Iterator["Database"]:
    """The database, whatever its tables are; a file that is not there is made only for a new office."""
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from dondoc.database import Database

    try:
        database = Database(settings.database)
    except (ArgumentError, ImportError) as error:
        raise CommandFailedError(_("DONDOC_DATABASE_URL: cần một địa chỉ của SQLAlchemy: {why}", why=error)) from error
    if database.is_sqlite and not is_new and not _file_of(database).exists():
        raise CommandFailedError(
            _("chưa có cơ sở dữ liệu {path}; tạo văn phòng mới: dondoc init", path=_file_of(database))
        )
    try:
        yield database
    except DBAPIError as error:
        raise CommandFailedError(*of_database(error)) from error
    finally:
        database.close()


def key_of(settings: "Settings") -> bytes:
    """The key that signs links; a file that is no key is told as such."""
    from dondoc.keys import secret_key

    try:
        return secret_key(settings.key)
    except ValueError as error:
        raise CommandFailedError(str(error)) from error


def channel_of(settings: "Settings") -> "Carrier":
    """The channel that the settings name; a wrong DONDOC_SMTP_URL is told as such, without its password."""
    from notifications.channels import carrier_for

    try:
        return carrier_for(settings)
    except ValueError as error:
        raise CommandFailedError(
            _("DONDOC_SMTP_URL: cần smtp://người-dùng:mật-khẩu@máy-chủ:cổng hoặc smtps://…: {why}", why=error)
        ) from error


def channels_of(here: Office, key: bytes, clock: Callable[[], datetime] | None) -> "Carrier":
    """Every channel of the office; `clock` tells how late it is while they send."""
    from notifications.channels import carriers_for

    channel_of(here.settings)
    return carriers_for(here.settings, here.database, key, clock)


@contextmanager
def in_words() -> Iterator[None]:
    """Turns what the engine refuses into what the person reads."""
    from engine.errors import InvalidPlanError
    from engine.sheets import BadRows
    from engine.submit import InvalidAnswersError
    from models.task import IllegalActError

    try:
        yield
    except (InvalidPlanError, BadRows) as error:
        raise CommandFailedError(*(problem.text(lang()) for problem in error.problems)) from error
    except InvalidAnswersError as error:
        lines = [f"{name}: {coded(reason.code, dict(reason.params))}" for name, reason in error.problems.items()]
        raise CommandFailedError(*lines) from error
    except IllegalActError as error:
        raise CommandFailedError(_illegal(error)) from error


def _illegal(error: Any) -> str:
    allowed = ", ".join(_(f"act.{act}") for act in error.allowed) or _("act.none")
    state, act = _(f"state.{error.task.state}"), _(f"act.{error.act}")
    return _("refused.illegal_act", task=error.task.id, state=state, act=act, allowed=allowed)


def _check_tables(database: "Database") -> None:
    match database.standing():
        case "missing":
            raise CommandFailedError(_("cơ sở dữ liệu chưa có bảng; tạo bảng: dondoc db upgrade"))
        case "older":
            raise CommandFailedError(_("cơ sở dữ liệu cũ hơn chương trình; nâng cấp: dondoc db upgrade"))
        case "newer":
            raise CommandFailedError(_("cơ sở dữ liệu mới hơn chương trình; hãy cài bản dondoc mới hơn"))


def _file_of(database: "Database") -> Path:
    return Path(str(database.engine.url.database))


def _upper(place: tuple[int | str, ...]) -> str:
    return "_".join(str(part) for part in place).upper()
