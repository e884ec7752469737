"""Which periods, with which dates? The cadence of an obligation or of a variant, and its exceptions."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from schedules import nodes, periods
from schedules.deadlines import ONE_DAY
from schedules.nodes import Node, excerpt, shorten
from schedules.periods import Period
from schedules.plan import (
    AfterOpening,
    Cadence,
    Due,
    Every,
    Offset,
    Opening,
    PeriodException,
    SetBy,
    Window,
)
from schedules.reader import SOME_DAY, Entries, Reader
from schedules.rules import UNREAD, Rules, distance
from schedules.windows import window_of

KEYS: Final = ("every", "in", "only", "once", "window", "opens", "due", "grace", "set_by", "except")
ONCE_KEYS: Final = ("period", "window", "opens", "due", "grace", "set_by")
EXCEPTION_KEYS: Final = ("window", "due", "opens", "grace", "set_by", "skip", "why")
WINDOW_KEYS: Final = ("cutoff_day", "cumulative", "from", "to")
LAST_CUTOFF: Final = 30  #: the 31st is no cut-off: the period itself ends with its month
ENOUGH: Final = 60  #: periods whose windows show what the others are like: five years of months
MOST_YEARS: Final = 20  #: of one period
_WHICH: Final = ("every", "in", "only", "once")
_YEARS: Final = re.compile(r"([0-9]{1,3}) years")
PARTS: Final = {
    "half": ("H1", "H2"), "quarter": ("Q1", "Q2", "Q3", "Q4"), "month": tuple(f"M{month}" for month in range(1, 13))
}  # fmt: skip


class Cadences:
    """Reads cadences; `term` and the opening and grace of the plan stand in for what an obligation leaves out."""

    def __init__(self, reader: Reader, rules: Rules, term: Period | None, defaults: Entries) -> None:
        self.reader = reader
        self.rules = rules
        self.term = term
        self.defaults = defaults
        self.windows: dict[Period, Node] = {}

    def read(self, own: Entries, inherited: Entries | None = None) -> Cadence:
        """A variant inherits what it leaves out; every, in, only and once go together."""
        chosen = own if inherited is None or any(key in own for key in _WHICH) else inherited
        above = [inherited] if inherited else []
        self.windows.clear()
        found, once = self._periods(chosen)
        on_request = self._is_on_request(chosen)
        if on_request:
            self._refuse_beside_request(own)
        layers = [own, *above, self.defaults]
        if len(once) == 1:
            # What stands in `once` is nearer than the obligation around it, not nearer than a variant of its own.
            layers = [*once, *layers] if chosen is own else [own, *once, *above, self.defaults]
            once = []
        due = _pick(layers, "due")
        for lacking in () if due else [each for each in once if "due" not in each] if once else [own]:
            if lacking.lacks("due"):
                self.reader.error(lacking.at, "problem.missing-key", key="due")
        due = due or next((each.values["due"] for each in once if "due" in each), None)
        cadence = Cadence(
            periods=found,
            due=self.rules.due(due, on_request=on_request) if due else Due(UNREAD),
            opens=AfterOpening(Offset(0)) if on_request else self._opens(_pick(layers, "opens")),
            grace=self._grace(_pick(layers, "grace")),
            set_by=self._set_by(_pick(layers, "set_by")) or SetBy.DOCUMENT,
            window=self._window(_pick(layers, "window")),
            is_on_request=on_request,
        )
        rows = self._once_rows(once, own if chosen is inherited else None)
        for row in self._exceptions(own, inherited, found):
            earlier = rows.get(row.period)
            rows[row.period] = _over(earlier, row) if earlier else row
        cadence = replace(cadence, exceptions=tuple(rows[period] for period in sorted(rows)))
        self._refuse_empty_windows(cadence, _pick(layers, "window") or own.at)
        return cadence

    def _periods(self, entries: Entries) -> tuple[tuple[Period, ...], list[Entries]]:
        every, once = entries.get("every"), entries.get("once")
        if every and once:
            self.reader.error(entries.keys["once"], "problem.every-and-once")
            return (), []
        if once:
            for key in ("in", "only"):
                if key in entries:
                    self.reader.error(entries.keys[key], "problem.not-beside", key=key, head="once")
            return self._once(once)
        if every is None:
            if entries.lacks("every", "once"):
                self.reader.error(entries.at, "problem.every-or-once")
            return (), []
        return self._every(every, entries), []

    def _every(self, every: Node, entries: Entries) -> tuple[Period, ...]:
        kind = self._kind(every)
        within = entries.get("in")
        outer = self.reader.period(within) if within else self.term
        only = entries.get("only")
        parts: list[str] = []
        if kind in (Every.TERM, Every.REQUEST) and within:
            self.reader.error(entries.keys["in"], "problem.not-beside", key="in", head=f"every: {kind}")
        if kind and only and kind not in PARTS:
            head = f"every: {excerpt(every)}"
            self.reader.error(entries.keys["only"], "problem.not-beside", key="only", head=head)
        elif kind and only:
            parts = [self.reader.one_of(each, PARTS[str(kind)]) or "" for each in self.reader.items(only)]
            if not parts and isinstance(only, nodes.Listing):
                self.reader.error(only, "problem.empty-list", key="only")
        if kind is None or kind is Every.REQUEST or outer is None or "" in parts:
            return ()
        found = _within(kind, outer, frozenset(parts))
        if not found:
            self.reader.error(within or every, "problem.no-period", every=excerpt(every), outer=outer.label)
        return found

    def _kind(self, node: Node) -> Every | int | None:
        """A sort of period, or so many years."""
        text = " ".join(node.text.split()) if isinstance(node, nodes.Scalar) else ""
        if found := _YEARS.fullmatch(text):
            years = int(found[1])
            if not 2 <= years <= MOST_YEARS:
                self.reader.error(node, "problem.bad-years-count", got=excerpt(node), most=MOST_YEARS)
                return None
            return years
        # The last one is how the years are written: it was read above, so that only its neighbours come here.
        word = self.reader.one_of(node, (*(each.value for each in Every), "3 years"))
        return Every(word) if word else None

    def _is_on_request(self, entries: Entries) -> bool:
        every = entries.get("every")
        return isinstance(every, nodes.Scalar) and every.text == Every.REQUEST and "once" not in entries

    def _refuse_beside_request(self, own: Entries) -> None:
        """What a request cannot have: it opens when it is asked for, for no period that one could name before."""
        for key in ("opens", "except", "window"):
            if key in own:
                self.reader.error(own.keys[key], "problem.not-beside", key=key, head="every: request")

    def _once(self, node: Node) -> tuple[tuple[Period, ...], list[Entries]]:
        """One period, or several in a list, each with what is its own."""
        found: dict[Period, Entries] = {}
        items = self.reader.one_or_more(node)
        for item in items:
            entries = self.reader.entries(item, ONCE_KEYS, ("period",))
            named = entries.get("period")
            period = self.reader.period(named) if named else None
            if period in found and named:
                self.reader.error(named, "problem.duplicate-period", got=excerpt(named))
            elif period:
                found[period] = entries
        return tuple(found), list(found.values())

    def _once_rows(self, once: list[Entries], nearer: Entries | None) -> dict[Period, PeriodException]:
        """Of several periods in `once`, what each says for itself; what a variant says for all is nearer."""
        rows: dict[Period, PeriodException] = {}
        for entries in once:
            period = self.reader.period(entries.values["period"])
            own = {key: node for key, _, node in entries if key != "period" and not (nearer and key in nearer)}
            if period and own:
                rows[period] = self._row(period, own, None)
        return rows

    def _exceptions(self, own: Entries, inherited: Entries | None, among: tuple[Period, ...]) -> list[PeriodException]:
        """The exceptions; of inherited ones those whose period the variant has."""
        holder = own if "except" in own or inherited is None else inherited
        node = holder.get("except")
        if node is None:
            return []
        labels = {each.label: each for each in among}
        rows = []
        for label, at, entries in self.reader.named(node, EXCEPTION_KEYS):
            period = labels.get(label)
            if period is None and holder is own and self.reader.period(at) and among:
                self.reader.error(
                    at, "problem.exception-outside", got=shorten(label), allowed=listed([each.label for each in among])
                )
            self._check_exception(entries)
            why = entries.get("why")
            given = {key: each for key, _, each in entries if key != "why"}
            row = self._row(period or SOME_PERIOD, given, self.reader.line(why) if why else "")
            if period:
                rows.append(row)
        return rows

    def _check_exception(self, entries: Entries) -> None:
        if entries.lacks("why"):
            self.reader.error(entries.at, "problem.exception-without-why")
        if entries.is_complete and not any(key in entries for key in EXCEPTION_KEYS[:-1]):
            self.reader.error(entries.at, "problem.empty-exception", allowed=", ".join(EXCEPTION_KEYS[:-1]))

    def _row(self, period: Period, given: dict[str, Node], why: str | None) -> PeriodException:
        due, opens, grace, skip, window = (given.get(key) for key in ("due", "opens", "grace", "skip", "window"))
        if window:
            self.windows[period] = window
        return PeriodException(
            period,
            why,
            due=self.rules.due(due) if due else None,
            opens=self.rules.opening(opens) if opens else None,
            grace=self._grace(grace),
            skip=self.reader.yes(skip) if skip else False,
            set_by=self._set_by(given.get("set_by")),
            window=self._window(window),
        )

    def _window(self, node: Node | None) -> Window | None:
        if node is None:
            return None
        entries = self.reader.entries(node, WINDOW_KEYS)
        if entries.is_complete and not entries.values:
            self.reader.error(node, "problem.empty-list", key="window")
        cutoff, cumulative, first, last = (entries.get(key) for key in WINDOW_KEYS)
        if cumulative and first:
            self.reader.error(entries.keys["from"], "problem.not-beside", key="from", head="cumulative")
        return Window(
            self.reader.number(cutoff, 1, LAST_CUTOFF) if cutoff else None,
            self.reader.yes(cumulative) if cumulative else None,
            self.rules.plain(first) if first else None,
            self.rules.plain(last) if last else None,
        )

    def _refuse_empty_windows(self, cadence: Cadence, at: Node) -> None:
        """Told once, of the first period that has no day.

        One rule makes them all, so that those at both ends are enough: a file may name thousands of periods.
        """
        own = {each.period: each.window for each in cadence.exceptions if each.window is not None}
        ends = (*cadence.periods[:ENOUGH], *cadence.periods[ENOUGH:][-ENOUGH:]) if cadence.window is not None else ()
        for period in sorted({*ends, *own}):
            window = own[period].over(cadence.window) if period in own else cadence.window
            first, end = window_of(window, period)
            if end <= first:
                last = (end - ONE_DAY).isoformat()
                at = self.windows.get(period, at)
                self.reader.error(at, "problem.empty-window", period=period.label, first=first.isoformat(), got=last)
                return

    def _opens(self, node: Node | None) -> Opening:
        return self.rules.opening(node) if node else UNREAD

    def _grace(self, node: Node | None) -> Offset | None:
        return distance(self.reader, node, least=0) if node else None

    def _set_by(self, node: Node | None) -> SetBy | None:
        return self.reader.choice(node, SetBy) if node else None


SOME_PERIOD: Final = periods.of("year", SOME_DAY)


def _pick(layers: list[Entries], key: str) -> Node | None:
    return next((each.values[key] for each in layers if key in each), None)


@lru_cache(maxsize=64)
def _within(kind: Every | int, outer: Period, parts: frozenset[str]) -> tuple[Period, ...]:
    """The obligations of a plan mostly share their periods."""
    if isinstance(kind, int):
        return tuple(periods.years_within(kind, outer))
    if kind is Every.TERM:
        return (outer,)
    return tuple(each for each in periods.within(kind.value, outer) if not parts or _part(each) in parts)


def _part(period: Period) -> str:
    """Q3, H1, M6: the part of the year as the language writes it."""
    return f"M{period.start.month}" if period.kind == "month" else period.part


def listed(labels: list[str]) -> str:
    """The labels of periods, the middle left out when there are many."""
    return ", ".join(labels if len(labels) <= 8 else [*labels[:3], "…", labels[-1]])


def _over(earlier: PeriodException, later: PeriodException) -> PeriodException:
    """What an exception says over what `once` says of the same period."""
    return PeriodException(
        later.period,
        later.why,
        due=later.due or earlier.due,
        opens=later.opens or earlier.opens,
        grace=later.grace if later.grace is not None else earlier.grace,
        skip=later.skip,
        set_by=later.set_by or earlier.set_by,
        window=later.window.over(earlier.window) if later.window else earlier.window,
    )
