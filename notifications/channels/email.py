"""How does e-mail go out? An Apprise plugin of our own on smtplib; ten of them send a batch side by side."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, ClassVar, Final

from apprise.common import NotifyFormat, NotifyType
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase

from dondoc import clock
from models.message import Outcome
from notifications.channels.carrier import Gate, Letter, Result
from notifications.channels.mail import compose, envelope_sender
from notifications.channels.smtp import PORTS, Line, Server, StaleError, UnavailableError, may_be_of_us

CONNECTIONS: Final = 10
SEVERAL: Final = 3  #: recipients refused and none taken: then it is us
_MOMENT: Final = 0.001  #: seconds; a server nearby answers within it, so that more letters share a commit


class NotifyBaoMail(NotifyBase):  # type: ignore[misc]  # Apprise has no types
    """`baomail://user:password@host:port/to@example.org?from=dondoc@example.org`, one recipient a message.

    Apprise's own mailto adds a second Message-ID, takes no text part of its own and loses refused recipients; this
    one keeps the answer to each letter in `results`.
    """

    service_name = "dondoc e-mail"
    service_url = "https://www.rfc-editor.org/rfc/rfc5321"
    protocol = "baomail"
    secure_protocol = "baomails"
    request_rate_per_sec = 0
    notify_format = NotifyFormat.TEXT
    templates = ("{schema}://{host}:{port}/{targets}", "{schema}://{user}:{password}@{host}:{port}/{targets}")
    template_tokens: ClassVar[dict[str, Any]] = {
        **NotifyBase.template_tokens,
        "host": {"name": "Host", "type": "string", "required": True},
        "port": {"name": "Port", "type": "int", "min": 1, "max": 65535},
        "user": {"name": "User", "type": "string"},
        "password": {"name": "Password", "type": "string", "private": True},
        "targets": {"name": "Recipients", "type": "list:string", "required": True},
    }
    template_args: ClassVar[dict[str, Any]] = {
        **NotifyBase.template_args,
        "from": {"name": "Sender", "type": "string", "map_to": "sender"},
    }

    def __init__(
        self, server: Server, sender: str, sender_name: str = "", targets: Sequence[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.server, self.sender, self.sender_name, self.targets = server, sender, sender_name, tuple(targets)
        self.results: list[Result] = []
        self._line: Line | None = None

    def connect(self) -> Line:
        """The open connection; opens one if there is none. Raises UnavailableError."""
        if self._line is None or not self._line.is_open:
            self._line = Line(self.server)
        return self._line

    def disconnect(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def deliver(self, address: str, content: bytes, may_go: Callable[[], bool], returns_to: str = "") -> Result | None:
        """One e-mail; once more over a fresh connection when the old one had gone before the content."""
        sender = returns_to or self.sender
        try:
            return self.connect().deliver(sender, address, content, may_go)
        except StaleError:
            self.disconnect()
        try:
            return self.connect().deliver(sender, address, content, may_go)
        except (StaleError, UnavailableError) as error:
            self.disconnect()
            return error.result

    def send(self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **kwargs: Any) -> bool:
        """What Apprise calls. The Message-ID comes from the words, so that the same words are the same message."""
        for target in self.targets:
            reference = hashlib.sha256(f"{target}\n{title}\n{body}".encode()).hexdigest()[:32]
            html = f"<p>{escape(body)}</p>"
            letter = Letter(0, reference, None, clock.now(), target, "", title, body, html)
            try:
                content = compose(letter, self.sender, self.sender_name)
                result = self.deliver(target, content, lambda: True)
            except ValueError as error:
                result = Result(Outcome.RECIPIENT, "address", str(error))
            except UnavailableError as error:
                result = error.result
            assert result is not None  # only a gate that says no leaves none
            self.results.append(result)
        self.disconnect()
        return all(result.outcome is Outcome.SENT for result in self.results[-len(self) :])

    def __len__(self) -> int:
        return max(1, len(self.targets))

    @property
    def url_identifier(self) -> tuple[str | int | None, ...]:
        return (self.protocol, self.server.host, self.server.port, self.server.user, self.sender)

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:
        server = self.server
        params = {"from": self.sender, **self.url_parameters(*args, privacy=privacy, **kwargs)}
        password = self.pprint(server.password or "", privacy, safe="")
        user = f"{self.quote(server.user, safe='')}:{password}@" if server.user else ""
        schema = self.secure_protocol if server.is_tls else self.protocol
        targets = "/".join(self.quote(target, safe="@") for target in self.targets)
        return f"{schema}://{user}{server.host}:{server.port}/{targets}?{self.urlencode(params)}"

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        parts: dict[str, Any] | None = NotifyBase.parse_url(url)
        if not parts:
            return None
        is_tls = parts["schema"] == NotifyBaoMail.secure_protocol
        port = parts["port"] or PORTS["smtps" if is_tls else "smtp"]
        user, password = (NotifyBase.unquote(parts[name]) or None for name in ("user", "password"))
        parts["server"] = Server(parts["host"], port, is_tls, user, password)
        parts["sender"] = NotifyBase.unquote(parts["qsd"].get("from", ""))
        parts["targets"] = NotifyBase.split_path(parts["fullpath"])
        return parts


NotificationManager().add(NotifyBaoMail)


@dataclass(frozen=True, slots=True)
class _Asks:
    """A letter whose content is ready to go, and where its sender waits for the answer."""

    letter: Letter
    answer: SimpleQueue[bool] = field(default_factory=SimpleQueue)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A sender that has nothing left to do, found no connection, or broke."""

    unavailable: Result | None = None
    error: BaseException | None = None


