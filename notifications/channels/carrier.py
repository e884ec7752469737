"""What carries a message? Letters go out, results come back; each channel is a Carrier."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from models.message import Outcome
from notifications.icalendar import Event


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one contact, its links filled in: exists only while it is being sent, and never in a log."""

    message_id: int
    reference: str  #: the same at every try: it becomes the Message-ID
    thread: str | None  #: what the messages of one contact about one cycle share
    at: datetime
    address: str
    name: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    channel: str = "email"
    account: str = ""  #: alias of the bot or OA that it goes out by
    short: str = field(default="", repr=False)  #: for chats, without the layout of a letter
    #: Parameters of a Zalo template message.
    data: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    events: Sequence[Event] = ()  #: due days for the reader's calendar
    returns_to: str = field(default="", repr=False)  #: signed name by which the message is known when it comes back
    objects_by: str = field(default="", repr=False)  #: token by which the reader says that they are the wrong one


@dataclass(frozen=True, slots=True)
class Result:
    """How one try ended. `answer` is the other side's words, `provider_id` what it calls the message."""

    outcome: Outcome
    code: str | None = None
    answer: str | None = None
    provider_id: str | None = None
    try_after: datetime | None = None  #: of what is put off: when the other side takes it again


#: Called just before the content of these letters goes out; says by message id which of them may.
Gate = Callable[[Sequence[Letter]], Set[int]]


class Carrier(Protocol):
    """A channel that is ready to send."""

    @property
    def channel(self) -> str: ...

    @property
    def reply_address(self) -> str:
        """Where an answer to a message arrives."""
        ...

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        """Tries each letter once; a letter that the gate holds back has no result."""
        ...
