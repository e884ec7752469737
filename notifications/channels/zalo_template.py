"""How does a template message go out? To a telephone number, in words that Zalo has approved before."""

import re
from collections.abc import Callable
from typing import Any, Final

from apprise.manager_plugins import NotificationManager

from models.message import Outcome
from notifications.channels.carrier import Letter, Result
from notifications.channels.zalo_oa import with_token
from notifications.channels.zalo_plugin import NotifyZalo
from notifications.channels.zalo_wire import (
    Answer,
    code_of,
    morning,
    post_json,
    tomorrow_morning,
    unanswered,
    words,
)

_PHONE: Final = re.compile(r"(?:\+?84|0)([0-9]{9})")
TOKEN_DEAD: Final = frozenset({-124})
_RECIPIENT: Final = frozenset({-108, -118, -114, -119, -110, -139, -140, -141})
_TOMORROW: Final = frozenset({-144, -147, -1441, -1471, -1472, -126})
_CONFIG: Final = frozenset(
    {-115, -137, -136, -135, -1351, -117, -120, -125, -127, -138, -1381, -145, -1241, *range(-106, -100)}
)
_PAYLOAD: Final = frozenset(
    {-109, -131, -146, -111, -112, -1121, -1122, -1124, -113, -1131, -116, -121, -122, -130, -132, -153}
)


class NotifyZaloTemplate(NotifyZalo):
    """`zalozns://<account>/<telephone number>?template=<id>`."""

    service_name = "Zalo template message"
    secure_protocol = "zalozns"

    def __init__(self, template: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.template = template

    def deliver(self, letter: Letter, may_go: Callable[[], bool]) -> Result | None:
        phone = _PHONE.fullmatch(re.sub(r"[ .()-]", "", letter.address))
        if phone is None:
            return Result(Outcome.RECIPIENT, "phone")
        name = f"zalo-{letter.account or self.account}-template"
        template = self.template or self.desk.secrets.read(name)
        if template is None:
            return Result(Outcome.CONFIG, "no_secret", name)
        given = {
            "phone": f"84{phone[1]}",
            "template_id": template,
            "template_data": dict(letter.data),
            "tracking_id": letter.reference,
        }

        def ask(token: str, go: Callable[[], bool]) -> Answer | Result | None:
            return post_json(self.desk.hosts.business, "/message/template", {"access_token": token}, given, go)

        answer = with_token(self, letter, ask, TOKEN_DEAD, may_go)
        return _result(answer, letter) if isinstance(answer, Answer) else answer

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        parts = NotifyZalo.parse_url(url)
        if parts:
            parts["template"] = NotifyZalo.unquote(parts["qsd"].get("template", ""))
        return parts


def _result(answer: Answer, letter: Letter) -> Result:
    said = answer.said
    code = code_of(said.get("error")) if said is not None else None
    if said is None or code is None:
        return unanswered(answer)
    if code == 0:
        data = said.get("data")
        return Result(Outcome.SENT, "0", None, words(data, "msg_id") if isinstance(data, dict) else None)
    spoken = words(said, "message")
    if code in _TOMORROW:
        return Result(Outcome.DEFER, str(code), spoken, try_after=tomorrow_morning(letter))
    if code == -133:
        return Result(Outcome.DEFER, str(code), spoken, try_after=morning(letter))
    return Result(_class(code), str(code), spoken)


def _class(code: int) -> Outcome:
    if code in _RECIPIENT:
        return Outcome.RECIPIENT
    if code in _PAYLOAD:
        return Outcome.PAYLOAD
    return Outcome.CONFIG if code in _CONFIG or code in TOKEN_DEAD else Outcome.RETRY


NotificationManager().add(NotifyZaloTemplate)
