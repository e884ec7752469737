"""What does an office hand in? A sound file of each of the seven kinds, as its programs write them."""

import io
import struct
import zipfile
import zlib

from openpyxl import Workbook  # type: ignore[import-untyped]

from tests.desk import archive
from web.uploads import MEDIA_TYPES

TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

CONTENT_TYPES = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Types xmlns="{TYPES}">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
    f'<Override PartName="/word/document.xml" ContentType="{WORD}"/></Types>'
).encode()


def relations(*targets: tuple[str, str, str]) -> bytes:
    """(kind, target, mode) each; an empty mode is inside the package."""
    items = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"'
        + (f' TargetMode="{mode}"/>' if mode else "/>")
        for number, (kind, target, mode) in enumerate(targets, start=1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Relationships xmlns="{RELATIONS}">{items}</Relationships>'.encode()
    )


def workbook() -> bytes:
    """An XLSX as openpyxl writes it."""
    book, made = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in range(50):
        sheet.append([f"Chi bộ {row}", row, "Đã nộp"])
    book.save(made)
    return made.getvalue()


def png(width: int = 4, height: int = 3) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80\x40\x20" * min(width, 64)) * min(height, 64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int = 4, height: int = 3, after: bytes = b"") -> bytes:
    """The frame of one, with a picture that nobody could decode."""

    def part(marker: int, content: bytes) -> bytes:
        return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content

    exif = part(0xE1, b"Exif\0\0" + b"\xff\xd8 thumbnail \xff\xd9")
    frame = part(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    scan = part(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\x34\xff\x00\x56" * 20
    tables = part(0xDB, b"\x00" * 65) + part(0xC4, b"\x00" * 17)
    return b"\xff\xd8" + exif + tables + frame + scan + b"\xff\xd9" + after


def pdf(
    *objects: bytes, head: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", tail: bytes = b"startxref\n9\n%%EOF\n"
) -> bytes:
    """One page, and what is added to it."""
    page = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R>>")
    bodies = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate((*page, *objects), 1))
    return head + bodies + b"trailer\n<</Root 1 0 R>>\n" + tail


def packed(objects: bytes, *, filters: bytes = b"/Filter/FlateDecode", name: bytes = b"/ObjStm") -> bytes:
    """An object stream, as most programs write them today."""
    stream = zlib.compress(objects)
    return b"<</Type%s/N 1/First 4%s/Length %d>>\nstream\r\n%s\r\nendstream" % (name, filters, len(stream), stream)


#: A report as a word processor writes it, with a picture, a diagram and a link to a page.
DOCX = {
    "[Content_Types].xml": CONTENT_TYPES,
    "_rels/.rels": relations(("officeDocument", "word/document.xml", "")),
    "word/document.xml": '<?xml version="1.0"?><w:document><w:t>Báo cáo kết quả năm 2021</w:t></w:document>'.encode(),
    "word/_rels/document.xml.rels": relations(
        ("image", "media/image1.png", ""),
        ("hyperlink", "https://example.org/van-ban", "External"),
        ("hyperlink", "mailto:van-thu@example.org", "External"),
        ("attachedTemplate", "file:///C:\\Users\\an\\Normal.dotm", "External"),
        ("package", "embeddings/Microsoft_Excel_Worksheet.xlsx", ""),
    ),
    "word/media/image1.png": png(),
    "word/embeddings/Microsoft_Excel_Worksheet.xlsx": workbook(),
    "word/printerSettings/printerSettings1.bin": b"\0\1printer",
    "customXml/item1.xml": '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"),
    "docProps/core.xml": b"<cp:coreProperties/>",
}
ODT = {
    "mimetype": MEDIA_TYPES["odt"].encode(),
    "content.xml": b'<office:document-content><text:a xlink:href="https://example.org/">x</text:a></office:document-content>',
    "META-INF/manifest.xml": b"<manifest:manifest/>",
    "layout-cache": b"\0\1\2",
    "Configurations2/images/Bitmaps/": b"",
    "ObjectReplacements/Object 1": b"VCLMTF",
    "Thumbnails/thumbnail.png": png(),
}
ODS = ODT | {"mimetype": MEDIA_TYPES["ods"].encode()}


def streamed(parts: dict[str, bytes]) -> bytes:
    """A ZIP whose sizes stand behind each part, as programs write it that cannot go back."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.made = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, piece: bytes) -> int:  # type: ignore[override]
            self.made += piece
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return bytes(pipe.made)


GOOD = {
    "pdf": pdf(packed(b"4 0 <</Type/Font/BaseFont/Times>>")),
    "docx": archive(DOCX),
    "xlsx": workbook(),
    "odt": archive(ODT, zipfile.ZIP_STORED),
    "ods": archive(ODS, zipfile.ZIP_STORED),
    "jpg": jpeg(after=b"SEFT\0\0Image_UTC_Data1639968000000"),
    "png": png(),
}
