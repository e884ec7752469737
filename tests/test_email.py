"""Does an e-mail say what it should, and is each answer of a server put into its class?"""

import email
import email.policy
import ssl
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from apprise import Apprise

from dondoc.settings import Settings
from models.message import Outcome
from notifications.channels import carrier_for
from notifications.channels.carrier import Letter, Result
from notifications.channels.email import SEVERAL, EmailCarrier, NotifyBaoMail
from notifications.channels.eml import EmlCarrier
from notifications.channels.mail import compose
from notifications.channels.smtp import Server
from notifications.icalendar import Event
from tests.builders import at
from tests.sinks import QUEUED, free_port, running, signed_in_as

NOW = at("2025-09-23")
NAME = "Văn thư Đảng ủy Khối các cơ quan tỉnh và doanh nghiệp"
SUBJECT = "Còn 5 ngày làm việc: Báo cáo kết quả hằng năm về công tác kiểm tra, năm 2025"


def letter(
    number: int = 1, address: str = "van-thu.stc@example.org", name: str = NAME, subject: str = SUBJECT
) -> Letter:
    text = f".Thư số {number}\n.\nHạn nộp: hết ngày thứ Ba 30/09/2025\n"
    return Letter(number, f"ref-{number}", "7-1", NOW, address, name, subject, text, f"<p>Thư số {number}</p>")


def read(content: bytes) -> EmailMessage:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def send(url: str, *letters: Letter) -> list[Result]:
    carrier = EmailCarrier(url, "dondoc@example.org", "Hệ thống đôn đốc")
    results = dict(carrier.send(letters, lambda asked: {each.message_id for each in asked}))
    return [results[each] for each in letters]


@pytest.mark.parametrize("encoding", ["base64", "8bit"])
def test_a_mail_has_both_parts_and_its_own_headers(encoding: str) -> None:
    mail = read(compose(letter(), "dondoc@example.org", "Hệ thống đôn đốc", encoding))  # type: ignore[arg-type]
    assert mail["Subject"] == SUBJECT
    assert mail["From"].addresses[0].addr_spec == "dondoc@example.org"
    assert mail["To"].addresses[0].addr_spec == "van-thu.stc@example.org"
    assert mail["Date"].datetime == NOW
    assert mail.get_all("Message-ID") == ["<ref-1@example.org>"]
    assert mail["In-Reply-To"] == mail["References"] == "<7-1@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    parts = [part.get_content().splitlines() for part in mail.iter_parts()]
    assert parts == [letter().text.splitlines(), letter().html.splitlines()]
    assert mail.defects == []


def test_the_lines_of_a_mail_are_short_enough_for_every_server() -> None:
    content = compose(letter(), "dondoc@example.org", "Hệ thống đôn đốc")
    assert max(len(line) for line in content.split(b"\r\n")) <= 78
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_due_days_come_as_a_part_that_calendar_programs_take_over() -> None:
    event = Event("task-7", 1, date(2025, 9, 30), "Hạn nộp: Báo cáo", "Căn cứ mục II.8.3.", alarm=timedelta(hours=16))
    mail = read(compose(replace(letter(), events=(event,)), "dondoc@example.org", "Hệ thống đôn đốc"))
    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html", "text/calendar"]
    assert (parts[2].get_param("method"), parts[2].get_content_charset()) == ("PUBLISH", "utf-8")
    payload = parts[2].get_payload(decode=True)
    assert isinstance(payload, bytes)
    lines = payload.decode().split("\r\n")
    assert {"METHOD:PUBLISH", "UID:task-7@example.org", "DTSTART;VALUE=DATE:20250930"} <= set(lines)
    assert mail.defects == []


def test_unsubscribing_means_to_say_that_one_is_the_wrong_person() -> None:
    objecting = replace(letter(), objects_by="12-abc")
    mail = read(compose(objecting, "dondoc@example.org", "dondoc", url="https://dondoc.example.org/"))
    page, post = "https://dondoc.example.org/not-me/12-abc", "mailto:dondoc@example.org?subject=ref-1"
    assert mail["List-Unsubscribe"] == f"<{page}>, <{post}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = read(compose(objecting, "dondoc@example.org", "dondoc", url="http://127.0.0.1:8000"))
    assert plain["List-Unsubscribe-Post"] is None  # RFC 8058 asks for https
    assert (
        read(compose(letter(), "dondoc@example.org", "dondoc", url="https://dondoc.example.org"))["List-Unsubscribe"]
        is None
    )


