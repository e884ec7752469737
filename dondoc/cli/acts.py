"""`dondoc task ...`: what may be done to one task, by hand."""

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

from cyclopts import Parameter

from dondoc.cli.app import ACT, Answers, Document, Files, Json, Reason, TaskId, group_of
from dondoc.cli.office import Office, office
from dondoc.cli.words import CommandFailedError, _, coded, lang, table, write, write_json
from dondoc.i18n import by_when, short_day, whole_moment

if TYPE_CHECKING:
    from sqlmodel import Session

    from engine.dossier import Dossier
    from models.files import StoredFile

BY = "office"
#: act -> the command that does it; the other acts happen by themselves.
COMMANDS = {
    "submit": "submit",
    "record": "record",
    "withdraw": "withdraw",
    "accept": "accept",
    "return": "return",
    "extend": "extend",
    "unlock": "extend",
    "exempt": "exempt",
    "reopen": "reopen",
}
task = group_of("task", _("Việc trên một nhiệm vụ: xem, nộp, nhận, trả lại, gia hạn, miễn, ghi nhận."), ACT)


@task.command(help=_("Xem một nhiệm vụ: hạn và lý do, bản nộp, gia hạn, thông báo, nhật ký."))
def show(task: TaskId, /, *, json: Json = False) -> None:
    with office() as here:
        found = _dossier(here, task)
        if json:
            write_json(found.as_json())
        else:
            write(*_as_text(found, here))


@task.command(help=_("Nộp thay đơn vị."))
def submit(
    task: TaskId,
    /,
    *,
    answers: Answers = None,
    files: Files = None,
    key: Annotated[
        str | None, Parameter(name="--key", help=_("Khoá gửi: cùng khoá, cùng một bản nộp; không nêu: khoá mới."))
    ] = None,
) -> None:
    from engine.submit import submit
    from models.submission import Way

    given, kept_key = _answers(answers), key or str(uuid4())
    with office() as here:
        stored = _stored(here, files)
        with here.database.writing() as session:
            submission = submit(session, task, by=BY, answers=given, files=stored, key=kept_key,
                                now=here.now, zone=here.zone, way=Way.HAND)  # fmt: skip
            receipt = submission.receipt
        write(_("Mã nhận: {receipt}", receipt=receipt))
        _write_state(here, task)


@task.command(help=_("Ghi nhận bản giấy hoặc văn bản điện tử: tính theo ngày nhận, không theo lúc bấm."))
def record(
    task: TaskId,
    /,
    *,
    received_on: Annotated[date, Parameter(name="--received", help=_("Ngày nhận."))],
    document: Annotated[str, Parameter(name="--document", help=_("Số văn bản."))],
    way: Annotated[Literal["paper", "eoffice"], Parameter(name="--way", help=_("Đường gửi."))] = "paper",
    answers: Answers = None,
    files: Files = None,
) -> None:
    from engine.record import record
    from models.submission import Way

    given = _answers(answers)
    with office() as here:
        stored = _stored(here, files)
        with here.database.writing() as session:
            record(session, task, by=BY, received_on=received_on, document=document, way=Way(way),
                   answers=given, files=stored, now=here.now, zone=here.zone)  # fmt: skip
        _write_state(here, task)


@task.command(help=_("Nhận bản đang chờ duyệt."))
def accept(
    task: TaskId, /, *, note: Annotated[str | None, Parameter(name="--note", help=_("Ghi chú."))] = None
) -> None:
    from engine.review import accept

    with _acting(task) as (here, session):
        accept(session, task, by=BY, now=here.now, note=note)


@task.command(name="return", help=_("Trả lại bản đang chờ duyệt, có lý do."))
def send_back(
    task: TaskId,
    /,
    *,
    reason: Reason,
    due_on: Annotated[date | None, Parameter(name="--due", help=_("Hạn nộp lại."))] = None,
    does_not_count: Annotated[
        bool, Parameter(name="--does-not-count", negative="", help=_("Không tính là đã nộp."))
    ] = False,
) -> None:
    from engine.review import send_back

    with _acting(task) as (here, session):
        send_back(session, task, by=BY, reason=reason, due_on=due_on, does_not_count=does_not_count,
                  now=here.now, zone=here.zone)  # fmt: skip


@task.command(help=_("Gia hạn cho đơn vị; sau khi kết thúc thì mở khoá."))
def extend(
    task: TaskId,
    /,
    *,
    due_on: Annotated[date, Parameter(name="--due", help=_("Hạn mới."))],
    reason: Reason,
    document: Document = None,
) -> None:
    from engine.extend import extend

    with _acting(task) as (here, session):
        extend(session, task, by=BY, due_on=due_on, reason=reason, document=document, now=here.now, zone=here.zone)


@task.command(help=_("Miễn báo cáo kỳ này."))
def exempt(task: TaskId, /, *, reason: Reason, document: Document = None) -> None:
    from engine.extend import exempt

    with _acting(task) as (here, session):
        exempt(session, task, by=BY, reason=reason, document=document, now=here.now)


