"""Are the seven kinds of files taken, and nothing that only pretends to be one?"""

import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import RefusedError
from tests.desk import PDF, archive
from web.uploads import MEDIA_TYPES, check, clean_name

DOCX = {
    "[Content_Types].xml": b'<Types><Override ContentType="application/vnd.openxmlformats-officedocument.'
    b'wordprocessingml.document.main+xml" PartName="/word/document.xml"/></Types>',
    "word/document.xml": b"<w:document/>",
}
XLSX = {
    "[Content_Types].xml": b'<Types><Override ContentType="application/vnd.openxmlformats-officedocument.'
    b'spreadsheetml.sheet.main+xml" PartName="/xl/workbook.xml"/></Types>',
    "xl/workbook.xml": b"<workbook/>",
}
ODT = {"mimetype": MEDIA_TYPES["odt"].encode(), "content.xml": b"<office:document-content/>"}
ODS = {"mimetype": MEDIA_TYPES["ods"].encode(), "content.xml": b"<office:document-content/>"}
GOOD = {
    "pdf": PDF,
    "docx": archive(DOCX),
    "xlsx": archive(XLSX),
    "odt": archive(ODT, zipfile.ZIP_STORED),
    "ods": archive(ODS, zipfile.ZIP_STORED),
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xd9",
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\0" * 20,
}
LIMIT = 20 * 1024 * 1024


def taken(name: str, content: bytes, types: tuple[str, ...] = tuple(MEDIA_TYPES), limit: int = LIMIT) -> str:
    return check(name, io.BytesIO(content), types=types, limit=limit)


def refused(name: str, content: bytes, types: tuple[str, ...] = tuple(MEDIA_TYPES), limit: int = LIMIT) -> str:
    with pytest.raises(RefusedError) as error:
        taken(name, content, types, limit)
    return error.value.reason.code


@pytest.mark.parametrize("kind", GOOD)
def test_a_sound_file_is_taken_with_its_media_type_whatever_the_case_of_its_name(kind: str) -> None:
    assert taken(f"Báo cáo.{kind.upper()}", GOOD[kind]) == MEDIA_TYPES[kind]


def test_jpeg_is_jpg() -> None:
    assert taken("a.jpeg", GOOD["jpg"]) == "image/jpeg"


def test_the_content_is_left_at_its_start() -> None:
    content = io.BytesIO(GOOD["docx"])
    check("a.docx", content, types=("docx",), limit=LIMIT)
    assert content.tell() == 0


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("other", GOOD)
def test_no_kind_passes_for_another(kind: str, other: str) -> None:
    if kind != other:
        assert refused(f"a.{kind}", GOOD[other]) == "file.content"


@pytest.mark.parametrize("name", ["a.exe", "a", "a.pdf.exe", ".pdf", "a.docm", "a.svg", "a.html", "pdf"])
def test_other_endings_are_refused(name: str) -> None:
    assert refused(name, PDF) == "file.type"


def test_only_what_the_obligation_takes_is_taken() -> None:
    assert refused("a.pdf", PDF, types=("docx",)) == "file.type"
    assert refused("a.exe", PDF, types=("exe",)) == "file.type"


def test_empty_and_too_large_files_are_refused() -> None:
    assert refused("a.pdf", b"") == "file.empty"
    assert refused("a.pdf", PDF, limit=len(PDF) - 1) == "file.too-large"
    assert taken("a.pdf", PDF, limit=len(PDF)) == "application/pdf"


def encrypted() -> bytes:
    raw = bytearray(archive(DOCX))
    for header, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.find(header)
        while place >= 0:
            raw[place + at] |= 1
            place = raw.find(header, place + 1)
    return bytes(raw)


def linked() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        for name, content in DOCX.items():
            package.writestr(name, content)
        link = zipfile.ZipInfo("word/link")
        link.external_attr = 0o120777 << 16
        package.writestr(link, "/etc/passwd")
    return made.getvalue()


def doubled() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        for name, content in DOCX.items():
            package.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate name"):
            package.writestr("word/document.xml", b"another")
    return made.getvalue()


@pytest.mark.parametrize(
    "made",
    [
        lambda: archive(DOCX | {"word/bomb.bin": b"\0" * 50_000_000}),
        lambda: archive(DOCX | {f"word/{number}.xml": b"" for number in range(2_001)}),
        lambda: archive(DOCX | {"../evil.xml": b""}),
        lambda: archive(DOCX | {"/evil.xml": b""}),
        lambda: archive(DOCX | {"word/..\\evil.xml": b""}),
        lambda: archive(DOCX | {"c:evil.xml": b""}),
        lambda: archive(DOCX | {"word/vbaProject.bin": b"macro"}),
        lambda: archive(DOCX | {"[Content_Types].xml": DOCX["[Content_Types].xml"] + b"macroEnabled"}),
        lambda: archive({"word/document.xml": b""}),
        lambda: archive({"[Content_Types].xml": DOCX["[Content_Types].xml"]}),
        lambda: archive(DOCX)[:-30],
        lambda: b"MZ" + archive(DOCX),
        lambda: b"PK\x03\x04" + b"\0" * 100,
        encrypted,
        linked,
        doubled,
    ],
)
def test_hostile_packages_are_refused(made: Callable[[], bytes]) -> None:
    assert refused("a.docx", made()) == "file.content"


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"%%EOF", b" %PDF-1.7 %%EOF", b"<html>%PDF-1.7 %%EOF"])
def test_half_a_pdf_is_refused(content: bytes) -> None:
    assert refused("a.pdf", content) == "file.content"


@given(st.sampled_from(sorted(GOOD)), st.integers(0, 10_000), st.binary(max_size=40))
def test_damaged_files_are_judged_without_a_failure(kind: str, place: int, noise: bytes) -> None:
    good = GOOD[kind]
    at = place % len(good)
    try:
        assert taken(f"a.{kind}", good[:at] + noise + good[at + len(noise) :]) == MEDIA_TYPES[kind]
    except RefusedError as error:
        assert error.reason.code == "file.content"  # noqa: PT017  # either is right, a failure is not


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
