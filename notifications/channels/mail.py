"""How is a letter written down? As an e-mail in two parts, with its own Message-ID.

By the older half of the standard library: EmailMessage takes ten times as long to fold Vietnamese headers. It is
also the half that checks nothing, so that what goes into a header is cleaned here.
"""

import re
from email.charset import BASE64, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from typing import Any, Final, Literal

from notifications.channels.carrier import Letter

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_CRLF: Final = compat32.clone(linesep="\r\n")


def compose(letter: Letter, sender: str, sender_name: str, encoding: Literal["base64", "8bit"] = "base64") -> bytes:
    """The e-mail of a letter. Raises ValueError when the address cannot stand in a header.

    Headers: RFC 3834 keeps robots from answering, the X- one does so on Exchange. The thread's root is a name only:
    no message carries it, but readers group by it (RFC 5322, 3.6.4).
    """
    if not _ADDRESS.fullmatch(letter.address):
        raise ValueError(f"expected an address such as van-thu@example.org, got {letter.address!r}")
    domain = sender.rpartition("@")[2]
    mail = MIMEMultipart("alternative", boundary=f"=_{letter.reference}")
    mail["From"] = _mailbox("From", sender_name, sender)
    mail["To"] = _mailbox("To", letter.name, letter.address)
    mail["Subject"] = Header(_one_line(letter.subject), "utf-8", header_name="Subject").encode()
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.reference}@{domain}>"
    if letter.thread is not None:
        mail["In-Reply-To"] = mail["References"] = f"<{letter.thread}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    charset: Any = Charset("utf-8")
    charset.body_encoding = BASE64 if encoding == "base64" else None
    mail.attach(MIMEText(letter.text, "plain", charset))
    mail.attach(MIMEText(letter.html, "html", charset))
    return mail.as_bytes(policy=_CRLF)


def _mailbox(header: str, name: str, address: str) -> str:
    """`Name <address>`, on two lines, so that neither is folded once more."""
    name = _one_line(name)
    if name.isascii():
        quoted = name.replace("\\", r"\\").replace('"', r"\"")
        return f'"{quoted}" <{address}>' if name else address
    return f"{Header(name, 'utf-8', header_name=header).encode()}\n <{address}>"


def _one_line(words: str) -> str:
    """Without line breaks and other control characters, which could begin a header of their own."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
