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
    Codes,
    post_json,
    result_of,
)

_PHONE: Final = re.compile(r"(?:\+?84|0)([0-9]{9})")
CODES: Final = Codes(
    message_id="msg_id",
    night=-133,
    tomorrow=frozenset({-144, -147, -1441, -1471, -1472, -126}),
    token_dead=frozenset({-124}),
    recipient=frozenset({-108, -118, -110, -139, -140, -141}),
    elsewhere=frozenset({-114, -119}),  # the account sleeps, and may wake again
    payload=frozenset(
        {-109, -131, -146, -111, -112, -1121, -1122, -1124, -113, -1131, -116, -121, -122, -130, -132, -153}
    ),
    config=frozenset(
        {-115, -137, -136, -135, -1351, -117, -120, -125, -127, -138, -1381, -145, -1241, *range(-106, -100)}
    ),
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

        answer = with_token(self, letter, ask, CODES.token_dead, may_go)
        return result_of(answer, letter, CODES) if isinstance(answer, Answer) else answer

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        parts = NotifyZalo.parse_url(url)
        if parts:
            parts["template"] = NotifyZalo.unquote(parts["qsd"].get("template", ""))
        return parts


NotificationManager().add(NotifyZaloTemplate)
