"""What of a plan can be set without typing YAML? Who, when and the ladder, as the fields of a form and back."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from schedules import load, obligations, rules
from schedules.cadences import ONCE_KEYS
from schedules.edit import Keys, Plain, edited, read
from schedules.words import Value

#: What a form sends: each name with its values in their order.
Fields: TypeAlias = Mapping[str, Sequence[str]]

DEFAULTS: Final = "defaults"  #: in place of an obligation's code; no obligation may be called so
STRETCHES: Final = ("end_of", "start_of", "before", "last_working_day_of")
#: What is filled in beside each rule.
BESIDE: Final = {
    **{head: (head,) for head in STRETCHES},
    "day": ("day", "month"),
    "date": ("date",),
    "on": ("on",),
    "after": ("after_count", "after"),
}
UNITS: Final = ("days", "working days")
COUNTS: Final = {"days": "days", "working days": "working_days", "hours": "hours"}  #: of a distance, and as a key
SORTS: Final = ("before", "due", "after", "every")  #: of a reminder
SPARE: Final = 2  #: empty lines for more rungs
_DISTANCE: Final = re.compile(r"([0-9]{1,5}) (working )?days?")
_REMIND: Final = re.compile(r"([0-9]{1,5}) (working )?days? (before|after)")
_REPEAT: Final = re.compile(r"every ([0-9]{1,5}) (working )?days? at most ([0-9]{1,5}) times?")
_OPENS: Final = re.compile(r"([0-9]{1,5}) (working )?days? before due")
_CODES: Final = re.compile(r"[,;\s]+")


class BadFields(Exception):
    """Fields that say nothing: name, and what came."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a form shows of one obligation, or of what holds for all."""

    code: str
    titles: Mapping[str, str]  #: by language
    fields: Fields
    inherited: Fields  #: what holds where the obligation says nothing
    has_who: bool
    has_due: bool
    is_once: bool
    remarks: tuple[str, ...]  #: what the text alone can say, and does: levels, variants, except, once


def codes_of(text: str) -> dict[str, Mapping[str, str]]:
    """The obligations of a text in their order, with their titles. Raises NotClean when it cannot be read."""
    return {code: _titles(owed) for code, owed in _mapping(_root(text).get("obligations")).items()}


def milestones_of(text: str) -> list[str]:
    return list(_mapping(_root(text).get("milestones")))


def sheet_of(text: str, code: str) -> Sheet | None:
    """None when the text has no such obligation. Raises NotClean when it cannot be read."""
    if code == DEFAULTS:
        return Sheet(code, {}, _shared(text), {}, has_who=False, has_due=False, is_once=False, remarks=())
    owed = _mapping(_root(text).get("obligations")).get(code)
    if not isinstance(owed, dict):
        return None
    once = owed.get("once")
    when = _mapping(once) if "once" in owed else owed
    has_due = isinstance(once, dict) or "every" in owed
    who = owed.get("who")
    fields = {
        **{key: _words(_mapping(who).get(key)) for key in obligations.WHO_KEYS},
        "every": [_word(owed.get("every"))],
        "in": [_word(owed.get("in"))],
        "period": [_word(when.get("period"))],
        **_due(_mapping(when.get("due"))),
        **_opens(when),
        **_grace(when),
        **_ladder(owed),
        "at": [_word(owed.get("at"))],
    }
    said_only: list[str] = [key for key in ("levels", "variants", "except") if key in owed]
    said_only += ["once"] * isinstance(once, list) + ["who_except"] * ("except" in _mapping(who))
    return Sheet(
        code,
        _titles(owed),
        fields,
        _shared(text),
        has_who=isinstance(who, dict),
        has_due=has_due and ("due" in when or "once" not in owed),
        is_once=isinstance(once, dict),
        remarks=tuple(said_only),
    )


def filled_in(text: str, sheet: Sheet, fields: Fields) -> str:
    """The text with what the form says. Raises BadFields, and NotClean when the text would lose something by it."""
    at: Keys = (DEFAULTS,) if sheet.code == DEFAULTS else ("obligations", sheet.code)
    when = (*at, "once") if sheet.is_once else at
    wrong: dict[str, str] = {}
    changes: dict[Keys, Value | None] = {}
    if sheet.has_who:
        who = dict(_mapping(_mapping(_below(text, at)).get("who")))
        for key in obligations.WHO_KEYS:
            codes, was = _codes(fields.get(key, ())), sheet.fields[key]
            who.pop(key, None)
            if codes:  # those that stay keep their order
                who[key] = [*(code for code in was if code in codes), *(code for code in codes if code not in was)]
        if who.keys() - {"except"}:
            changes[*at, "who"] = _as_value(who)
        else:
            wrong["who"] = ""
    if sheet.has_due:
        changes |= {(*when, key): value for key, value in _periods(sheet, fields).items()}
        due = _rule(sheet, fields, wrong)
        if due is not None:
            changes[*when, "due"] = due
    if sheet.has_due or sheet.code == DEFAULTS:
        if _one(fields, "opens_as") != "text":
            changes[*when, "opens"] = _distance(fields, "opens", wrong, " before due")
        if _one(fields, "grace_as") != "text":
            changes[*when, "grace"] = _distance(fields, "grace", wrong)
    changes |= {(*at, key): value for key, value in _rungs(sheet, fields, wrong).items()}
    changes[*at, "at"] = _one(fields, "at") or None
    if sheet.code == DEFAULTS:
        changes[*at, "roll"] = _one(fields, "roll") or None
    if wrong:
        raise BadFields(wrong)
    order = {sheet.code: obligations.KEYS, "once": ONCE_KEYS, DEFAULTS: load.DEFAULT_KEYS}
    return edited(text, changes, order)


