"""Who keeps the mailbox? A small IMAP server on 127.0.0.1, with the few commands that reading needs (RFC 3501)."""

import re
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread


@dataclass
class Box:
    """The mails of one folder, by number, and which of them were seen."""

    port: int = 0
    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    password: str = "p@ss"
    said: list[str] = field(default_factory=list)  #: commands, without what they were about

    def url(self, password: str = "p%40ss") -> str:
        return f"imap://bounce:{password}@127.0.0.1:{self.port}/INBOX"

    def put(self, *mails: bytes) -> None:
        for mail in mails:
            self.mails[len(self.mails) + 1] = mail


class _Line(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self._say("* OK [CAPABILITY IMAP4rev1] ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            name, _, words = rest.partition(" ")
            if name.upper() == "UID":
                name, _, words = words.partition(" ")
            self.server.box.said.append(name.upper())
            answer = getattr(self, f"_{name.lower()}")(words)
            self._say(f"{tag} {answer}")
            if name.upper() == "LOGOUT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _capability(self, words: str) -> str:
        self._say("* CAPABILITY IMAP4rev1")
        return "OK done"

    def _login(self, words: str) -> str:
        is_right = words == f'bounce "{self.server.box.password}"'
        return "OK welcome" if is_right else "NO [AUTHENTICATIONFAILED] wrong password"

    def _select(self, words: str) -> str:
        if words != '"INBOX"':
            return "NO no such folder"
        self._say(f"* {len(self.server.box.mails)} EXISTS")
        return "OK [READ-WRITE] done"

    def _search(self, words: str) -> str:
        assert words == "UNSEEN"
        unseen = sorted(set(self.server.box.mails) - self.server.box.seen)
        self._say(" ".join(["* SEARCH", *map(str, unseen)]))
        return "OK done"

    def _fetch(self, words: str) -> str:
        found = re.fullmatch(r"(\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", words)
        assert found
        mail = self.server.box.mails[int(found[1])][: int(found[2])]
        self.wfile.write(f"* {found[1]} FETCH (UID {found[1]} BODY[]<0> {{{len(mail)}}}\r\n".encode() + mail + b")\r\n")
        return "OK done"

    def _store(self, words: str) -> str:
        found = re.fullmatch(r"(\d+) \+FLAGS\.SILENT \(\\Seen\)", words)
        assert found
        self.server.box.seen.add(int(found[1]))
        return "OK done"

    def _logout(self, words: str) -> str:
        self._say("* BYE")
        return "OK done"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, box: Box) -> None:
        super().__init__(("127.0.0.1", 0), _Line)
        self.box = box


@contextmanager
def mailbox() -> Iterator[Box]:
    """The server, up while the block lasts."""
    box = Box()
    with _Server(box) as server:
        box.port = server.server_address[1]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield box
        finally:
            server.shutdown()