_Written = tuple[Letter, bytes]
_Done = tuple[Letter, Result]
_Events = SimpleQueue[_Asks | _Ended | _Done]


class EmailCarrier:
    """A batch over at most ten connections, kept while it lasts.

    The senders meet before the content: whoever is ready then is asked for in one call of the gate, so that one
    commit serves up to ten messages, and a kill leaves no more than those in doubt. `pages` is the office's public
    address; what cannot be delivered comes back to `bounce_address`, else to the sender.

    A refusal that may be meant for us is told when all letters were tried: our settings are wrong only where the
    server takes no recipient at all, else that letter would be tried without end.
    """

    channel = "email"

    def __init__(self, url: str, sender: str, sender_name: str, pages: str = "", bounce_address: str = "") -> None:
        self.server, self.reply_address, self.sender_name = Server.of(url), sender, sender_name
        self.pages, self.bounce_address = pages, bounce_address

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        todo, events, met = deque[_Written](), _Events(), list[_Asks | _Ended | _Done]()
        for letter in letters:
            # Here, not in the threads: ten of them at work would keep this one waiting at each of its queries.
            try:
                todo.append((letter, compose(letter, self.reply_address, self.sender_name, url=self.pages)))
            except ValueError as error:
                yield letter, Result(Outcome.RECIPIENT, "address", str(error))
        running, ends = min(CONNECTIONS, len(todo)), list[_Ended]()
        of_us, is_taking = list[_Done](), False
        for _ in range(running):
            Thread(target=self._work, args=(todo, events), name="mail", daemon=True).start()
        try:
            while len(ends) < running:
                met = _drain(events, running - len(ends))
                ends += [each for each in met if isinstance(each, _Ended)]
                of_us += [each for each in met if isinstance(each, tuple) and may_be_of_us(each[1])]
                yield from (each for each in met if isinstance(each, tuple) and not may_be_of_us(each[1]))
                if asking := [each for each in met if isinstance(each, _Asks)]:
                    is_taking = True
                    allowed = before_content([each.letter for each in asking])
                    for asks in asking:
                        asks.answer.put(asks.letter.message_id in allowed)
            yield from _judged(of_us, is_taking)
            for end in ends:
                if end.error is not None:
                    raise end.error
            # Whatever is left was never tried: no sender found a connection.
            reasons = [end.unavailable for end in ends if end.unavailable is not None]
            yield from ((letter, reasons[-1]) for letter, _ in todo if reasons)
        finally:
            todo.clear()
            while len(ends) < running:  # the caller broke off: whoever asks is told no, so that every thread ends
                for each in met:
                    if isinstance(each, _Asks):
                        each.answer.put(False)
                met = _drain(events, running - len(ends))
                ends += [each for each in met if isinstance(each, _Ended)]

    def _work(self, todo: deque[_Written], events: _Events) -> None:
        plugin, end = NotifyBaoMail(self.server, self.reply_address, self.sender_name), _Ended()
        try:
            while todo:
                plugin.connect()  # before a letter is taken: it must not pay for a missing connection
                try:
                    letter, content = todo.popleft()
                except IndexError:
                    break
                returns_to = envelope_sender(letter, self.reply_address, self.bounce_address)
                result = plugin.deliver(letter.address, content, _gate(letter, events), returns_to)
                if result is not None:
                    events.put((letter, result))
        except UnavailableError as error:
            end = _Ended(unavailable=error.result)
        except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
            end = _Ended(error=error)
        finally:
            plugin.disconnect()
            events.put(end)


def _judged(refused: Sequence[_Done], is_taking: bool) -> Iterator[_Done]:
    is_everybody = len({letter.address for letter, _ in refused}) >= SEVERAL
    for letter, result in refused:
        outcome = Outcome.RETRY if is_taking else Outcome.CONFIG if is_everybody else result.outcome
        yield letter, replace(result, outcome=outcome)


def _gate(letter: Letter, events: _Events) -> Callable[[], bool]:
    """Asks once a letter, also when its content needs a second connection."""
    told: list[bool] = []

    def may_go() -> bool:
        if not told:
            asks = _Asks(letter)
            events.put(asks)
            told.append(asks.answer.get())
        return told[0]

    return may_go


def _drain(events: _Events, senders: int) -> list[_Asks | _Ended | _Done]:
    """Waits for one event, and a moment for more: until every sender has asked or ended, or nobody is about to."""
    met = [events.get()]
    while sum(not isinstance(each, tuple) for each in met) < senders:
        try:
            met.append(events.get(timeout=_MOMENT))
        except Empty:
            break
    return met
