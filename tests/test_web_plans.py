"""How is a plan typed, kept and brought in? The list, the editor without a browser, its checker and its words."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlmodel import col, select

from engine import plan_drafts, revise
from engine.errors import RefusedError
from models.cycle import Cycle
from models.plan import Revision
from models.plan_draft import PlanDraft
from models.proposal import Proposal
from models.task import Task
from models.unit import Unit
from models.user import UserRole
from tests.builders import YEARLY, ZONE, at, step_round, tag
from tests.desk import Desk, shown_hash, sqlite_desk
from web.protection import CSP

NOW = at("2021-12-20")
LATER = YEARLY.replace("due: {end_of: Q3}", "due: {end_of: M10}")
BROKEN = YEARLY.replace("every: year", "every: [year")
NEW = {"code": "bao-cao-moi", "vi": "Kế hoạch mới", "en": "New plan", "issuer": "duk", "calendar": "vn-state"}


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        yield desk


def drafts(desk: Desk) -> list[tuple[str, str, str]]:
    return [(each.plan, each.by, each.text) for each in desk.all_of(PlanDraft)]


def seen(desk: Desk, path: str = "/plans/kl01") -> dict[str, str]:
    """What the editor's form carries besides the text."""
    return dict(re.findall(r'name="(seen|base)" value="(\w*)"', desk.get(path).text))


def problems(desk: Desk, text: str, plan: str = "kl01") -> list[tuple[int, int, str]]:
    answer = desk.post(f"/plans/{plan}/check", {"text": text})
    assert answer.status_code == 200
    return [(each["line"], each["column"], each["severity"]) for each in answer.json()["problems"]]


# The editor


