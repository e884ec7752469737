"""What does a mail that came back say? A report of delivery (RFC 3464) about one of our letters, or nothing of ours."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from typing import Final

#: Detailed codes of RFC 3463 that speak of the address itself; 5.4.4: there is no such domain.
OF_THE_ADDRESS: Final = re.compile(r"5\.(1\.\d+|2\.[01]|4\.4)")
SAYS_NOTHING: Final = re.compile(r"(5\.0\.\d+)?")
NO_SUCH_ADDRESS: Final = frozenset({"550", "551", "553"})  #: RFC 5321, 4.2.3; where there is no detailed code
_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_CODE: Final = re.compile(r"\b([45]\d\d)\b")
MAX_WORDS: Final = 500


class Fate(StrEnum):
    DEAD = "dead"  #: the address is refused for good
    LOST = "lost"  #: this letter never arrives; the address may well be right: a full mailbox, a policy
    DELAYED = "delayed"  #: still being tried by somebody on the way


@dataclass(frozen=True, slots=True)
class Report:
    """`token` names the letter and shows that it is ours; `recipients`: whom it is about, in small letters."""

    token: str
    fate: Fate
    status: str
    words: str
    recipients: frozenset[str]


def read(content: bytes, bounce_address: str) -> Report | None:
    """None for answers from people and robots, for receipts of reading, and for whatever names no letter."""
    token = _token(content, bounce_address)
    if token is None:
        return None
    try:
        reports = [report for block in _blocks(content) if (report := _report(block, token)) is not None]
    except RecursionError:  # parts within parts without end: no mail server writes that
        return None
    order = list(Fate)
    return min(reports, key=lambda report: order.index(report.fate), default=None)


def _token(content: bytes, bounce_address: str) -> str | None:
    """From wherever the mail servers on the way have put the address that the letter was sent from."""
    name, _, domain = bounce_address.partition("@")
    address = rf"{re.escape(name)}\+([0-9]{{1,18}}-[0-9a-f]+)@{re.escape(domain)}"
    found = re.search(address.encode("ascii"), content, re.IGNORECASE)
    return found[1].decode("ascii") if found else None


def _blocks(content: bytes) -> Iterator[Message]:
    """The part of the report about each recipient."""
    for part in email.message_from_bytes(content).walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            yield from (block for block in part.get_payload() if isinstance(block, Message) and "Action" in block)


def _report(block: Message, token: str) -> Report | None:
    action, status, words = (_text(block, name) for name in ("Action", "Status", "Diagnostic-Code"))
    if action.lower() not in {"failed", "delayed"}:  # delivered, relayed, expanded
        return None
    found, code = _STATUS.search(status) or _STATUS.search(words), _CODE.search(words)
    status = found[1] if found else ""
    is_unknown = SAYS_NOTHING.fullmatch(status) and code and code[1] in NO_SUCH_ADDRESS
    fate = Fate.DEAD if is_unknown or OF_THE_ADDRESS.fullmatch(status) else Fate.LOST
    if action.lower() == "delayed":
        fate = Fate.DELAYED
    named = (_text(block, name).rpartition(";")[2] for name in ("Final-Recipient", "Original-Recipient"))
    recipients = frozenset(address.strip(" <>").lower() for address in named if address)
    status, words = status or (code[1] if code else ""), words.partition(";")[2].strip() or words
    return Report(token, fate, status, words, recipients)


def _text(block: Message, name: str) -> str:
    return " ".join(str(block.get(name, "")).split())[:MAX_WORDS]
