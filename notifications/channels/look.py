"""Do the office's mail servers answer? Each is called and signed in to; nothing is sent, and nothing marked as seen."""

from collections.abc import Iterator
from typing import Final, Literal

from dondoc.settings import Settings
from notifications.channels import writes_files
from notifications.channels.mailbox import MailboxError, mailbox_for
from notifications.channels.smtp import Line, Server, UnavailableError

SECONDS: Final = 5  #: somebody waits for the answer


def silent(settings: Settings) -> Iterator[tuple[Literal["smtp", "mailbox"], str]]:
    """What does not let us in, with where it is and why. Raises ValueError for an SMTP address that is none."""
    if settings.smtp_url is not None and not writes_files(settings):
        server = Server.of(settings.smtp_url.get_secret_value())
        try:
            Line(server, SECONDS).close()
        except UnavailableError as error:
            yield "smtp", f"{server.host}:{server.port}: {error}"
    mailbox = mailbox_for(settings)
    if mailbox is not None:
        try:
            mailbox.look(SECONDS)
        except MailboxError as error:
            yield "mailbox", str(error)
