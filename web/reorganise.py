"""What happens when this unit moves, merges, splits or closes? Shown task by task, then done as it was shown."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select
from starlette.datastructures import FormData, QueryParams

from dondoc.alphabet import order as by_alphabet
from engine import relocate, reorganise
from engine.access import PIECE, Actor, Place, Right, can, may_units, place_of_unit
from engine.errors import RefusedError
from engine.relocate import Move
from engine.reorganise import Fresh, Order
from models.entry import Entry
from models.lineage import Succession
from models.unit import Placement, Unit, placement_on, unit_by_code, valid
from web import forms, words
from web.access import InActor, demand, needs
from web.done import after, stand
from web.office import InOffice, Number, Office
from web.pages import page
from web.plans import names_of
from web.since import since
from web.stretch import number_of

MOST_UNITS: Final = 500  #: that a field offers by name; among more a code is typed
PARTS: Final = 4  #: new units that the form of a split has room for
WAYS: Final = {"merge": Succession.MERGE, "split": Succession.SPLIT, "close": Succession.CLOSE}
_TASK: Final = re.compile(r"task-([0-9]{1,9})")
_BELOW: Final = re.compile(r"below-([a-z0-9-]{1,80})")
router = APIRouter(dependencies=[needs(Right.MANAGE)])
Given = QueryParams | FormData
Way = Literal["move", "merge", "split", "close"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address or a form says; with an error it says nothing that can be looked at."""

    order: Order | None = None
    move: Move | None = None
    error: RefusedError | None = None


@router.api_route("/units/{unit_id}/changes/{way}", methods=["GET", "HEAD"])
def show_way(request: Request, unit_id: Number, way: Way, office: InOffice, actor: InActor) -> Response:
    return _page(request, office, actor, unit_id, way, request.query_params)


