"""What does the fake Zalo know? Apps, tokens, followers, telephones, templates, bots, and what it was sent."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, Literal

VIETNAM: Final = timezone(timedelta(hours=7))
ACCESS_LIFE: Final = timedelta(seconds=90_000)
CODE_LIFE: Final = timedelta(minutes=10)
WINDOW: Final = timedelta(days=7)
UPLOAD_LIFE: Final = timedelta(days=7)

#: What an already consumed refresh token gets: all three were seen.
Consumed = Literal["empty", "-14014", "-14020"]
Grant = Literal["live", "consumed", "revoked"]
Way = Literal["zalobot", "zalooa", "zalozns"]
Phone = Literal["ok", "no_account", "inactive", "refused"]


@dataclass
class App:
    """An Official Account with the app that speaks for it."""

    app_id: str
    secret: str
    oa_id: str
    webhook_key: str  #: "OA secret key" of the webhook page
    webhook: str = ""  #: where events are posted to


@dataclass
class Access:
    app_id: str
    expires_at: datetime


@dataclass
class Code:
    """What the consent page hands out."""

    app_id: str
    challenge: str
    at: datetime


@dataclass
class User:
    name: str = ""
    last_interaction: datetime | None = None
    is_blocked: bool = False
    is_follower: bool = True


@dataclass
class Template:
    params: dict[str, int]  #: name -> most characters
    status: Literal["ENABLE", "PENDING_REVIEW", "REJECT", "DISABLE"] = "ENABLE"
    day_quota: int = 1000
    by_uid: bool = True  #: may be sent to the users of an OA too


@dataclass(frozen=True)
class Upload:
    """A file or an image that waits to be sent."""

    app_id: str
    kind: Literal["file", "image"]
    name: str
    at: datetime


@dataclass
class Bot:
    token: str
    chats: dict[str, str] = field(default_factory=dict)  #: chat id -> name
    updates: list[dict[str, Any]] = field(default_factory=list)
    webhook: str = ""
    secret: str = ""
    month_left: int = 3000


@dataclass(frozen=True)
class Sent:
    """A message that was accepted, or what somebody wrote."""

    at: datetime
    channel: Way
    to: str
    text: str
    message_id: str
    tracking_id: str = ""
    is_theirs: bool = False  #: what somebody wrote to the office
    template_id: str = ""


@dataclass(frozen=True)
class Fault:
    """What happens instead of the right answer, once. `drop`: the socket is closed without an answer.

    `is_accepted`: the request takes its effect first, as when an answer is lost on its way. `delay`: seconds before
    the answer. `then` is called before anything is answered, such as to end whoever asked.
    """

    status: int = 200
    body: Any = None
    html: str | None = None
    drop: bool = False
    is_accepted: bool = False
    delay: float = 0
    then: Callable[[], object] | None = None


@dataclass
class State:
    """Everything, in memory. `clock` says what time the fake has."""

    clock: Callable[[], datetime]
    apps: dict[str, App] = field(default_factory=dict)
    grants: dict[str, tuple[str, Grant]] = field(default_factory=dict)  #: refresh token -> app
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)  #: group id -> name
    uploads: dict[str, Upload] = field(default_factory=dict)  #: by token, or by the id of an image
    phones: dict[str, Phone] = field(default_factory=dict)
    other_phones: Phone = "no_account"  #: every number that is not in `phones`
    names: dict[str, str] = field(default_factory=dict)  #: of telephone numbers
    templates: dict[str, Template] = field(default_factory=dict)
    bots: dict[str, Bot] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)  #: paths, in order; the token of a bot is left out
    faults: defaultdict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)  #: the ids of messages that were opened
    hook: str = ""  #: where the office hears its bot, for whoever writes by hand on the page
    hook_secret: str = ""
    admins: set[str] = field(default_factory=set)  #: telephone numbers that templates are tried out on
    day_quota: int = 500
    minute_limit: int = 4000  #: requests of one app
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)  #: by app and minute
    consumed_answer: Consumed = "empty"
    trusts_grants: bool = False  #: takes refresh tokens that it does not know: of before it was started anew
    tells_expired: bool = True  #: -220 for an expired access token; else -216 as for any other
    refuses_at_night: bool = True

    def issue(self, app_id: str) -> tuple[str, str]:
        """A new pair, access and refresh; the access tokens before it are dead."""
        self.access = {token: each for token, each in self.access.items() if each.app_id != app_id}
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.access[access] = Access(app_id, self.clock() + ACCESS_LIFE)
        self.grants[refresh] = (app_id, "live")
        return access, refresh

    def today(self) -> date:
        return self.clock().astimezone(VIETNAM).date()

    def is_night(self) -> bool:
        hour = self.clock().astimezone(VIETNAM).hour
        return hour >= 22 or hour < 6

    def used_today(self, template_id: str | None = None) -> int:
        """Template messages that count against the quota of the day; of one template alone."""
        return sum(
            each.channel == "zalozns"
            and each.at.astimezone(VIETNAM).date() == self.today()
            and template_id in (None, each.template_id)
            for each in self.sent
        )

    def accept(self, channel: Way, to: str, text: str, tracking_id: str = "", template_id: str = "") -> str:
        """Takes a message in; its id."""
        message_id = secrets.token_hex(10)
        self.sent.append(Sent(self.clock(), channel, to, text, message_id, tracking_id, template_id=template_id))
        return message_id

    def uploaded(self, app_id: str, token: str) -> Upload | None:
        """What this app sent up, unless it is forgotten."""
        upload = self.uploads.get(token)
        is_there = upload is not None and upload.app_id == app_id and self.clock() - upload.at <= UPLOAD_LIFE
        return upload if is_there else None

    def left_this_minute(self, app_id: str) -> int:
        """Requests that the app may still make; below 0 when this one is too many."""
        return self.minute_limit - self.asked[app_id, int(self.clock().timestamp()) // 60]

    def ask(self, app_id: str) -> None:
        self.asked[app_id, int(self.clock().timestamp()) // 60] += 1

    def heard(self, channel: Way, who: str, text: str) -> None:
        """Somebody writes to the bot or the OA."""
        self.sent.append(Sent(self.clock(), channel, who, text, secrets.token_hex(10), is_theirs=True))

    def to(self, address: str) -> list[Sent]:
        return [each for each in self.sent if each.to == address and not each.is_theirs]

    def listening(self) -> App | None:
        """The account whose office wants to hear of events."""
        return next((app for app in self.apps.values() if app.webhook), None)

    def hears(self, way: str) -> bool:
        """Whether somebody can write there by hand, and is heard."""
        return bool(self.hook) if way == "zalobot" else way == "zalooa" and self.listening() is not None

    def chats(self) -> list[tuple[str, str]]:
        """Everybody who is known, with the way they are known by."""
        bots = [("zalobot", chat) for bot in self.bots.values() for chat in bot.chats]
        return bots + [("zalooa", each) for each in (*self.users, *self.groups)]

    def name_of(self, way: str, who: str) -> str:
        if way == "zalooa":
            return self.users[who].name if who in self.users else self.groups.get(who, "")
        if way == "zalozns":
            return self.names.get(who, "")
        return next((bot.chats[who] for bot in self.bots.values() if who in bot.chats), "")


def stamp(moment: datetime) -> str:
    """Milliseconds since 1970, as a string: how Zalo writes every moment."""
    return str(int(moment.timestamp() * 1000))
