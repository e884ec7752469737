"""How does anything else go out that Apprise knows? By an address that a secret holds; success is all that is told."""

from collections.abc import Iterator, Sequence

from apprise import Apprise

from dondoc.keys import Secrets
from models.address import SERVICE
from models.message import Outcome
from notifications.channels.carrier import Gate, Letter, Result


class OtherCarrier:
    """Telegram, an SMS gateway, Teams: `address` is the name of a secret, which holds the service's URL."""

    channel = "apprise"
    reply_address = ""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        for letter in letters:
            name = f"{SERVICE}{letter.address}"
            url = self._secrets.read(name)
            service = Apprise.instantiate(url, suppress_exceptions=True) if url is not None else None
            if service is None:
                yield letter, Result(Outcome.CONFIG, "no_secret", name)
            elif letter.message_id in before_content([letter]):
                # The service says yes or no, not why: a no after its request may be a yes on the other side.
                is_sent = bool(service.notify(body=letter.short or letter.text, title=letter.subject))
                yield letter, Result(Outcome.SENT) if is_sent else Result(Outcome.AMBIGUOUS, "apprise")