def _periods(sheet: Sheet, fields: Fields) -> dict[str, Value | None]:
    if sheet.is_once:
        return {"period": _year(_one(fields, "period"))}
    inside = _one(fields, "in")
    return {"every": _one(fields, "every"), "in": _year(inside) if inside else None}


def _rule(sheet: Sheet, fields: Fields, wrong: dict[str, str]) -> dict[str, Value] | None:
    """The due rule; None when it stays as the text has it. What stands beside another rule is not passed over."""
    head = _one(fields, "rule")
    beside = [name for other, names in BESIDE.items() if other != head for name in names]
    if any(_one(fields, name) not in {"", _one(sheet.fields, name)} for name in beside):
        wrong["rule"] = ""
    wrong |= {name: "" for name in BESIDE.get(head, ()) if not _one(fields, name)}
    roll: dict[str, Value] = {"roll": _one(fields, "roll")} if _one(fields, "roll") else {}
    year = _one(fields, "year")
    counted: dict[str, Value] = {"year": int(year)} if year in {"-1", "1"} else {}
    if head in STRETCHES:
        return {head: _year(_one(fields, head)), **counted, **roll}
    match head:
        case "day":
            day = _one(fields, "day")
            return {"day": day if day == rules.LAST else _number(fields, "day", wrong), "of": _one(fields, "month"),
                    **counted, **roll}  # fmt: skip
        case "date":
            return {"date": _day(fields, wrong), **roll}
        case "on":
            return {"on": _one(fields, "on"), **roll}
        case "after":
            unit = COUNTS.get(_one(fields, "after_unit"), "days")
            return {"after": _one(fields, "after"), unit: _number(fields, "after_count", wrong), **roll}
        case _:
            return None


def _rungs(sheet: Sheet, fields: Fields, wrong: dict[str, str]) -> dict[str, Value | None]:
    """Both halves of the ladder; one that follows the plan has no words of its own, until somebody gives it some."""
    remind: list[str] = []
    for sort, count, unit, times in _lines(fields, "remind", "sort", "count", "unit", "times"):
        if sort == "due":
            remind.append("due day")
        elif sort in SORTS and _is_number(count, "remind", wrong):
            long = _long(count, unit)
            if sort != "every":
                remind.append(f"{long} {sort}")
            elif _is_number(times, "remind", wrong):
                remind.append(f"every {long} at most {times} {'time' if int(times) == 1 else 'times'}")
    escalate = [
        {"after": _long(count, unit), "to": to}
        for count, unit, to in _lines(fields, "escalate", "count", "unit", "to")
        if to and _is_number(count, "escalate", wrong)
    ]
    halves: dict[str, list[Any]] = {"remind": remind, "escalate": escalate}
    sources = {name: _one(fields, f"{name}_as") for name in halves}
    for name, rungs in halves.items():
        if rungs and sources[name] == _one(sheet.fields, f"{name}_as") == "plan":
            sources[name] = "own"
    return {name: None if sources[name] == "plan" else halves[name] for name in halves if sources[name] != "text"}


def _distance(fields: Fields, name: str, wrong: dict[str, str], tail: str = "") -> str | None:
    count = _one(fields, f"{name}_count")
    if not count or not _is_number(count, name, wrong):
        return None
    return _long(count, _one(fields, f"{name}_unit")) + tail


def _long(count: str, unit: str) -> str:
    return f"{int(count)} {'working ' if unit == 'working days' else ''}{'day' if int(count) == 1 else 'days'}"


def _number(fields: Fields, name: str, wrong: dict[str, str]) -> int:
    word = _one(fields, name)
    return int(word) if _is_number(word, name, wrong) else 0


def _is_number(word: str, name: str, wrong: dict[str, str]) -> bool:
    is_number = word.isascii() and word.isdecimal() and len(word) <= 5
    if not is_number:
        wrong[name] = word
    return is_number


def _day(fields: Fields, wrong: dict[str, str]) -> str:
    word = _one(fields, "date")
    try:
        return date.fromisoformat(word).isoformat()
    except ValueError:
        wrong["date"] = word
        return word


def _year(word: str) -> Value:
    """A year alone is a number to YAML."""
    return int(word) if re.fullmatch("[0-9]{4}", word) else word


def _lines(fields: Fields, name: str, *parts: str) -> Iterator[tuple[str, ...]]:
    columns = [fields.get(f"{name}_{part}", ()) for part in parts]
    return (tuple(each.strip() for each in line) for line in zip(*columns, strict=False))


def _codes(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for value in values for code in _CODES.split(value.strip()) if code))


