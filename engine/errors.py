"""What is refused? An act that the rules do not allow; nothing was written."""

from collections.abc import Sequence

from dondoc.i18n import say
from schedules.problem import Problem
from schedules.reason import Reason


class RefusedError(Exception):
    """Says with a code and its parameters what was expected and what came; put into words at the edge."""

    def __init__(self, code: str, **params: object) -> None:
        self.reason = Reason.of(code, **params)
        super().__init__(self.text("en"))

    def text(self, lang: str) -> str:
        return say(self.reason.code, lang, dict(self.reason.params))


class InvalidPlanError(RefusedError):
    """A plan's file has errors, all of them located."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("refused.invalid_plan", count=len(self.problems))