@task.command(help=_("Đã biết: tới hết một ngày không đôn đốc người đứng đầu và cấp trên."))
def acknowledge(
    task: TaskId,
    /,
    *,
    until: Annotated[date, Parameter(name="--until", help=_("Đến hết ngày này, nhiều nhất 30 ngày."))],
    note: Annotated[str, Parameter(name="--note", help=_("Cách giải quyết."))],
) -> None:
    from engine.acknowledge import acknowledge

    with _acting(task) as (here, session):
        acknowledge(session, task, until=until, note=note, by=BY, now=here.now, zone=here.zone)


@task.command(help=_("Rút bản nộp trước khi duyệt."))
def withdraw(task: TaskId, /, *, reason: Reason) -> None:
    from engine.submit import withdraw

    with _acting(task) as (here, session):
        withdraw(session, task, by=BY, reason=reason, now=here.now)


@task.command(help=_("Huỷ việc nhận hoặc việc miễn."))
def reopen(task: TaskId, /, *, reason: Reason) -> None:
    from engine.review import reopen

    with _acting(task) as (here, session):
        reopen(session, task, by=BY, reason=reason, now=here.now)


@contextmanager
def _acting(task_id: int) -> "Iterator[tuple[Office, Session]]":
    """One transaction; afterwards the task's state is printed."""
    with office() as here:
        with here.database.writing() as session:
            yield here, session
        _write_state(here, task_id)


def _dossier(here: Office, task_id: int) -> "Dossier":
    from engine.dossier import dossier

    with here.database.reading() as session:
        return dossier(session, task_id, here.now, here.zone)


def _write_state(here: Office, task_id: int) -> None:
    write(*_head(_dossier(here, task_id), here.zone))


def _head(found: "Dossier", zone: str) -> list[str]:
    deadline, state, known = found.deadline, _(f"state.{found.task.state}"), found.known
    held = [f"  {_('đã biết đến hết {day}', day=short_day(known.until))}: {known.note}"] if known else []
    return [
        _("Nhiệm vụ {id}: {title}, kỳ {period}, {unit}", id=found.task.id, title=found.cycle.title(lang()),
          period=found.cycle.period, unit=found.unit.name),
        _("  {state}; hạn: {due}", state=state, due=by_when(deadline.due_on, deadline.due_at, zone, lang())),
        *held,
    ]  # fmt: skip


def _as_text(found: "Dossier", here: Office) -> list[str]:
    def when(moment: datetime) -> str:
        return whole_moment(moment, here.zone, lang())

    lines = _head(found, here.zone)
    lines += [f"  - {coded(each['code'], each['params'])}" for each in found.deadline.reasons]
    if found.shown.late_days > 0:
        lines.append("  " + _("quá hạn {count} ngày làm việc", count=found.shown.late_days))
    allowed = [f"{_(f'act.{act}')} ({COMMANDS[act]})" for act in found.task.allowed if act in COMMANDS]
    lines.append("  " + _("có thể: {allowed}", allowed=", ".join(allowed) or _("act.none")))
    for submission, files, reviews in found.versions:
        words = _("Bản {number}, nhận ngày {day}, mã nhận {receipt}", number=submission.number,
                  day=short_day(submission.received_on), receipt=submission.receipt)  # fmt: skip
        lines += ["", words + (f" ({submission.document})" if submission.document else "")]
        lines += [f"  {name}: {value}" for name, value in submission.answers.items()]
        lines += [f"  {file.name}  {file.size}  SHA-256 {file.hash}" for file in files]
        lines += [f"  {when(each.at)}: {_(f'done.{each.verdict}')} {each.reason or ''}".rstrip() for each in reviews]
    if found.notices:
        rows = [[when(each.created_at), _(f"notice.{each.kind}"), _(f"rung.{each.rung}")] for each in found.notices]
        lines += ["", _("Thông báo"), *table(rows, indent="  ")]
    rows = [
        [
            when(each.at),
            found.names.get(each.by, each.by),
            _(f"done.{each.act}"),
            str(each.data.get("reason") or each.data.get("until") or ""),
        ]
        for each in found.entries
    ]
    return [*lines, "", _("Nhật ký"), *table(rows, indent="  ")]


def _answers(given: list[str] | None) -> dict[str, object]:
    answers: dict[str, object] = {}
    for each in given or []:
        name, sign, value = each.partition("=")
        if not sign or not name:
            raise CommandFailedError(_("--answer: cần tên=giá trị, gặp “{got}”", got=each), code=2)
        if name in answers:
            raise CommandFailedError(_("--answer: “{name}” chỉ cần một lần", name=name), code=2)
        answers[name] = value
    return answers


def _stored(here: Office, files: list[Path] | None) -> "list[StoredFile]":
    """The files in the data folder, before anything is written in the database."""
    from models.files import store

    stored = []
    for path in files or []:
        try:
            content = path.open("rb")
        except OSError as error:
            raise CommandFailedError(f"{path}: {error.strerror}") from error
        with content:
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            stored.append(store(here.settings.files, path.name, content, media_type))
    return stored
