"""Which pages are there to look at? A busy office, and the address of every page of it, by who may see it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyotp
from sqlmodel import col, select

from dondoc import clock
from engine import people, relocate, reorganise, sign_in
from engine.access import everything
from engine.reorganise import Order
from models.address import Address
from models.ask import ContactCorrection, ExtensionAsk
from models.files import store
from models.lineage import Succession
from models.message import Message
from models.submission import Submission
from models.task import Task
from models.user import User, UserRole
from tests.builders import ZONE, at, unit_id
from tests.desk import Desk, busied, sqlite_desk
from tests.routes import fill
from tests.test_web_behind import behind
from tests.test_web_duties import duties
from tests.test_web_wrong_person import letter_token


@dataclass(frozen=True)
class Tour:
    """`office` is for whoever works there, `units` for whoever has a link, `own` for an admin who has signed in."""

    desk: Desk
    office: tuple[str, ...]
    parts: tuple[str, ...]  #: what its pages ask for while somebody types
    units: tuple[str, ...]
    own: tuple[str, ...]
    half: tuple[str, ...]  #: for somebody who owes the second factor
    tokens: dict[str, str]  #: of the sessions of the last two, by their names


@contextmanager
def tour(template: Path, folder: Path) -> Iterator[Tour]:
    """Tasks in every state, and a row of every kind; the last round is late."""
    with sqlite_desk(template, folder) as desk:
        busied(desk)
        asking = desk.task_id("snv")
        with desk.database.writing() as session:
            for id_ in (asking, desk.task_id("syt")):
                fill(session, session.get_one(Task, id_))
        with desk.database.reading() as session:
            ask, correction, message = (
                session.exec(select(table.id).order_by(col(table.id))).first()
                for table in (ExtensionAsk, ContactCorrection, Message)
            )
            receipt = session.exec(select(Submission.receipt)).first()
            way = session.exec(select(Address.contact_id)).first()
        tasks = [desk.task_id(unit) for unit in ("stc", "snv", "syt", "stt", "cam", "doan-khoi")]
        chosen = f"task={tasks[1]}&task={tasks[-1]}"
        office = ["/", "/?state=overdue&year=all", "/?order=overdue&find=chi", "/?find=nobody", "/?superior=nobody"]
        office += ["/cycles/1", "/cycles/1?state=overdue", *(f"/tasks/{id_}" for id_ in tasks)]
        office += [f"/tasks/{tasks[2]}?old=1&new=1"]
        office += ["/units", "/units?under=duk", "/units?find=nobody", "/units?reach=no_contact"]
        office += ["/units/3", "/units/7", f"/contacts/{way}/ways"]
        office += ["/units/contacts", "/units/import", "/units/3/changes/merge"]
        office += ["/units/3/changes/move?on=&parent=syt&kind=chi-bo&called=A", "/units/3/changes/close?on=&heir=stt"]
        with desk.database.writing() as session:
            order = Order(Succession.CLOSE, ("doan-khoi",), date(2022, 6, 1), "stt")
            now = at("2021-12-20")
            number = reorganise.apply(session, order, reason="QĐ 12", by="office", now=now, zone=ZONE).id
            closes = unit_id(session, "doan-khoi")
            relocate.rename(session, "cam", "Chi bộ Cảng vụ tỉnh", reason="QĐ 9", by="office", now=now, zone=ZONE)
            ahead = {"on": order.on, "reason": "QĐ 13", "by": "office", "now": now, "zone": ZONE}
            named = relocate.rename(session, "cam", "Chi bộ Cảng vụ", **ahead).id  # type: ignore[arg-type]
        lines = "code,name,kind,parent,valid_to\nstc,Chi bộ Sở Tài chính,chi-bo-co-so,duk,2022-06-01\n"
        sheet = store(desk.settings.files, "don-vi.csv", io.BytesIO(lines.encode()), "text/csv").hash
        office += ["/units/changes", *(f"/units/changes/{each}" for each in (number, named))]
        office += [f"/units/{closes}", f"/units/import?file={sheet}"]
        office += ["/units/4/changes/split?on=&fresh_code=nv-a&fresh_name=A&fresh_code=nv-b&fresh_name=B"]
        office += ["/calendar", "/calendar?unit=stc&year=2022", "/calendar?unit=noi", "/calendar?unit=nobody"]
        office += ["/inbox", "/inbox?group=overdue", "/inbox?group=asks", f"/asks/{ask}", f"/corrections/{correction}"]
        office += [f"/bulk?act={act}&{chosen}" for act in ("remind", "accept", "extend", "exempt", "acknowledge")]
        office += ["/messages", f"/messages/{message}", "/journal", "/journal?act=nothing", "/nowhere"]
        office += ["/wording", "/wording/overdue/vi", "/wording/chased/vi", f"/wording/opened/en?task={tasks[0]}"]
        office += ["/plans", "/plans/kl01", "/plans/kl01/form", "/plans/kl01/form?of=defaults"]
        office += ["/plans/kl01/preview?restore=1", "/plans/kl01/history", "/plans/kl01/revisions/1", "/proposals/1"]
        office += ["/plans/kl01/milestones", "/calendars", "/calendars/vn-state?year=2021"]
        office += ["/calendars/vn-state/preview?on_1=24/11/2022&vi_1=a&source_1=b&drop=2022-09-02"]
        links = [desk.link(unit) for unit in ("stc", "snv", "syt", "stt", "doan-khoi")]
        units = [*links, f"{links[1]}/receipt", f"{links[2]}/extension", f"{links[2]}/contact", "/s/wrong"]
        units += [duties(desk, unit) for unit in ("stc", "snv", "syt")] + [behind(desk)]
        units += [f"/not-me/{letter_token(desk, unit)}" for unit in ("stc", "snv")]
        units += ["/verify", "/verify?code=AAAA-BBBB-CCCC", f"/verify?code={receipt}&hash={'0' * 64}"]
        chief, other = desk.user(UserRole.ADMIN), desk.user(UserRole.REVIEWER, "snv", login="snv.duyet")
        half = desk.user(UserRole.VIEWER, "duk", login="duk.xem")
        with desk.database.writing() as session:
            session.get_one(User, half.id).totp = pyotp.random_base32()
            invited = people.invite(session, everything("office", ""), session.get_one(User, other.id), now=clock.now())
            tokens = {
                name: sign_in.begin(session, user, agent="Firefox", now=clock.now(), is_whole=name == "own")
                for name, user in (("own", chief), ("half", half))
            }
        own = [
            "/account",
            "/account/second-factor",
            "/people",
            "/people/review",
            f"/people/{chief.id}",
            f"/people/{other.id}",
        ]
        own += ["/sign-in", f"/invite/{invited}"]
        parts = (f"/tasks/{asking}/extension?due_on=20/01/2022",)
        yield Tour(desk, tuple(office), parts, tuple(units), tuple(own), ("/sign-in/code",), tokens)
