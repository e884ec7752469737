"""What is wrong with a file, and where? A coded finding that is put into words in either language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from dondoc.i18n import translate


class Severity(StrEnum):
    ERROR = "error"  #: the file is refused
    WARNING = "warning"  #: the file is taken; somebody should look


class Coded(str):
    """A parameter that is itself a message code, put into words together with the problem."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` and `column` count from 1; `code` is a message of locales/*/problems.po and `params` fill it."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    params: Mapping[str, str | int] = field(compare=False, default_factory=dict)

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def text(self, lang: str) -> str:
        """`file:line:column: error: what was expected, what came`, as compilers say it."""
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.sentence(lang)}"

    def sentence(self, lang: str) -> str:
        """What was expected, what came."""
        words = {
            name: translate(value, lang) if isinstance(value, Coded) else value for name, value in self.params.items()
        }
        sentence = translate(self.code, lang, **words)
        if "meant" in words:
            sentence += translate("problem.meant", lang, meant=words["meant"])
        return sentence

    def as_json(self) -> dict[str, object]:
        params = {name: str(value) if isinstance(value, str) else value for name, value in self.params.items()}
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "severity": str(self.severity),
            "code": self.code,
            "params": params,
        }


def meant(word: str, among: Mapping[str, object] | list[str] | frozenset[str]) -> dict[str, str]:
    """The parameter `meant` with the most alike of the words allowed, or nothing when none is alike."""
    alike = get_close_matches(word[:80], sorted(among), n=1, cutoff=0.7)
    return {"meant": alike[0]} if alike else {}
