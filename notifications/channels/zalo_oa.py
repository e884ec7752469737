"""How does an Official Account write? Consultation messages to whoever was in touch within seven days."""

from collections.abc import Callable
from typing import Final

from apprise.manager_plugins import NotificationManager

from models.message import Outcome
from notifications.channels.carrier import Letter, Result
from notifications.channels.zalo_plugin import NotifyZalo
from notifications.channels.zalo_wire import (
    Answer,
    code_of,
    fitted,
    morning,
    post_json,
    tomorrow_morning,
    unanswered,
    words,
)

TOKEN_DEAD: Final = frozenset({-216, -220})
_RECIPIENT: Final = frozenset({-213, -217, -227, -244})
_TOMORROW: Final = frozenset({-211, -218})
#: -230 and -232: nothing is wrong with the address, but it has been silent for too long.
_PAYLOAD: Final = frozenset({-201, -210, -230, -232, -233, -240, -248, -249})
_CONFIG: Final = frozenset({-204, -205, -209, -212, -219, -221, -223, -224, -235, -242, -320, -321})


class NotifyZaloOA(NotifyZalo):
    """`zalooa://<account>/<user id within the OA>`."""

    service_name = "Zalo OA"
    secure_protocol = "zalooa"

    def deliver(self, letter: Letter, may_go: Callable[[], bool]) -> Result | None:
        given = {"recipient": {"user_id": letter.address}, "message": {"text": fitted(letter.short)}}

        def ask(token: str, go: Callable[[], bool]) -> Answer | Result | None:
            return post_json(self.desk.hosts.oa, "/v3.0/oa/message/cs", {"access_token": token}, given, go)

        answer = with_token(self, letter, ask, TOKEN_DEAD, may_go)
        return _result(answer, letter) if isinstance(answer, Answer) else answer


def with_token(
    plugin: NotifyZalo,
    letter: Letter,
    ask: Callable[[str, Callable[[], bool]], Answer | Result | None],
    dead: frozenset[int],
    may_go: Callable[[], bool],
) -> Answer | Result | None:
    """Asks; once more with another token when Zalo says that this one is dead, and so has taken nothing in."""
    tokens, account = plugin.desk.tokens, letter.account or plugin.account
    token = tokens.access(account, letter.at)
    if isinstance(token, Result):
        return token
    answer = ask(token, may_go)
    if not isinstance(answer, Answer) or code_of((answer.said or {}).get("error")) not in dead:
        return answer
    fresh = tokens.renew(account, token, letter.at)
    return fresh if isinstance(fresh, Result) else ask(fresh, lambda: True)


def _result(answer: Answer, letter: Letter) -> Result:
    said = answer.said
    code = code_of(said.get("error")) if said is not None else None
    if said is None or code is None:
        return unanswered(answer)
    if code == 0:
        data = said.get("data")
        return Result(Outcome.SENT, "0", None, words(data, "message_id") if isinstance(data, dict) else None)
    spoken = words(said, "message")
    if code in _TOMORROW:
        return Result(Outcome.DEFER, str(code), spoken, try_after=tomorrow_morning(letter))
    if code == -234:
        return Result(Outcome.DEFER, str(code), spoken, try_after=morning(letter))
    return Result(_class(code, spoken or ""), str(code), spoken)


def _class(code: int, spoken: str) -> Outcome:
    if code in _RECIPIENT or (code == -201 and "user_id" in spoken):
        return Outcome.RECIPIENT
    if code in _PAYLOAD:
        return Outcome.PAYLOAD
    return Outcome.CONFIG if code in _CONFIG or code in TOKEN_DEAD else Outcome.RETRY


NotificationManager().add(NotifyZaloOA)
