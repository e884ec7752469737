"""How does a notice become a message? By the stages listed here, one after the other.

queue, send and record write rows and have files of their own. A stage takes a batch and returns the batch that is left:
pure, and every notice that it drops, holds or merges has a reason.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import groupby
from types import MappingProxyType
from typing import Final

from models.contact import Contact
from models.cycle import CycleState
from models.notice import NoticeKind
from models.task import OWING, TaskState
from notifications.alike import Wanted, render_all
from notifications.hold import Hold, by_above, by_budget, by_digest, by_hours, by_way, is_open, is_urgent
from notifications.item import Office
from notifications.render import Rendered, foremost
from notifications.waiting import ASKING, Waiting

UNREACHABLE: Final = "unreachable"
GIVEN_AWAY: Final = "moot.given_away"  #: to an heir of the unit, whose contacts are told instead
GRAVER: Final = "merged.graver"
#: What became of a task that is owed no more.
_GONE: Final[Mapping[TaskState, str]] = MappingProxyType(
    {
        TaskState.SUBMITTED: "moot.submitted",
        TaskState.ACCEPTED: "moot.accepted",
        TaskState.EXEMPTED: "moot.exempted",
        TaskState.CANCELLED: "moot.cancelled",
        TaskState.MISSED: "moot.missed",
    }
)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A notice that is never sent, and the code of the reason."""

    notice_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """A notice that waits, and why and until when."""

    notice_id: int
    hold: Hold


