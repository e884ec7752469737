"""`dondoc plans ...`: what is in force, what a file would change, and its way into force and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from cyclopts import Parameter

from dondoc.cli.app import BRING, Json, group_of
from dondoc.cli.moved import allowed, as_json, as_text
from dondoc.cli.office import Office, office
from dondoc.cli.words import CommandFailedError, _, lang, table, write, write_json
from dondoc.i18n import short_day

if TYPE_CHECKING:
    from sqlmodel import Session

    from engine.preview import Preview

plans = group_of("plans", _("Kế hoạch: xem tác động, áp dụng, nhập, xuất, lịch sử, khôi phục."), BRING)
BY: Final = "office"
SUFFIXES: Final = (".yaml", ".yml")
File: TypeAlias = Annotated[Path, Parameter(help=_("Tệp."))]
From: TypeAlias = Annotated[
    date | None, Parameter(name="--from", help=_("Ngày bắt đầu áp dụng, mặc định hôm nay: hạn trước đó không mở."))
]
PolicyName: TypeAlias = Annotated[
    Literal["keep", "move", "tell"],
    Parameter(
        name="--policy",
        help=_("Đợt đang mở: keep giữ hạn đã mở, move dời theo, tell dời và báo mọi đơn vị đã được báo hạn."),
    ),
]
Why: TypeAlias = Annotated[str | None, Parameter(name="--reason", help=_("Lý do."))]
Yes: TypeAlias = Annotated[bool, Parameter(name="--yes", negative="", help=_("Không hỏi lại."))]


@plans.command(name="list", help=_("Các kế hoạch đang có hiệu lực."))
def list_plans() -> None:
    from engine.plans import active_plans

    with office() as here, here.database.reading() as session:
        rows = [
            [row.code, str(revision.number), short_day(revision.from_on), plan.title.in_(lang())]
            for row, revision, plan in active_plans(session)
        ]
    head = [_("Mã"), _("Bản"), _("Áp dụng từ"), _("Tên")]
    write(*(table([head, *rows]) if rows else [_("Chưa có kế hoạch nào; áp dụng: dondoc plans apply TỆP")]))


@plans.command(help=_("Ngày nào đổi nếu áp dụng tệp này: thêm, bỏ, dời, bao nhiêu đơn vị, đã báo, đã nộp."))
def diff(file: File, /, *, from_: From = None, json: Json = False) -> None:
    text = read(file)
    with office() as here:
        seen = _look(here, text, str(file), from_).seen
    if json:
        write_json(as_json(seen.changes))
    else:
        write(*(problem.text(lang()) for problem in seen.problems), *as_text(seen.changes))


@plans.command(help=_("Áp dụng một tệp kế hoạch: bản này có hiệu lực."))
def apply(
    file: File, /, *, from_: From = None, policy: PolicyName = "tell", reason: Why = None, yes: Yes = False
) -> None:
    text = read(file)
    with office() as here:
        found = _look(here, text, str(file), from_)
        why = _allowed([found], reason, f"dondoc plans apply {file.name}", yes)
        write(*_bring_in(here, [found], policy, why))


@plans.command(
    name="import",
    help=_(
        "Nhập các tệp kế hoạch hoặc cả thư mục, tất cả hoặc không gì cả. Mã đã có với nội dung khác thì hỏi lại, "
        "hoặc cần --yes."
    ),
)
def import_(
    paths: Annotated[list[Path], Parameter(help=_("Tệp hoặc thư mục."))],
    /,
    *,
    policy: PolicyName = "tell",
    reason: Why = None,
    yes: Yes = False,
) -> None:
    from engine.errors import InvalidPlanError

    files = [(path, read(path)) for path in _files(paths)]
    with office() as here:
        found, problems = list[_Found](), list[str]()
        for path, text in files:
            try:
                found.append(_look(here, text, str(path)))
            except InvalidPlanError as error:
                problems += [problem.text(lang()) for problem in error.problems]
        if problems:
            raise CommandFailedError(*problems)
        write(*_bring_in(here, found, policy, _allowed(found, reason, "dondoc plans import", yes)))


@plans.command(help=_("Ghi văn bản của mọi kế hoạch đang có hiệu lực vào một thư mục, mỗi kế hoạch một tệp."))
def export(folder: Annotated[Path, Parameter(help=_("Thư mục."))], /) -> None:
    from engine.plans import active_plans

    with office() as here, here.database.reading() as session:
        texts = {row.code: revision.text for row, revision, _plan in active_plans(session)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for code, text in texts.items():
            (folder / f"{code}.yaml").write_bytes(text.encode())
    except OSError as error:
        raise CommandFailedError(f"{folder}: {error.strerror}") from error
    write(*(f"{folder / code}.yaml" for code in sorted(texts)))


@plans.command(help=_("Các bản của một kế hoạch: ngày áp dụng, ai, ai đồng ý, vì sao."))
def history(code: Annotated[str, Parameter(help=_("Mã kế hoạch."))], /, *, json: Json = False) -> None:
    from dondoc.clock import today
    from engine.history import revisions

    with office() as here, here.database.reading() as session:
        found = revisions(session, code)
        if json:
            write_json([each.model_dump(exclude={"id", "plan_id", "text", "next_open_on"}) for each in found])
            return
        head = [_("Bản"), _("Áp dụng từ"), _("Ngày ghi"), _("Ai"), _("Người thứ hai"), _("Lý do")]
        rows = [
            [
                f"{each.number}{'*' if each.is_active else ''}",
                short_day(each.from_on),
                short_day(today(each.applied_at, here.zone)),
                each.by,
                each.agreed_by or "",
                (_("khôi phục bản {number}: ", number=each.restores) if each.restores else "") + (each.reason or ""),
            ]
            for each in found
        ]
    write(*table([head, *rows]))


@plans.command(help=_("Đưa một bản cũ trở lại, thành một bản mới."))
def restore(
    code: Annotated[str, Parameter(help=_("Mã kế hoạch."))],
    number: Annotated[int, Parameter(help=_("Số của bản."))],
    /,
    *,
    policy: PolicyName = "tell",
    reason: Why = None,
    yes: Yes = False,
) -> None:
    from engine.revise import text_of

    with office() as here:
        with here.database.reading() as session:
            text = text_of(session, code, number)
        found = _look(here, text, f"{code}.yaml")
        why = _allowed([found], reason, f"dondoc plans restore {code} {number}", yes)
        write(*_bring_in(here, [found], policy, why, restores=number))


@dataclass(frozen=True, slots=True)
class _Found:
    """A text with what it would change."""

    text: bytes
    name: str
    from_on: date | None
    seen: "Preview"


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandFailedError(f"{file}: {error.strerror}") from error


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files, and those that lie in the folders; calendars that lie beside plans are left out."""
    from schedules.load import sort_of

    found = []
    for path in paths:
        inside = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES) if path.is_dir() else [path]
        found += [each for each in inside if each == path or sort_of(each) == "plan"]
    return found


