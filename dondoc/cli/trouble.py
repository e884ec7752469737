"""What went wrong around the program, and what helps? The database, the disk, the folder, without a traceback."""

import errno
from typing import TYPE_CHECKING, Final

from dondoc.cli.words import _

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

#: What the machine lacks or forbids; any other OSError is a fault of the program and shows itself.
OUTER: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE}
)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOST: Final = ("57P", "08")  #: SQLSTATE of a server that shuts down, and of a connection that broke
_DISK_FULL: Final = "53100"


def of_database(error: "DBAPIError") -> list[str]:
    """What the database said, and what to do. Whatever was under way has been undone by the database itself."""
    said = " ".join(str(error.orig).split())
    lines = [_("cơ sở dữ liệu không dùng được: {why}", why=said)]
    helps = _of_sqlite(getattr(error.orig, "sqlite_errorname", "")) or _of_server(error)
    return [*lines, helps] if helps else lines


def of_system(error: OSError) -> list[str]:
    """A file that cannot be written or read."""
    lines = [f"{error.filename}: {error.strerror}" if error.filename is not None else str(error.strerror)]
    if error.errno in _FULL:
        return [*lines, _full()]
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return [*lines, _closed()]
    return lines


def _of_sqlite(name: str) -> str:
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return _full()
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return _closed()
    if name.startswith("SQLITE_BUSY"):
        return _("Một tiến trình khác đang ghi; không có gì dở dang. Hãy chạy lại sau ít phút.")
    if name.startswith("SQLITE_CORRUPT"):
        return _("Tệp cơ sở dữ liệu bị hỏng: kiểm tra bằng dondoc db check, rồi lấy lại từ bản sao lưu.")
    return ""


def _of_server(error: "DBAPIError") -> str:
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == _DISK_FULL:
        return _full()
    if error.connection_invalidated or state.startswith(_LOST):
        return _("Máy chủ cơ sở dữ liệu đã ngắt giữa chừng; không có gì dở dang. Hãy chạy lại khi nó hoạt động.")
    return ""


def _full() -> str:
    return _("Đĩa đầy hoặc lỗi khi ghi; không có gì dở dang. Hãy giải phóng chỗ, xem dondoc doctor, rồi chạy lại.")


def _closed() -> str:
    return _("Thư mục dữ liệu (DONDOC_DATA) cần ghi được đối với người chạy dondoc; không có gì dở dang.")
