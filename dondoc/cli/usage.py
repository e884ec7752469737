"""What was typed wrongly, and what could be typed? Usage errors and help, in the language of the command line."""

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from cyclopts import CoercionError, CycloptsError, MissingArgumentError, UnknownOptionError, UnusedCliTokensError
from cyclopts.exceptions import RepeatArgumentError, UnknownCommandError

from dondoc.cli.words import _

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

WIDTH: Final = 110
LABELS: Final = 30  #: a longer label has its words under it


def told(error: CycloptsError) -> str:
    """What was expected, what came, where."""
    match error:
        case UnknownCommandError():
            known = list(error.app) if error.app is not None else []
            return _("không có lệnh “{got}”", got=_first(error.unused_tokens)) + _meant(error.unused_tokens, known)
        case UnknownOptionError():
            names = [name for argument in error.argument_collection for name in argument.names]
            return _("không có tuỳ chọn “{got}”", got=error.token.keyword or error.token.value) + _meant(
                [error.token.keyword or error.token.value], names
            )
        case CoercionError():
            got = error.token.value if error.token is not None else ""
            return _("{name}: cần {what}, gặp “{got}”", name=_name(error), what=_what(error), got=got)
        case MissingArgumentError():
            return _("{name}: cần một giá trị, không gặp gì", name=_name(error))
        case RepeatArgumentError():
            return _("{name}: chỉ cần một lần, gặp lại “{got}”", name=error.token.keyword, got=error.token.value)
        case UnusedCliTokensError():
            return _("thừa “{got}”", got=" ".join(error.unused_tokens or ()))
        case _other:
            return str(error)


def _first(tokens: Sequence[str] | None) -> str:
    return tokens[0] if tokens else ""


def _meant(tokens: Sequence[str] | None, known: Sequence[str]) -> str:
    alike = get_close_matches(_first(tokens), [name for name in known if not name.startswith("-h")], n=1)
    return _("; ý là “{meant}”?", meant=alike[0]) if alike else ""


def _name(error: Any) -> str:
    """The option or the argument as help names it."""
    argument = error.argument
    if argument is None:
        return str(getattr(error, "keyword", None) or "")
    name = str(argument.name)
    return name if name.startswith("--") and argument.field_info.is_keyword else name.lstrip("-").upper()


def _what(error: CoercionError) -> str:
    argument = error.argument
    choices = argument.get_choices() if argument is not None else None
    if choices:
        return _("một trong {allowed}", allowed=", ".join(choices))
    words = {date: _("một ngày như 2025-09-30"), int: _("một số nguyên"), Path: _("một đường dẫn")}
    return words.get(error.target_type, _("một giá trị khác")) if error.target_type else _("một giá trị khác")


class Columns:
    """Help as plain text in two columns."""

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: Any) -> None:
        words = str(usage or "").removeprefix("Usage:").strip()
        if words:
            words = words.replace("COMMAND", _("LỆNH")).replace("[OPTIONS]", _("[TUỲ CHỌN]")).replace("[ARGS]", "")
            self._write(console, _("Cách dùng: {usage}", usage=words.strip()), "")

    def render_description(self, console: "Console", options: "ConsoleOptions", description: Any) -> None:
        words = _plain(console, description)
        if words:
            self._write(console, *wrap(words, WIDTH), "")

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:
        rows = [(self._label(entry), self._words(console, entry)) for entry in panel.entries]
        if not rows:
            return
        if panel.title:
            self._write(console, f"{_plain(console, panel.title)}:")
        width = min(max(len(label) for label, _words in rows), LABELS)
        for label, words in rows:
            first, *others = wrap(words, WIDTH - width - 4) or [""]
            if len(label) <= width:
                self._write(console, f"  {label:{width}}  {first}".rstrip())
            else:
                self._write(console, f"  {label}", f"{'':{width + 4}}{first}")
            self._write(console, *(f"{'':{width + 4}}{line}" for line in others))
        self._write(console, "")

    def _label(self, entry: "HelpEntry") -> str:
        names = [*entry.positive_names, *entry.positive_shorts]
        if entry.positional_label:
            return entry.positional_label
        return ", ".join(names) + (f" {entry.metavar}" if entry.metavar else "")

    def _words(self, console: "Console", entry: "HelpEntry") -> str:
        words = [_plain(console, entry.description)]
        if entry.choices:
            words.append("[" + ", ".join(entry.choices) + "]")
        return " ".join(filter(None, words))

    def _write(self, console: "Console", *lines: str) -> None:
        for line in lines:
            console.print(line, highlight=False, markup=False, soft_wrap=True)


def _plain(console: "Console", words: Any) -> str:
    """The bare words of what may be rich text."""
    if words is None or isinstance(words, str):
        return words or ""
    wide = console.options.update(width=10_000)
    return "".join(segment.text for segment in console.render(words, wide)).strip()
