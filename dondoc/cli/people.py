"""`dondoc users ...`: who may sign in, and what they may do where."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from cyclopts import Parameter

from dondoc.cli.app import CARE, Json, UnitCode, group_of
from dondoc.cli.office import office, reachable
from dondoc.cli.words import CommandFailedError, _, table, write, write_json

if TYPE_CHECKING:
    from sqlmodel import Session

    from engine.access import Actor
    from engine.people import Grant
    from models.user import User

users = group_of("users", _("Người dùng: thêm, mời, giao vai, khoá."), CARE)
BY = "office"
Login: TypeAlias = Annotated[str, Parameter(help=_("Tên đăng nhập."))]
RoleName: TypeAlias = Annotated[
    Literal["admin", "secretariat", "reviewer", "viewer"], Parameter(name="--role", help=_("Vai."))
]


@users.command(help=_("Thêm một người dùng; in liên kết mời, dùng được một lần."))
def add(
    login: Login,
    /,
    *,
    role: RoleName,
    name: Annotated[str, Parameter(name="--name", help=_("Họ tên hoặc chức danh."))],
    email: Annotated[str | None, Parameter(name="--email", help=_("Địa chỉ thư."))] = None,
    unit: UnitCode = None,
) -> None:
    from engine import people

    with office() as here, here.database.writing() as session:
        grants = [_grant(session, role, unit)]
        user = people.add(
            session, _clerk(), login=login, name=name, email=email, grants=grants, now=_now(), lang=here.settings.lang
        )
        token = people.invite(session, _clerk(), user, now=_now())
    write(*invitation(user, token))


@users.command(name="list", help=_("Các người dùng và vai của họ."))
def list_users(*, json: Json = False) -> None:
    from engine import people
    from models.unit import Unit

    with office() as here, here.database.reading() as session:
        rows: list[dict[str, Any]] = []
        for user, scopes in people.kept_by(session, _clerk()):
            codes = [session.get_one(Unit, scope.unit_id).code if scope.unit_id else None for scope in scopes]
            roles = [{"role": scope.role, "unit": code} for scope, code in zip(scopes, codes, strict=True)]
            has = {"password": user.password is not None, "second_factor": user.totp is not None}
            rows.append({"login": user.login, "name": user.name, "active": user.is_active, **has, "roles": roles})
    if json:
        write_json(rows)
        return
    head = [_("Tên đăng nhập"), _("Tên"), _("Vai"), _("Tình trạng")]
    lines = [[each["login"], each["name"], _roles(each["roles"]), _standing(each)] for each in rows]
    write(*(table([head, *lines]) if lines else [_("Chưa có người dùng nào; thêm: dondoc users add TÊN")]))


@users.command(help=_("In một liên kết mời mới, để đặt mật khẩu; liên kết cũ thôi dùng được."))
def invite(login: Login, /) -> None:
    from engine import people

    with office() as here, here.database.writing() as session:
        user = _user(session, login)
        token = people.invite(session, _clerk(), user, now=_now())
    write(*invitation(user, token))


@users.command(help=_("Giao một vai ở một đơn vị và các đơn vị dưới đó, hoặc ở mọi nơi; --remove bỏ vai."))
def scope(
    login: Login,
    /,
    *,
    role: RoleName,
    unit: UnitCode = None,
    remove: Annotated[bool, Parameter(name="--remove", negative="", help=_("Bỏ vai này."))] = False,
) -> None:
    from engine import people

    with office() as here, here.database.writing() as session:
        user = _user(session, login)
        given, unit_id = _grant(session, role, unit)
        if not remove:
            people.give(session, _clerk(), user, given, unit_id, now=_now())
        else:
            for each in people.scopes_of(session, user.id):
                if (each.role, each.unit_id) == (given.value, unit_id):
                    people.take(session, _clerk(), user, each.id, now=_now())
    write(_("{login}: đã bỏ vai." if remove else "{login}: đã giao vai.", login=login))


@users.command(help=_("Khoá một người dùng và kết thúc các phiên; --enable mở lại."))
def disable(
    login: Login, /, *, enable: Annotated[bool, Parameter(name="--enable", negative="", help=_("Mở lại."))] = False
) -> None:
    from engine import people

    with office() as here, here.database.writing() as session:
        act = people.enable if enable else people.disable
        act(session, _clerk(), _user(session, login), now=_now())
    write(_("{login}: đã mở lại." if enable else "{login}: đã khoá.", login=login))


def invitation(user: "User", token: str) -> list[str]:
    """The lines that hand an invitation over."""
    return [
        _("Liên kết mời cho {login}: {link}", login=user.login, link=f"{reachable().url.rstrip('/')}/invite/{token}"),
        _("  Mở khi trang web chạy (dondoc serve) để đặt mật khẩu; dùng được một lần, trong 3 ngày."),
    ]


def _grant(session: "Session", role: str, unit: str | None) -> "Grant":
    from models.unit import unit_by_code
    from models.user import UserRole

    found = unit_by_code(session, unit) if unit else None
    if unit and found is None:
        raise CommandFailedError(_("không có đơn vị {code}", code=unit))
    return UserRole(role), found.id if found else None


def _user(session: "Session", login: str) -> "User":
    from sqlmodel import col, select

    from models.user import User

    found = session.exec(select(User).where(col(User.login) == login.lower())).first()
    if found is None:
        raise CommandFailedError(_("không có người dùng {login}", login=login))
    return found


def _clerk() -> "Actor":
    from engine.access import everything

    return everything(BY, "")


def _now() -> datetime:
    """The real time, by which people sign in also in a playground."""
    from dondoc import clock

    return clock.now()


def _roles(roles: list[dict[str, str | None]]) -> str:
    return ", ".join(f"{_('user_role.' + str(each['role']))}: {each['unit'] or _('mọi nơi')}" for each in roles) or "–"


def _standing(user: dict[str, Any]) -> str:
    if not user["active"]:
        return _("đã khoá")
    if not user["password"]:
        return _("chưa đặt mật khẩu")
    return _("có xác thực hai lớp") if user["second_factor"] else _("chỉ có mật khẩu")
