"""What exactly will happen if I press the button? The effect of a bulk act, confirmed as it was shown."""

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import ColumnElement, and_, false
from sqlmodel import Session, col
from starlette.datastructures import FormData, QueryParams

from engine.access import Actor, Right
from engine.acknowledge import usual_until
from engine.bulk import Decision, EffectChangedError, apply
from engine.effect import SILENT, BulkAct, Effect, Params, preview, versions
from engine.errors import RefusedError
from engine.plans import calendar_for
from models.address import ways_of
from models.inbox import OF_TASKS, Group, in_group
from models.task import Task
from notifications.channels import writes_files
from web import forms, words
from web.access import InActor, needs
from web.done import DONE
from web.inbox import PAGE, View, narrowing, rights_of, view_of
from web.office import InOffice, Office
from web.pages import page

SHOWN: Final = 200  #: rows of an effect on one page
#: What an act's form calls the day that it needs.
DAYS: Final = {BulkAct.EXTEND: "due_on", BulkAct.ACKNOWLEDGE: "until"}
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tasks: these, or all that a filter means."""

    task_ids: tuple[int, ...]
    view: View
    is_all: bool

    @property
    def group(self) -> Group | None:
        """The group whose tasks are all meant."""
        return Group(self.view.group) if self.is_all and self.view.group in OF_TASKS else None

    @property
    def is_empty(self) -> bool:
        return self.group is None and not self.task_ids

    def where(self, session: Session, office: Office, actor: Actor) -> ColumnElement[bool]:
        """The condition on task rows."""
        if self.group is not None:
            kept = narrowing(session, self.view, office.today()).tasks
            return and_(in_group(self.group, office.today(), office.now()), rights_of(actor, self.group), kept)
        return col(Task.id).in_(self.task_ids) if self.task_ids else false()

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a form has to send along so that it means the same."""
        if self.group is not None:
            return [*self.view.fields.items(), ("all", "1")]
        return [("task", str(id_)) for id_ in self.task_ids]


@dataclass(frozen=True, slots=True)
class Asked:
    """All that an address or a form says."""

    act: BulkAct
    choice: Choice
    params: Params
    decision: Decision
    typed_day: str
    back: str

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What is hidden in the form; the rest stands in its fields."""
        return [("act", self.act.value), *self.choice.fields, ("back", self.back)]

    def href(self, number: int) -> str:
        """The address of one page of the effect."""
        told = [(DAYS.get(self.act, ""), self.typed_day), ("again", "1" if self.params.is_again else "")]
        told += [("reason", self.decision.reason), ("document", self.decision.document or "")]
        parts = [*self.fields, *((name, value) for name, value in told if value), ("page", str(number))]
        return f"/bulk?{urlencode(parts)}"


@router.api_route("/bulk", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def show_effect(request: Request, office: InOffice, actor: InActor) -> Response:
    asked, error = _asked(request.query_params)
    number = request.query_params.get("page", "1")
    with office.database.reading() as session:
        effect = _preview(session, office, actor, asked)
        return _page(request, session, office, effect, asked, number=number, refused=error)


@router.post("/bulk", dependencies=[needs(Right.SEE)])
def do_it(request: Request, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    asked, error = _asked(form)
    changed = False
    if error is None:
        try:
            with office.database.writing() as session:
                entry = apply(
                    session,
                    asked.act,
                    asked.choice.where(session, office, actor),
                    asked.params,
                    asked.decision,
                    expected_hash=forms.text(form, "hash"),
                    key=forms.text(form, "key")[:64],
                    actor=actor,
                    now=office.now(),
                    zone=office.settings.zone,
                )
        except EffectChangedError as refused:
            error, changed = refused, True
        except RefusedError as refused:
            error = refused
        else:
            mark = "&" if "?" in asked.back else "?"
            return RedirectResponse(f"{asked.back}{mark}{DONE}={entry.id}", 303)
    with office.database.reading() as session:
        effect = _preview(session, office, actor, asked)
        key = forms.text(form, "key")[:64]
        return _page(request, session, office, effect, asked, refused=error, changed=changed, key=key, status=422)


def _asked(given: QueryParams | FormData) -> tuple[Asked, RefusedError | None]:
    """What was asked for, and what cannot be understood of it."""

    def text(name: str) -> str:
        value = given.get(name)
        return words.clean(value) if isinstance(value, str) else ""

    act = BulkAct(text("act")) if text("act") in set(BulkAct) else BulkAct.REMIND
    ids = forms.numbers(given, "task")[:PAGE]
    choice = Choice(ids, view_of(given), bool(text("all")))
    error: RefusedError | None = None
    typed_day = text(DAYS.get(act, ""))
    day = words.read_day(typed_day) if typed_day else None
    if typed_day and day is None:
        error = RefusedError("form.day", got=typed_day[:40])
    asked = Asked(
        act,
        choice,
        Params(day if act is BulkAct.EXTEND else None, act is BulkAct.REMIND and bool(text("again"))),
        Decision(text("reason"), text("document") or None, day if act is BulkAct.ACKNOWLEDGE else None),
        typed_day,
        forms.own_address(text("back"), f"/tasks/{ids[0]}" if len(ids) == 1 else "/inbox"),
    )
    return asked, error


def _preview(session: Session, office: Office, actor: Actor, asked: Asked) -> Effect:
    return preview(
        session,
        asked.act,
        asked.choice.where(session, office, actor),
        asked.params,
        actor=actor,
        now=office.now(),
        zone=office.settings.zone,
    )


def _page(
    request: Request,
    session: Session,
    office: Office,
    effect: Effect,
    asked: Asked,
    *,
    number: str = "1",
    refused: RefusedError | None = None,
    changed: bool = False,
    key: str = "",
    status: int = 200,
) -> Response:
    count = max(-(-len(effect.done) // SHOWN), 1)
    here = min(max(int(number), 1), count) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    values: dict[str, Any] = {
        "rows": effect.done[(here - 1) * SHOWN : here * SHOWN],
        "left_out": effect.skipped[:SHOWN],
        "versions": versions(session, effect) if effect.act is BulkAct.ACCEPT else {},
    }
    told = {each.contact.id for row in values["rows"] for each in row.told}
    ways = session.scalars(ways_of(told)).all()
    values["ways"] = {way.contact_id: way for way in reversed(ways) if way.is_open(office.now())}
    return page(
        request,
        "bulk.html",
        status=status,
        effect=effect,
        asked=asked,
        number=here,
        pages=range(1, count + 1),
        refused=refused,
        changed=changed,
        channel="eml" if writes_files(office.settings) else "email",
        key=key or secrets.token_urlsafe(12),
        is_ready=effect.done and (effect.act is not BulkAct.EXTEND or asked.params.due_on is not None),
        usual_until=_usual_until(session, office, effect),
        is_loud=effect.act not in SILENT,
        **values,
    )


def _usual_until(session: Session, office: Office, effect: Effect) -> date | None:
    """What the form of "đã biết" begins with."""
    if effect.act is not BulkAct.ACKNOWLEDGE or not effect.done:
        return None
    return usual_until(calendar_for(session, effect.done[0].cycle), office.today())