@dataclass(frozen=True, slots=True)
class Merged:
    """A notice that has no words of its own in its message, and the code of the reason."""

    notice_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """The notices of one contact that go out as one message."""

    contact: Contact
    waiting: tuple[Waiting, ...]
    channel: str = ""
    address: str = ""
    account: str = ""
    is_urgent: bool = False
    rendered: Rendered | None = None

    @property
    def reference(self) -> str:
        """Made from the notices, so that the same notices are the same message."""
        told = sorted(f"{each.notice.task_id} {each.notice.cause}" for each in self.waiting)
        return hashlib.sha256("\n".join([str(self.contact.id), *told]).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is on its way through the stages."""

    bundles: tuple[Bundle, ...]
    dropped: tuple[Dropped, ...] = ()
    held: tuple[Held, ...] = ()
    merged: tuple[Merged, ...] = ()


Stage = Callable[[Batch], Batch]


def stages(office: Office) -> tuple[Stage, ...]:
    """The way of a notice."""
    return (
        drop_moot,
        drop_unreachable,
        partial(hold_by_way, office),
        partial(hold_by_above, office),
        partial(hold_by_hours, office),
        partial(hold_by_digest, office),
        bundle,
        partial(hold_by_budget, office),
        merge,
        partial(mark_urgent, office),
        partial(choose_channel, office),
        partial(render, office),
    )


def run(waiting: Sequence[Waiting], office: Office) -> Batch:
    """All stages, one after the other."""
    batch = Batch(tuple(Bundle(each.contact, (each,)) for each in waiting))
    for stage in stages(office):
        batch = stage(batch)
    return batch


def drop_moot(batch: Batch) -> Batch:
    """What became of the task since the notice was made?"""

    def why(each: Waiting) -> str | None:
        given_away = each.is_taken and each.notice.kind != NoticeKind.CANCELLED
        told_on, due_on = each.notice.due_on, each.deadline.due_on
        if each.before is not None and (nothing_new := each.before.moot(told_on)):
            return nothing_new
        return GIVEN_AWAY if given_away else moot(each.notice.kind, told_on, each.task.state, due_on, each.cycle.state)

    return _drop(batch, why)


def drop_unreachable(batch: Batch) -> Batch:
    """Nobody to tell any more, or neither an e-mail nor another way that works: `is_reachable`, of what was read."""

    def why(each: Waiting) -> str | None:
        is_reached = each.contact.has_mail or (each.contact.is_active and each.ways)
        return None if is_reached else UNREACHABLE

    return _drop(batch, why)


def hold_by_way(office: Office, batch: Batch) -> Batch:
    """A way that works and is only not open now may be so again."""
    return _hold(batch, lambda each: by_way(each, office))


def hold_by_above(office: Office, batch: Batch) -> Batch:
    """Whoever is above waits: so does everybody below."""
    return _hold(batch, lambda each: by_above(each, office))


def hold_by_hours(office: Office, batch: Batch) -> Batch:
    return _hold(batch, lambda each: by_hours(each, office))


def hold_by_digest(office: Office, batch: Batch) -> Batch:
    return _hold(batch, lambda each: by_digest(each, office))


def bundle(batch: Batch) -> Batch:
    """One message a contact: 60 late units are one letter to the secretariat."""
    ordered = sorted(batch.bundles, key=lambda each: each.contact.id)
    groups = (list(group) for _, group in groupby(ordered, key=lambda each: each.contact.id))
    return replace(
        batch,
        bundles=tuple(
            Bundle(group[0].contact, tuple(waiting for each in group for waiting in each.waiting)) for group in groups
        ),
    )


def hold_by_budget(office: Office, batch: Batch) -> Batch:
    """What is too much for a contact today is told with the next message."""
    kept, held = [], list(batch.held)
    for each in batch.bundles:
        hold = by_budget(each.waiting, office)
        if hold is None:
            kept.append(each)
        else:
            held += [Held(waiting.notice.id, hold) for waiting in each.waiting]
    return replace(batch, bundles=tuple(kept), held=tuple(held))


def merge(batch: Batch) -> Batch:
    """Of what asks for the same task only the gravest has words; the others ride along."""
    merged: list[Merged] = []
    for each in batch.bundles:
        told = {waiting.notice.id for waiting in foremost(each.waiting)}
        merged += [Merged(one.notice.id, GRAVER) for one in each.waiting if one.notice.id not in told]
    return replace(batch, merged=tuple(merged))


def mark_urgent(office: Office, batch: Batch) -> Batch:
    """A message with anything urgent in it is tried again at night too."""
    bundles = (replace(each, is_urgent=any(is_urgent(one, office) for one in each.waiting)) for each in batch.bundles)
    return replace(batch, bundles=tuple(bundles))


def choose_channel(office: Office, batch: Batch) -> Batch:
    """The first way of the contact that is open now; else the e-mail."""

    def chosen(each: Bundle) -> Bundle:
        way = next((way for way in each.waiting[0].ways if is_open(way, office)), None)
        if way is None:
            return replace(each, channel=office.channel, address=each.contact.email or "")
        return replace(each, channel=way.channel, account=way.account, address=way.address)

    return replace(batch, bundles=tuple(chosen(each) for each in batch.bundles))


def render(office: Office, batch: Batch) -> Batch:
    letters = render_all([Wanted(each.contact, each.waiting, each.reference) for each in batch.bundles], office)
    rendered = (replace(each, rendered=letter) for each, letter in zip(batch.bundles, letters, strict=True))
    return replace(batch, bundles=tuple(rendered))


def moot(kind: str, told_on: date, task: str, due_on: date, cycle: str) -> str | None:
    """The code of the reason why telling this makes no sense any more; None while it does.

    `told_on` is the due day as the notice tells it, `due_on` as it is; `task` and `cycle` are their states.
    """
    state = TaskState(task)
    if kind == NoticeKind.RETURNED:
        return None if state in (*OWING, TaskState.MISSED) else _GONE[state]
    if kind == NoticeKind.UNREVIEWED:
        return None if state == TaskState.SUBMITTED else _GONE.get(state, "moot.reviewed")
    if kind not in ASKING:
        return None
    if state not in OWING:
        return _GONE[state]
    if cycle != CycleState.OPEN:
        return "moot.closed"
    return "moot.moved" if told_on != due_on else None


def _drop(batch: Batch, why: Callable[[Waiting], str | None]) -> Batch:
    kept, dropped = [], list(batch.dropped)
    for each in batch.bundles:
        reasons = [why(waiting) for waiting in each.waiting]
        dropped += [
            Dropped(waiting.notice.id, reason) for waiting, reason in zip(each.waiting, reasons, strict=True) if reason
        ]
        left = tuple(waiting for waiting, reason in zip(each.waiting, reasons, strict=True) if not reason)
        if left:
            kept.append(replace(each, waiting=left))
    return replace(batch, bundles=tuple(kept), dropped=tuple(dropped))


def _hold(batch: Batch, why: Callable[[Waiting], Hold | None]) -> Batch:
    """Before bundling: each bundle is still one notice."""
    kept, held = [], list(batch.held)
    for each in batch.bundles:
        hold = why(each.waiting[0])
        if hold is None:
            kept.append(each)
        else:
            held.append(Held(each.waiting[0].notice.id, hold))
    return replace(batch, bundles=tuple(kept), held=tuple(held))