def test_each_letter_comes_back_to_an_address_of_its_own() -> None:
    with running() as sink:
        carrier = EmailCarrier(sink.url, "dondoc@example.org", "", bounce_address="bounce@example.org")
        letters = [replace(letter(number), returns_to=f"{number}-abc") for number in (1, 2)]
        assert len(list(carrier.send(letters, lambda asked: {each.message_id for each in asked}))) == 2
        assert sorted(sink.senders) == ["bounce+1-abc@example.org", "bounce+2-abc@example.org"]
        assert {mail["From"].addresses[0].addr_spec for mail in sink.mails} == {"dondoc@example.org"}
        send(sink.url, letter(3))
        assert sink.senders[-1] == "dondoc@example.org"


@pytest.mark.parametrize("evil", ["Kính gửi\r\nBcc: all@example.org", "Kính gửi\n\n<script>", "a\x00b\x85Bcc: x"])
def test_no_word_of_a_letter_begins_a_header(evil: str) -> None:
    mail = read(compose(letter(name=evil, subject=evil), "dondoc@example.org", evil))
    assert "Bcc" not in mail
    assert len(mail.keys()) == len(set(mail.keys())) == 11


@pytest.mark.parametrize(
    "address",
    [
        "",
        "stc",
        "a b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "<a@example.org>",
        "a@example.org, b@example.org",
        "văn-thư@example.org",
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_sent(address: str) -> None:
    with pytest.raises(ValueError, match="expected an address such as"):
        compose(letter(address=address), "dondoc@example.org", "")
    with running() as sink:
        results = send(sink.url, letter(1, address), letter(2))
        assert [each.outcome for each in results] == [Outcome.RECIPIENT, Outcome.SENT]
        assert len(sink.mails) == 1


def test_what_the_server_calls_a_message_is_kept() -> None:
    with running() as sink:
        assert send(sink.url, letter()) == [Result(Outcome.SENT, "250", QUEUED.removeprefix("250 "), "4XyZ1")]
    part = sink.mails[0].get_body(("plain",))
    assert part is not None
    assert part.get_content().splitlines() == letter().text.splitlines()  # lines that begin with a dot came through


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("421 4.3.2 Closing", Outcome.RETRY),
        ("450 4.2.1 Busy", Outcome.RETRY),
        ("452 4.2.2 Mailbox full", Outcome.DEFER),
        ("550 5.1.1 User unknown", Outcome.RECIPIENT),
        ("550 No such user here", Outcome.RECIPIENT),
        ("550 5.2.1 Mailbox disabled", Outcome.RECIPIENT),
        ("551 User not local", Outcome.RECIPIENT),
        ("550 5.2.2 Over quota", Outcome.DEFER),
        ("552 Mailbox full", Outcome.DEFER),
        ("550 5.4.5 Daily limit exceeded", Outcome.DEFER),
        ("554 5.7.1 Relay access denied", Outcome.RETRY),
        ("550 relay not permitted", Outcome.RETRY),
        ("550 Unknown user, your host is blocked", Outcome.RETRY),
        ("550 Thư rác, không nhận", Outcome.RETRY),
        ("554 Service unavailable; client host blocked by rbl", Outcome.RETRY),
        ("503 valid RCPT sender verify fail", Outcome.RETRY),
        ("550 5.1.0 Sender address rejected: User unknown in local recipient table", Outcome.RETRY),
        ("550 5.1.8 Access denied, bad outbound sender", Outcome.RETRY),
        ("550 Not today", Outcome.PAYLOAD),
        ("530 5.7.0 Must sign in first", Outcome.RETRY),
    ],
)
def test_an_answer_to_the_recipient_has_its_class_and_the_others_go_on(answer: str, outcome: Outcome) -> None:
    with running() as sink:
        sink.to_rcpt["dead@example.org"] = [answer]
        results = send(sink.url, letter(1, "dead@example.org"), *(letter(number) for number in range(2, 15)))
    assert results[0] == Result(outcome, answer[:3], answer[4:])
    assert {each.outcome for each in results[1:]} == {Outcome.SENT}


