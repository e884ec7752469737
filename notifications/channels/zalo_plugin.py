"""What have the three ways of Zalo in common? One target a message, the answer kept, no secret in any address."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from apprise.asset import AppriseAsset
from apprise.common import NotifyFormat, NotifyType, OverflowMode
from apprise.plugins.base import NotifyBase
from apprise.utils.parse import parse_list

from dondoc import clock
from dondoc.keys import Secrets
from models.message import Outcome
from notifications.channels.carrier import Letter, Result
from notifications.channels.zalo_tokens import Tokens
from notifications.channels.zalo_wire import Hosts


@dataclass(frozen=True)
class ZaloDesk:
    """What a message to Zalo needs beside its own words."""

    hosts: Hosts
    tokens: Tokens
    secrets: Secrets


class ZaloAsset(AppriseAsset):  # type: ignore[misc]  # Apprise has no types
    """Brings the desk to plugins that are made from an address."""

    zalo: ZaloDesk | None = None


class NotifyZalo(NotifyBase):  # type: ignore[misc]  # Apprise has no types
    """`schema://account/target`: the account is an alias, what belongs to it stands in our own tables."""

    service_name = "Zalo"
    service_url = "https://zalo.me/"
    setup_url = "https://docs.zaloplatforms.com/"
    request_rate_per_sec = 0
    body_maxlen = 2000
    title_maxlen = 0
    notify_format = NotifyFormat.TEXT
    overflow_mode = OverflowMode.UPSTREAM
    templates = ("{schema}://{account}/{targets}",)
    template_tokens: ClassVar[dict[str, Any]] = {
        **NotifyBase.template_tokens,
        "account": {"name": "Account alias", "type": "string", "required": True, "regex": (r"^[a-z0-9_-]+$", "i")},
        "targets": {"name": "Targets", "type": "list:string", "required": True},
    }

    def __init__(self, account: str, targets: Any = (), desk: ZaloDesk | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        found = desk or getattr(self.asset, "zalo", None)
        if found is None or not account:
            raise TypeError("expected an account and the desk that knows its tokens")
        self.account, self.targets, self.desk = account, parse_list(targets), found
        self.results: list[Result] = []

    def deliver(self, letter: Letter, may_go: Callable[[], bool]) -> Result | None:
        """One message; None when `may_go`, asked before anything goes out, says no."""
        raise NotImplementedError

    def send(self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **kwargs: Any) -> bool:
        """What Apprise calls."""
        text = "\n".join(filter(None, [title, body]))
        reference = hashlib.sha256(text.encode()).hexdigest()[:32]
        letter = Letter(0, reference, None, clock.now(), "", "", title, body, "", account=self.account, short=text)
        for target in self.targets:
            result = self.deliver(replace(letter, address=target), lambda: True)
            assert result is not None  # only a gate that says no leaves none
            self.results.append(result)
        return all(result.outcome is Outcome.SENT for result in self.results[-len(self) :])

    def __len__(self) -> int:
        return max(1, len(self.targets))

    @property
    def url_identifier(self) -> tuple[str, str]:
        return (self.secure_protocol, self.account)

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:
        params = self.urlencode(self.url_parameters(*args, privacy=privacy, **kwargs))
        targets = "/".join(self.pprint(target, privacy, safe="") for target in self.targets)
        return f"{self.secure_protocol}://{self.quote(self.account, safe='')}/{targets}?{params}"

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        parts: dict[str, Any] | None = NotifyBase.parse_url(url, verify_host=False)
        if not parts:
            return None
        parts["account"] = NotifyBase.unquote(parts["host"])
        parts["targets"] = NotifyBase.split_path(parts["fullpath"])
        return parts
