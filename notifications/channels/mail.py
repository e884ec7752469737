"""How is a letter written down? As an e-mail in two or three parts, with its own Message-ID.

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
from urllib.parse import quote

from notifications import icalendar
from notifications.channels.carrier import Letter

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
#: Long headers come folded already: folded once more, an address would be torn from the name of its header.
_CRLF: Final = compat32.clone(linesep="\r\n", max_line_length=None)
#: Where a contact says that they are the wrong one; their token follows.
OBJECTION: Final = "/not-me/"


def compose(
    letter: Letter,
    sender: str,
    sender_name: str,
    encoding: Literal["base64", "8bit"] = "base64",
    url: str = "",
) -> bytes:
    """The e-mail of a letter; `url` is the office's public address. Raises ValueError for an impossible address.

    Headers: RFC 3834 keeps robots from answering, the X- one does so on Exchange. The thread's root is a name only:
    no message carries it, but readers group by it (RFC 5322, 3.6.4). What mail programs offer as "unsubscribe" says
    here that the reader is the wrong one (RFC 2369; by one click, RFC 8058): nobody unsubscribes from a duty.
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
    if letter.objects_by and url:
        page = f"{url.rstrip('/')}{OBJECTION}{letter.objects_by}"
        mail["List-Unsubscribe"] = f"<{page}>,\n <mailto:{sender}?subject={quote(letter.reference)}>"
        if page.startswith("https:"):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    charset: Any = Charset("utf-8")
    charset.body_encoding = BASE64 if encoding == "base64" else None
    mail.attach(MIMEText(letter.text, "plain", charset))
    mail.attach(MIMEText(letter.html, "html", charset))
    if letter.events:
        part = MIMEText(icalendar.written(letter.events, domain, letter.at), "calendar", charset)
        part.set_param("method", "PUBLISH")
        mail.attach(part)
    return mail.as_bytes(policy=_CRLF)


def envelope_sender(letter: Letter, sender: str, bounce_address: str) -> str:
    """Where it comes back to when it cannot be delivered: an address of its own, by which it is known (VERP)."""
    name, at, domain = bounce_address.rpartition("@")
    return f"{name}+{letter.returns_to}@{domain}" if at and letter.returns_to else sender


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