@pytest.mark.parametrize(
    ("answer", "count", "outcome"),
    [
        ("554 5.7.1 Relay access denied", SEVERAL, Outcome.CONFIG),
        ("554 5.7.1 Relay access denied", SEVERAL - 1, Outcome.RETRY),
        ("530 5.7.0 Must sign in first", 1, Outcome.CONFIG),
        ("550 5.1.1 User unknown", SEVERAL, Outcome.RECIPIENT),
        ("451 4.7.1 Greylisted", SEVERAL, Outcome.RETRY),
    ],
)
def test_our_settings_are_wrong_where_nobody_is_taken(answer: str, count: int, outcome: Outcome) -> None:
    with running() as sink:
        letters = [letter(number, f"u{number}@example.org") for number in range(count)]
        sink.to_rcpt = {each.address: [answer] for each in letters}
        assert {each.outcome for each in send(sink.url, *letters)} == {outcome}
        sink.to_rcpt = {each.address: [answer] for each in letters}
        again = [replace(letters[0], message_id=number) for number in range(100, 100 + SEVERAL)]
        sink.to_rcpt[letters[0].address] = [answer] * SEVERAL
        is_of_one = outcome is Outcome.CONFIG and count == SEVERAL  # several letters to one contact are no proof
        assert {each.outcome for each in send(sink.url, *again)} == {Outcome.RETRY if is_of_one else outcome}


def test_a_server_that_hangs_up_on_whom_it_refuses_has_still_said_why() -> None:
    with running() as sink:
        sink.is_hanging_up, sink.to_rcpt["dead@example.org"] = True, ["550 5.1.1 User unknown"]
        results = send(sink.url, letter(1, "dead@example.org"), letter(2))
        assert [each.outcome for each in results] == [Outcome.RECIPIENT, Outcome.SENT]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("550 5.7.1 Sender not allowed", Outcome.CONFIG),
        ("553 Sender rejected", Outcome.CONFIG),
        ("530 5.7.0 Must sign in first", Outcome.CONFIG),
        ("550 5.4.5 Daily limit exceeded", Outcome.DEFER),
        ("552 Too large", Outcome.PAYLOAD),
        ("451 Try later", Outcome.RETRY),
    ],
)
def test_an_answer_to_the_sender_has_its_class(answer: str, outcome: Outcome) -> None:
    with running() as sink:
        sink.to_sender = answer
        assert {each.outcome for each in send(sink.url, letter(1), letter(2))} == {outcome}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("451 4.3.0 Try later", Outcome.RETRY),
        ("452 4.3.1 No room", Outcome.DEFER),
        ("552 5.2.2 Over quota", Outcome.DEFER),
        ("554 5.6.0 Rejected", Outcome.PAYLOAD),
        ("554 5.7.1 Looks like spam", Outcome.PAYLOAD),
        (None, Outcome.AMBIGUOUS),
    ],
)
def test_an_answer_to_the_content_has_its_class(answer: str | None, outcome: Outcome) -> None:
    with running() as sink:
        sink.to_content = [answer]
        assert [each.outcome for each in send(sink.url, letter())] == [outcome]


def test_many_letters_share_ten_connections_and_keep_their_answers() -> None:
    with running() as sink:
        letters = [letter(number, f"u{number}@example.org") for number in range(200)]
        assert {each.outcome for each in send(sink.url, *letters)} == {Outcome.SENT}
        assert sorted(mail["Message-ID"] for mail in sink.mails) == sorted(f"<ref-{n}@example.org>" for n in range(200))


def test_a_letter_that_the_gate_holds_back_does_not_go_out() -> None:
    carrier = EmailCarrier(f"smtp://127.0.0.1:{(port := free_port())}", "dondoc@example.org", "")
    with running(port) as sink:
        results = list(carrier.send([letter(1), letter(2)], lambda asked: {each.message_id for each in asked} - {1}))
        assert [each.message_id for each, _ in results] == [2]
        assert [mail["Message-ID"] for mail in sink.mails] == ["<ref-2@example.org>"]


def test_a_gate_that_breaks_stops_the_batch_without_sending() -> None:
    def broken(asked: object) -> set[int]:
        raise RuntimeError("the database is gone")

    with running() as sink:
        carrier = EmailCarrier(sink.url, "dondoc@example.org", "")
        with pytest.raises(RuntimeError, match="the database is gone"):
            list(carrier.send([letter(number) for number in range(30)], broken))
        assert sink.mails == []


def test_a_server_that_nobody_answers_for_makes_every_letter_wait() -> None:
    results = send(f"smtp://127.0.0.1:{free_port()}", *(letter(number) for number in range(30)))
    assert {(each.outcome, each.code) for each in results} == {(Outcome.RETRY, "connect")}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", str(paths[0]), "-keyout", str(paths[1])]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return paths


