"""Is a letter that came back counted against its message, and only when it is really ours?"""

from pathlib import Path

import pytest
from sqlmodel import col, select, update

from dondoc.database import Database
from dondoc.settings import Settings
from engine.retry import try_again
from models.contact import Contact
from models.link import return_token, returned_message
from models.message import Attempt, Message, MessageState, Outcome
from notifications import dsn
from notifications.channels.email import EmailCarrier
from notifications.channels.mailbox import FolderMailbox, ImapMailbox, MailboxError, mailbox_for
from notifications.deliver import deliver
from notifications.dsn import Fate
from notifications.returned import Came, take_back
from tests.builders import ZONE, at
from tests.imap import mailbox
from tests.sinks import free_port, running
from tests.test_dead import ABOVE, bounced
from tests.test_deliver import KEY, OPENED, STC, URL, attempts_of, message_to, opened, rows  # noqa: F401  # a fixture

BOUNCES = "bounce@example.org"
LATER = at("2025-09-02")
USER_UNKNOWN = "smtp; 550 5.1.1 <contact.stc@example.org>: Recipient address rejected: User unknown"


def report(
    token: str,
    status: str = "5.1.1",
    action: str = "failed",
    words: str = USER_UNKNOWN,
    recipient: str = STC,
    to: str = "",
) -> bytes:
    """As Postfix writes it."""
    return f"""\
Return-Path: <>
Delivered-To: {to or f"bounce+{token}@example.org"}
Date: Mon, 1 Sep 2025 08:00:11 +0700 (+07)
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to or f"bounce+{token}@example.org"}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="4cXq"

--4cXq
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--4cXq
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4cXqZ11
Arrival-Date: Mon, 1 Sep 2025 08:00:10 +0700 (+07)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: {words}

--4cXq
Content-Description: Undelivered Message
Content-Type: message/rfc822

Return-Path: <bounce+{token}@example.org>
From: dondoc@example.org
To: {recipient}
Subject: =?utf-8?q?M=E1=BB=9F?=

Kinh gui
--4cXq--
""".replace("\n", "\r\n").encode()


#: What a person on leave has set up.
VACATION = b"""\
Delivered-To: bounce+%b@example.org
From: contact.stc@example.org
To: bounce+%b@example.org
Subject: Out of office
Auto-Submitted: auto-replied

Status: 5.1.1 is a song. Action: failed. I am back on Monday.
"""


@pytest.fixture
def sent(opened: Database) -> Database:  # noqa: F811
    """Five letters went out, each from an address of its own."""
    with running() as sink:
        carrier = EmailCarrier(sink.url, "dondoc@example.org", "", bounce_address=BOUNCES)
        assert deliver(opened, carrier, OPENED, zone=ZONE, url=URL, key=KEY).sent == 5
        tokens = [sender.removeprefix("bounce+").removesuffix("@example.org") for sender in sink.senders]
    assert sorted(returned_message(KEY, token) or 0 for token in tokens) == [1, 2, 3, 4, 5]
    return opened


def token_of(database: Database, address: str = STC) -> str:
    return return_token(KEY, message_to(database, address).id)


def came(database: Database, folder: Path, *mails: bytes) -> Came:
    for number, mail in enumerate(mails):
        (folder / f"{number}.eml").write_bytes(mail)
    return take_back(database, FolderMailbox(folder, BOUNCES), KEY, LATER, ZONE)


def contact_of(database: Database, address: str = STC) -> Contact:
    with database.reading() as session:
        return session.exec(select(Contact).where(col(Contact.email) == address)).one()


def test_a_dead_address_is_given_up_and_told_above(sent: Database, tmp_path: Path) -> None:
    assert came(sent, tmp_path, report(token_of(sent))) == Came(dead=1)
    message = message_to(sent, STC)
    assert message.state == MessageState.BOUNCED
    assert attempts_of(sent, message) == [(Outcome.SENT, "250"), (Outcome.RECIPIENT, "5.1.1")]
    assert contact_of(sent).is_bouncing
    assert bounced(sent) == [ABOVE]
    assert [path.name for path in (tmp_path / "read").iterdir()] == ["0.eml"]
    assert came(sent, tmp_path) == Came()


