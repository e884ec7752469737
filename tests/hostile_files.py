"""What would somebody send who means harm? Files that must not be taken, each with the code of the reason.

`python -m tests.hostile_files FOLDER` judges the files of a folder and prints how much memory that took.
"""

import io
import json
import random
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import RefusedError
from tests.desk import archive
from tests.good_files import (
    CONTENT_TYPES,
    DOCX,
    GOOD,
    ODT,
    RELATIONS,
    WORD,
    jpeg,
    packed,
    pdf,
    png,
    relations,
    workbook,
)
from web import uploads

MEGABYTE = 1024 * 1024
LIMIT = 20 * MEGABYTE
#: The string that virus scanners are tried with, in two halves, so that this file itself does not set them off.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANT" + rb"IVIRUS-TEST-FILE!$H+H*"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
ACTION = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"


@dataclass(frozen=True)
class Hostile:
    """A file and why it is refused."""

    about: str
    name: str
    make: Callable[[], bytes]
    code: str


def docx(**parts: bytes) -> bytes:
    """A good report with parts added or changed; / stands as __ and . as _dot_ in their names."""
    return archive(DOCX | {name.replace("__", "/").replace("_dot_", "."): each for name, each in parts.items()})


def with_part(name: str, content: bytes, base: dict[str, bytes] = DOCX) -> Callable[[], bytes]:
    return lambda: archive(base | {name: content})


def external(kind: str, target: str) -> Callable[[], bytes]:
    return with_part("word/_rels/document.xml.rels", relations((kind, target, "External")))


def patched(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def encrypted() -> bytes:
    raw = bytearray(GOOD["docx"])
    for header, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.find(header)
        while place >= 0:
            raw[place + at] |= 1
            place = raw.find(header, place + 1)
    return bytes(raw)


def linked() -> bytes:
    made = io.BytesIO(GOOD["docx"])
    with zipfile.ZipFile(made, "a") as package:
        link = zipfile.ZipInfo("word/link.xml")
        link.external_attr = 0o120777 << 16
        package.writestr(link, "/etc/passwd")
    return made.getvalue()


def doubled(second: str = "word/document.xml") -> bytes:
    made = io.BytesIO(GOOD["docx"])
    with zipfile.ZipFile(made, "a") as package:
        info = zipfile.ZipInfo(second)
        package.NameToInfo.pop(second, None)
        package.writestr(info, "<another/>")
    return made.getvalue()


def squeezed() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_LZMA) as package:
        for name, content in DOCX.items():
            package.writestr(name, content)
    return made.getvalue()


def overlapping(count: int = 250) -> bytes:
    """Many entries that share one packed megabyte: David Fifield's bomb in its plain form."""
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    full = b" " * (MEGABYTE - 10) + b"<a></a>   "
    stream = kernel.compress(full) + kernel.flush()
    local = b"PK\x03\x04" + struct.pack("<5H3L2H", 20, 0, 8, 0, 33, zlib.crc32(full), len(stream), len(full), 5, 0)
    local += b"a.xml" + stream
    lists = b""
    for number in range(count):
        name = f"{number:04}.xml".encode()
        head = (20, 20, 0, 8, 0, 33, zlib.crc32(full), len(stream), len(full), len(name), 0, 0, 0, 0, 0, 0)
        lists += b"PK\x01\x02" + struct.pack("<6H3L5H2L", *head) + name
    return local + lists + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, count, count, len(lists), len(local), 0)


def list_of_a_million() -> bytes:
    """400,000 entries in the list, and the end says ten."""
    head = (20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    lists = (b"PK\x01\x02" + struct.pack("<6H3L5H2L", *head) + b"a") * 400_000
    local = b"PK\x03\x04" + struct.pack("<5H3L2H", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0) + b"a"
    return local + lists + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 10, 10, len(lists), len(local), 0)


