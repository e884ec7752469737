"""What does the bloc's plan on Conclusion 01 say, day by day? Read from its Vietnamese sentences alone.

A slow second opinion, in another style than the product and without its code: each sentence is a question that is put
to every single day from 2021 to 2026. A dated sentence asks "is it still on time on this day?"; the last day with a yes
is the due day. A sentence without a day asks "could a sensible office still choose this day?"; every day with a yes is
a tenable reading, and only the office may choose one of them.

The document has no date of its own. It cites a paper of 23/9/2021 and sets work for the fourth quarter of 2021, so it
is from that autumn: what is yearly by the first quarter begins with 2022, and nothing is due before 24/9/2021. Its last
named act is of the fourth quarter of 2025, so that nothing in it is about 2026.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

DAYS = [date(2021, 1, 1) + timedelta(days=count) for count in range(6 * 365 + 1)]
ISSUED = date(2021, 9, 24)


class Member(NamedTuple):
    """A unit, as far as the document's words for who owes something can tell units apart."""

    code: str
    kind: str
    tags: frozenset[str]


class About(NamedTuple):
    """What the work is about: the labels that name it, and the year and month with which that ends."""

    labels: frozenset[str]
    year: int
    month: int


Who = Callable[[Member], bool]
Question = Callable[[date, About], bool]


def bases(unit: Member) -> bool:
    """Cấp ủy cơ sở, tổ chức cơ sở đảng: the committees and cells right below the bloc."""
    return unit.kind in {"dang-bo-co-so", "chi-bo-co-so"}


def cells(unit: Member) -> bool:
    """Chi bộ: those below the bloc itself, and those of a base committee."""
    return unit.kind in {"chi-bo-co-so", "chi-bo-truc-thuoc"}


def committees(unit: Member) -> bool:
    """Đảng bộ cơ sở."""
    return unit.kind == "dang-bo-co-so"


def bloc(unit: Member) -> bool:
    """Đảng ủy Khối, Ban Thường vụ Đảng ủy Khối."""
    return unit.kind == "dang-uy-khoi"


def levels(unit: Member) -> bool:
    """Cấp ủy các cấp: the bloc, the bases, their cells. The province is above the plan."""
    return bloc(unit) or bases(unit) or cells(unit)


def unions(unit: Member) -> bool:
    """Các đoàn thể khối."""
    return unit.kind == "doan-the"


def organisation_board(unit: Member) -> bool:
    return unit.code == "bxd-tccs"


def youth(unit: Member) -> bool:
    return unit.code == "doan-khoi"


def inspectors(unit: Member) -> bool:
    return unit.kind == "uy-ban-kiem-tra"


def special(unit: Member) -> bool:
    """Đơn vị sự nghiệp có tính đặc thù."""
    return "su-nghiep-dac-thu" in unit.tags


def teaching(unit: Member) -> bool:
    return "giang-day" in unit.tags


def either(*any_of: Who) -> Who:
    return lambda unit: any(who(unit) for who in any_of)


def nobody(unit: Member) -> bool:
    return False


def about(year: int, month: int = 12, *labels: str) -> About:
    return About(frozenset(labels or {str(year)}), year, month)


def once(year: int, *labels: str) -> list[About]:
    """One act, whatever its period is called."""
    return [about(year, 12, *labels)]


YEARS = [about(year) for year in (2022, 2023, 2024, 2025)]
FIRST = [about(2021)]
FIRST_HALVES = [about(year, 6, f"{year}-H1") for year in (2022, 2023, 2024, 2025)]
SECOND_HALVES = [about(year, 12, f"{year}-H2") for year in (2022, 2023, 2024, 2025)]
MONTHS = [about(year, month, f"{year}-{month:02}") for year in (2022, 2023, 2024, 2025) for month in range(1, 13)]
LATE_2021 = [about(2021, month, f"2021-{month:02}") for month in (10, 11, 12)]


