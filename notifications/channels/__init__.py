"""Which channels are there? E-mail over SMTP, and files for trying out."""

from dondoc.settings import Settings
from notifications.channels.carrier import Carrier
from notifications.channels.eml import EmlCarrier


def carrier_for(settings: Settings) -> Carrier:
    """The channel that the settings name: the SMTP server, or .eml files in the data folder when there is none.

    A playground always writes files: nothing of what it tells has happened.
    """
    if settings.smtp_url is None or writes_files(settings):
        return EmlCarrier(settings.eml, settings.mail_from, settings.mail_name)
    from notifications.channels.email import EmailCarrier  # Apprise is slow to import, and files do not need it

    return EmailCarrier(settings.smtp_url.get_secret_value(), settings.mail_from, settings.mail_name)


def writes_files(settings: Settings) -> bool:
    """Whether messages become files here, since nothing may or can go out."""
    return settings.smtp_url is None or settings.clock.exists()
