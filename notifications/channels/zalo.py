"""Which ways to Zalo does the office have? Bot, Official Account and template message, each a Carrier."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from dondoc.database import Database
from dondoc.keys import Secrets
from dondoc.settings import Settings
from models.message import Outcome
from notifications.channels.carrier import Carrier, Gate, Letter, Result
from notifications.channels.zalo_bot import NotifyZaloBot
from notifications.channels.zalo_oa import NotifyZaloOA
from notifications.channels.zalo_plugin import NotifyZalo, ZaloDesk
from notifications.channels.zalo_template import NotifyZaloTemplate
from notifications.channels.zalo_tokens import Tokens
from notifications.channels.zalo_wire import Hosts

#: So many in a row without success, and the rest of a wave waits: a dead server must not outlast the lease.
PATIENCE: Final = 3
PLUGINS: Final = (NotifyZaloBot, NotifyZaloOA, NotifyZaloTemplate)


class ZaloCarrier:
    """One message after the other, each asked for just before it goes out."""

    reply_address = ""

    def __init__(self, plugin: type[NotifyZalo], desk: ZaloDesk) -> None:
        self.channel: str = plugin.secure_protocol
        self._plugin, self._desk = plugin, desk

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        failures = 0
        for letter in letters:
            if failures >= PATIENCE:
                yield letter, Result(Outcome.RETRY, "down")
                continue
            plugin = self._plugin(account=letter.account or "bot", desk=self._desk)
            result = plugin.deliver(letter, partial(_may_go, before_content, letter))
            if result is None:
                continue
            failures = failures + 1 if result.outcome in (Outcome.RETRY, Outcome.AMBIGUOUS) else 0
            yield letter, result


def _may_go(gate: Gate, letter: Letter) -> bool:
    return letter.message_id in gate([letter])


def zalo_carriers(
    settings: Settings, database: Database, key: bytes, secrets: Secrets, clock: Callable[[], datetime] | None = None
) -> Mapping[str, Carrier]:
    hosts = Hosts.at(settings.zalo_host)
    desk = ZaloDesk(hosts, Tokens(database, key, hosts.oauth, secrets, clock), secrets)
    return {plugin.secure_protocol: ZaloCarrier(plugin, desk) for plugin in PLUGINS}