@router.post("/units/{unit_id}/changes/{way}")
def go_way(request: Request, unit_id: Number, way: Way, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    given = {"reason": forms.text(form, "reason"), "by": actor.by, "now": office.now(), "zone": office.settings.zone}

    def act(session: Session, asked: Asked) -> None:
        hash_ = forms.text(form, "hash")
        if asked.order is not None:
            reorganise.apply(session, asked.order, **given, expected_hash=hash_)  # type: ignore[arg-type]
        elif asked.move is not None:
            relocate.apply(session, asked.move, **given, expected_hash=hash_)  # type: ignore[arg-type]

    return _done(request, office, actor, unit_id, way, form, act)


@router.post("/units/{unit_id}/name")
def rename(request: Request, unit_id: Number, office: InOffice, actor: InActor, form: forms.Form) -> Response:
    name, reason = forms.text(form, "name"), forms.text(form, "why")
    try:
        since = forms.day(form, "since")
        with office.database.writing() as session:
            unit, before = _demand(session, actor, unit_id), stand(session)
            relocate.rename(
                session,
                unit.code,
                name,
                on=since,
                reason=reason,
                by=actor.by,
                now=office.now(),
                zone=office.settings.zone,
            )
            back = after(session, actor, f"/units/{unit_id}", before)
    except RefusedError as error:
        return _page(request, office, actor, unit_id, "move", form, renaming=error)
    return RedirectResponse(back, 303)


def _done(
    request: Request,
    office: Office,
    actor: Actor,
    unit_id: int,
    way: str,
    form: FormData,
    act: Callable[[Session, Asked], None],
) -> Response:
    """Does it as it was shown; a refusal shows what would happen now, with everything typed."""
    try:
        with office.database.writing() as session:
            unit = _demand(session, actor, unit_id)
            asked = _asked(session, office, actor, unit, way, form)
            if asked.error is not None:
                raise asked.error
            before = stand(session)
            act(session, asked)
            heir = unit_by_code(session, asked.order.heir) if asked.order and asked.order.heir else None
            back = after(session, actor, f"/units/{heir.id if heir else unit_id}", before)
    except RefusedError as error:
        return _page(request, office, actor, unit_id, way, form, refused=error)
    return RedirectResponse(back, 303)


def _page(
    request: Request,
    office: Office,
    actor: Actor,
    unit_id: int,
    way: str,
    given: Given,
    *,
    refused: RefusedError | None = None,
    renaming: RefusedError | None = None,
) -> Response:
    effect: Any = None
    shown = refused
    meanwhile: Sequence[Entry] = ()
    with office.database.reading() as session:
        unit = _demand(session, actor, unit_id)
        values = _about(session, office, actor, unit)
        if "on" in given:
            asked = _asked(session, office, actor, unit, way, given)
            try:
                if asked.error is not None:
                    raise asked.error
                room: Any = reorganise if asked.order is not None else relocate
                effect = room.preview(session, asked.order or asked.move, now=office.now(), zone=office.settings.zone)
                names = [*(unit.code for unit, _ in getattr(effect, "below", ())), *getattr(effect, "heirs", ())]
                values["names"] |= _names(session, [*names, getattr(effect, "receiver", None) or ""])
                values["names"] |= {each.code: each.name for each in asked.order.fresh} if asked.order else {}
            except RefusedError as error:
                shown = refused or error
            if refused is not None:
                meanwhile = since(session, number_of(_text(given, "stand")) or stand(session), _codes(unit, asked))
        values |= {"meanwhile": meanwhile, "who_names": names_of(session, [entry.by for entry in meanwhile])}
        values["stand"] = stand(session)
    typed = {name: value for name, value in given.items() if isinstance(value, str)}
    parts = list(zip(_all(given, "fresh_code"), _all(given, "fresh_name"), strict=False))
    return page(
        request,
        "unit_move.html" if way == "move" else "unit_way.html",
        status=422 if request.method == "POST" else 200,
        unit=unit,
        way=way,
        effect=effect,
        refused=shown,
        renaming=renaming,
        is_changed=refused is not None and refused.reason.code == "refused.effect_changed",
        typed=typed,
        parts=[*parts, *[("", "")] * (PARTS - len(parts))],
        **values,
    )


def _about(session: Session, office: Office, actor: Actor, unit: Unit) -> dict[str, Any]:
    """Where the unit stands, and the units that a field may offer."""
    today = office.today()
    place = placement_on(session, unit.id, today)
    query = (
        select(Unit)
        .join(Placement, col(Placement.unit_id) == col(Unit.id))
        .where(valid(today, Placement), may_units(actor, Right.MANAGE, col(Unit.id)), col(Unit.id) != unit.id)
        .limit(MOST_UNITS + 1)
    )
    offered = session.exec(query).all()
    parent = session.get(Unit, place.parent_id) if place is not None and place.parent_id else None
    return {
        "place": place,
        "parent": parent,
        "offered": sorted(offered, key=lambda each: by_alphabet(each.name)) if len(offered) <= MOST_UNITS else [],
        "names": {unit.code: unit.name},
    }


def _asked(session: Session, office: Office, actor: Actor, unit: Unit, way: str, given: Given) -> Asked:
    """What is asked for. 404 for units that the actor does not see, 403 for those that are not theirs to change."""
    on = words.read_day(_text(given, "on")) if _text(given, "on") else office.today()
    if on is None:
        return Asked(error=RefusedError("form.day", got=_text(given, "on")[:40]))
    if way == "move":
        parent = _text(given, "parent") or None
        _demand_codes(session, actor, [unit.code, parent or ""], on)
        if parent is None and "" not in actor.paths(Right.MANAGE):
            raise HTTPException(403)
        _demand_above(session, actor, [unit.code], on)
        kind, name = _text(given, "kind"), _text(given, "called")
        return Asked(move=Move(unit.code, on, parent, kind, bool(_text(given, "follows")), name))
    heir = _text(given, "heir") or None
    parts = zip(_all(given, "fresh_code"), _all(given, "fresh_name"), strict=False)
    fresh = tuple(Fresh(code, name) for code, name in parts if code or name)
    others = _text(given, "units").replace(",", " ").split() if way == "merge" else []
    if way == "merge" and fresh:
        heir = fresh[0].code
    elif way == "merge":
        heir = heir or unit.code
    _demand_codes(session, actor, [unit.code, *others, heir or ""], on)
    order = _order(way, unit, on, heir, fresh, others, given)
    _demand_above(session, actor, order.beside, on)
    return Asked(order=order)


def _order(
    way: str, unit: Unit, on: date, heir: str | None, fresh: tuple[Fresh, ...], others: list[str], given: Given
) -> Order:
    fields = [(name, value.strip()) for name, value in given.multi_items() if isinstance(value, str)]
    tasks = {int(found[1]): value for name, value in fields if (found := _TASK.fullmatch(name))}
    below = {found[1]: value for name, value in fields if value and (found := _BELOW.fullmatch(name))}
    stays = bool(_text(given, "stays"))
    # A new unit has no contacts of its own: until the box was shown for it, it stands ticked.
    takes = way != "close" and bool(fresh) and not stays and _text(given, "contacts_of") != fresh[0].code
    return Order(
        WAYS[way],
        tuple(dict.fromkeys([unit.code, *others])),
        on,
        heir if way != "split" else None,
        fresh if way != "close" else (),
        stays=stays,
        tasks=tasks,
        below=below,
        with_contacts=takes or bool(_text(given, "contacts")),
    )


def _demand(session: Session, actor: Actor, unit_id: int) -> Unit:
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise HTTPException(404)
    demand(actor, Right.MANAGE, place_of_unit(session, unit_id, actor.on))
    return unit


def _demand_codes(session: Session, actor: Actor, codes: list[str], on: date) -> None:
    """Units that are there are the actor's to change, now and on the day of the order; of others the engine says that
    they are not.
    """
    for code in codes:
        unit = unit_by_code(session, code) if code else None
        if unit is not None:
            for day in {actor.on, max(actor.on, on)}:
                demand(actor, Right.MANAGE, place_of_unit(session, unit.id, day))


def _demand_above(session: Session, actor: Actor, codes: Sequence[str], on: date) -> None:
    """403 where units begin or end right below one that is not the actor's to change: at the edge of their part."""
    for code in codes:
        unit = unit_by_code(session, code)
        if unit is None:
            continue
        for day in {actor.on, max(actor.on, on)}:
            if not can(actor, Right.MANAGE, Place(place_of_unit(session, unit.id, day).own[:-PIECE])):
                raise HTTPException(403)


def _names(session: Session, codes: list[str]) -> Mapping[str, str]:
    return {unit.code: unit.name for unit in session.exec(select(Unit).where(col(Unit.code).in_(codes)))}


def _codes(unit: Unit, asked: Asked) -> list[str]:
    """The units that the order names."""
    named = [asked.move.parent] if asked.move else [*asked.order.units, asked.order.heir] if asked.order else []
    return [unit.code, *(code for code in named if code)]


def _text(given: Given, name: str) -> str:
    value = given.get(name)
    return words.clean(value) if isinstance(value, str) else ""


def _all(given: Given, name: str) -> list[str]:
    return [words.clean(value) for value in given.getlist(name) if isinstance(value, str)]