def test_a_draft_is_kept_beside_what_is_in_force(desk: Desk) -> None:
    answer = desk.post("/plans/kl01", {"text": LATER.replace("\n", "\r\n"), **seen(desk)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans/kl01")
    assert drafts(desk) == [("kl01", "office", LATER)]
    shown = desk.get("/plans/kl01").text
    assert "due: {end_of: M10}" in shown
    assert "bạn đang sửa một bản nháp" in shown
    assert [each.text for each in desk.all_of(Revision)] == [YEARLY]


def test_a_text_that_does_not_parse_is_kept_and_its_problem_shown_in_its_place(desk: Desk) -> None:
    assert desk.post("/plans/kl01", {"text": BROKEN, **seen(desk)}).status_code == 303
    assert drafts(desk) == [("kl01", "office", BROKEN)]
    line = BROKEN[: BROKEN.index("every:")].count("\n") + 1
    shown = desk.get("/plans/kl01").text
    assert f'data-line="{line}"' in shown
    assert f">dòng {line}, cột " in shown
    assert "1 lỗi" in shown


def test_typing_back_what_is_in_force_ends_the_draft(desk: Desk) -> None:
    desk.post("/plans/kl01", {"text": LATER, **seen(desk)})
    desk.post("/plans/kl01", {"text": YEARLY, **seen(desk)})
    assert drafts(desk) == []


def test_of_two_windows_the_second_learns_what_the_first_saved_and_loses_nothing(desk: Desk) -> None:
    first, second = seen(desk), seen(desk)
    other = LATER.replace("M10", "M11")
    desk.post("/plans/kl01", {"text": LATER, **first})
    answer = desk.post("/plans/kl01", {"text": other, **second})
    assert answer.status_code == 422
    assert "đã được lưu với nội dung khác" in answer.text
    assert "end_of: M11" in answer.text
    assert drafts(desk) == [("kl01", "office", LATER)]
    again = dict(re.findall(r'name="(seen|base)" value="(\w*)"', answer.text))
    assert desk.post("/plans/kl01", {"text": other, **again}).status_code == 303
    assert drafts(desk) == [("kl01", "office", other)]


def test_a_draft_says_when_somebody_else_has_applied_another_text(desk: Desk) -> None:
    desk.post("/plans/kl01", {"text": LATER, **seen(desk)})
    assert "đã thay đổi kể từ khi" not in desk.get("/plans/kl01").text
    with desk.database.writing() as session:
        session.exec(select(Revision).where(col(Revision.is_active))).one().hash = "0" * 64
    assert "đã thay đổi kể từ khi" in desk.get("/plans/kl01").text


def test_each_has_a_draft_of_their_own_and_sees_that_another_is_at_it(desk: Desk) -> None:
    one, other = desk.seen_by(UserRole.ADMIN), desk.seen_by(UserRole.ADMIN, "duk")
    desk.settings.clock.unlink()
    one.post("/plans/kl01", {"text": LATER, **seen(one)})
    assert "due: {end_of: Q3}" in other.get("/plans/kl01").text
    assert "cũng đang có bản nháp" in other.get("/plans/kl01").text
    assert "cũng đang có bản nháp" not in one.get("/plans/kl01").text


def test_a_draft_can_be_thrown_away(desk: Desk) -> None:
    desk.post("/plans/kl01", {"text": LATER, **seen(desk)})
    answer = desk.post("/plans/kl01/draft/removal")
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans/kl01")
    assert drafts(desk) == []
    desk.post("/plans", {**NEW, "term": "2021..2025"})
    assert desk.post("/plans/bao-cao-moi/draft/removal").headers["location"] == "/plans"
    assert desk.get("/plans/bao-cao-moi").status_code == 404


def test_the_admin_of_another_branch_does_not_find_the_plan(desk: Desk) -> None:
    part = desk.seen_by(UserRole.ADMIN, "snv")
    desk.settings.clock.unlink()
    for path in ("/plans/kl01", "/plans/kl01/words", "/plans/kl01/file"):
        assert part.get(path).status_code == 404
    assert part.post("/plans/kl01", {"text": LATER}).status_code == 404
    assert part.post("/plans", {"text": LATER, "known": "kl01"}).status_code == 404
    assert "/plans/kl01" not in part.get("/plans").text


def test_who_keeps_one_branch_sets_no_dates_for_another(desk: Desk) -> None:
    part = desk.seen_by(UserRole.ADMIN, "snv")
    desk.settings.clock.unlink()
    own = YEARLY.replace("plan: kl01", "plan: rieng").replace("issuer: duk", "issuer: snv")
    own = own.replace("who: {kinds: [dang-bo-co-so, chi-bo-co-so, doan-the]}", "who: {under: [snv]}")
    for text, refused in (
        (own, "đã khác với bản xem trước của “rieng”"),
        (own.replace("under: [snv]", "under: [snv], units: [stc]"), "ngoài phạm vi bạn quản lý: stc"),
        (own.replace("issuer: snv", "issuer: duk"), "ngoài phạm vi bạn quản lý: duk"),
        (own.replace("plan: rieng", "plan: kl01"), "cần văn bản của kế hoạch rieng, gặp kl01"),
    ):
        part.post("/plans", {"text": own, "known": "rieng"})
        part.post("/plans/rieng", {"text": text, **seen(part, "/plans/rieng")})
        answer = part.post("/plans/rieng/application", {"reason": "Vì thế", "policy": "tell", "hash": "0" * 64})
        assert answer.status_code == 422
        assert refused.lower() in answer.text.lower(), refused


@pytest.mark.parametrize("who", ["kinds: [chi-bo-co-so, chi-bo-truc-thuoc]", "tags: [far]"], ids=["kinds", "tags"])
def test_a_kind_or_a_tag_asks_nothing_of_another_branch(desk: Desk, who: str) -> None:
    part = desk.seen_by(UserRole.ADMIN, "snv")
    desk.settings.clock.unlink()
    with desk.database.writing() as session:
        tag(session, "stc", "far")
        tag(session, "snv-1", "far")
    own = YEARLY.replace("plan: kl01", "plan: rieng").replace("issuer: duk", "issuer: snv")
    own = own.replace("kinds: [dang-bo-co-so, chi-bo-co-so, doan-the]", who).replace("2021..2025", "2027..2030")
    own = own.replace("    except: {2021: {due: {end_of: M12}, why: II.8.3}}\n", "")
    part.post("/plans", {"text": own, "known": "rieng"})
    hash_ = shown_hash(part.get("/plans/rieng/preview").text)
    answer = part.post("/plans/rieng/application", {"reason": "Vì thế", "policy": "tell", "hash": hash_})
    assert answer.status_code == 303
    step_round(desk.database, at("2027-09-15"))
    with desk.database.reading() as session:
        of_new = select(Task.unit_id).join(Cycle).where(col(Cycle.period) == "2027")
        codes = set(session.exec(select(Unit.code).where(col(Unit.id).in_(of_new))))
    assert codes == ({"snv-1"} if "tags" in who else {"snv-1", "snv-2"})


def test_who_keeps_one_branch_takes_nothing_back_from_another(desk: Desk) -> None:
    part = desk.seen_by(UserRole.ADMIN, "snv")
    desk.settings.clock.unlink()
    shared = YEARLY.replace("issuer: duk", "issuer: snv")
    shared = shared.replace("{kinds: [dang-bo-co-so, chi-bo-co-so, doan-the]}", "{units: [stc, snv-1]}")
    with desk.database.writing() as session:
        revise.apply_plan(session, shared.encode(), "kl01.yaml", by="office", now=NOW, zone=ZONE)
    for text in (shared.replace("[stc, snv-1]", "[snv-1]"), shared.replace("annual-report:", "other-report:")):
        part.post("/plans/kl01", {"text": text.replace("[stc, snv-1]", "[snv-1]"), **seen(part)})
        answer = part.post("/plans/kl01/application", {"reason": "Vì thế", "policy": "tell", "hash": "0" * 64})
        assert answer.status_code == 422
        assert "ngoài phạm vi bạn quản lý: stc" in answer.text.lower()


def test_the_admin_of_a_branch_finds_their_own_proposal_of_a_new_plan_and_withdraws_it(desk: Desk) -> None:
    part, other = desk.seen_by(UserRole.ADMIN, "snv"), desk.seen_by(UserRole.ADMIN, "syt")
    desk.settings.clock.unlink()
    own = YEARLY.replace("plan: kl01", "plan: rieng").replace("issuer: duk", "issuer: snv")
    own = own.replace("who: {kinds: [dang-bo-co-so, chi-bo-co-so, doan-the]}", "who: {under: [snv]}")
    part.post("/plans", {"text": own})
    (hash_,) = re.findall(r'name="hash" value="(\w+)"', part.get("/plans/rieng/preview").text)
    form = {"reason": "Vì thế", "policy": "tell", "hash": hash_, "second": "yes"}
    assert part.post("/plans/rieng/application", form).headers["location"] == "/proposals/1"
    colleague = desk.seen_by(UserRole.ADMIN, "snv-1")
    assert [each.get("/proposals/1").status_code for each in (part, other, colleague)] == [200, 404, 404]
    assert part.post("/proposals/1/withdrawal").status_code == 303
    assert [each.state for each in desk.all_of(Proposal)] == ["withdrawn"]


def test_the_editor_alone_may_make_styles_by_a_word_that_is_new_each_time(desk: Desk) -> None:
    policies = [desk.get("/plans/kl01").headers["content-security-policy"] for _ in range(2)]
    words = [re.findall(r"'nonce-([\w-]+)'", policy) for policy in policies]
    assert all(len(found) == 1 for found in words)
    assert words[0] != words[1]
    assert policies[0].replace(f" 'nonce-{words[0][0]}'", "") == CSP
    assert desk.get("/plans").headers["content-security-policy"] == CSP


# The checker and the words


def test_the_editor_hears_what_dondoc_check_says(desk: Desk) -> None:
    assert problems(desk, YEARLY) == []
    line = YEARLY[: YEARLY.index("every: year")].count("\n") + 1
    assert problems(desk, YEARLY.replace("every: year", "evry: year"))[0] == (line, 5, "error")
    who = YEARLY[: YEARLY.index("kinds: [")].count("\n") + 1
    assert problems(desk, YEARLY.replace("doan-the]", "doan-khac]")) == [(who, 48, "error")]
    assert problems(desk, YEARLY.replace("calendar: vn-state", "calendar: nowhere"))[0][2] == "error"
    assert problems(desk, "") == [(1, 1, "error")]
    assert drafts(desk) == []


def test_a_text_of_another_plan_is_an_error_at_its_code(desk: Desk) -> None:
    assert problems(desk, YEARLY.replace("plan: kl01", "plan: kl02")) == [(1, 7, "error")]


def test_what_no_database_takes_is_a_problem_and_not_a_failure(desk: Desk) -> None:
    assert problems(desk, "plan: k\0l") != []
    assert desk.post("/plans/kl01", {"text": "plan: k\0l", **seen(desk)}).status_code == 303
    assert drafts(desk) == [("kl01", "office", "plan: k\N{REPLACEMENT CHARACTER}l")]


def test_too_long_a_plan_is_refused_with_what_was_typed(desk: Desk) -> None:
    long = YEARLY + "# " + "ệ" * 400_000
    answer = desk.post("/plans/kl01", {"text": long, **seen(desk)})
    assert answer.status_code == 422
    assert "không quá 1000000 byte" in answer.text
    assert drafts(desk) == []


def test_the_words_are_explained_in_the_readers_language(desk: Desk) -> None:
    words = desk.get("/plans/kl01/words").json()
    owed = words["schema"]["$defs"]["obligation"]["properties"]
    assert owed["source"]["description"].startswith("Mục của văn bản")
    english = desk.get("/plans/kl01/words?lang=en").json()["schema"]["$defs"]
    assert english["obligation"]["properties"]["to"]["description"].startswith("Who receives it")
    assert english["escalate"]["items"]["properties"]["to"]["description"].startswith("Who is told")
    assert {"stc", "snv"} <= set(words["names"]["unit"])
    assert words["names"]["calendar"] == ["vn-state"]


# New ones, and files


def test_a_new_plan_begins_as_a_draft_that_the_checker_takes(desk: Desk) -> None:
    answer = desk.post("/plans", {**NEW, "term": "2026..2030", "vi": 'Kế hoạch "mới": số 1'})
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans/bao-cao-moi")
    ((code, _, text),) = drafts(desk)
    assert code == "bao-cao-moi"
    assert [each for each in problems(desk, text, code) if each[2] == "error"] == []
    shown = desk.get("/plans/bao-cao-moi").text
    assert "Chưa áp dụng lần nào" in shown
    assert "bao-cao-moi" in desk.get("/plans").text


def test_a_new_plan_without_a_good_code_is_refused_with_what_was_typed(desk: Desk) -> None:
    answer = desk.post("/plans", {**NEW, "term": "2026..2030", "code": "Báo cáo"})
    assert answer.status_code == 422
    assert "Cần một mã kế hoạch" in answer.text
    assert 'value="Báo cáo"' in answer.text
    assert 'value="New plan"' in answer.text


def test_a_file_of_an_unknown_plan_becomes_a_draft(desk: Desk) -> None:
    text = YEARLY.replace("plan: kl01", "plan: kl02")
    answer = desk.ask("POST", "/plans", files={"file": ("kl02.yaml", b"\xef\xbb\xbf" + text.encode())})
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans/kl02")
    assert drafts(desk) == [("kl02", "office", text)]


def test_a_file_with_a_known_code_asks_first(desk: Desk) -> None:
    answer = desk.ask("POST", "/plans", files={"file": ("kl01.yaml", LATER.encode())})
    assert answer.status_code == 422
    assert "kế hoạch kl01 đã có ở đây" in answer.text.lower()
    assert drafts(desk) == []
    assert desk.post("/plans", {"text": LATER, "known": "kl01"}).headers["location"] == "/plans/kl01"
    assert drafts(desk) == [("kl01", "office", LATER)]
    again = desk.post("/plans", {"text": YEARLY})
    assert "viết đè lên bản nháp" in again.text


def test_a_file_with_a_known_code_may_become_another_plan(desk: Desk) -> None:
    assert desk.post("/plans", {"text": LATER, "code": "kl02"}).headers["location"] == "/plans/kl02"
    assert drafts(desk) == [("kl02", "office", LATER.replace("plan: kl01", "plan: kl02"))]
    assert desk.post("/plans", {"text": LATER, "code": "kl02"}).status_code == 422


def test_a_file_that_cannot_be_read_says_so_or_is_kept_under_a_code_that_is_given(desk: Desk) -> None:
    for content, words in ((b"\xff\xfe", "UTF-8"), (b"  \n", "tệp trống"), (b"", "tệp trống")):
        answer = desk.ask("POST", "/plans", files={"file": ("a.yaml", content)})
        assert answer.status_code == 422
        assert words in answer.text
    broken = "obligations: [\n"
    assert "Mã của kế hoạch" in desk.ask("POST", "/plans", files={"file": ("a.yaml", broken.encode())}).text
    assert desk.post("/plans", {"text": broken, "code": "cuu"}).status_code == 303
    assert drafts(desk) == [("cuu", "office", broken)]


def test_what_is_in_force_and_what_is_typed_can_be_taken_away_as_files(desk: Desk) -> None:
    desk.post("/plans/kl01", {"text": LATER, **seen(desk)})
    force, draft = desk.get("/plans/kl01/file"), desk.get("/plans/kl01/file?draft=1")
    assert (force.text, draft.text) == (YEARLY, LATER)
    assert force.headers["content-disposition"] == 'attachment; filename="kl01.yaml"'
    assert draft.headers["content-disposition"] == 'attachment; filename="kl01.draft.yaml"'


def test_the_code_of_a_text_is_found_even_where_the_rest_cannot_be_read() -> None:
    assert plan_drafts.code_of(YEARLY) == "kl01"
    assert plan_drafts.code_of(BROKEN) == "kl01"
    assert plan_drafts.code_of("plan: 'kl01'  # mã\nobligations: [") == "kl01"
    assert plan_drafts.code_of("title: plan: x") == ""


def test_a_draft_of_a_plan_in_force_needs_the_word_that_it_is_known(desk: Desk) -> None:
    with desk.database.writing() as session, pytest.raises(RefusedError, match="known here"):
        plan_drafts.bring(session, LATER, by="user:1", now=NOW)
    assert drafts(desk) == []


# The form


def form(desk: Desk, of: str = "annual-report", path: str = "/plans/kl01/form") -> dict[str, list[str]]:
    """What a browser would send of the form as it is shown."""
    reader = Fields()
    reader.feed(desk.get(f"{path}?of={of}").text)
    return reader.found


class Fields(HTMLParser):
    """The values of the fields of a page; of a list the chosen one, else its first."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self.options: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, is_ticked = given.get("name", ""), given.get("type") not in {"radio", "checkbox"} or "checked" in given
        if tag == "select":
            self.options = self.found.setdefault(name, [])
            self.is_fresh = True
        elif tag == "option" and (self.is_fresh or "selected" in given):
            self.options[len(self.options) if self.is_fresh else -1 :] = [given["value"]]
            self.is_fresh = False
        elif tag == "input" and name and is_ticked:
            self.found.setdefault(name, []).append(given.get("value", ""))


def test_a_form_sent_back_as_it_was_shown_makes_no_draft(desk: Desk) -> None:
    for of in ("annual-report", "defaults"):
        answer = desk.post("/plans/kl01/form", form(desk, of))  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["location"]) == (303, f"/plans/kl01/form?of={of}")
    assert drafts(desk) == []


def test_a_form_writes_its_one_value_into_the_draft(desk: Desk) -> None:
    sent = form(desk) | {"rule": ["day"], "day": ["25"], "month": ["last_month"], "kinds": ["chi-bo-co-so"]}
    assert desk.post("/plans/kl01/form", sent).status_code == 303  # type: ignore[arg-type]
    expected = YEARLY.replace("    due: {end_of: Q3}", "    due: {day: 25, of: last_month}")
    expected = expected.replace("[dang-bo-co-so, chi-bo-co-so, doan-the]", "[chi-bo-co-so]")
    assert drafts(desk) == [("kl01", "office", expected)]


def test_what_a_form_cannot_mean_is_told_with_what_was_typed(desk: Desk) -> None:
    sent = form(desk) | {"rule": ["date"], "date": ["31/31/2022"], "in": ["2021..2024"]}
    answer = desk.post("/plans/kl01/form", sent)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert "gặp “31/31/2022”" in answer.text
    assert 'value="31/31/2022"' in answer.text
    assert 'value="2021..2024"' in answer.text
    assert drafts(desk) == []


def test_a_form_that_would_make_an_error_keeps_nothing_and_says_which(desk: Desk) -> None:
    sent = form(desk) | {"under": ["nobody"], "grace_count": ["7"]}
    answer = desk.post("/plans/kl01/form", sent)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert "điền như thế kế hoạch sẽ có lỗi" in answer.text
    assert 'value="nobody"' in answer.text
    assert drafts(desk) == []


def test_errors_that_were_there_before_do_not_stand_in_the_way(desk: Desk) -> None:
    wrong = YEARLY.replace("calendar: vn-state", "calendar: nowhere")
    desk.post("/plans/kl01", {"text": wrong, **seen(desk)})
    sent = form(desk) | {"grace_count": ["7"]}
    assert desk.post("/plans/kl01/form", sent).status_code == 303  # type: ignore[arg-type]
    assert "    grace: 7 days\n" in drafts(desk)[0][2]


def test_a_form_of_a_text_that_was_changed_elsewhere_is_refused(desk: Desk) -> None:
    sent = form(desk) | {"grace_count": ["7"]}
    desk.post("/plans/kl01", {"text": LATER, **seen(desk)})
    answer = desk.post("/plans/kl01/form", sent)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert "đã được lưu với nội dung khác" in answer.text
    assert drafts(desk) == [("kl01", "office", LATER)]


def test_a_text_that_cannot_be_read_has_no_form_yet(desk: Desk) -> None:
    desk.post("/plans/kl01", {"text": BROKEN, **seen(desk)})
    assert "Văn bản này chưa đọc được" in desk.get("/plans/kl01/form").text
    assert desk.get("/plans/kl01/form?of=nobody").status_code == 200
    desk.post("/plans/kl01/draft/removal")
    assert desk.get("/plans/kl01/form?of=nobody").status_code == 404
