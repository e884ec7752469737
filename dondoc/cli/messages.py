"""`dondoc messages ...`: does the channel carry what it is given, and what came back?"""

from typing import Annotated

from cyclopts import Parameter

from dondoc.cli.app import CARE, Json, group_of
from dondoc.cli.office import channel_of, key_of, office
from dondoc.cli.words import CommandFailedError, _, lang, write, write_json
from dondoc.i18n import whole_moment

messages = group_of("messages", _("Tin: gửi thử qua kênh đã đặt."), CARE)


@messages.command(name="test", help=_("Gửi một thư thử và in đúng câu trả lời của máy chủ thư."))
def test_channel(address: Annotated[str, Parameter(name="ADDRESS", help=_("Địa chỉ nhận thư thử."))], /) -> None:
    from models.message import Outcome
    from notifications.trial import trial

    with office() as here:
        carrier = channel_of(here.settings)
        text = _(
            "Đây là thư thử của dondoc, gửi lúc {when} từ {sender}. "
            "Liên kết trong thư gửi các đầu mối bắt đầu bằng {url}",
            when=whole_moment(here.now, here.zone, lang()),
            sender=here.settings.mail_from,
            url=here.settings.url,
        )
        result = trial(carrier, address, _("Thư thử của dondoc"), text, here.now)
        place = here.settings.eml / str(result.provider_id) if carrier.channel == "eml" else None
    said = " ".join(part for part in (result.code, result.answer) if part)
    if result.outcome is not Outcome.SENT:
        answer = [_("Câu trả lời: {said}", said=said)] if said else []
        raise CommandFailedError(_("Chưa gửi được: {why}", why=_(f"outcome.{result.outcome}")), *answer)
    if place is not None:
        write(_("Kênh gửi là tệp (không có DONDOC_SMTP_URL, hoặc là sân thử): thư thử nằm trong {place}", place=place))
    else:
        write(_("Máy chủ thư đã nhận thư gửi {address}.", address=address), _("Câu trả lời: {said}", said=said))


@messages.command(help=_("Đọc những thư bị trả về và ghi địa chỉ hỏng; mỗi vòng cũng làm việc này."))
def bounces(*, json: Json = False) -> None:
    from dataclasses import asdict

    from notifications.channels.mailbox import MailboxError, mailbox_for
    from notifications.returned import take_back

    with office() as here:
        mailbox = mailbox_for(here.settings)
        if mailbox is None:
            raise CommandFailedError(
                _("cần DONDOC_BOUNCE_ADDRESS cùng DONDOC_BOUNCE_IMAP hoặc DONDOC_BOUNCE_FOLDER; sân thử không có")
            )
        try:
            came = asdict(take_back(here.database, mailbox, key_of(here.settings), here.now, here.zone))
        except MailboxError as error:
            raise CommandFailedError(_("không đọc được hộp thư trả về: {why}", why=error)) from error
    if json:
        write_json(came)
        return
    write(
        _(
            "Thư trả về: {dead} địa chỉ hỏng, {lost} thư không tới, {delayed} thư còn chậm; "
            "{rest} thư khác không phải thư trả về của ta, {early} thư để vòng sau.",
            rest=came["again"] + came["forged"] + came["other"],
            **{name: came[name] for name in ("dead", "lost", "delayed", "early")},
        )
    )
