"""How does an Official Account write? Consultation messages to whoever was in touch within seven days."""

from collections.abc import Callable
from typing import Final

from apprise.manager_plugins import NotificationManager

from notifications.channels.carrier import Letter, Result
from notifications.channels.zalo_plugin import NotifyZalo
from notifications.channels.zalo_wire import (
    Answer,
    Codes,
    code_of,
    fitted,
    post_json,
    result_of,
)

CODES: Final = Codes(
    message_id="message_id",
    night=-234,
    tomorrow=frozenset({-211, -218}),
    token_dead=frozenset({-216, -220}),
    recipient=frozenset({-213, -217, -227, -244}),
    payload=frozenset({-201, -210, -233, -240, -248, -249}),
    elsewhere=frozenset({-230, -232}),  # nothing is wrong with the address, but it has been silent for too long
    config=frozenset({-204, -205, -209, -212, -219, -221, -223, -224, -235, -242, -320, -321}),
    wrong_field=-201,
)


class NotifyZaloOA(NotifyZalo):
    """`zalooa://<account>/<user id within the OA>`."""

    service_name = "Zalo OA"
    secure_protocol = "zalooa"

    def deliver(self, letter: Letter, may_go: Callable[[], bool]) -> Result | None:
        given = {"recipient": {"user_id": letter.address}, "message": {"text": fitted(letter.short)}}

        def ask(token: str, go: Callable[[], bool]) -> Answer | Result | None:
            return post_json(self.desk.hosts.oa, "/v3.0/oa/message/cs", {"access_token": token}, given, go)

        answer = with_token(self, letter, ask, CODES.token_dead, may_go)
        return result_of(answer, letter, CODES) if isinstance(answer, Answer) else answer


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


NotificationManager().add(NotifyZaloOA)
