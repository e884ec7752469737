"""Can I accept this, why this date, were they told? One task, and the acts of the office on it."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from sqlmodel import Session, col, select
from starlette.datastructures import FormData

from dondoc.i18n import short_day, translate, whole_day
from engine import acknowledge, ask, extend, link, note, record, review, submit
from engine.access import Actor, Place, Right, place_of_task
from engine.errors import RefusedError
from engine.extend import Longer, longer
from engine.plans import calendar_for, obligation_of
from models.cycle import Cycle
from models.deadline import Deadline
from models.extension import Extension
from models.files import StoredFile
from models.link import Link
from models.note import NoteKind
from models.submission import Way
from models.task import Task
from schedules.plan import FileRule
from web import forms, kept, words
from web.access import InActor, demand, needs
from web.done import after, stand, told_done
from web.office import InOffice, Number, Office
from web.pages import language, page
from web.task_page import Asked, read

router = APIRouter()
Done = Callable[[Session], object]


@router.api_route("/tasks/{task_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_task(
    request: Request,
    task_id: Number,
    office: InOffice,
    actor: InActor,
    old: str = "",
    new: str = "",
    due_on: str = "",
) -> Response:
    """`old` and `new` are the versions to compare, `due_on` the day to try an extension on."""
    day = words.read_day(due_on) if due_on else None
    typed = {name: request.query_params.get(name, "") for name in ("due_on", "reason", "document")}
    asked = Asked(_number(old), _number(new), day)
    if due_on and day is None:
        return _task_page(
            request, office, actor, task_id, asked, refused=("extend", _no_day(due_on)), typed=typed
        )  # fmt: skip
    return _task_page(request, office, actor, task_id, asked, typed=typed if due_on else {}, form="extend")


@router.api_route("/tasks/{task_id}/extension", methods=["GET", "HEAD"], dependencies=[needs(Right.CHASE)])
def try_extension(request: Request, task_id: Number, office: InOffice, actor: InActor, due_on: str = "") -> Response:
    """What a typed day would give, in one sentence: asked for by the page while somebody types."""
    day, lang = words.read_day(due_on), language(request)
    with office.database.reading() as session:
        task, _ = _seen(session, actor, Right.CHASE, task_id)
        deadline = session.get_one(Deadline, task.deadline_id)
        calendar = calendar_for(session, session.get_one(Cycle, task.cycle_id))
        moves = select(Extension).where(col(Extension.task_id) == task.id).order_by(col(Extension.id))
        first = session.exec(moves).first()
    try:
        if day is None:
            raise _no_day(due_on)
        first_on = first.from_on if first else deadline.due_on
        found = longer(calendar, first_on, deadline.due_on, day, office.today())
    except RefusedError as error:
        return PlainTextResponse(words.sentence(error.text(lang)))
    return PlainTextResponse(effect(found, lang))


@router.post("/tasks/{task_id}/acceptance", dependencies=[needs(Right.REVIEW)])
def accept(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        words_ = forms.text(form, "note") or None
        return review.accept(session, task_id, by=actor.by, now=office.now(), note=words_)

    return _done(request, office, actor, Right.REVIEW, task_id, "accept", form, act)


@router.post("/tasks/{task_id}/return", dependencies=[needs(Right.REVIEW)])
def send_back(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return review.send_back(
            session,
            task_id,
            by=actor.by,
            reason=forms.text(form, "reason"),
            due_on=forms.day(form, "due_on"),
            does_not_count=bool(forms.text(form, "does_not_count")),
            now=office.now(),
            zone=office.settings.zone,
        )

    return _done(request, office, actor, Right.REVIEW, task_id, "return", form, act)


@router.post("/tasks/{task_id}/extension", dependencies=[needs(Right.CHASE)])
def give_time(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    """Decides the unit's own wish at the same time, when the form stood beside it."""

    def act(session: Session) -> object:
        given: dict[str, Any] = {
            "by": actor.by,
            "due_on": forms.needed_day(form, "due_on"),
            "reason": forms.text(form, "reason"),
            "document": forms.text(form, "document") or None,
            "now": office.now(),
            "zone": office.settings.zone,
        }
        waiting = ask.waiting_extension(session, task_id)
        if waiting is not None and forms.text(form, "ask") == str(waiting.id):
            return ask.grant(session, waiting.id, **given)
        return extend.extend(session, task_id, **given)

    return _done(request, office, actor, Right.CHASE, task_id, "extend", form, act)