def quarter_lasts(day: date, year: int, quarter: int) -> bool:
    """Trong, vào quý …: until the quarter is over."""
    return (day.year, (day.month + 2) // 3) <= (year, quarter)


def month_lasts(day: date, year: int, month: int) -> bool:
    return (day.year, day.month) <= (year, month)


def month_is_to_come(day: date, year: int, month: int) -> bool:
    """Trước tháng …: the month itself is too late."""
    return (day.year, day.month) < (year, month)


def in_year(day: date, of: About) -> bool:
    return day.year == of.year and day >= ISSUED


def midyear(day: date, of: About) -> bool:
    """Six-monthly, no day given: when the first half closes, from June to July."""
    return day.year == of.year and day.month in {6, 7}


def year_end(day: date, of: About) -> bool:
    """With the yearly assessment of members, which offices hold from November to February."""
    return (day.year == of.year and day.month >= 11) or (day.year == of.year + 1 and day.month <= 2)


def summing_up(day: date, of: About) -> bool:
    """Vào dịp tổng kết cuối năm: from mid-November to January."""
    return date(of.year, 11, 15) <= day <= date(of.year + 1, 1, 31)


def with_months_report(day: date, of: About) -> bool:
    """From the middle of the month to the tenth of the next."""
    after = date(of.year + of.month // 12, of.month % 12 + 1, 10)
    return date(of.year, of.month, 15) <= day <= after


def around_month(day: date, of: About) -> bool:
    """Guidance for a month comes in it, or in the last week before it."""
    first = date(of.year, of.month, 1)
    return first - timedelta(days=7) <= day and month_lasts(day, of.year, of.month)


def after_reports(day: date, of: About) -> bool:
    """The bloc sums up when the reports are in: from their own due day to the year's end, 2021 into January."""
    if of.year == 2021:
        return date(2021, 12, 1) <= day <= date(2022, 1, 31)
    return date(of.year, 9, 30) <= day <= date(of.year, 12, 31)


@dataclass(frozen=True)
class Sentence:
    """One sentence of the document. `about` must each stand in the timeline, `perhaps` may."""

    key: str
    clause: str
    words: str
    who: Who
    about: list[About]
    on_time: Question
    is_open: bool = False  #: the document fixes no day: `on_time` then says which days are tenable
    perhaps: tuple[About, ...] = ()
    also: Who = nobody  #: units that the sentence may mean as well, or `who` may leave out (`unless`)
    unless: Who = nobody


@dataclass(frozen=True)
class Reading:
    """A sentence about one period: the days that are right. They are one day when the document fixes it."""

    sentence: Sentence
    about: About
    earliest: date
    latest: date
    is_needed: bool


def readings(sentence: Sentence) -> Iterator[Reading]:
    for of in (*sentence.about, *sentence.perhaps):
        yes = [day for day in DAYS if sentence.on_time(day, of)]
        first = yes[0] if sentence.is_open else yes[-1]
        yield Reading(sentence, of, first, yes[-1], of in sentence.about)


def dated(
    key: str,
    clause: str,
    words: str,
    who: Who,
    about: list[About],
    on_time: Question,
    also: Who = nobody,
    unless: Who = nobody,
) -> Sentence:
    return Sentence(key, clause, words, who, about, on_time, also=also, unless=unless)


def undated(
    key: str,
    clause: str,
    words: str,
    who: Who,
    about: list[About],
    tenable: Question,
    perhaps: list[About] | None = None,
    also: Who = nobody,
    unless: Who = nobody,
) -> Sentence:
    return Sentence(key, clause, words, who, about, tenable, True, tuple(perhaps or ()), also, unless)


def activity(key: str, words: str, years: list[int], tenable: Question = in_year) -> Sentence:
    """III.1 names a year and no day; the bloc is the one that holds conferences for all."""
    return undated(key, "III.1", words, bloc, [about(year) for year in years], tenable, also=organisation_board)


SENTENCES = [
    dated(
        "study", "II.1.1", "Cấp ủy cơ sở … học tập, quán triệt … Hoàn thành trong quý I hằng năm", bases, YEARS,
        lambda day, of: quarter_lasts(day, of.year, 1),
    ),
    undated(
        "term-topic", "II.1.1", "Riêng về chuyên đề toàn khóa, thực hiện theo Kế hoạch số 20-KH/ĐUK", bases, [],
        in_year, perhaps=once(2021, "2021", "2021..2025"),
    ),
    dated(
        "action-plan", "II.1.2", "Cấp ủy các cấp cụ thể hóa kế hoạch … hoàn thành vào tháng 12 của năm trước đó",
        levels, YEARS, lambda day, of: month_lasts(day, of.year - 1, 12), unless=bloc,
    ),
    undated(
        "term-plan", "II.1.2", "kế hoạch … toàn khóa; III.1: kế hoạch tổ chức thực hiện toàn khóa và năm 2021", levels,
        [], lambda day, of: ISSUED <= day <= date(2021, 12, 31), perhaps=once(2021, "2021", "2021..2025"), unless=bloc,
    ),
    dated(
        "commitments", "II.1.2", "Đối với cá nhân … viết cam kết … trong quý I hằng năm (tính từ năm 2022)", cells,
        YEARS, lambda day, of: quarter_lasts(day, of.year, 1), also=committees,
    ),
    undated(
        "assessment-half", "II.2.3", "Thời gian đánh giá: định kỳ: 6 tháng … thông qua sinh hoạt chi bộ", cells,
        FIRST_HALVES, midyear,
    ),
    undated(
        "assessment-year", "II.2.3", "định kỳ: … năm … kết hợp với hội nghị đánh giá phân loại đảng viên hằng năm",
        cells, YEARS, year_end, perhaps=FIRST,
    ),
    dated(
        "standards-first", "II.3.3", "Cấp ủy cơ sở … hoàn thiện việc rà soát, bổ sung … trong quý I năm 2022", bases,
        once(2022, "2022", "2022-Q1"), lambda day, of: quarter_lasts(day, 2022, 1),
    ),
    dated(
        "example-rules", "II.4.3", "Các cấp ủy cơ sở đảng tiếp tục cụ thể hóa … ngay trong quý IV năm 2021", bases,
        once(2021, "2021", "2021-Q4"), lambda day, of: quarter_lasts(day, 2021, 4),
    ),
    undated(
        "example-register", "II.4.3", "xác định cụ thể nội dung đăng ký nêu gương … từ đầu năm", cells, [],
        lambda day, of: day.year == of.year and day.month <= 3, perhaps=YEARS, also=committees,
    ),
    undated(
        "example-results", "II.4.3", "báo cáo kết quả … với cấp ủy hoặc chi bộ … vào dịp tổng kết cuối năm", cells,
        YEARS, summing_up, perhaps=FIRST, also=committees,
    ),
    undated(
        "models-committee", "II.5.1", "Phấn đấu mỗi đảng bộ cơ sở mỗi năm ít nhất có 01 tập thể, 02 cá nhân điển hình",
        committees, YEARS, lambda day, of: date(of.year, 9, 30) <= day <= date(of.year, 12, 31), perhaps=FIRST,
    ),
    undated(
        "models-cell", "II.5.1", "mỗi chi bộ cơ sở, chi bộ trực thuộc … ít nhất 01 cá nhân điển hình", cells, YEARS,
        lambda day, of: date(of.year, 9, 30) <= day <= date(of.year, 12, 31), perhaps=FIRST,
    ),
    undated(
        "guidance", "II.5.3", "Ban Thường vụ Đảng ủy Khối … định hướng nội dung tuyên truyền hằng tháng", bloc, MONTHS,
        around_month, perhaps=LATE_2021,
    ),
    undated(
        "anniversaries", "II.5.3", "sinh hoạt chính trị nhân dịp các ngày kỷ niệm … hằng năm", bloc, [], in_year,
        perhaps=YEARS,
    ),
    dated(
        "publicity-plan", "II.5.3", "Cấp ủy cơ sở hoàn thành xây dựng kế hoạch tuyên truyền vào quý I hằng năm", bases,
        YEARS, lambda day, of: quarter_lasts(day, of.year, 1),
    ),
    dated(
        "models-plan", "II.5.3", "Cấp ủy các cấp xây dựng kế hoạch phát hiện, bồi dưỡng … vào quý I hằng năm", levels,
        YEARS, lambda day, of: quarter_lasts(day, of.year, 1),
    ),
    undated(
        "praise", "II.5.3", "biểu dương, khen thưởng nhân dịp sơ kết, tổng kết … theo hướng dẫn của cấp trên", levels,
        [], in_year, perhaps=[about(2023), about(2025)], unless=levels,
    ),
    undated(
        "theory-advice", "II.6.3", "Ban Xây dựng TCCSĐ … Định kỳ tham mưu báo cáo sơ, tổng kết theo quy định",
        organisation_board, YEARS, lambda day, of: date(of.year, 1, 1) <= day <= date(of.year + 1, 1, 31),
        perhaps=FIRST,
    ),
    undated(
        "teaching", "II.6.3", "tổ chức cơ sở đảng thực hiện nhiệm vụ giảng dạy: Thường xuyên …", teaching, [], in_year,
        perhaps=YEARS,
    ),
    undated(
        "youth-plan", "II.6.3", "Ban Thường vụ Đoàn Khối căn cứ kế hoạch của Tỉnh đoàn, hằng năm xây dựng kế hoạch",
        youth, YEARS, lambda day, of: day >= ISSUED and date(of.year - 1, 12, 1) <= day <= date(of.year, 12, 31),
        perhaps=FIRST,
    ),
    dated(
        "inspection-programme", "II.7.3", "bổ sung … vào chương trình kiểm tra giám sát toàn khóa … quý IV năm 2021",
        # II.7.1 names the committees and inspection boards that have a programme; "các cấp" may add the cells.
        either(bloc, inspectors, committees), once(2021, "2021", "2021-Q4"),
        lambda day, of: quarter_lasts(day, 2021, 4), also=cells,
    ),
    dated(
        "inspection-plan", "II.7.3", "kế hoạch kiểm tra giám sát hằng năm trước tháng 12 của năm trước",
        either(levels, inspectors), YEARS, lambda day, of: month_is_to_come(day, of.year - 1, 12),
    ),
    undated(
        "opinions", "II.7.3", "lấy ý kiến góp ý … theo định kỳ hằng năm gắn với kiểm điểm phân tích chất lượng", bases,
        YEARS, year_end, perhaps=FIRST, also=cells, unless=special,
    ),
    undated(
        "opinions-first-half", "II.7.3", "những đơn vị sự nghiệp có tính đặc thù có thể định kỳ 6 tháng", special,
        FIRST_HALVES, midyear,
    ),
    undated(
        "opinions-second-half", "II.7.3", "những đơn vị sự nghiệp có tính đặc thù có thể định kỳ 6 tháng", special,
        SECOND_HALVES, year_end, perhaps=[about(2021, 12, "2021-H2")],
    ),
    dated(
        "report", "II.8.3", "báo cáo … vào quý III hằng năm (riêng năm 2021 báo cáo vào tháng 12/2021)",
        either(bases, unions), FIRST + YEARS,
        lambda day, of: month_lasts(day, 2021, 12) if of.year == 2021 else quarter_lasts(day, of.year, 3),
    ),
    dated(
        "review", "II.8.3", "tổ chức sơ kết 03 năm thực hiện Kết luận số 01-KL/TW vào quý II năm 2023",
        either(bases, unions), once(2023, "2021..2023", "2023-Q2"), lambda day, of: quarter_lasts(day, 2023, 2),
    ),
    dated(
        "summary", "II.8.3", "tổng kết 10 năm … và 5 năm thực hiện Kết luận số 01-KL/TW vào quý IV năm 2025",
        either(bases, unions), once(2025, "2021..2025", "2016..2025", "2025-Q4"),
        lambda day, of: quarter_lasts(day, 2025, 4),
    ),
    undated(
        "bloc-report", "II.8.3", "tham mưu …, tổng hợp báo cáo định kỳ hằng năm", either(bloc, organisation_board),
        FIRST + YEARS, after_reports, unless=either(bloc, organisation_board),
    ),
    activity("spreading", "Tập trung việc phổ biến, quán triệt Chỉ thị số 05-CT/TW … chuyên đề toàn khóa", [2021]),
    activity("papers", "Xây dựng văn bản chỉ đạo, kế hoạch tổ chức thực hiện toàn khóa và năm 2021", [2021]),
    activity(
        "conference", "Tổ chức Hội nghị nghiên cứu, quán triệt Chuyên đề học tập … năm 2022 (2023, 2024, 2025)",
        [2022, 2023, 2024, 2025],
    ),
    activity("standards", "Giới thiệu chuẩn mực đạo đức của các tổ chức cơ sở đảng", [2022]),
    activity("talk", "Tổ chức tọa đàm về “Nêu cao đạo đức cách mạng, quét sạch chủ nghĩa cá nhân …”", [2022]),
    activity(
        "emulation", "phát động đợt thi đua cao điểm chào mừng Kỷ niệm 75 năm … (11/6/1948-11/6/2023)", [2023],
        # Launched to greet a day, it comes no later than that day.
        lambda day, of: date(2023, 1, 1) <= day <= date(2023, 6, 11),
    ),
    activity("photographs", "Phát động cuộc thi sưu tầm ảnh … và tổ chức triển lãm ảnh", [2023]),
    activity(
        "review-conference", "Tổ chức Hội nghị sơ kết 03 năm thực hiện Kết luận số 01-KL/TW", [2023],
        lambda day, of: date(2023, 4, 1) <= day <= date(2023, 12, 31),
    ),
    activity("writing", "Tổ chức cuộc thi viết “tìm hiểu về Di chúc của Chủ tịch Hồ Chí Minh”", [2024]),
    activity("anniversary", "Tổ chức hoạt động Kỷ niệm 95 năm Ngày thành lập Đảng Cộng sản Việt Nam", [2025]),
    activity(
        "summary-conference", "Tổ chức Hội nghị tổng kết 10 năm thực hiện Chỉ thị số 05-CT/TW", [2025],
        lambda day, of: date(2025, 10, 1) <= day <= date(2025, 12, 31),
    ),
    undated(
        "board-report", "III.2", "[Ban Xây dựng TCCSĐ] định kỳ báo cáo Ban Thường vụ, Thường trực Đảng ủy Khối",
        organisation_board, [], in_year, perhaps=YEARS + FIRST_HALVES + SECOND_HALVES,
    ),
    undated(
        "monthly", "III.2", "định kỳ hằng tháng đánh giá … thành một nội dung báo cáo hoạt động của tháng", bases,
        MONTHS, with_months_report, perhaps=LATE_2021,
    ),
    undated(
        "unions-half", "III.2", "Đoàn Khối, Công đoàn Viên chức … định kỳ 6 tháng … báo cáo kết quả", unions,
        FIRST_HALVES, midyear,
    ),
    undated(
        # The yearly report of the unions is the one that II.8.3 dates; a second one at the year's end is tenable.
        "unions-year", "III.2", "Đoàn Khối, Công đoàn Viên chức … hàng năm báo cáo kết quả", unions, [],
        lambda day, of: date(of.year, 9, 30) <= day <= date(of.year + 1, 1, 31), perhaps=FIRST + YEARS,
    ),
    undated(
        "unions-plan", "III.2", "xây dựng kế hoạch thực hiện trong hệ thống tổ chức", unions, [],
        lambda day, of: ISSUED <= day <= date(2021, 12, 31), perhaps=once(2021, "2021", "2021..2025"),
    ),
]  # fmt: skip

#: II.3.3, "hằng năm tiến hành rà soát … cùng với thời gian ban hành nghị quyết lãnh đạo nhiệm vụ chính trị": the day of
#: the resolution, whichever it is; 2022 is the first time, which has a day of its own.
WITH_RESOLUTION = YEARS[1:]