def _one(fields: Fields, name: str) -> str:
    return next(iter(fields.get(name, ())), "").strip()


# From the text to the fields


def _shared(text: str) -> dict[str, list[str]]:
    said = _mapping(_root(text).get(DEFAULTS))
    alone = {key: [_word(said.get(key))] for key in ("at", "roll")}
    return {**_opens(said), **_grace(said), **_ladder(said), **alone}


def _due(due: Mapping[str, Plain]) -> dict[str, list[str]]:
    said = {key: _word(value) for key, value in due.items()}
    head = next((key for key in rules.BESIDE if key in said), "")
    beside = said.keys() - {head, "roll"}
    counts = [unit for unit, key in COUNTS.items() if key in said]
    can_show = {
        **dict.fromkeys(STRETCHES, beside <= {"year"}),
        "day": beside <= {"of", "year"},
        "date": True,
        "on": True,
        "after": len(counts) == 1 and len(beside) == 1,
    }
    is_shown = can_show.get(head, False) and said.get("year", "0") in {"-1", "0", "1"}
    fields = {key: [said.get(key, "")] for key in (*STRETCHES, "day", "date", "on", "after", "roll")}
    fields["month"] = [said.get("of", "")]
    fields["year"] = [said.get("year", "0")]
    fields["after_unit"] = [counts[0] if counts else "days"]
    fields["after_count"] = [said.get(COUNTS[counts[0]], "") if counts else ""]
    return {**fields, "rule": [head if is_shown else "text"]}


def _opens(said: Mapping[str, Plain]) -> dict[str, list[str]]:
    found = _OPENS.fullmatch(_word(said.get("opens")))
    is_text = "opens" in said and not found
    return {
        "opens_as": ["text" if is_text else "before"],
        "opens_count": [found[1] if found else ""],
        "opens_unit": [_unit(found[2] if found else None)],
    }


def _grace(said: Mapping[str, Plain]) -> dict[str, list[str]]:
    found = _DISTANCE.fullmatch(_word(said.get("grace")))
    return {
        "grace_as": ["text" if "grace" in said and not found else "before"],
        "grace_count": [found[1] if found else ""],
        "grace_unit": [_unit(found[2] if found else None)],
    }


def _ladder(said: Mapping[str, Plain]) -> dict[str, list[str]]:
    remind, escalate = said.get("remind"), said.get("escalate")
    reminders = [_reminder(word) for word in _words(remind)] + [("", "", UNITS[0], "")] * SPARE
    rungs = [_rung(each) for each in escalate if isinstance(each, dict)] if isinstance(escalate, list) else []
    rungs += [("", UNITS[1], "")] * SPARE
    is_shown = isinstance(remind, list) and all(_is_reminder(word) for word in _words(remind))
    can_climb = isinstance(escalate, list) and all(isinstance(each, dict) and _rung(each)[0] for each in escalate)
    columns: dict[str, list[str]] = {
        "remind_as": ["plan" if remind is None else "own" if is_shown else "text"],
        "escalate_as": ["plan" if escalate is None else "own" if can_climb else "text"],
    }
    for name, at in (("sort", 0), ("count", 1), ("unit", 2), ("times", 3)):
        columns[f"remind_{name}"] = [each[at] for each in reminders]
    for name, at in (("count", 0), ("unit", 1), ("to", 2)):
        columns[f"escalate_{name}"] = [each[at] for each in rungs]
    return columns


def _reminder(word: str) -> tuple[str, str, str, str]:
    if found := _REMIND.fullmatch(word):
        return found[3], found[1], _unit(found[2]), ""
    if found := _REPEAT.fullmatch(word):
        return "every", found[1], _unit(found[2]), found[3]
    return "due", "", UNITS[0], ""


def _is_reminder(word: str) -> bool:
    return word == "due day" or bool(_REMIND.fullmatch(word) or _REPEAT.fullmatch(word))


def _rung(said: Mapping[str, Plain]) -> tuple[str, str, str]:
    found = _DISTANCE.fullmatch(_word(said.get("after")))
    return found[1] if found else "", _unit(found[2] if found else None), _word(said.get("to"))


def _unit(working: str | None) -> str:
    return UNITS[1] if working else UNITS[0]


def _titles(owed: Plain) -> dict[str, str]:
    return {lang: _word(said) for lang, said in _mapping(_mapping(owed).get("title")).items()}


def _root(text: str) -> Mapping[str, Plain]:
    return _mapping(read(text).says)


def _below(text: str, keys: Keys) -> Plain:
    found: Plain = dict(_root(text))
    for key in keys:
        found = _mapping(found).get(key, "")
    return found


def _mapping(said: Plain | None) -> Mapping[str, Plain]:
    return said if isinstance(said, dict) else {}


def _word(said: Plain | None) -> str:
    return " ".join(said.split()) if isinstance(said, str) else ""


def _words(said: Plain | None) -> list[str]:
    """A single value is a list of one."""
    return [_word(each) for each in (said if isinstance(said, list) else [said] if said else [])]


def _as_value(who: Mapping[str, Plain]) -> dict[str, Value]:
    return dict(who)