def _look(here: Office, text: bytes, name: str, from_on: date | None = None) -> _Found:
    from engine.preview import preview

    with here.database.reading() as session:
        seen = preview(session, text, name, now=here.now, zone=here.zone, from_on=from_on)
    return _Found(text, name, from_on, seen)


def _allowed(found: "Sequence[_Found]", reason: str | None, command: str, yes: bool) -> str:
    """The reason to be kept. A first revision comes into force unasked."""
    known = [each for each in found if each.seen.base is not None and not each.seen.is_same]
    return allowed(
        [line for each in known for line in (f"{each.name} → {each.seen.plan.code}", *as_text(each.seen.changes))],
        [change for each in known for change in each.seen.changes],
        reason=reason,
        command=command,
        yes=yes,
        refusal=_("Mã kế hoạch đã có với nội dung khác. Thêm --yes để thay."),
    )


def _bring_in(here: Office, found: "Sequence[_Found]", policy: str, why: str, restores: int | None = None) -> list[str]:
    """All of them in force or none; where two persons are needed, all of them proposed."""
    with here.database.writing() as session:
        return [_one(session, here, each, policy, why, restores) for each in found]


def _one(session: "Session", here: Office, each: "_Found", policy: str, why: str, restores: int | None) -> str:
    from engine.proposals import propose
    from engine.revise import apply
    from models.proposal import Policy, ProposalKind

    code = each.seen.plan.code
    if each.seen.is_same:
        return _("Kế hoạch {code}: không có gì thay đổi.", code=code)
    given: dict[str, Any] = {
        "diff_hash": each.seen.diff_hash,
        "policy": Policy(policy),
        "by": BY,
        "reason": why,
        "now": here.now,
        "zone": here.zone,
        "from_on": each.from_on,
        "restores": restores,
    }
    if here.settings.second_person and each.seen.base is not None:
        made = propose(session, ProposalKind.PLAN, each.text, each.name, **given)
        return _("Kế hoạch {code}: đã đề xuất (số {id}), chờ người thứ hai đồng ý.", code=code, id=made.id)
    revision = apply(session, each.text, each.name, **given)
    return _("Kế hoạch {code}: bản {number} có hiệu lực, áp dụng từ {day}.",
             code=code, number=revision.number, day=short_day(revision.from_on))  # fmt: skip