def lying_size() -> bytes:
    """The list says a small size for a part that swells to 50 MB."""
    content = archive(DOCX | {"word/styles.xml": b"<a>" + b" " * (50 * MEGABYTE) + b"</a>"})
    size = struct.pack("<L", 50 * MEGABYTE + 7)
    return content.replace(size, struct.pack("<L", 1000))


def other_list() -> bytes:
    """The list names a part otherwise than the part does."""
    content = GOOD["docx"]
    place = content.rfind(b"word/document.xml")
    return patched(content, place, b"word/dokument.xml")


def nested(depth: int) -> bytes:
    inner = workbook()
    for level in range(depth):
        inner = archive(DOCX | {f"word/embeddings/inner{level}.docx": inner})
    return inner


def bomb_in_bomb() -> bytes:
    book = archive({"a.xml": b"<a>" + b" " * (90 * MEGABYTE)})
    return archive(DOCX | {f"word/embeddings/book{number}.xlsx": book for number in range(3)}, zipfile.ZIP_STORED)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def hex_name(name: str) -> bytes:
    return b"/" + b"".join(b"#%02X" % ord(letter) for letter in name)


def pdf_bomb() -> bytes:
    return pdf(packed(b" " * (80 * MEGABYTE)))


def object_streams(count: int) -> bytes:
    """Each of them read again from the same end: slow for who is not careful."""
    return pdf(b"/ObjStm stream " * count + b"endstream")


def macro_types(kind: str) -> bytes:
    macro = f"application/vnd.ms-{kind}.document.macroEnabled.main+xml".encode()
    return CONTENT_TYPES.replace(WORD.encode(), macro)


def odt(**changes: bytes) -> dict[str, bytes]:
    return ODT | {name.replace("__", "/"): each for name, each in changes.items()}


def in_odt(name: str, content: bytes) -> Callable[[], bytes]:
    return lambda: archive(ODT | {name: content})


def hostile() -> Iterator[Hostile]:
    yield from names()
    yield from lies()
    yield from bombs()
    yield from packages()
    yield from contents()
    yield from open_documents()
    yield from pdfs()
    yield from pictures()


def good(kind: str) -> Callable[[], bytes]:
    return lambda: GOOD[kind]


def names() -> Iterator[Hostile]:
    for about, name, code in (
        ("read from right to left", "bao-cao\u202efdp.exe", "file.name_hidden"),
        ("read from right to left, a right ending", "bao-cao\u202excod.pdf", "file.name_hidden"),
        ("an isolate that turns it", "bao\u2067-cao.pdf", "file.name_hidden"),
        ("a line break", "bao-cao.pdf\r\nContent-Type: text/html\r\n\r\n.pdf", "file.name_hidden"),
        ("a zero", "bao-cao.php\0.pdf", "file.name_hidden"),
        ("two endings, the last a program", "bao-cao.pdf.exe", "file.type"),
        ("two endings, a program first", "bao-cao.exe.pdf", "file.name_double"),
        ("two endings, a macro document first", "bao-cao.DOCM.pdf", "file.name_double"),
        ("a script after spaces", "bao-cao.pdf          .js", "file.type"),
        ("no ending", "bao-cao", "file.type"),
        ("only an ending", ".pdf", "file.type"),
        ("a stream of NTFS", "bao-cao.pdf::$DATA", "file.type"),
        ("a page", "bao-cao.html", "file.type"),
        ("a vector picture", "bao-cao.svg", "file.type"),
        ("a macro document", "bao-cao.docm", "file.type"),
        ("the old Office", "bao-cao.doc", "file.type"),
        ("a folder's name", "../../bao-cao/", "file.type"),
    ):
        yield Hostile(f"name: {about}", name, good("pdf"), code)