@pytest.mark.parametrize(
    ("status", "words", "fate"),
    [
        ("5.1.1", USER_UNKNOWN, Fate.DEAD),
        ("5.1.10", "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound", Fate.DEAD),
        ("5.2.1", "smtp; 550 5.2.1 mailbox disabled", Fate.DEAD),
        ("5.4.4", "X-Postfix; Host or domain name not found", Fate.DEAD),
        ("5.0.0", "smtp; 550 no such user", Fate.DEAD),
        ("5.2.2", "smtp; 552 5.2.2 over quota", Fate.LOST),
        ("5.7.1", "smtp; 554 5.7.1 rejected as spam", Fate.LOST),
        ("4.4.7", "X-Postfix; delivery temporarily suspended: connection timed out", Fate.LOST),
        ("", "smtp; 550 5.1.1 user unknown", Fate.DEAD),
        ("", "smtp; 550 no such user", Fate.DEAD),
        ("", "smtp; 552 message too big", Fate.LOST),
        ("5.0.0", "smtp; 554 transaction failed", Fate.LOST),
        ("", "", Fate.LOST),
        ("", "smtp; 551 moved", Fate.DEAD),
        ("", "smtp; 553 mailbox name not allowed", Fate.DEAD),
        ("", "smtp; 550 rejected as spam", Fate.LOST),
        ("", "smtp; 550 greylisted, try again later", Fate.LOST),
        ("", "smtp; 550 mailbox is full", Fate.LOST),
        ("", "smtp; 550 Hộp thư đã đầy", Fate.LOST),
        ("", "smtp; 550 Từ chối theo chính sách của đơn vị", Fate.LOST),
        ("", "smtp; 550 Không có hộp thư này", Fate.DEAD),
        ("5.0.0", "smtp; 550 5.7.1 not accepted here", Fate.LOST),
        ("5.0.0", "smtp; 550-5.1.1 The account that you tried to reach is not there", Fate.DEAD),
        ("", "smtp; 550 your host 5.1.1.9 is not welcome: blocked", Fate.LOST),
        ("5.1.0", "smtp; 550 Sender address rejected: User unknown", Fate.LOST),
        ("5.1.8", "smtp; 550 5.1.8 Domain not found", Fate.LOST),
        ("5.2.0", "smtp; 550 5.2.0 the store is being moved", Fate.LOST),
    ],
)
def test_a_code_of_the_address_itself_kills_it_and_no_other(status: str, words: str, fate: Fate) -> None:
    found = dsn.read(report("7-abc", status, words=words), BOUNCES)
    assert found is not None
    assert (found.token, found.fate, found.recipients) == ("7-abc", fate, frozenset({STC}))


@pytest.mark.parametrize(
    ("status", "action", "fate", "state"),
    [("5.2.2", "failed", "lost", MessageState.BOUNCED), ("4.4.1", "delayed", "delayed", MessageState.SENT)],
)
def test_what_does_not_speak_of_the_address_leaves_it_alive(
    sent: Database, tmp_path: Path, status: str, action: str, fate: str, state: MessageState
) -> None:
    assert came(sent, tmp_path, report(token_of(sent), status, action, "smtp; 452 later")) == Came(**{fate: 1})
    assert message_to(sent, STC).state == state
    assert len(attempts_of(sent, message_to(sent, STC))) == 2
    assert not contact_of(sent).is_bouncing
    assert bounced(sent) == []


def test_a_full_mailbox_behind_the_address_is_not_the_address(sent: Database, tmp_path: Path) -> None:
    assert came(sent, tmp_path, report(token_of(sent), recipient="somebody@elsewhere.example.org")) == Came(lost=1)
    assert message_to(sent, STC).state == MessageState.BOUNCED
    assert not contact_of(sent).is_bouncing


def test_robots_people_and_receipts_of_reading_are_passed_over(sent: Database, tmp_path: Path) -> None:
    token = token_of(sent).encode()
    read = report(token.decode()).replace(b"delivery-status", b"disposition-notification")
    relayed = report(token.decode(), "2.1.5", "relayed", "smtp; 250 ok")
    mails = [VACATION % (token, token), read, relayed, b"", b"\xff\x00 nothing", b"Subject: hello\n\nwho are you?"]
    assert came(sent, tmp_path, *mails) == Came(other=6)
    assert message_to(sent, STC).state == MessageState.SENT
    assert not contact_of(sent).is_bouncing


def test_parts_within_parts_without_end_stop_nobody(sent: Database, tmp_path: Path) -> None:
    token = token_of(sent).encode()
    nested = b"To: bounce+%b@example.org\n" % token
    nested += b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(4000))
    assert came(sent, tmp_path, nested, report(token.decode())) == Came(other=1, dead=1)


