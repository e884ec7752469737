"""`dondoc contacts ...`: how are the contacts of a unit told, in which order, and since when do they agree?"""

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from cyclopts import Parameter

from dondoc.cli.app import BRING, Json, group_of
from dondoc.cli.office import key_of, office
from dondoc.cli.words import CommandFailedError, _, table, write, write_json
from dondoc.i18n import short_day

contacts = group_of("contacts", _("Đầu mối: các cách báo tin ngoài thư điện tử."), BRING)
BY = "office"
ContactId: TypeAlias = Annotated[int, Parameter(help=_("Số của đầu mối, như contacts list in ra."))]
WayId: TypeAlias = Annotated[int, Parameter(help=_("Số của cách báo tin, như contacts list in ra."))]


@contacts.command(name="list", help=_("Đầu mối của một đơn vị và các cách báo tin, theo thứ tự thử."))
def list_(unit: Annotated[str, Parameter(help=_("Mã đơn vị."))], /, *, json: Json = False) -> None:
    from sqlmodel import col, select

    from dondoc.clock import today
    from models.address import AddressState, ways_of
    from models.contact import Contact
    from models.unit import unit_by_code

    with office() as here, here.database.reading() as session:
        found = unit_by_code(session, unit)
        if found is None:
            raise CommandFailedError(_("không có đơn vị {unit}", unit=unit))
        people = session.exec(select(Contact).where(col(Contact.unit_id) == found.id).order_by(col(Contact.id))).all()
        ways = session.scalars(ways_of([each.id for each in people])).all()
    rows: list[dict[str, Any]] = []
    for person in people:
        own = [each for each in ways if each.contact_id == person.id]
        told = [
            {
                "id": each.id,
                "channel": each.channel,
                "account": each.account,
                "address": each.address,
                "state": each.state,
                "consent": each.consent_source,
                "on": today(each.consent_at, here.zone).isoformat(),
            }
            for each in own
        ]
        known = {"id": person.id, "role": person.role, "name": person.name, "email": person.email}
        standing = AddressState.BOUNCING if person.is_bouncing else AddressState.WORKING
        email_state = standing.value if person.email is not None else None
        rows.append({**known, "active": person.is_active, "email_state": email_state, "ways": told})
    if json:
        write_json(rows)
        return
    lines = []
    for row in rows:
        mail = _marked(row["email"] or _("không có địa chỉ"), row["email_state"], _("địa chỉ hỏng"))
        rest = "" if row["active"] else _("thôi nhận tin")
        lines.append((str(row["id"]), _(f"role.{row['role']}"), row["name"], mail, rest))
        for way in row["ways"]:
            since = short_day(date.fromisoformat(way["on"]))
            how = _marked(f"{_('way.' + way['channel'])} {way['address']}", way["state"], _("bị từ chối"))
            lines.append(("", f"  {way['id']}", how, _(f"consent.{way['consent']}"), since))
    write(*table(lines))


def _marked(address: str, state: str | None, why: str) -> str:
    """With why nothing is sent there, if so."""
    return f"{address} ({why})" if state == "bouncing" else address


@contacts.command(
    help=_("Thêm một cách báo tin đã được đồng ý: số điện thoại cho tin mẫu Zalo, hay một dịch vụ mà Apprise biết.")
)
def address(
    contact: ContactId,
    to: Annotated[str, Parameter(help=_("Số điện thoại, hoặc tên dịch vụ: phần sau apprise- của tệp bí mật."))],
    /,
    *,
    channel: Annotated[Literal["zalozns", "apprise"], Parameter(name="--channel", help=_("Kênh."))],
    consent: Annotated[
        Literal["paper", "office"], Parameter(name="--consent", help=_("Đồng ý bằng văn bản, hay nói với văn phòng."))
    ],
    on: Annotated[date, Parameter(name="--on", help=_("Ngày đồng ý."))],
    account: Annotated[str, Parameter(name="--account", help=_("Tài khoản Zalo gửi tin mẫu."))] = "",
) -> None:
    from dondoc.keys import Secrets
    from engine.ways import Agreed, add_way

    agreed = Agreed(channel, account, to, consent, on)
    with office() as here, here.database.writing() as session:
        secrets = Secrets(here.settings.secrets_folder)
        way = add_way(session, contact, agreed, secrets=secrets, by=BY, now=here.now, zone=here.zone)
    write(_("Đã thêm cách báo tin số {id}.", id=way.id))


@contacts.command(help=_("Thử một cách báo tin trước mọi cách khác của đầu mối."))
def first(way: WayId, /) -> None:
    from engine.ways import put_first

    with office() as here, here.database.writing() as session:
        put_first(session, way, by=BY, now=here.now)
    write(_("Từ nay cách số {id} được thử trước tiên.", id=way))


@contacts.command(help=_("Thôi dùng một cách báo tin; tin đang chờ đi cách kế tiếp."))
def unlink(way: WayId, /) -> None:
    from engine.link_contact import unlink

    with office() as here, here.database.writing() as session:
        unlink(session, way, by=BY, now=here.now)
    write(_("Đã thôi dùng cách số {id}.", id=way))


@contacts.command(help=_("In một mã để đầu mối gửi từ Zalo của mình: dùng một lần, trong một khắc."))
def code(contact: ContactId, /) -> None:
    from engine.link_contact import new_code

    with office() as here:
        key = key_of(here.settings)
        with here.database.writing() as session:
            made = new_code(session, contact, key=key, now=here.now)
    write(f"LIENKET {made[:4]} {made[4:]}")
