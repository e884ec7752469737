"""`dondoc messages preview|wording`: how does a letter read, and in whose words is it?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from cyclopts import Parameter

from dondoc.cli.app import Json
from dondoc.cli.messages import messages
from dondoc.cli.office import office
from dondoc.cli.words import CommandFailedError, _, coded, write, write_json
from dondoc.cli.words import lang as spoken
from dondoc.i18n import whole_moment

if TYPE_CHECKING:
    from notifications.preview import Preview

Kind: TypeAlias = Annotated[str, Parameter(name="KIND", help=_("Loại thư: opened, reminder, overdue, digest, …"))]
Lang: TypeAlias = Annotated[Literal["vi", "en"] | None, Parameter(name="--lang", help=_("Ngôn ngữ của thư."))]
Channel: TypeAlias = Literal["email", "zalobot", "zalooa", "zalozns", "apprise"]


@messages.command(help=_("Xem một loại thư đọc ra sao, với việc được báo gần nhất hoặc với ví dụ; không gửi gì."))
def preview(
    kind: Kind,
    /,
    *,
    task: Annotated[int | None, Parameter(name="--task", help=_("Số của nhiệm vụ."))] = None,
    lang: Lang = None,
    channel: Annotated[Channel, Parameter(name="--channel", help=_("Kênh mà thư sẽ đi."))] = "email",
    html: Annotated[bool, Parameter(name="--html", negative="", help=_("In trang HTML của thư."))] = False,
    json: Json = False,
) -> None:
    from engine.wording import known
    from notifications.preview import frame_of
    from notifications.preview import preview as preview_of

    with office() as here:
        chosen = lang or here.settings.lang
        known(kind, chosen)
        with here.database.reading() as session:
            found = preview_of(session, kind, chosen, frame_of(session, here.settings, here.now), task)
    if found is None:
        raise CommandFailedError(_("nhiệm vụ {task} chưa có gì để báo bằng loại thư “{kind}”", task=task, kind=kind))
    if json:
        write_json(_as_json(found, kind, chosen))
    elif html:
        write(found.rendered.html)
    else:
        if found.is_example:
            write(_("(Ví dụ: chưa có thư nào loại này.)"), "")
        write(_("Tới: {name}", name=found.name), _("Lúc: {when}", when=whole_moment(found.at, here.zone, spoken())))
        write(*_lines(found, channel))


@messages.command(help=_("In lời của một loại thư, hoặc thay bằng lời của văn phòng, hoặc trở lại lời gốc."))
def wording(
    kind: Kind,
    /,
    *,
    lang: Lang = None,
    put: Annotated[Path | None, Parameter(name="--put", help=_("Tệp có lời mới: dòng đầu là tiêu đề."))] = None,
    restore: Annotated[bool, Parameter(name="--restore", negative="", help=_("Trở lại lời gốc."))] = False,
) -> None:
    from engine import wording as wordings
    from models.wording import in_use
    from notifications.wording import InvalidWordingError, shipped

    with office() as here:
        chosen = lang or here.settings.lang
        wordings.known(kind, chosen)
        try:
            if put is not None:
                wordings.put(here.database, kind, chosen, _read(put), by="office", now=here.now)
            elif restore:
                wordings.restore(here.database, kind, chosen, by="office", now=here.now)
        except InvalidWordingError as error:
            lines = [coded(problem.code, dict(problem.params)) for problem in error.problems]
            raise CommandFailedError(*(f"{put}: {line}" for line in lines)) from error
        with here.database.reading() as session:
            text = in_use(session).get((kind, chosen), shipped(kind, chosen))
    write(text.rstrip("\n"))


def _read(path: Path) -> str:
    from unicodedata import normalize

    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandFailedError(_("{path}: cần một tệp UTF-8", path=path)) from error
    except OSError as error:
        expected = _("{path}: cần một tệp đọc được, không mở được ({why})", path=path, why=error.strerror)
        raise CommandFailedError(expected) from error
    return normalize("NFC", text.replace("\r\n", "\n").replace("\0", "")).strip()


def _lines(found: "Preview", channel: Channel) -> list[str]:
    rendered = found.rendered
    match channel:
        case "email":
            return [_("Tiêu đề: {subject}", subject=rendered.subject), "", rendered.text]
        case "zalozns":
            return [f"{name}: {value}" for name, value in found.data.items()]
        case _:
            return ["", rendered.short]


def _as_json(found: "Preview", kind: str, lang: str) -> dict[str, object]:
    rendered = found.rendered
    of = {"kind": kind, "lang": lang, "task": found.task_id, "at": found.at, "name": found.name}
    of |= {"is_example": found.is_example}
    told = {"subject": rendered.subject, "text": rendered.text, "html": rendered.html, "short": rendered.short}
    return {**of, **told, "data": found.data}
