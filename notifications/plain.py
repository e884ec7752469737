"""How does a letter read without its layout? The text of a mail, from the page that is kept of every message.

A message to a chat keeps the few lines of the chat and the whole letter as HTML: when it goes out by mail as well, or
instead, this is the mail's plain half. It reads what letter.html.j2 writes, and no other HTML.
"""

from html.parser import HTMLParser
from typing import Final

_LINES: Final = ("p", "h1", "h2")
_UNSAID: Final = ("title", "div")  #: said again below
_LETTER, _WITHIN = 2, 3  #: how deep the table of the letter is, and a table within


def plain(html: str) -> str:
    """A line for each paragraph and each row, its link behind it; a blank one between the parts."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "\n".join(reader.lines).strip() + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._text, self._href = "", ""
        self._cells: list[str] = []
        self._depth, self._unsaid = 0, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _UNSAID or "aria-hidden" in given:
            self._unsaid = tag
        elif tag == "table":
            self._depth += 1
        elif tag == "a":
            self._href = given.get("href") or ""
        elif tag == "br":
            self._text += "\n"

    def handle_data(self, data: str) -> None:
        if not self._unsaid:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unsaid:
            self._unsaid = ""
        elif tag in _LINES:
            self._say(f"{self._said()}: {self._link()}" if self._href else self._said(), is_heading=tag == "h1")
            if self._depth == 0:
                self.lines.append("")
        elif tag == "td" and self._depth == _WITHIN:
            self._cells.append(self._said())
        elif tag == "tr" and self._depth == _WITHIN:
            self._say(self._row())
        elif tag == "tr" and self._depth == _LETTER:
            self.lines.append("")
        elif tag == "table":
            self._depth -= 1

    def _row(self) -> str:
        """Several cells say each other's; a link alone is what to do, and words alone are the state of a thing."""
        cells = [cell for cell in self._cells if cell]
        self._cells = []
        href = self._link()
        if len(cells) > 1:
            return ": ".join(cells)
        return f"{cells[0]}: {href}" if href else f"[{cells[0]}]"

    def _said(self) -> str:
        lines = [" ".join(line.split()) for line in self._text.split("\n")]
        self._text = ""
        return "\n".join(line for line in lines if line)

    def _link(self) -> str:
        href, self._href = self._href, ""
        return href

    def _say(self, words: str, *, is_heading: bool = False) -> None:
        if is_heading:
            self.lines += ["", words, "=" * min(len(words), 72), ""]
        elif words:
            self.lines.append(words)
