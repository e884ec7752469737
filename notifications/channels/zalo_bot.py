"""How does a Zalo bot write? Plain text to a chat that wrote to it first; the token stands in the path."""

from collections.abc import Callable
from typing import Final

from apprise.manager_plugins import NotificationManager

from dondoc.keys import Secrets
from models.message import Outcome
from notifications.channels.carrier import Letter, Result
from notifications.channels.zalo_plugin import NotifyZalo
from notifications.channels.zalo_wire import Answer, Hosts, code_of, fitted, post_json, unanswered, words

#: Where the office keeps the token of its bot.
BOT_TOKEN: Final = "zalobot-token"  # noqa: S105  # the name of a file
#: And the word by which it knows that it is Zalo who posts what people write.
BOT_WEBHOOK: Final = "zalobot-webhook"


class NotifyZaloBot(NotifyZalo):
    """`zalobot://bot/<chat id>`."""

    service_name = "Zalo Bot"
    secure_protocol = "zalobot"

    def deliver(self, letter: Letter, may_go: Callable[[], bool]) -> Result | None:
        token = self.desk.secrets.read(BOT_TOKEN)
        if token is None:
            return Result(Outcome.CONFIG, "no_secret", BOT_TOKEN)
        given = {"chat_id": letter.address, "text": fitted(letter.short)}
        answer = post_json(self.desk.hosts.bot, f"/bot{token}/sendMessage", {}, given, may_go)
        return _result(answer) if isinstance(answer, Answer) else answer


def _result(answer: Answer) -> Result:
    said = answer.said
    if said is None or "ok" not in said:
        return unanswered(answer)
    if said["ok"] is True:
        message = said.get("result")
        return Result(Outcome.SENT, "200", None, words(message, "message_id") if isinstance(message, dict) else None)
    code = code_of(said.get("error_code")) or answer.status
    spoken = words(said, "description")
    return Result(_class(code, spoken or ""), str(code), spoken)


def _class(code: int, spoken: str) -> Outcome:
    match code:
        case 401 | 404:
            return Outcome.CONFIG
        case 403:
            return Outcome.RECIPIENT
        case 400:
            return Outcome.RECIPIENT if "chat" in spoken.lower() else Outcome.PAYLOAD
        case _:
            return Outcome.RETRY


def set_webhook(hosts: Hosts, secrets: Secrets, url: str) -> Result:
    """Tells Zalo where to post what people write to the bot: by https, where everybody can reach it."""
    token, word = secrets.read(BOT_TOKEN), secrets.read(BOT_WEBHOOK)
    if token is None or word is None:
        return Result(Outcome.CONFIG, "no_secret", BOT_WEBHOOK if token else BOT_TOKEN)
    given = {"url": url, "secret_token": word}
    answer = post_json(hosts.bot, f"/bot{token}/setWebhook", {}, given, lambda: True)
    assert answer is not None  # nobody said no
    return _result(answer) if isinstance(answer, Answer) else answer


NotificationManager().add(NotifyZaloBot)
