"""`dondoc init|web|flows|serve|demo`: a new office, a playground, and what keeps them running."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dondoc.cli.app import RUN, Host, Port, PrefectPort, app
from dondoc.cli.office import in_words, key_of, office, opened, reachable, read_settings
from dondoc.cli.words import CommandFailedError, _, write

if TYPE_CHECKING:
    from dondoc.settings import Settings


@app.command(group=RUN, help=_("Tạo văn phòng mới trong thư mục dữ liệu (DONDOC_DATA)."))
def init() -> None:
    from dondoc import clock
    from dondoc.cli.people import invitation
    from engine import people
    from engine.revise import apply_calendar
    from schedules import shipped
    from schedules.load import read_calendar

    settings = reachable()
    _prepare(settings)
    key_of(settings)  # made now, or told at once that it is none
    with opened(settings, is_new=True) as database:
        if database.standing() == "newer":
            raise CommandFailedError(_("cơ sở dữ liệu mới hơn chương trình; hãy cài bản dondoc mới hơn"))
        database.upgrade()
        with database.writing() as session:
            for path in shipped.calendars().values():
                calendar, _problems = read_calendar(path)
                assert calendar is not None  # the shipped files are checked by the tests
                apply_calendar(session, calendar, by="office", now=clock.now())
        with database.writing() as session:
            first = people.first_way_in(session, now=clock.now())
    files = _("tệp .eml trong {folder}; đặt DONDOC_SMTP_URL để gửi thật", folder=settings.eml)
    write(
        _("Văn phòng mới: {folder}", folder=settings.data.absolute()),
        *(invitation(*first) if first else [_("Đã có người quản trị; quên mật khẩu: dondoc users invite TÊN")]),
        _("Kênh gửi: {channel}", channel="SMTP" if settings.smtp_url else files),
        _("Tiếp theo:"),
        _("  dondoc messages test ĐỊA-CHỈ  gửi một thư thử"),
        _("  dondoc units import TỆP       nhập đơn vị và đầu mối (CSV, XLSX)"),
        _("  dondoc plans apply TỆP        áp dụng kế hoạch"),
        _("  dondoc serve                  chạy trang web và các vòng nhắc hạn"),
    )


@app.command(group=RUN, help=_("Chạy trang web."))
def web(*, host: Host = None, port: Port = None) -> None:
    from web.app import create_app
    from web.listen import listen

    settings = reachable(host=host, port=port)
    with office() as here:

        def ready(address: str) -> None:
            write(f"web {address}")

        player = zalo = None
        if settings.clock.exists():
            from samples.life import Life
            from samples.zalo import fake

            player, zalo = Life(here.database, settings), fake(here.database, settings)
        try:
            app = create_app(here.database, settings, player, zalo)
            listen(app, settings.host, settings.port, ready, settings.log_level)
        except OSError as error:
            raise CommandFailedError(
                _("{host}:{port}: {why}", host=settings.host, port=settings.port, why=error.strerror)
            ) from error


@app.command(group=RUN, help=_("Chạy các vòng theo lịch (Prefect)."))
def flows(*, prefect_port: PrefectPort = None) -> int:
    from flows.serve import main

    with office():  # says at once what is missing, before Prefect is waited for
        settings = read_settings(prefect_port=prefect_port)
    return main(settings)


@app.command(group=RUN, help=_("Chạy tất cả: trang web, các vòng, máy chủ Prefect."))
def serve(*, host: Host = None, port: Port = None, prefect_port: PrefectPort = None) -> int:
    from dondoc.serve import main

    with office():
        settings = reachable(host=host, port=port, prefect_port=prefect_port)
    with _alone(settings):
        return main(settings)


@app.command(group=RUN, help=_("Sân thử: tổ chức mẫu, đồng hồ thử, lịch sử dựng sẵn, rồi chạy tất cả."))
def demo(
    *,
    data: Annotated[Path | None, Parameter(name="--data", help=_("Thư mục của sân thử; mặc định DONDOC_DATA."))] = None,
    until: Annotated[date | None, Parameter(name="--until", help=_("Dựng lịch sử đến ngày nào."))] = None,
    no_serve: Annotated[
        bool, Parameter(name="--no-serve", negative="", help=_("Chỉ dựng, không chạy; không cần Prefect."))
    ] = False,
    port: Port = None,
    prefect_port: PrefectPort = None,
) -> int:
    from samples.history import LAST_DAY, demo, is_played, straight

    # A playground is its folder; the children that serve it must not find the office's own database either.
    os.environ.pop("DONDOC_DATABASE_URL", None)
    settings = reachable(data=data, port=port, prefect_port=prefect_port)
    with _alone(settings):
        with in_words():
            is_ready = is_played(settings)
            if no_serve:
                demo(settings, until or LAST_DAY, straight(write))
        write(_("Sân thử: {folder}", folder=settings.data.absolute()))
        if no_serve:
            return 0
        from dondoc.serve import main

        # History is played beside Prefect's server, so that Prefect shows it.
        return main(settings, None if is_ready else ("samples.play", (until or LAST_DAY).isoformat()))


def _prepare(settings: "Settings") -> None:
    """The data folder, for its owner alone. One that holds something else is refused."""
    folder = settings.data
    if settings.clock.exists():
        raise CommandFailedError(_("{folder} là một sân thử; hãy chọn thư mục khác (DONDOC_DATA)", folder=folder))
    if folder.exists() and not folder.is_dir():
        raise CommandFailedError(_("{folder}: cần một thư mục, gặp thứ khác", folder=folder))
    if folder.is_dir() and any(folder.iterdir()) and not settings.key.exists():
        raise CommandFailedError(
            _("{folder}: cần một thư mục trống hoặc một văn phòng đã có, gặp thứ khác", folder=folder)
        )
    _make(folder)
    try:
        folder.chmod(0o700)
    except OSError as error:
        raise CommandFailedError(f"{folder}: {error.strerror}") from error


def _make(folder: Path) -> None:
    """The folder, for its owner alone when it was not there yet."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandFailedError(f"{folder}: {error.strerror}") from error


@contextmanager
def _alone(settings: "Settings") -> Iterator[None]:
    """Nobody else serves this data folder while it lasts."""
    from dondoc.lock import TakenError, held

    if settings.port == 0:  # the parts must know one another's address before the first of them listens
        raise CommandFailedError(_("--port: cần một cổng từ 1 đến 65535, gặp 0"))
    _make(settings.data)
    try:
        with held(settings.data):
            yield
    except TakenError as error:
        raise CommandFailedError(
            _("{folder}: một dondoc khác đang chạy trên thư mục này; hãy dừng nó, hoặc chọn thư mục khác (DONDOC_DATA)",
              folder=settings.data.absolute())
        ) from error  # fmt: skip
