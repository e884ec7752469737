"""Are the seven kinds of files taken, and nothing that only pretends to be one?"""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dondoc import i18n
from engine.errors import RefusedError
from tests.desk import PDF, archive
from tests.good_files import DOCX, GOOD, jpeg, streamed
from tests.hostile_files import LIMIT, MEGABYTE, hostile
from web.uploads import MEDIA_TYPES, check, clean_name

ROOT = Path(__file__).parent.parent
CORPUS = list(hostile())


def taken(name: str, content: bytes, types: tuple[str, ...] = tuple(MEDIA_TYPES), limit: int = LIMIT) -> str:
    return check(name, io.BytesIO(content), types=types, limit=limit)


def refused(name: str, content: bytes, types: tuple[str, ...] = tuple(MEDIA_TYPES), limit: int = LIMIT) -> RefusedError:
    with pytest.raises(RefusedError) as error:
        taken(name, content, types, limit)
    return error.value


@pytest.mark.parametrize("kind", GOOD)
def test_a_sound_file_is_taken_with_its_media_type_whatever_the_case_of_its_name(kind: str) -> None:
    assert taken(f"Báo cáo.{kind.upper()}", GOOD[kind]) == MEDIA_TYPES[kind]


def test_jpeg_is_jpg() -> None:
    assert taken("a.jpeg", GOOD["jpg"]) == "image/jpeg"


def test_a_package_written_in_one_go_is_taken() -> None:
    assert taken("a.docx", streamed(DOCX)) == MEDIA_TYPES["docx"]


def test_a_name_with_dots_is_no_name_with_two_endings() -> None:
    assert taken("v1.2 (bản 3).2021.pdf", PDF) == "application/pdf"


def test_a_telephones_picture_with_a_film_behind_it_is_taken() -> None:
    assert (
        taken("a.jpg", jpeg(4000, 3000, after=b"\0\0\0\x18ftypmp42" + b"\xff\xd8\xff\xd9" + b"\0" * 90_000))
        == "image/jpeg"
    )


def test_the_content_is_left_at_its_start() -> None:
    content = io.BytesIO(GOOD["docx"])
    check("a.docx", content, types=("docx",), limit=LIMIT)
    assert content.tell() == 0


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("other", GOOD)
def test_no_kind_passes_for_another(kind: str, other: str) -> None:
    if kind != other:
        assert refused(f"a.{kind}", GOOD[other]).reason.code == "file.content"


def test_only_what_the_obligation_takes_is_taken() -> None:
    assert refused("a.pdf", PDF, types=("docx",)).reason.code == "file.type"
    assert refused("a.exe", PDF, types=("exe",)).reason.code == "file.type"


def test_a_file_is_taken_up_to_its_limit() -> None:
    assert refused("a.pdf", PDF, limit=len(PDF) - 1).reason.code == "file.too-large"
    assert taken("a.pdf", PDF, limit=len(PDF)) == "application/pdf"


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len({each.about for each in CORPUS}) == len(CORPUS) >= 60


@pytest.mark.parametrize("each", CORPUS, ids=lambda each: each.about)
def test_a_hostile_file_is_refused_for_its_reason_in_both_languages(each: object) -> None:
    error = refused(each.name, each.make())  # type: ignore[attr-defined]
    assert error.reason.code == each.code  # type: ignore[attr-defined]
    for lang in i18n.LANGUAGES:
        words = error.text(lang)
        assert words != error.reason.code
        assert "{" not in words
        assert all(letter.isprintable() for letter in words)


def test_the_whole_corpus_is_judged_within_64_megabytes(tmp_path: Path) -> None:
    for number, each in enumerate(CORPUS):
        (tmp_path / str(number)).write_bytes(each.make())
    (tmp_path / "names.json").write_text(json.dumps([each.name for each in CORPUS]), encoding="utf-8")
    command = [sys.executable, "-m", "tests.hostile_files", str(tmp_path)]
    told = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    found = json.loads(told.stdout)
    assert found["codes"] == [each.code for each in CORPUS]
    assert found["growth"] < 64 * MEGABYTE


@given(st.sampled_from(sorted(GOOD)), st.integers(0, 10_000), st.binary(max_size=40))
def test_damaged_files_are_judged_without_a_failure(kind: str, place: int, noise: bytes) -> None:
    good = GOOD[kind]
    at = place % len(good)
    judge(kind, good[:at] + noise + good[at + len(noise) :])


@given(st.sampled_from(sorted(GOOD)), st.lists(st.integers(0, 10_000), min_size=1, max_size=6), st.integers(0, 60))
def test_cut_and_shuffled_files_are_judged_without_a_failure(kind: str, places: list[int], length: int) -> None:
    content = GOOD[kind]
    for place in places:
        at = place % len(content)
        content = content[at:] + content[: max(at - length, 0)] or content
    judge(kind, content)


@given(st.sampled_from(sorted(DOCX)), st.binary(max_size=200))
def test_any_part_may_hold_anything_without_a_failure(name: str, content: bytes) -> None:
    judge("docx", archive(DOCX | {name: content}))


def judge(kind: str, content: bytes) -> None:
    """Either is right, a failure is not."""
    try:
        assert taken(f"a.{kind}", content) == MEDIA_TYPES[kind]
    except RefusedError as error:
        assert error.reason.code.startswith("file.")  # noqa: PT017


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("báo cáo.pdf", "báo cáo.pdf"),
        ("ba\u0301o ca\u0301o.pdf", "báo cáo.pdf"),
        ("C:\\Users\\an\\bao-cao.pdf", "bao-cao.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("bao\r\ncao\x00.pdf", "baocao.pdf"),
        ("bao-cao\u202efdp.exe", "bao-caofdp.exe"),
        (" . bao-cao.pdf . ", "bao-cao.pdf"),
        ("a" * 300 + ".pdf", "a" * 110 + ".pdf"),
    ],
)
def test_names_are_cleaned_for_showing(name: str, clean: str) -> None:
    assert clean_name(name) == clean
