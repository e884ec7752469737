"""How is a letter written down? As an e-mail in two parts, with its own Message-ID."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

from notifications.channels.carrier import Letter


def compose(
    letter: Letter,
    sender: str,
    sender_name: str,
    encoding: Literal["base64", "8bit"] = "base64",
) -> EmailMessage:
    """The e-mail of a letter. Raises ValueError when the address cannot stand in a header.

    Headers: RFC 3834 keeps robots from answering, the X- one does so on Exchange. The thread's root is a name only:
    no message carries it, but readers group by it (RFC 5322, 3.6.4).
    """
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(SMTP)
    mail["From"] = Address(sender_name, addr_spec=sender)
    mail["To"] = Address(letter.name, addr_spec=_plain(letter.address))
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.reference}@{domain}>"
    if letter.thread is not None:
        mail["In-Reply-To"] = mail["References"] = f"<{letter.thread}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(letter.text, cte=encoding)
    mail.add_alternative(letter.html, subtype="html", cte=encoding)
    return mail


def _plain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or not address.isascii() or not address.isprintable() or " " in address:
        raise ValueError(f"expected an address such as van-thu@example.org, got {address!r}")
    return address
