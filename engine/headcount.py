"""How many units owe it? Audiences counted in sums, never unit by unit."""

from collections.abc import Hashable, Mapping
from datetime import date
from functools import cached_property

from sqlalchemy import func, select
from sqlmodel import Session, col

from models.unit import Placement, matching, valid
from schedules.audience import Audience


class Headcount:
    """Counts by the tree of one day; the same audience is counted once."""

    def __init__(self, session: Session, on: date, plan_id: int | None) -> None:
        """`plan_id` says whose milestones an audience that waits for one means."""
        self.session, self.on, self.plan_id = session, on, plan_id
        self.known: dict[Audience, int] = {}
        self.kinds: dict[frozenset[str], Mapping[str, int]] = {}

    def units(self, who: Audience) -> int:
        if who not in self.known:
            self.known[who] = self._by_kind(who) if _is_plain(who) else self._matching(who)
        return self.known[who]

    def parts(self, who: Audience) -> Mapping[Hashable, int]:
        """The same in parts, each the same units wherever it appears: a kind below some units, else the audience."""
        if not _is_plain(who):
            return {who: self.units(who)}
        kinds = self._kinds(who)
        return {(who.under, kind): kinds.get(kind, 0) for kind in who.kinds or kinds}

    @cached_property
    def superiors(self) -> int:
        """How many units have others below them."""
        parents = select(func.count(func.distinct(Placement.parent_id))).where(valid(self.on))
        return self.session.scalar(parents) or 0

    def _by_kind(self, who: Audience) -> int:
        kinds = self._kinds(who)
        return sum(kinds.get(kind, 0) for kind in who.kinds) if who.kinds else sum(kinds.values())

    def _kinds(self, who: Audience) -> Mapping[str, int]:
        """Most audiences are some kinds of a subtree: one count by kind answers for all of that subtree."""
        if who.under not in self.kinds:
            query = matching(Audience(under=who.under), self.on).order_by(None).group_by(col(Placement.kind))
            counts = self.session.execute(query.with_only_columns(col(Placement.kind), func.count()))
            self.kinds[who.under] = dict(counts.tuples().all())
        return self.kinds[who.under]

    def _matching(self, who: Audience) -> int:
        found = matching(who, self.on, self.plan_id).order_by(None).with_only_columns(col(Placement.id)).subquery()
        return self.session.scalar(select(func.count()).select_from(found)) or 0


def _is_plain(who: Audience) -> bool:
    return bool(who.under) and not (who.units or who.tags or who.minus or who.both or who.reached)
