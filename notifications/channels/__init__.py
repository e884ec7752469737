"""Which channels are there? E-mail over SMTP, files for trying out, Zalo, and whatever else Apprise knows."""

from collections.abc import Callable
from datetime import datetime

from dondoc.database import Database
from dondoc.keys import Secrets
from dondoc.settings import Settings
from notifications.channels.by_channel import ByChannel
from notifications.channels.carrier import Carrier
from notifications.channels.eml import EmlCarrier


def carrier_for(settings: Settings) -> Carrier:
    """The channel that the settings name: the SMTP server, or .eml files in the data folder when there is none.

    A playground always writes files: nothing of what it tells has happened.
    """
    if settings.smtp_url is None or writes_files(settings):
        return EmlCarrier(settings.eml, settings.mail_from, settings.mail_name, settings.url)
    from notifications.channels.email import EmailCarrier  # Apprise is slow to import, and files do not need it

    return EmailCarrier(
        settings.smtp_url.get_secret_value(),
        settings.mail_from,
        settings.mail_name,
        settings.url,
        settings.bounce_address or "",
    )


def carriers_for(
    settings: Settings, database: Database, key: bytes, clock: Callable[[], datetime] | None = None
) -> ByChannel:
    """Every channel of the office as one carrier; `clock` is the one that tells how late it is while they send.

    A playground speaks to a stand-in of Zalo on this machine or to nobody, and to no other service at all.
    """
    mail, others, secrets = carrier_for(settings), dict[str, Carrier](), Secrets(settings.secrets_folder)
    if may_speak_zalo(settings):
        from notifications.channels.zalo import zalo_carriers  # Apprise is slow to import

        others |= zalo_carriers(settings, database, key, secrets, clock)
    if settings.secrets is not None and not settings.clock.exists():
        from notifications.channels.other import OtherCarrier

        others["apprise"] = OtherCarrier(secrets)
    return ByChannel(mail, others, settings.mail_record)


def may_speak_zalo(settings: Settings) -> bool:
    """Whether there is anything to speak to Zalo with, and no playground that would speak to the real one."""
    return settings.secrets_folder is not None and (settings.zalo_host is not None or not settings.clock.exists())


def writes_files(settings: Settings) -> bool:
    """Whether messages become files here, since nothing may or can go out."""
    return settings.smtp_url is None or settings.clock.exists()
