"""What stands on the page of one unit? Its contacts, its places from day to day, its tasks by year, its visits."""

from datetime import date
from typing import Any, Final

from sqlmodel import Session, col, select

from engine.access import Actor, Place, Right, can, may_tasks, standing
from engine.coming import order_of_end
from engine.names import former_names
from models import roster
from models.ask import ContactCorrection, waiting_corrections
from models.contact import Contact
from models.entry import OF_NO_TASK, Entry
from models.lineage import Lineage
from models.unit import Placement, Unit, UnitTag
from models.visit import Visit
from web.office import Office
from web.plans import names_of
from web.unit_changes import changes

VISITS: Final = 10


def read(session: Session, office: Office, actor: Actor, unit: Unit, year: int | None) -> dict[str, Any]:
    today, now = office.today(), office.now()
    seen = may_tasks(actor, Right.SEE)  # a task keeps the place of its opening, which may lie elsewhere
    placements = session.exec(
        select(Placement).where(col(Placement.unit_id) == unit.id).order_by(col(Placement.valid_from).desc())
    ).all()
    stands = standing(placements[::-1], today)
    path = stands.path if stands else ""
    present = next((each for each in placements if _holds(each, today)), None)
    place = Place(path)
    contacts = session.exec(
        select(Contact)
        .where(col(Contact.unit_id) == unit.id)
        .order_by(col(Contact.is_active).desc(), col(Contact.role), col(Contact.id))
    ).all()
    ids = [contact.id for contact in contacts]
    parents = {each.parent_id for each in placements if each.parent_id is not None}
    years = [(int(found), count) for found, count in session.execute(roster.years_of(unit.id).where(seen))]
    known = [found for found, _ in years]
    chosen = year if year in known else next((found for found in known if found <= today.year), None)
    chosen = chosen if chosen is not None else (known[0] if known else None)
    may_keep = can(actor, Right.CHASE, place)
    former = former_names(session, unit, office.settings.zone)
    row = session.execute(roster.units(today, col(Placement.unit_id) == unit.id)).first()
    heirs = _lineage(session, Lineage.from_unit_id, Lineage.to_unit_id, unit)
    origins = _lineage(session, Lineage.to_unit_id, Lineage.from_unit_id, unit)
    ended_on = placements[0].valid_to if placements and present is None else None
    return {
        "unit": unit,
        "down": path,
        "present": present,
        "row": row,
        "owing": session.execute(roster.owing(today, now, [unit.id]).where(seen)).first(),
        "placements": placements,
        "parents": {each.id: each for each in session.exec(select(Unit).where(col(Unit.id).in_(parents)))},
        "tags": session.exec(
            select(UnitTag.tag).where(col(UnitTag.unit_id) == unit.id).order_by(col(UnitTag.tag))
        ).all(),
        "former": former,
        "names": names_of(session, [each.entry.by for each in former]),
        "begins": placements[-1].valid_from if placements and placements[-1].valid_from > today else None,
        "closing": order_of_end(session, unit.code, ended_on) or _sheet_of_end(session, unit, ended_on)
        if ended_on
        else None,
        "heirs": heirs,
        "origins": origins,
        "coming": changes(session, office, actor, unit),
        "may_manage": present is not None and can(actor, Right.MANAGE, place),
        "contacts": contacts,
        "corrections": _corrections(session, ids) if may_keep else {},
        "years": years,
        "year": chosen,
        "tasks": session.execute(roster.tasks_of(unit.id, chosen, today, now).where(seen)).all()
        if chosen is not None
        else [],
        "may_keep": may_keep,
        "may_call": can(actor, Right.REVIEW, place),
        "visits": session.exec(
            select(Visit).where(col(Visit.contact_id).in_(ids)).order_by(col(Visit.id).desc()).limit(VISITS)
        ).all()
        if may_keep
        else [],
        "people": {contact.id: contact.name for contact in contacts},
    }


def _sheet_of_end(session: Session, unit: Unit, on: date) -> Entry | None:
    """What the journal says of a unit that a sheet ended on a day."""
    data = col(Entry.data)
    of_unit = (data["unit"].as_string() == unit.code, data["on"].as_string() == on.isoformat())
    query = select(Entry).where(OF_NO_TASK, col(Entry.act) == "sheet_ended", *of_unit)
    return session.exec(query.order_by(col(Entry.id).desc())).first()


def _holds(placement: Placement, today: Any) -> bool:
    return placement.valid_from <= today and (placement.valid_to is None or placement.valid_to > today)


def _lineage(session: Session, mine: Any, others: Any, unit: Unit) -> list[tuple[Lineage, Unit]]:
    """The units that went on with this one's work, or whose work this one goes on with."""
    query = select(Lineage, Unit).join(Unit, col(Unit.id) == col(others)).where(col(mine) == unit.id)
    return list(session.exec(query.order_by(col(Lineage.on), col(Lineage.id))))


def _corrections(session: Session, contact_ids: list[int]) -> dict[int, ContactCorrection]:
    """What contacts said of themselves ("not me") that nobody has decided yet."""
    waiting = waiting_corrections().where(col(ContactCorrection.contact_id).in_(contact_ids))
    return {each.contact_id: each for each in session.scalars(waiting)}
