"""Do the office's mail servers answer, and Zalo's? Each is called; nothing is sent, and nothing marked as seen."""

from collections.abc import Collection, Iterator
from http.client import HTTPConnection, HTTPSConnection
from typing import Final, Literal
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from dondoc.keys import Secrets
from dondoc.settings import Settings
from models.address import SERVICE, Address, AddressState
from models.zalo import ZaloAccount
from notifications.channels import writes_files
from notifications.channels.mailbox import MailboxError, mailbox_for
from notifications.channels.smtp import Line, Server, UnavailableError
from notifications.channels.zalo_wire import Hosts

SECONDS: Final = 5  #: somebody waits for the answer


def silent(settings: Settings) -> Iterator[tuple[Literal["smtp", "mailbox"], str]]:
    """What does not let us in, with where it is and why. Raises ValueError for an SMTP address that is none."""
    if settings.smtp_url is not None and not writes_files(settings):
        server = Server.of(settings.smtp_url.get_secret_value())
        try:
            Line(server, SECONDS).close()
        except UnavailableError as error:
            yield "smtp", f"{server.host}:{server.port}: {error}"
    mailbox = mailbox_for(settings)
    if mailbox is not None:
        try:
            mailbox.look(SECONDS)
        except MailboxError as error:
            yield "mailbox", str(error)


def ways_in_use(session: Session) -> set[tuple[str, str]]:
    """The channels beside e-mail that somebody is told by, each with its account; an OA counts as soon as it is known.

    Of another service it is the name instead of the account.
    """
    mine = select(Address).where(col(Address.state) == AddressState.WORKING.value)
    used = {(each.channel, each.address if each.channel == "apprise" else each.account) for each in session.exec(mine)}
    return used | {("zalooa", alias) for alias in session.exec(select(ZaloAccount.alias))}


def lacking(settings: Settings, used: Collection[tuple[str, str]]) -> Iterator[str]:
    """The names of secrets that these ways need and that are not there; a playground speaks by a stand-in alone."""
    if settings.clock.exists() and settings.zalo_host is None:
        return
    names = {
        "zalobot": "zalobot-token",
        "zalooa": "zalo-{}-app",
        "zalozns": "zalo-{}-template",
        "apprise": SERVICE + "{}",
    }
    secrets = Secrets(settings.secrets_folder)
    for channel, account in sorted(used):
        name = names[channel].format(account)
        if secrets.read(name) is None and not (channel == "apprise" and settings.clock.exists()):
            yield name


def zalo_silent(settings: Settings, used: Collection[tuple[str, str]]) -> Iterator[str]:
    """Which of the servers of Zalo that these ways need cannot be reached, and why."""
    if settings.clock.exists() and (settings.zalo_url is None or settings.trial_zalo is not None):
        return
    hosts, channels = Hosts.at(settings.zalo_host), {channel for channel, _ in used}
    needed = {"zalobot": [hosts.bot], "zalooa": [hosts.oa, hosts.oauth], "zalozns": [hosts.business]}
    for url in sorted({url for channel in channels for url in needed.get(channel, [])}):
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
        try:
            connection.connect()
        except OSError as error:
            yield f"{url}: {error}"
        finally:
            connection.close()
