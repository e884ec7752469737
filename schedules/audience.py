"""Who owes it? A value; `models.unit.matching` is its only evaluator."""

from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Reached:
    """Only units for which a milestone of a period was entered with this very day (per unit, else for all)."""

    milestone: str
    period: str
    on: date


@dataclass(frozen=True, slots=True)
class Audience:
    """A unit belongs when it meets every part that is not empty, and none of `minus`."""

    kinds: frozenset[str] = frozenset()  #: kind of the placement on that day
    tags: frozenset[str] = frozenset()  #: at least one of these
    units: frozenset[str] = frozenset()  #: unit codes
    under: frozenset[str] = frozenset()  #: codes of units whose subtree (themselves included) counts
    minus: tuple["Audience", ...] = ()
    both: "Audience | None" = None  #: a second audience that must match as well (a variant within its obligation)
    reached: Reached | None = None

    @property
    def is_everyone(self) -> bool:
        return not (self.kinds or self.tags or self.units or self.under or self.both or self.reached)

    def without(self, others: tuple["Audience", ...]) -> "Audience":
        return self if not others else Audience(
            self.kinds, self.tags, self.units, self.under, self.minus + others, self.both, self.reached
        )  # fmt: skip

    def within(self, outer: "Audience") -> "Audience":
        return Audience(self.kinds, self.tags, self.units, self.under, self.minus, outer, self.reached)

    def having(self, reached: Reached) -> "Audience":
        return Audience(self.kinds, self.tags, self.units, self.under, self.minus, self.both, reached)

    def in_tree_of(self, issuer: str) -> "Audience":
        """A plan speaks to its issuer's own tree, unless it names units or subtrees itself."""
        if self.units or self.under:
            return self
        return replace(self, under=frozenset({issuer}))