def lies() -> Iterator[Hostile]:
    for name, about, content in (
        ("a.pdf", "a page as PDF", HTML),
        ("a.pdf", "a program as PDF", b"MZ\x90\0" + b"\0" * 2000 + b"%%EOF"),
        ("a.pdf", "a page before the PDF", HTML + GOOD["pdf"]),
        ("a.pdf", "an archive behind the PDF", GOOD["pdf"] + GOOD["docx"]),
        ("a.pdf", "a page behind the PDF", GOOD["pdf"] + HTML),
        ("a.pdf", "half a PDF", GOOD["pdf"][:-20]),
        ("a.docx", "an XLSX as DOCX", GOOD["xlsx"]),
        ("a.docx", "an ODT as DOCX", GOOD["odt"]),
        ("a.docx", "a plain archive as DOCX", archive({"a.xml": b"<a/>"})),
        ("a.docx", "an archive with a document's list alone", archive({"[Content_Types].xml": CONTENT_TYPES})),
        ("a.docx", "half a DOCX", GOOD["docx"][:-30]),
        ("a.docx", "a program before the DOCX", b"MZ\x90\0" + GOOD["docx"]),
        ("a.docx", "the old Office as DOCX", OLE),
        ("a.xlsx", "a CSV as XLSX", b"a;b;c\n" * 100),
        ("a.ods", "an ODT as ODS", GOOD["odt"]),
        ("a.png", "a page as PNG", HTML),
        ("a.png", "a vector picture as PNG", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
        ("a.png", "a JPEG as PNG", GOOD["jpg"]),
        ("a.jpg", "a PNG as JPEG", GOOD["png"]),
        ("a.jpg", "a GIF as JPEG", b"GIF89a" + b"\0" * 100),
        ("a.jpg", "a page with a JPEG's first bytes", b"\xff\xd8\xff" + HTML + b"\xff\xd9"),
    ):
        yield Hostile(f"lie: {about}", name, lambda content=content: content, "file.content")  # type: ignore[misc]
    yield Hostile("lie: nothing", "a.pdf", bytes, "file.empty")
    yield Hostile("lie: too large", "a.pdf", lambda: GOOD["pdf"] + b"\n" * LIMIT, "file.too-large")
    yield Hostile("virus: as PDF", "a.pdf", lambda: EICAR, "file.virus")
    yield Hostile("virus: in a PDF's remark", "a.pdf", lambda: pdf(b"%" + EICAR), "file.virus")
    yield Hostile("virus: in a part", "a.docx", with_part("word/footer1.xml", b"<a>" + EICAR + b"</a>"), "file.virus")


def bombs() -> Iterator[Hostile]:
    spaces = b"<a>" + b" " * (50 * MEGABYTE)
    swelling = {f"word/p{number}.xml": b"<a>" + b" " * (MEGABYTE - 3) for number in range(220)}
    noise = random.Random(1).randbytes(4 * MEGABYTE)
    yield Hostile("bomb: one part", "a.docx", with_part("word/a.xml", spaces), "file.bomb")
    yield Hostile("bomb: 220 parts", "a.docx", lambda: archive(DOCX | swelling), "file.bomb")
    yield Hostile(
        "bomb: 2,001 parts",
        "a.docx",
        lambda: archive(DOCX | {f"word/{number}.xml": b"" for number in range(2_001)}),
        "file.bomb",
    )
    yield Hostile("bomb: overlapping parts", "a.docx", overlapping, "file.content")
    yield Hostile("bomb: a list of 400,000", "a.docx", list_of_a_million, "file.content")
    yield Hostile("bomb: a size that lies", "a.docx", lying_size, "file.content")
    yield Hostile("bomb: in the tables within", "a.docx", bomb_in_bomb, "file.bomb")
    yield Hostile("bomb: a PDF's packed objects", "a.pdf", pdf_bomb, "file.bomb")
    yield Hostile("bomb: 30,000 packed objects with one end", "a.pdf", lambda: object_streams(30_000), "file.bomb")
    yield Hostile("bomb: entities", "a.docx", with_part("word/styles.xml", ENTITIES), "file.entity")
    yield Hostile(
        "bomb: an archive in an archive",
        "a.docx",
        with_part("word/media/image9.png", archive({"a": noise})),
        "file.embedded",
    )


def packages() -> Iterator[Hostile]:
    for name in (
        "../evil.xml",
        "/evil.xml",
        "word/..\\evil.xml",
        "c:evil.xml",
        "word/../../evil.xml",
        "\\\\host\\a.xml",
    ):
        yield Hostile(f"path: {name}", "a.docx", with_part(name, b"<a/>"), "file.path")
    yield Hostile("path: a link to the system", "a.docx", linked, "file.path")
    yield Hostile("zip: locked with a password", "a.docx", encrypted, "file.encrypted")
    yield Hostile("zip: a part twice", "a.docx", doubled, "file.content")
    yield Hostile("zip: a part twice but for its case", "a.docx", lambda: doubled("Word/Document.xml"), "file.content")
    yield Hostile("zip: packed in another way", "a.docx", squeezed, "file.content")
    yield Hostile("zip: another name in the list", "a.docx", other_list, "file.content")
    yield Hostile("zip: a page behind the list", "a.docx", lambda: GOOD["docx"] + HTML, "file.content")
    yield Hostile(
        "zip: a page as its remark",
        "a.docx",
        lambda: GOOD["docx"][:-2] + struct.pack("<H", len(HTML)) + HTML,
        "file.content",
    )
    yield Hostile(
        "zip: a list that starts elsewhere",
        "a.docx",
        lambda: patched(GOOD["docx"], len(GOOD["docx"]) - 6, b"\1\0\0\0"),
        "file.content",
    )
    yield Hostile(
        "zip: a wrong sum",
        "a.docx",
        lambda: archive(DOCX, zipfile.ZIP_STORED).replace(b"2021", b"2022"),
        "file.content",
    )
    yield Hostile("zip: documents three deep", "a.docx", lambda: nested(3), "file.embedded")
    yield Hostile("zip: end without a beginning", "a.docx", lambda: b"PK\x05\x06" + b"\0" * 18, "file.content")


def contents() -> Iterator[Hostile]:
    part = with_part
    yield Hostile("macro: the project", "a.docx", part("word/vbaProject.bin", OLE), "file.macro")
    yield Hostile("macro: under another name", "a.docx", part("word/media/image2.png", OLE), "file.embedded")
    yield Hostile("macro: renamed from DOCM", "a.docx", part("[Content_Types].xml", macro_types("word")), "file.macro")
    yield Hostile("macro: of Excel 4", "a.docx", part("xl/macrosheets/sheet1.xml", b"<a/>"), "file.macro")
    yield Hostile("macro: ActiveX", "a.docx", part("word/activeX/activeX1.xml", b"<a/>"), "file.macro")
    yield Hostile("object: of the old Office", "a.docx", part("word/embeddings/oleObject1.bin", OLE), "file.embedded")
    yield Hostile(
        "object: as printer settings", "a.docx", part("word/printerSettings/printerSettings2.bin", OLE), "file.embedded"
    )
    yield Hostile("object: a page", "a.docx", part("word/afchunk.htm", HTML), "file.embedded")
    yield Hostile("object: a PDF", "a.docx", part("word/media/image3.png", GOOD["pdf"]), "file.embedded")
    yield Hostile("object: a program as picture", "a.docx", part("word/media/image4.png", b"MZ\x90\0"), "file.program")
    yield Hostile("object: a program for Linux", "a.docx", part("word/media/a.emf", b"\x7fELF\2\1"), "file.program")
    yield Hostile("object: a program by its name", "a.docx", part("word/media/run.exe", b"x"), "file.embedded")
    yield Hostile(
        "external: a template", "a.docx", external("attachedTemplate", "https://host.example/a.dotm"), "file.external"
    )
    yield Hostile(
        "external: a template on a share",
        "a.docx",
        external("attachedTemplate", "\\\\10.0.0.1\\s\\a.dotm"),
        "file.external",
    )
    yield Hostile(
        "external: a template by file address",
        "a.docx",
        external("attachedTemplate", "file://10.0.0.1/s/a.dotm"),
        "file.external",
    )
    yield Hostile(
        "external: an object with a command",
        "a.docx",
        external("oleObject", "mhtml:https://host.example!x"),
        "file.external",
    )
    yield Hostile(
        "external: a picture that tells who reads",
        "a.docx",
        external("image", "http://host.example/a.png"),
        "file.external",
    )
    yield Hostile("external: a link that runs", "a.docx", external("hyperlink", "javascript:alert(1)"), "file.external")
    yield Hostile(
        "external: a link to a troubleshooter",
        "a.docx",
        external("hyperlink", "ms-msdt:/id PCWDiagnostic"),
        "file.external",
    )
    yield Hostile(
        "external: a field that runs",
        "a.docx",
        part("word/document.xml", b"<w:instrText>DDEAUTO c:\\\\cmd.exe</w:instrText>"),
        "file.external",
    )
    yield Hostile(
        "xml: entities in the relations", "a.docx", part("word/_rels/document.xml.rels", ENTITIES), "file.entity"
    )
    yield Hostile(
        "xml: entities in UTF-16", "a.docx", part("word/styles.xml", ENTITIES.decode().encode("utf-16")), "file.entity"
    )
    yield Hostile("xml: none in an XML part", "a.docx", part("word/styles.xml", b"#not xml"), "file.content")
    yield Hostile(
        "xml: broken relations",
        "a.docx",
        part("word/_rels/document.xml.rels", f'<a xmlns="{RELATIONS}">'.encode()),
        "file.content",
    )
    yield Hostile(
        "xml: a script in a picture",
        "a.docx",
        part("word/media/image1.svg", b"<svg><script>1</script></svg>"),
        "file.script",
    )


def open_documents() -> Iterator[Hostile]:
    event = b'<office:document-content><script:event-listener xlink:href="vnd.sun.star.script:a"/>'
    picture = b'<office:document-content><draw:image xlink:href="http://host.example/a.png"/>'
    locked = b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>"
    yield Hostile("odt: Basic", "a.odt", in_odt("Basic/Standard/Module1.xml", b"<a/>"), "file.macro")
    yield Hostile("odt: Python", "a.odt", in_odt("Scripts/python/a.py", b"import os"), "file.macro")
    yield Hostile("odt: an event that runs", "a.odt", in_odt("content.xml", event), "file.script")
    yield Hostile("odt: a picture from elsewhere", "a.odt", in_odt("content.xml", picture), "file.external")
    yield Hostile("odt: a password", "a.odt", in_odt("META-INF/manifest.xml", locked), "file.encrypted")
    yield Hostile("odt: an object of the old Office", "a.odt", in_odt("ObjectReplacements/a", OLE), "file.embedded")
    yield Hostile(
        "odt: its kind not first", "a.odt", lambda: archive({name: ODT[name] for name in reversed(ODT)}), "file.content"
    )


def pdfs() -> Iterator[Hostile]:
    escaped = ACTION.replace(b"/JavaScript", hex_name("JavaScript"))
    for about, body, code in (
        ("a script", ACTION, "file.script"),
        ("a script, its name in numbers", escaped, "file.script"),
        ("a script among packed objects", packed(b"4 0 " + ACTION), "file.script"),
        ("a script among packed objects, named in numbers", packed(ACTION, name=hex_name("ObjStm")), "file.script"),
        ("objects packed in another way", packed(ACTION, filters=b"/Filter/LZWDecode"), "file.script"),
        ("objects packed twice", packed(ACTION, filters=b"/Filter[/ASCIIHexDecode/FlateDecode]"), "file.script"),
        ("a program to start", b"<</S/Launch/F(cmd.exe)>>", "file.script"),
        ("a film that runs", b"<</Subtype/RichMedia>>", "file.script"),
        ("a form with scripts", b"<</AcroForm<</XFA[(a) 5 0 R]>>>>", "file.script"),
        ("a file inside", b"<</Type/EmbeddedFile>>", "file.embedded"),
        ("files by name", b"<</Names<</EmbeddedFiles 5 0 R>>>>", "file.embedded"),
        ("a password", b"<</Encrypt 5 0 R>>", "file.encrypted"),
    ):
        yield Hostile(f"pdf: {about}", "a.pdf", lambda body=body: pdf(body), code)  # type: ignore[misc]
    far = b" " * (3 * MEGABYTE)
    yield Hostile("pdf: a script far inside", "a.pdf", lambda: pdf(b"%" + far, ACTION, b"%" + far), "file.script")
    yield Hostile(
        "pdf: a packed stream without an end", "a.pdf", lambda: pdf(b"<</Type/ObjStm>>stream"), "file.content"
    )


def pictures() -> Iterator[Hostile]:
    start, rows = b"\x89PNG\r\n\x1a\n", png_chunk(b"IDAT", zlib.compress(b"\0"))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    end = png_chunk(b"IEND", b"")
    for about, name, content, code in (
        ("PNG of 60,000 by 60,000", "a.png", png(60_000, 60_000), "file.pixels"),
        ("PNG of no width", "a.png", png(0, 4), "file.content"),
        ("PNG without a picture", "a.png", start + header + end, "file.content"),
        ("PNG that starts with its rows", "a.png", start + rows + header + end, "file.content"),
        ("PNG with a length beyond its end", "a.png", start + header + b"\x7f\xff\xff\xffIDAT", "file.content"),
        ("PNG with a wrong sum", "a.png", patched(GOOD["png"], 30, b"\xff\xff"), "file.content"),
        ("PNG with an archive behind it", "a.png", GOOD["png"] + GOOD["docx"], "file.content"),
        ("PNG with a page behind it", "a.png", GOOD["png"] + HTML, "file.content"),
        ("half a PNG", "a.png", GOOD["png"][:-6], "file.content"),
        ("JPEG of 60,000 by 60,000", "a.jpg", jpeg(60_000, 60_000), "file.pixels"),
        ("JPEG of no height", "a.jpg", jpeg(4, 0), "file.content"),
        ("JPEG with an archive behind it", "a.jpg", GOOD["jpg"] + GOOD["docx"], "file.content"),
        ("JPEG with a page behind it", "a.jpg", GOOD["jpg"] + HTML, "file.content"),
        ("JPEG without an end", "a.jpg", jpeg()[:-2], "file.content"),
        ("JPEG without a frame", "a.jpg", b"\xff\xd8\xff\xda\0\2\xff\xd9", "file.content"),
        ("JPEG with a part of no length", "a.jpg", b"\xff\xd8\xff\xe0\0\0\xff\xd9", "file.content"),
    ):
        yield Hostile(f"picture: {about}", name, lambda content=content: content, code)  # type: ignore[misc]


def judged(name: str, content: io.BufferedIOBase) -> str:
    """The media type, or the code of the refusal."""
    try:
        return uploads.check(name, content, types=tuple(uploads.MEDIA_TYPES), limit=LIMIT)  # type: ignore[arg-type]
    except RefusedError as error:
        return error.reason.code


def most_memory() -> int:
    """The most that this process has had in memory, in bytes. (getrusage would count the parent's as well.)"""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main(folder: Path) -> None:
    named = json.loads((folder / "names.json").read_text("utf-8"))
    before, codes = most_memory(), []
    for number, name in enumerate(named):
        with (folder / str(number)).open("rb") as content:
            codes.append(judged(name, content))
    sys.stdout.write(json.dumps({"codes": codes, "growth": most_memory() - before}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