@router.post("/tasks/{task_id}/exemption", dependencies=[needs(Right.CHASE)])
def exempt(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return extend.exempt(
            session,
            task_id,
            by=actor.by,
            reason=forms.text(form, "reason"),
            document=forms.text(form, "document") or None,
            now=office.now(),
        )

    return _done(request, office, actor, Right.CHASE, task_id, "exempt", form, act)


@router.post("/tasks/{task_id}/record", dependencies=[needs(Right.CHASE)])
def enter_paper(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    """A paper with its day and number, its figures and its scan where somebody took the trouble."""
    with office.database.reading() as session:
        task, _ = _seen(session, actor, Right.CHASE, task_id)
        obligation = obligation_of(session, session.get_one(Cycle, task.cycle_id))
    rule = obligation.file or FileRule()
    scan = kept.unseal(office.key, -task_id, forms.text(form, "kept"))

    def act(session: Session) -> object:
        return record.record(
            session,
            task_id,
            by=actor.by,
            received_on=forms.needed_day(form, "received_on"),
            document=forms.text(form, "document"),
            way=Way.EOFFICE if forms.text(form, "way") == Way.EOFFICE else Way.PAPER,
            answers={field.name: forms.text(form, f"answer-{field.name}") for field in obligation.fields},
            files=[scan] if scan else [],
            now=office.now(),
            zone=office.settings.zone,
        )

    try:
        scan = forms.file(form, office, rule.types) or scan
    except RefusedError as error:
        return _refused(request, office, actor, task_id, "record", form, error)
    return _done(request, office, actor, Right.CHASE, task_id, "record", form, act, scan)


@router.post("/tasks/{task_id}/withdrawal", dependencies=[needs(Right.CHASE)])
def withdraw(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return submit.withdraw(session, task_id, by=actor.by, reason=forms.text(form, "reason"), now=office.now())

    return _done(request, office, actor, Right.CHASE, task_id, "withdraw", form, act)


@router.post("/tasks/{task_id}/reopening", dependencies=[needs(Right.REVIEW)])
def reopen(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return review.reopen(session, task_id, by=actor.by, reason=forms.text(form, "reason"), now=office.now())

    return _done(request, office, actor, Right.REVIEW, task_id, "reopen", form, act)


@router.post("/tasks/{task_id}/notes", dependencies=[needs(Right.CHASE)])
def write_note(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return note.write_note(
            session,
            task_id,
            kind=NoteKind.CALL if forms.text(form, "kind") == NoteKind.CALL else NoteKind.NOTE,
            text=forms.text(form, "text"),
            with_whom=forms.text(form, "with_whom"),
            promised_on=forms.day(form, "promised_on"),
            by=actor.by,
            now=office.now(),
            zone=office.settings.zone,
        )

    return _done(request, office, actor, Right.CHASE, task_id, "note", form, act)


@router.post("/tasks/{task_id}/acknowledgement", dependencies=[needs(Right.CHASE)])
def take_note(request: Request, task_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    def act(session: Session) -> object:
        return acknowledge.acknowledge(
            session,
            task_id,
            until=forms.needed_day(form, "until"),
            note=forms.text(form, "note"),
            by=actor.by,
            now=office.now(),
            zone=office.settings.zone,
        )

    return _done(request, office, actor, Right.CHASE, task_id, "acknowledge", form, act)


@router.post("/tasks/{task_id}/links/{link_id}/renewal", dependencies=[needs(Right.CHASE)])
def renew_link(
    request: Request, task_id: Number, link_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    def act(session: Session) -> object:
        return link.renew(session, _link(session, task_id, link_id), by=actor.by, now=office.now())

    return _done(request, office, actor, Right.CHASE, task_id, "link", form, act)


@router.post("/tasks/{task_id}/links/{link_id}/revocation", dependencies=[needs(Right.CHASE)])
def revoke_link(
    request: Request, task_id: Number, link_id: Number, office: InOffice, actor: InActor, form: forms.Form
) -> Response:
    def act(session: Session) -> object:
        return link.revoke(session, _link(session, task_id, link_id), by=actor.by, now=office.now())

    return _done(request, office, actor, Right.CHASE, task_id, "link", form, act)


def effect(found: Longer, lang: str) -> str:
    """What an extension would give: Thứ Sáu 17/10/2025, thêm 5 ngày làm việc. ..."""
    days = {"day": whole_day(found.due_on, lang), "was": short_day(found.was)}
    said = [
        translate("{day}, thêm {n} ngày làm việc sau hạn {was}", lang, n=found.added, **days)
        if found.is_later
        else translate("{day} không muộn hơn hạn đang dùng {was} hoặc đã qua", lang, **days)
    ]
    if not found.is_working and found.off is not None:
        said.append(translate("là ngày nghỉ ({name}), hạn vẫn tính đến hết ngày đó", lang, name=found.off.in_(lang)))
    elif not found.is_working:
        said.append(translate("là ngày nghỉ cuối tuần, hạn vẫn tính đến hết ngày đó", lang))
    if found.first_on != found.was:
        first = translate(
            "so với hạn gốc {day} là {n} ngày làm việc", lang, day=short_day(found.first_on), n=found.since_first
        )
        said.append(first)
    return words.sentence("; ".join(said))


def _done(
    request: Request,
    office: Office,
    actor: Actor,
    right: Right,
    task_id: int,
    name: str,
    form: FormData,
    act: Done,
    scan: StoredFile | None = None,
) -> Response:
    """Does the act and goes back to the task; a refusal shows the page again with all that was typed."""
    try:
        with office.database.writing() as session:
            _seen(session, actor, right, task_id)
            before = stand(session)
            act(session)
            back = after(session, actor, f"/tasks/{task_id}", before)
    except RefusedError as error:
        return _refused(request, office, actor, task_id, name, form, error, scan)
    return RedirectResponse(back, 303)


def _refused(
    request: Request,
    office: Office,
    actor: Actor,
    task_id: int,
    name: str,
    form: FormData,
    error: RefusedError,
    scan: StoredFile | None = None,
) -> Response:
    typed = {field: value for field, value in form.items() if isinstance(value, str)}
    asked = Asked(due_on=words.read_day(typed.get("due_on", "")) if name == "extend" else None)
    return _task_page(
        request, office, actor, task_id, asked, status=422, refused=(name, error), typed=typed, form=name, scan=scan
    )


def _task_page(
    request: Request,
    office: Office,
    actor: Actor,
    task_id: int,
    asked: Asked,
    *,
    status: int = 200,
    refused: tuple[str, RefusedError] | None = None,
    typed: dict[str, str] | None = None,
    form: str = "",
    scan: StoredFile | None = None,
) -> Response:
    """`form` is the act whose form holds what was `typed`; `scan` a file that need not be chosen again."""
    with office.database.reading() as session:
        task, place = _seen(session, actor, Right.SEE, task_id)
        values = read(session, office, actor, task, place, asked) | {"done": told_done(session, request, actor)}
    return page(
        request,
        "task.html",
        status=status,
        refused=refused,
        typed={form or (refused[0] if refused else ""): typed or {}},
        effect=effect,
        masked=words.masked,
        scan=scan,
        sealed=kept.seal(office.key, -task_id, scan) if scan else "",
        **values,
    )


def _seen(session: Session, actor: Actor, right: Right, task_id: int) -> tuple[Task, Place]:
    task = session.get(Task, task_id)
    if task is None:
        raise HTTPException(404)
    place = place_of_task(session, task, actor.on)
    demand(actor, right, place)
    return task, place


def _link(session: Session, task_id: int, link_id: int) -> int:
    """The link, when it is one to this task."""
    found = session.get(Link, link_id)
    if found is None or found.task_id != task_id:
        raise HTTPException(404)
    return link_id


def _no_day(typed: str) -> RefusedError:
    return RefusedError("form.day", got=typed[:40])


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None