def test_a_mail_that_breaks_on_reading_is_put_away_and_stops_no_other(sent: Database, tmp_path: Path) -> None:
    """Python makes no number of more than 4300 digits."""
    broken = report(token_of(sent)).replace(b'boundary="4cXq"', b"boundary*" + b"1" * 5000 + b'*="4cXq"')
    assert came(sent, tmp_path, broken, report(token_of(sent))) == Came(dead=1, other=1)
    assert came(sent, tmp_path) == Came()


def test_control_characters_in_the_words_of_a_report_are_dropped(sent: Database, tmp_path: Path) -> None:
    """PostgreSQL keeps no NUL."""
    mail = report(token_of(sent), words="smtp; 550 5.1.1 no\x00such\x07 user")
    assert came(sent, tmp_path, mail) == Came(dead=1)
    assert rows(sent, Attempt)[-1].answer == "550 5.1.1 no such user"


def test_a_forged_name_of_a_letter_changes_nothing(sent: Database, tmp_path: Path) -> None:
    right = token_of(sent)
    number, _, sign = right.partition("-")
    forged = [
        f"{number}-{'0' * 24}",
        f"{int(number) + 1}-{sign}",
        f"{number}-{sign[:-1]}",
        f"{number}-{sign}0",
        "99-ab",
    ]
    assert came(sent, tmp_path, *(report(token) for token in forged)) == Came(forged=5)
    assert came(sent, tmp_path, report(return_token(b"another key", message_to(sent, STC).id))) == Came(forged=1)
    assert {each.state for each in all_messages(sent)} == {MessageState.SENT}


def test_a_mail_server_may_write_the_address_in_capitals_or_only_in_the_letter(sent: Database, tmp_path: Path) -> None:
    shouted = report(token_of(sent), to=f"BOUNCE+{token_of(sent).upper()}@EXAMPLE.ORG")
    assert came(sent, tmp_path, shouted) == Came(dead=1)
    other = "contact.snv@example.org"
    quiet = report(token_of(sent, other), recipient=other, to="bounce@example.org")
    assert came(sent, tmp_path, quiet) == Came(dead=1)


def test_a_report_that_is_read_twice_counts_once(sent: Database, tmp_path: Path) -> None:
    once = report(token_of(sent))
    assert came(sent, tmp_path, once, once) == Came(dead=1, again=1)
    assert came(sent, tmp_path, once) == Came(again=1)
    assert len(attempts_of(sent, message_to(sent, STC))) == 2
    assert bounced(sent) == [ABOVE]


def send_again(database: Database, address: str) -> None:
    """What came back from the unit's contact goes to the address that they have now."""
    message = message_to(database, STC)
    with database.writing() as session:
        session.get_one(Contact, message.contact_id).email = address
        try_again(session, message.id, by="office", may_arrive_twice=False, now=LATER, as_it_was=True)
    with running() as sink:
        carrier = EmailCarrier(sink.url, "dondoc@example.org", "", bounce_address=BOUNCES)
        deliver(database, carrier, LATER, zone=ZONE, url=URL, key=KEY)
        assert len(sink.to(address)) == 1


@pytest.mark.parametrize("address", [STC, "moi.stc@example.org"])
def test_what_comes_back_after_it_was_sent_again_counts_again(sent: Database, tmp_path: Path, address: str) -> None:
    token = token_of(sent)
    assert came(sent, tmp_path, report(token)) == Came(dead=1)
    send_again(sent, address)
    assert came(sent, tmp_path, report(token, recipient=address)) == Came(dead=1)
    assert message_to(sent, address).state == MessageState.BOUNCED
    assert contact_of(sent, address).is_bouncing
    assert bounced(sent) == [ABOVE, ABOVE]


@pytest.mark.parametrize("status", ["5.1.1", "5.2.2"])
def test_a_late_report_about_the_address_before_leaves_the_second_letter_alone(
    sent: Database, tmp_path: Path, status: str
) -> None:
    token, address = token_of(sent), "moi.stc@example.org"
    assert came(sent, tmp_path, report(token)) == Came(dead=1)
    send_again(sent, address)
    assert came(sent, tmp_path, report(token, status)) == Came(again=1)
    assert message_to(sent, address).state == MessageState.SENT
    assert not contact_of(sent, address).is_bouncing


def test_a_report_that_overtakes_its_sender_waits(sent: Database, tmp_path: Path) -> None:
    message = message_to(sent, STC)
    with sent.writing() as session:
        being_sent = {"state": MessageState.QUEUED, "lease_until": LATER, "sending_at": OPENED}
        session.execute(update(Message).where(col(Message.id) == message.id).values(**being_sent))
    assert came(sent, tmp_path, report(token_of(sent))) == Came(early=1)
    assert not contact_of(sent).is_bouncing
    with sent.writing() as session:
        written = {"state": MessageState.SENT, "lease_until": None}
        session.execute(update(Message).where(col(Message.id) == message.id).values(**written))
    assert came(sent, tmp_path) == Came(dead=1)


