"""`dondoc zalo ...`: by which bot and Official Account does the office write, and are its tokens alive?"""

from getpass import getpass
from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import Parameter

from dondoc.cli.app import CARE, Json, group_of
from dondoc.cli.office import Office, key_of, office
from dondoc.cli.words import CommandFailedError, _, lang, write, write_json
from dondoc.i18n import whole_moment

if TYPE_CHECKING:
    from engine.zalo_account import Pair

zalo = group_of("zalo", _("Zalo: tài khoản chính thức và mã truy cập."), CARE)
Alias: TypeAlias = Annotated[str, Parameter(name="ALIAS", help=_("Tên ngắn của tài khoản: a-z, 0-9, -, _."))]


@zalo.command(help=_("Thêm một tài khoản chính thức; mã truy cập đọc từ thư mục bí mật, hoặc hỏi."))
def add(
    alias: Alias,
    /,
    *,
    app: Annotated[str, Parameter(name="--app", help=_("Mã ứng dụng trên Zalo."))],
    oa: Annotated[str, Parameter(name="--oa", help=_("Mã tài khoản chính thức."))],
) -> None:
    from engine.zalo_account import add_account

    with office() as here:
        pair, key = _pair(here, alias), key_of(here.settings)
        with here.database.writing() as session:
            add_account(session, alias, app, oa, pair, key=key, by="office", now=here.now)
    write(_("Đã thêm {alias}. Webhook: {url}", alias=alias, url=f"{here.settings.url}/hooks/zalo/{alias}"))


@zalo.command(help=_("Báo cho Zalo biết gửi về đâu những gì người ta nhắn cho bot; mã của bot đọc từ thư mục bí mật."))
def bot() -> None:
    from dondoc.keys import Secrets
    from models.message import Outcome
    from notifications.channels import may_speak_zalo
    from notifications.channels.zalo_bot import set_webhook
    from notifications.channels.zalo_wire import Hosts

    with office() as here:
        settings, url = here.settings, f"{here.settings.url.rstrip('/')}/hooks/zalobot"
    if not may_speak_zalo(settings):
        raise CommandFailedError(_("cần DONDOC_SECRETS, thư mục có zalobot-token và zalobot-webhook; sân thử không có"))
    result = set_webhook(Hosts.at(settings.zalo_host), Secrets(settings.secrets_folder), url)
    if result.outcome is not Outcome.SENT:
        said = " ".join(part for part in (result.code, result.answer) if part)
        raise CommandFailedError(_("Zalo không nhận {url}: {said}", url=url, said=said))
    write(_("Từ nay những gì người ta nhắn cho bot tới {url}", url=url))


@zalo.command(help=_("Thay cặp mã truy cập sau khi cấp quyền lại; đọc từ thư mục bí mật, hoặc hỏi."))
def tokens(alias: Alias, /) -> None:
    from engine.zalo_account import bring_tokens

    with office() as here:
        pair, key = _pair(here, alias), key_of(here.settings)
        with here.database.writing() as session:
            bring_tokens(session, alias, pair, key=key, by="office", now=here.now)
    write(_("Đã thay cặp mã của {alias}.", alias=alias))


@zalo.command(name="status", help=_("Các tài khoản, mã truy cập sống đến khi nào, và điều phải xem."))
def status_(*, json: Json = False) -> None:
    from engine.zalo_account import accounts, trouble

    with office() as here, here.database.reading() as session:
        found = [(each, trouble(each, here.now)) for each in accounts(session)]
    if json:
        write_json(
            [
                {"alias": each.alias, "oa": each.oa_id, "expires_at": each.expires_at.isoformat(), "trouble": why}
                for each, why in found
            ]
        )
        return
    for each, why in found:
        until = whole_moment(each.expires_at, here.zone, lang())
        write(_("{alias} (OA {oa}): mã truy cập đến {until}", alias=each.alias, oa=each.oa_id, until=until))
        if why is not None:
            write(f"! {_(why)}")
    if not found:
        write(_("Chưa có tài khoản Zalo nào."))


def _pair(here: Office, alias: str) -> "Pair":
    """Never from the command line, which others on this machine can read."""
    from dondoc.keys import Secrets
    from engine.zalo_account import Pair

    secrets = Secrets(here.settings.secrets_folder)
    names = (f"zalo-{alias}-access", f"zalo-{alias}-refresh")
    access, refresh = (secrets.read(name) or getpass(f"{name}: ").strip() for name in names)
    return Pair(access, refresh)
