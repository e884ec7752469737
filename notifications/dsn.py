"""What does a mail that came back say? A report of delivery (RFC 3464) about one of our letters, or nothing of ours."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from typing import Final

#: Detailed codes of RFC 3463 by which the reader's address is dead; 5.4.4: there is no such domain. Not 5.1.7 and
#: 5.1.8, which speak of the sender's, nor 5.2.0: "the mailbox exists, but something about it" made the report.
OF_THE_ADDRESS: Final = re.compile(r"5\.(1\.([1-46]|10)|2\.1|4\.4)")
#: Detailed, yet no more than the three digits. 5.1.0: Postfix says so of an unknown sender as well.
SAYS_NOTHING: Final = re.compile(r"(5\.0\.\d+|5\.1\.0)?")
#: RFC 5321, 4.2.3: mailbox unavailable, moved, name not allowed.
NO_SUCH_ADDRESS: Final = frozenset({"550", "551", "553"})
#: Words by which it is another matter, where no detailed code says what is meant: RFC 5321 has 550 for policy as well.
FULL: Final = re.compile(r"\bquota\b|\b(mailbox|inbox)\b.*\bfull\b|\bstorage\b|\bhộp thư\b.*\bđầy\b", re.IGNORECASE)
OF_US: Final = re.compile(
    r"\brelay|\bblock|\b(black|deny|gr[ae]y)-?list|\bsender\b|\bspam|\bspoof|\bvirus|\bpolic(y|ies)\b|\breputation\b"
    r"|\b(rbl|dnsbl|spf|dkim|dmarc)\b|\bauthenticat|\brate\b|\btoo many\b|\blater\b|\btemporar"
    r"|\bchính sách\b|\bthư rác\b|\bchặn\b|\bdanh sách (đen|xám)\b|\bngười gửi\b|\bthử lại\b|\bxác thực\b",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_CODE: Final = re.compile(r"\b([45]\d\d)\b")
#: Control characters, and halves of a character that JSON can name and UTF-8 cannot write.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
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
    # Exim says 5.0.0 of everything, and leaves to the words what the server before it said.
    found, code = [*_STATUS.findall(status), *_STATUS.findall(words)], _CODE.search(words)
    status = next((each for each in found if not SAYS_NOTHING.fullmatch(each)), found[0] if found else "")
    fate = Fate.DEAD if _is_dead(status, code[1] if code else "", words) else Fate.LOST
    if action.lower() == "delayed":
        fate = Fate.DELAYED
    named = (_text(block, name).rpartition(";")[2] for name in ("Final-Recipient", "Original-Recipient"))
    recipients = frozenset(address.strip(" <>").lower() for address in named if address)
    status, words = status or (code[1] if code else ""), words.partition(";")[2].strip() or words
    return Report(token, fate, status, words, recipients)


def _is_dead(status: str, code: str, words: str) -> bool:
    """By the detailed code; without one by the three digits, unless the words name another reason."""
    if OF_THE_ADDRESS.fullmatch(status):
        return True
    is_of_others = FULL.search(words) or OF_US.search(words)
    return bool(SAYS_NOTHING.fullmatch(status)) and code in NO_SUCH_ADDRESS and not is_of_others


def _text(block: Message, name: str) -> str:
    """Words that are not ASCII come as they are: RFC 6533 allows it, and servers write them without asking."""
    raw = next((value for key, value in block.raw_items() if key.lower() == name.lower()), "")
    return plain_words(str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def plain_words(text: str) -> str:
    """What another side says, shortened, on one line: PostgreSQL keeps no NUL, and no page shows a bell."""
    return " ".join(_CONTROL.sub(" ", text).split())[:MAX_WORDS]