def test_an_unknown_message_that_comes_back_is_unknown_no_more(sent: Database, tmp_path: Path) -> None:
    with sent.writing() as session:
        unknown = {"state": MessageState.UNKNOWN}
        session.execute(update(Message).where(col(Message.address) == STC).values(**unknown))
    assert came(sent, tmp_path, report(token_of(sent), "5.2.2")) == Came(lost=1)
    assert message_to(sent, STC).state == MessageState.BOUNCED


def test_a_mailbox_is_read_by_imap_and_what_was_looked_at_is_seen(sent: Database) -> None:
    with mailbox() as box:
        box.put(report(token_of(sent)), b"Subject: hello\r\n\r\nwho are you?")
        assert take_back(sent, ImapMailbox(box.url(), BOUNCES), KEY, LATER, ZONE) == Came(dead=1, other=1)
        assert box.seen == {1, 2}
        assert len(box.mails) == 2  # nothing is removed
        assert take_back(sent, ImapMailbox(box.url(), BOUNCES), KEY, LATER, ZONE) == Came()
        assert box.said.count("FETCH") == 2
    assert contact_of(sent).is_bouncing


def test_what_an_imap_server_refuses_is_told_without_the_password(sent: Database) -> None:
    with mailbox() as box:
        for url, why in (
            (box.url("geheim"), "AUTHENTICATIONFAILED"),
            (box.url().replace("/INBOX", "/Elsewhere"), "no such folder"),
            (f"imap://bounce:geheim@127.0.0.1:{free_port()}/INBOX", "refused"),
            (box.url("gehe%C3%ADm"), "plain ASCII"),
        ):
            with pytest.raises(MailboxError, match=why) as refused:
                take_back(sent, ImapMailbox(url, BOUNCES), KEY, LATER, ZONE)
            assert "geheim" not in str(refused.value)


def test_a_password_never_goes_over_an_open_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.channels.mailbox.LOOPBACK", frozenset())
    with mailbox() as box:
        with pytest.raises(MailboxError, match="expected STARTTLS"):
            list(ImapMailbox(box.url(), BOUNCES).letters())
        assert "LOGIN" not in box.said


def test_the_settings_name_a_mailbox_or_none(tmp_path: Path) -> None:
    def made(**given: object) -> object:
        return mailbox_for(Settings.model_validate({"data": tmp_path, **given}))

    assert made() is made(bounce_address=BOUNCES) is made(bounce_folder=tmp_path) is None
    assert isinstance(made(bounce_address=BOUNCES, bounce_folder=tmp_path), FolderMailbox)
    imap = made(bounce_address=BOUNCES, bounce_imap="imaps://bounce%40example.org:p%2Fw@mail.example.org/Bounces")
    assert isinstance(imap, ImapMailbox)
    assert (imap.host, imap.port, imap.folder, imap.is_tls) == ("mail.example.org", 993, "Bounces", True)
    (tmp_path / "clock").write_text("2025-09-01T08:00:00+07:00")
    assert made(bounce_address=BOUNCES, bounce_folder=tmp_path) is None  # nothing goes out from a playground


@pytest.mark.parametrize(
    "given",
    [
        {"bounce_address": "bounce"},
        {"bounce_imap": "https://mail.example.org"},
        {"bounce_imap": "imaps://u:geheim@"},
        {"bounce_imap": "imap://u:geheim@mail.example.org:mail"},
    ],
)
def test_a_wrong_setting_is_refused_without_its_password(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"expected|Port") as refused:
        Settings.model_validate(given)
    assert "geheim" not in str(refused.value)


def all_messages(database: Database) -> list[Message]:
    with database.reading() as session:
        return list(session.exec(select(Message)))


def test_a_delayed_letter_is_noted_once_for_each_reason(sent: Database, tmp_path: Path) -> None:
    late = [report(token_of(sent), status, "delayed", "smtp; 451 later") for status in ("4.4.1", "4.4.1", "4.2.0")]
    assert came(sent, tmp_path, *late) == Came(delayed=2, again=1)
    with sent.reading() as session:
        outcomes = session.exec(select(Attempt.outcome).order_by(col(Attempt.id))).all()
    assert outcomes[-2:] == [Outcome.RETRY, Outcome.RETRY]
