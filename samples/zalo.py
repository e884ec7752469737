"""How has a playground Zalo? Some sample contacts have linked theirs, and the fake stands in for Zalo's servers.

The fake keeps nothing: whom it knows and what they got so far is read from the playground when its pages start.
"""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, cast

from sqlmodel import Session, col, select

from dondoc import clock
from dondoc.database import Database
from dondoc.keys import Secrets, secret_key
from dondoc.settings import TRIAL_SECRETS, Settings
from engine import link_contact, ways, zalo_account
from engine.link_contact import Chat
from engine.ways import Agreed
from models.address import Address, AddressState
from models.contact import Contact, Role
from models.link import Link, UnitLink, below_token, token, unit_token
from models.message import Message
from models.notice import Notice
from models.unit import Unit
from notifications.render import ALL_DUTIES, BELOW, fill_links
from samples.fake_zalo.app import FakeZalo
from samples.fake_zalo.state import App, Bot, Sent, State, Template, User, Way

FOLDER: Final = TRIAL_SECRETS  #: of a playground's data
ACCOUNT: Final = "duk"
APP, OA, TEMPLATE = "app-playground", "oa-playground", "playground"
#: Units whose contact wrote to the bot from the beginning; they are told there ever since.
BOT: Final = ("stc", "tinhdoan", "vksnd-thi-uy")
#: Whose contact follows the Official Account, and whose agreed on paper to get template messages: the first of them
#: that is there, since the cells join late.
FOLLOWERS: Final = ("snv-vp", "sct")
NUMBERED: Final = ("stttt-vp", "sxd")
NUMBER: Final = "84000000001"  #: nobody's
SHOWN: Final = 200  #: messages of before that the page shows
_LAST_SEEN: Final = timedelta(days=2)


def make_secrets(folder: Path) -> None:
    """What the office would have been given by Zalo."""
    folder.mkdir(mode=0o700)
    for name, words in {
        "zalobot-token": f"1:{secrets.token_hex(16)}",
        "zalobot-webhook": secrets.token_hex(16),
        "zalobot-name": "Bot Đôn đốc (giả)",
        f"zalo-{ACCOUNT}-app": secrets.token_hex(16),
        f"zalo-{ACCOUNT}-webhook": secrets.token_hex(16),
        f"zalo-{ACCOUNT}-template": TEMPLATE,
    }.items():
        (folder / name).write_text(f"{words}\n")


def link_bots(session: Session, settings: Settings, now: datetime) -> None:
    """As on the day of adoption: some contacts get a code and send it from their chat."""
    key = secret_key(settings.key)
    for unit in BOT:
        chat = Chat("zalobot", "", f"chat-{unit}")
        code = link_contact.new_code(session, _contact(session, unit).id, key=key, now=now)
        link_contact.hear(session, chat, f"LIENKET {code}", once=f"first-{unit}", key=key, now=now)


def link_account(session: Session, settings: Settings, now: datetime) -> None:
    """As in the last days of the history: the office has an Official Account, and two more ways are used."""
    key, folder = secret_key(settings.key), Secrets(settings.data / FOLDER)
    pair = zalo_account.Pair(secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    since = now - _LAST_SEEN
    zalo_account.add_account(session, ACCOUNT, APP, OA, pair, key=key, by="system", now=since)
    code = link_contact.new_code(session, _contact(session, *FOLLOWERS).id, key=key, now=since)
    chat = Chat("zalooa", ACCOUNT, "uid-1")
    link_contact.hear(session, chat, f"LIENKET {code}", once="first-follower", key=key, now=since)
    on = clock.today(since, settings.zone)
    agreed = Agreed("zalozns", ACCOUNT, NUMBER, "paper", on)
    ways.add_way(session, _contact(session, *NUMBERED).id, agreed, secrets=folder, by="office", now=since,
                 zone=settings.zone)  # fmt: skip


def fake(database: Database, settings: Settings) -> FakeZalo | None:
    """The Zalo of this playground; None when it has none."""
    folder = settings.trial_zalo
    if folder is None:
        return None
    kept = Secrets(folder)
    app = App(APP, kept.read(f"zalo-{ACCOUNT}-app") or "", OA, kept.read(f"zalo-{ACCOUNT}-webhook") or "")
    app.webhook = f"{settings.here}/hooks/zalo/{ACCOUNT}"
    token_ = kept.read("zalobot-token") or ""
    state = State(
        lambda: clock.now(settings.clock),
        apps={APP: app},
        bots={token_: Bot(token_)},
        templates={TEMPLATE: Template({})},
        other_phones="ok",
        trusts_grants=True,
        hook=f"{settings.here}/hooks/zalobot",
        hook_secret=kept.read("zalobot-webhook") or "",
    )
    with database.reading() as session:
        _know(session, state.bots[token_], state)
        state.sent += _past(session, secret_key(settings.key))
    return FakeZalo(state)


def _know(session: Session, bot: Bot, state: State) -> None:
    """Whoever is linked, by the name that the office has for them."""
    rows = session.exec(
        select(Address, Contact)
        .join(Contact, col(Contact.id) == col(Address.contact_id))
        .where(col(Address.state) != AddressState.ENDED.value)
    )
    for way, contact in rows:
        match way.channel:
            case "zalobot":
                bot.chats[way.address] = contact.name
            case "zalooa":
                state.users[way.address] = User(contact.name, way.heard_at)
            case "zalozns":
                state.names[way.address] = contact.name


def _past(session: Session, key: bytes) -> list[Sent]:
    """What went out there before, the oldest first, with the links as they were."""
    newest = (
        select(Message)
        .where(col(Message.channel).startswith("zalo"), col(Message.sent_at).is_not(None))
        .order_by(col(Message.id).desc())
        .limit(SHOWN)
    )
    messages = list(reversed(session.exec(newest).all()))
    tokens = _tokens(session, [each.id for each in messages], key)
    return [
        Sent(
            each.sent_at,
            cast("Way", each.channel),
            each.address,
            fill_links(each.text, tokens[each.id]),
            each.provider_id or "",
        )
        for each in messages
        if each.sent_at is not None
    ]


def _tokens(session: Session, ids: Sequence[int], key: bytes) -> defaultdict[int, dict[int, str]]:
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    same = (col(Link.task_id) == col(Notice.task_id)) & (col(Link.contact_id) == col(Notice.contact_id))
    links = select(Notice.message_id, Link).join(Link, same).where(col(Notice.message_id).in_(ids))
    for message_id, link in session.exec(links):
        found[message_id or 0][link.task_id] = token(key, link)
    own = select(Message.id, UnitLink).join(UnitLink, col(UnitLink.contact_id) == col(Message.contact_id))
    for id_, unit_link in session.exec(own.where(col(Message.id).in_(ids))):
        found[id_] |= {ALL_DUTIES: unit_token(key, unit_link), BELOW: below_token(key, unit_link)}
    return found


def _contact(session: Session, *units: str) -> Contact:
    """Of the first of these units that is there."""
    query = select(Unit.code, Contact).join(Unit, col(Unit.id) == col(Contact.unit_id))
    found = session.exec(query.where(col(Unit.code).in_(units), col(Contact.role) == Role.CONTACT.value))
    return min(found, key=lambda row: units.index(row[0]))[1]