@pytest.mark.parametrize("is_trusted", [True, False])
def test_starttls_is_used_when_offered_and_the_certificate_is_checked(
    certificate: tuple[Path, Path], is_trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    options = {"authenticator": signed_in_as("dondoc", "p@ss:w/rd"), "auth_required": True, "require_starttls": True}
    with running(tls_context=context, **options) as sink:
        (result,) = send(f"smtp://dondoc:p%40ss%3Aw%2Frd@127.0.0.1:{sink.port}", letter())
    assert result.outcome is (Outcome.SENT if is_trusted else Outcome.CONFIG)
    assert len(sink.mails) == is_trusted


def test_a_password_never_goes_over_an_open_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.channels.smtp.LOOPBACK", frozenset())
    with running() as sink:
        (result,) = send(f"smtp://dondoc:secret@127.0.0.1:{sink.port}", letter())
    assert (result.outcome, result.answer) == (
        Outcome.CONFIG,
        "expected STARTTLS before a password is sent, got a server without it",
    )


def test_a_password_that_no_server_could_read_makes_every_letter_wait() -> None:
    with running(authenticator=signed_in_as("dondoc", "x"), auth_require_tls=False) as sink:
        (result,) = send(f"smtp://dondoc:m%E1%BA%ADt@127.0.0.1:{sink.port}", letter())
    assert (result.outcome, result.code) == (Outcome.CONFIG, "connect")
    assert "plain ASCII" in (result.answer or "")


@pytest.mark.parametrize("url", ["example.org", "http://example.org", "smtp://", "smtp://user:geheim@"])
def test_a_wrong_address_of_the_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected smtp://host:port or smtps://host:port") as refused:
        Server.of(url)
    assert "geheim" not in str(refused.value)
    assert "geheim" not in repr(Server.of("smtps://dondoc:geheim@mail.example.org"))


def test_the_plugin_is_one_that_apprise_knows() -> None:
    with running() as sink:
        url = f"baomail://127.0.0.1:{sink.port}/van-thu.stc@example.org?from=dondoc@example.org"
        assert Apprise().add(url)
        plugin = Apprise.instantiate(url)
        assert isinstance(plugin, NotifyBaoMail)
        assert plugin.notify(body="Hạn nộp < thứ Ba", title="Nhắc")
        assert [each.provider_id for each in plugin.results] == ["4XyZ1"]
        assert Apprise.instantiate(plugin.url()).server == plugin.server
        sink.to_rcpt["van-thu.stc@example.org"] = ["550 5.1.1 User unknown"]
        assert not plugin.notify(body="Hạn nộp", title="Nhắc")
        assert plugin.results[-1].answer == "5.1.1 User unknown"
    (mail,) = sink.to("van-thu.stc@example.org")
    assert "secret" not in NotifyBaoMail(Server("mail.example.org", 25, password="secret", user="u"), "a@b.c").url(
        privacy=True
    )
    html = mail.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == "<p>Hạn nộp &lt; thứ Ba</p>"


def test_without_a_server_messages_are_files_that_a_mail_program_opens(tmp_path: Path) -> None:
    carrier = carrier_for(Settings.model_validate({"data": tmp_path}))
    assert isinstance(carrier, EmlCarrier)
    for _ in range(2):
        results = dict(carrier.send([letter(1), letter(2), letter(3, "nobody")], lambda asked: {1, 3}))
        assert [(each.message_id, result.outcome) for each, result in results.items()] == [
            (1, Outcome.SENT),
            (3, Outcome.RECIPIENT),
        ]
    (path,) = (tmp_path / "messages").iterdir()
    assert path.name == "2025-09-23-ref-1.eml"
    assert read(path.read_bytes())["Subject"] == SUBJECT
    assert "Hạn nộp: hết ngày thứ Ba 30/09/2025".encode() in path.read_bytes()


def test_a_server_in_the_settings_is_used() -> None:
    carrier = carrier_for(Settings.model_validate({"smtp_url": "smtp://127.0.0.1:2525", "mail_from": "vp@example.org"}))
    assert isinstance(carrier, EmailCarrier)
    assert (carrier.server.port, carrier.reply_address) == (2525, "vp@example.org")


def test_files_do_not_pay_for_apprise() -> None:
    code = "import sys, notifications.channels, notifications.deliver; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=False).returncode == 0
