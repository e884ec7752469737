"""Can an office write its letters in its own words, and nothing else than that?"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from dondoc.database import Database
from dondoc.i18n import LANGUAGES, say
from engine import wording as wordings
from engine.errors import RefusedError
from models.entry import Entry, breaks
from models.message import Message
from models.wording import Wording, in_use
from notifications.channels.email import EmailCarrier
from notifications.deliver import deliver
from notifications.preview import check
from notifications.specimen import specimens
from notifications.wording import KINDS, MOST_TEXT, NAMES, InvalidWordingError, Wordings, filled, read, shipped
from tests.builders import ZONE, at, province, step_round
from tests.letters import rendered
from tests.sinks import running as smtp

OWN = (
    "{{ late | lower_first }}: {{ title }}\n\n{{ unit }} xin nộp ngay{% if grace %}, chậm nhất {{ grace }}{% endif %}."
)
NOW = at("2025-10-03")


def wrong(text: str, kind: str = "overdue") -> list[tuple[str, str]]:
    with pytest.raises(InvalidWordingError) as refused:
        check(kind, "vi", text)
    return [(each.code, dict(each.params).get("line", "")) for each in refused.value.problems]


# The language


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_shipped_is_of_the_language(kind: str, lang: str) -> None:
    check(kind, lang, shipped(kind, lang))


@pytest.mark.parametrize("kind", KINDS)
def test_each_name_of_a_kind_is_there_in_every_state(kind: str) -> None:
    check(kind, "vi", "Tin\n\n" + " ".join(f"{{{{ {name} }}}}" for name in NAMES[kind]))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{ title.__class__ }}", "wording.not_allowed"),
        ("{{ title['x'] }}", "wording.not_allowed"),
        ("{{ title() }}", "wording.not_allowed"),
        ("{{ 9 * 9 }}", "wording.not_allowed"),
        ("{{ 'x' ~ title }}", "wording.not_allowed"),
        ("{{ title | upper }}", "wording.not_allowed"),
        ("{{ title | lower_first(1) }}", "wording.not_allowed"),
        ("{{ title is defined }}", "wording.not_allowed"),
        ("{% for each in title %}x{% endfor %}", "wording.not_allowed"),
        ("{% set title = 1 %}", "wording.not_allowed"),
        ("{% macro x() %}{% endmacro %}", "wording.not_allowed"),
        ("{% include 'reminder.j2' %}", "wording.not_allowed"),
        ("{% extends 'letter.txt.j2' %}", "wording.not_allowed"),
        ("{{ config }}", "wording.name"),
        ("{{ lipsum }}", "wording.name"),
        ("{{ self }}", "wording.name"),
        ("{{ receipt }}", "wording.name"),  # of another kind
        ("{{ titel }}", "wording.name_near"),
        ("{{ title }", "wording.unclosed"),
        ("{{ title\n\nrest", "wording.unclosed"),
        ("{{ a b }}", "wording.syntax"),
        ("{% if grace %}x\n\nrest", "wording.no_endif"),
        ("{% if days > title %}x{% endif %}", "wording.fails"),
        ("{{ " + "(" * 1500 + "title" + ")" * 1500 + " }}", "wording.deep"),
        ("{{ " + "not " * 900 + "title }}", "wording.deep"),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_its_line(text: str, code: str) -> None:
    assert (code, "3") in wrong(f"{{{{ late }}}}\n\n{text}") or (code, "1") in wrong(f"{{{{ late }}}}\n\n{text}")
    if code != "wording.deep":
        assert all(line == "3" for _, line in wrong(f"{{{{ late }}}}\n\n{text}"))


def test_what_the_parser_cannot_read_is_told_in_words_of_ours() -> None:
    with pytest.raises(InvalidWordingError) as refused:
        read("overdue", "{{ late }}\n\n{{ title\n\nXin nộp")
    (problem,) = refused.value.problems
    assert say(problem.code, "vi", dict(problem.params)).startswith(
        "dòng 3: thẻ {{ hoặc {% chưa đóng: “{{ title” (Jinja:"
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = "{{ titel }}\n{{ 1 + 1 }}\n\n{% for x in y %}{% endfor %}"
    assert wrong(text) == [("wording.name_near", "1"), ("wording.not_allowed", "2"), ("wording.not_allowed", "4")]


@pytest.mark.parametrize("subject", ["", "{% if not title %}x{% endif %}", "{% if grace %}{{ late }}{% endif %}"])
def test_a_subject_that_may_be_empty_is_refused(subject: str) -> None:
    """The last one is empty only where nothing is taken after the due day."""
    assert wrong(f"{subject}\n\nNội dung") == [("wording.subject", "1")]


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    assert wrong("{{ late }}\n" + "{" * MOST_TEXT) == [("wording.too_long", "")]


@given(text=st.text(alphabet="{}%#|-+. \n\"'()=<>iflatendifor", max_size=60))
def test_whatever_is_typed_is_refused_or_fills_every_letter(text: str) -> None:
    try:
        read("overdue", text)
    except InvalidWordingError:
        return
    own = Wordings({("overdue", "vi"): text})
    assert all(rendered(each, own).subject for each in specimens("overdue", "vi"))


def test_a_value_is_shown_and_never_run() -> None:
    said = filled("{{ reason }}\n\n{{ reason }}", {"reason": "{{ 7 * 7 }} {% if x %}"})
    assert (said.subject, said.text) == ("{{ 7 * 7 }} {% if x %}", "{{ 7 * 7 }} {% if x %}")


def test_own_words_stand_in_the_letter_the_page_and_the_chat_and_are_escaped() -> None:
    text = "{{ late }}: <b>{{ title }}</b>\n\nKính đề nghị <script>{{ unit }}</script>.\n\nĐoạn hai."
    check("overdue", "vi", text)
    letter = rendered(specimens("overdue", "vi")[0], Wordings({("overdue", "vi"): text}))
    assert letter.subject == "Quá hạn 3 ngày làm việc: <b>Báo cáo kết quả hằng năm, năm 2025</b>"
    assert "Kính đề nghị <script>Chi bộ Sở Tài chính</script>.\n\nĐoạn hai." in letter.text
    assert "Kính đề nghị &lt;script&gt;Chi bộ Sở Tài chính&lt;/script&gt;." in letter.html
    assert "<script" not in letter.html
    assert "Kính đề nghị <script>Chi bộ Sở Tài chính</script>. Đoạn hai." in letter.short
    for part in (letter.text, letter.html, letter.short):  # what no wording can leave out
        assert "/s/[[link:1]]" in part
        assert "hết ngày thứ Ba 30/09/2025 (GMT+7)" in part


def test_own_words_that_a_later_program_does_not_understand_hold_no_letter_back() -> None:
    own = Wordings({("overdue", "vi"): "{{ gone_name }}\n\nx", ("reminder", "vi"): "\n\nx"})
    for kind in ("overdue", "reminder"):
        first = specimens(kind, "vi")[0]
        assert rendered(first, own) == rendered(first)


# In the office


def test_own_words_are_in_the_next_letter_and_the_shipped_ones_in_those_after(database: Database) -> None:
    province(database, on="2025-08-01")
    step_round(database, at("2025-09-01"))
    wordings.put(
        database, "opened", "vi", "Mở: {{ title }}\n\nKính gửi lời riêng tới {{ unit }}.", by="user:1", now=NOW
    )
    with smtp() as sink:
        carrier = EmailCarrier(sink.url, "dondoc@example.org", "dondoc")
        deliver(database, carrier, at("2025-09-01"), zone=ZONE, url="https://dondoc.example.org", key=b"k" * 32)
        assert {str(mail["Subject"]) for mail in sink.mails} == {"Mở: Báo cáo kết quả hằng năm, năm 2025"}
    with database.reading() as session:
        texts = session.exec(select(Message.text)).all()
    assert all("Kính gửi lời riêng tới " in text for text in texts)


def test_changing_the_words_is_an_entry_and_every_version_stays(database: Database) -> None:
    for text in (OWN, f"{OWN} Trân trọng.", OWN):
        wordings.put(database, "overdue", "vi", text, by="user:1", now=NOW)
    wordings.put(database, "overdue", "en", "{{ late }}\n\nPlease.", by="user:1", now=NOW)
    wordings.restore(database, "overdue", "vi", by="user:2", now=NOW)
    with database.reading() as session:
        assert in_use(session) == {("overdue", "en"): "{{ late }}\n\nPlease."}
        kept = session.exec(select(Wording.text).where(col(Wording.lang) == "vi").order_by(col(Wording.id))).all()
        entries = session.exec(select(Entry).where(col(Entry.act).startswith("wording")).order_by(col(Entry.id))).all()
        assert list(breaks(session)) == []
    assert kept == [OWN, f"{OWN} Trân trọng.", OWN]
    assert [(each.act, each.by, each.data["letter"], each.data["lang"]) for each in entries] == [
        *[("wording_changed", "user:1", "overdue", "vi")] * 3,
        ("wording_changed", "user:1", "overdue", "en"),
        ("wording_restored", "user:2", "overdue", "vi"),
    ]


def test_putting_the_shipped_words_restores_them(database: Database) -> None:
    wordings.put(database, "overdue", "vi", OWN, by="office", now=NOW)
    wordings.put(database, "overdue", "vi", shipped("overdue", "vi").strip(), by="office", now=NOW)
    with database.reading() as session:
        assert in_use(session) == {}


@pytest.mark.parametrize(
    ("kind", "lang", "text", "code"),
    [
        ("nothing", "vi", OWN, "refused.wording_kind"),
        ("overdue", "fr", OWN, "refused.wording_lang"),
        ("overdue", "vi", OWN, "refused.wording_same"),
        ("reminder", "vi", shipped("reminder", "vi"), "refused.wording_shipped"),
    ],
)
def test_what_changes_nothing_is_refused(database: Database, kind: str, lang: str, text: str, code: str) -> None:
    wordings.put(database, "overdue", "vi", OWN, by="office", now=NOW)
    with pytest.raises(RefusedError) as refused:
        wordings.put(database, kind, lang, text, by="office", now=NOW)
    assert refused.value.reason.code == code
    with database.reading() as session:
        assert in_use(session) == {("overdue", "vi"): OWN}


def test_what_is_wrong_writes_nothing(database: Database) -> None:
    with pytest.raises(InvalidWordingError):
        wordings.put(database, "overdue", "vi", "{{ late }}\n\n{{ x }}", by="office", now=NOW)
    with database.reading() as session:
        assert session.exec(select(Wording)).all() == []
        assert session.exec(select(Entry).where(col(Entry.act).startswith("wording"))).all() == []


def test_words_that_can_no_longer_be_used_are_named(database: Database) -> None:
    wordings.put(database, "overdue", "vi", OWN, by="office", now=NOW)
    with database.writing() as session:
        for kind, lang in (("reminder", "en"), ("gone", "vi")):
            session.add(Wording(kind=kind, lang=lang, text="{{ gone_name }}", by="office", at=NOW))
    with database.reading() as session:
        assert wordings.unusable(session) == (("gone", "vi"), ("reminder", "en"))


def test_of_several_who_write_at_once_one_is_in_use_and_all_are_kept(database: Database) -> None:
    texts = [f"{{{{ late }}}}\n\nLời {number}." for number in range(6)]
    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(lambda text: wordings.put(database, "overdue", "vi", text, by="office", now=NOW), texts))
    with database.reading() as session:
        assert in_use(session)["overdue", "vi"] in texts
        assert sorted(session.exec(select(Wording.text))) == texts
        assert list(breaks(session)) == []
