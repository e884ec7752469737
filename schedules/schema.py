"""What may an editor accept? The shape of plan and calendar files as a JSON Schema, made of the loader's own words.

It holds shapes only: names that must be declared, days that must exist and dates that must fit are the loader's.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from schedules import cadences, load, obligations, reader, rules
from schedules.plan import MOST_FILES, Every, FieldType, FileRule, Roll, Rung, SetBy

Schema = dict[str, object]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SINGLE: Final = "[0-9]{4}(-(H[12]|9M|Q[1-4]|0[1-9]|1[0-2]))?"
_DAYS: Final = "[0-9]{1,5} (working )?days?"
#: A word as it stands in the file: 1.10, no and 2021 are words too.
_WORD: Final[Schema] = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
_YES: Final[Schema] = {"type": "boolean"}
#: What `every: request` cannot have beside it.
_NOT_REQUESTED: Final = ("in", "only", "window", "opens", "except", "levels")


def json_schema() -> Schema:
    """A schema (2020-12) for both sorts of file, told apart as the loader does it."""
    return {
        "$schema": DIALECT,
        "title": "dondoc: plans and calendars",
        "if": {
            "anyOf": [{"required": [key]} for key in ("days", "decided")],
            "not": {"anyOf": [{"required": [key]} for key in ("plan", "obligations", "issuer", "term")]},
        },
        "then": _ref("calendar"),
        "else": _ref("plan"),
        "$defs": {
            "text": _mapping({"vi": _WORD, "en": _WORD}, ("vi", "en")),
            "day": _pattern(reader.DAY_SHAPE),
            "hour": _pattern(reader.HOUR_SHAPE),
            "period": _period(f"{_SINGLE}(\\.\\.{_SINGLE})?"),
            "stretch": _period("|".join((*rules.PARTS, _SINGLE))),
            "distance": _pattern(_DAYS),
            "rule": {"oneOf": [_rule(head) for head in rules.BESIDE]},
            "due": {"oneOf": [_rule(head, "roll") for head in rules.BESIDE]},
            "opening": {"anyOf": [_pattern(f"{_DAYS} before due"), _ref("rule")]},
            "window": _window(),
            "who": _who(),
            "remind": _list(_pattern(f"due day|{_DAYS} (before|after)|every {_DAYS} at most [0-9]{{1,5}} times?")),
            "escalate": _list(_mapping({"after": _ref("distance"), "to": _one_of(Rung)}, ("after", "to"))),
            "obligation": _obligation(),
            "plan": _plan(),
            "calendar": _calendar(),
        },
    }


def _plan() -> Schema:
    defaults = {
        "opens": _ref("opening"),
        "roll": _one_of(Roll),
        "at": _ref("hour"),
        "grace": _ref("distance"),
        "remind": _ref("remind"),
        "escalate": _ref("escalate"),
    }
    shapes = {
        "plan": _pattern(reader.CODE_SHAPE),
        "title": _ref("text"),
        "document": _ref("text"),
        "issuer": _WORD,
        "calendar": _pattern(reader.CODE_SHAPE),
        "term": _period(f"{_SINGLE}\\.\\.{_SINGLE}"),
        "note": _ref("text"),
        "defaults": _mapping(_exactly(defaults, load.DEFAULT_KEYS), load.DEFAULT_REQUIRED),
        "milestones": _named(_mapping({"title": _ref("text")}, ("title",)), _name()),
        "obligations": {**_named(_ref("obligation"), _name()), "minProperties": 1},
    }
    return _mapping(_exactly(shapes, load.PLAN_KEYS), load.PLAN_REQUIRED)


def _calendar() -> Schema:
    row = {"on": _ref("day"), "off": _YES, "name": _ref("text"), "source": _WORD, "decision": _WORD}
    shapes = {
        "calendar": _pattern(reader.CODE_SHAPE),
        "title": _ref("text"),
        "decided": _list(_number(reader.YEARS[0], reader.YEARS[-1])),
        "days": _list(_mapping(_exactly(row, load.ROW_KEYS), load.ROW_REQUIRED)),
    }
    return _mapping(_exactly(shapes, load.CALENDAR_KEYS), load.CALENDAR_KEYS)


def _obligation() -> Schema:
    due: Schema = {"anyOf": [_pattern(f"{_DAYS} before superior"), _ref("due")]}
    level = {
        **_mapping(_exactly({"who": _ref("who"), "due": due, "roll": _one_of(Roll)}, obligations.LEVEL_KEYS), ("who",)),
        # A rule has its roll within itself.
        "if": {"required": ["due"], "properties": {"due": {"type": "object"}}},
        "then": _without(("roll",)),
    }
    variant = {**_cadence(), "who": _ref("who"), "why": _WORD}
    shapes = {
        **_cadence(),
        "title": _ref("text"),
        "help": _ref("text"),
        "source": _one_or_more(_WORD),
        "who": _ref("who"),
        "to": _WORD,
        "via": _WORD,
        "valid": {**_mapping({"from": _ref("day"), "to": _ref("day")}), "minProperties": 1},
        "levels": {**_named(level), "minProperties": 2},
        "variants": _named(
            {**_mapping(_exactly(variant, obligations.VARIANT_KEYS), ("who",)), "allOf": _beside_every()}
        ),
        "remind": _ref("remind"),
        "escalate": _ref("escalate"),
        "at": _ref("hour"),
        "fields": _named(_field(), _pattern(reader.FIELD_SHAPE)),
        "file": _mapping(
            {"types": _some({"enum": list(FileRule().types)}), "required": _YES, "max": _number(1, MOST_FILES)}
        ),
    }
    return {
        **_mapping(_exactly(shapes, obligations.KEYS), ("title", "source")),
        "anyOf": [{"required": [key]} for key in ("who", "levels")],
        "oneOf": [{"required": [key]} for key in ("every", "once")],
        # What has periods of its own kind has one rule; each of `once` may have its own.
        "if": {"required": ["every"]},
        "then": {"required": ["due"]},
        "allOf": _beside_every(),
    }


def _cadence() -> Schema:
    years = "|".join(str(count) for count in range(2, cadences.MOST_YEARS + 1))
    parts = sorted({part for allowed in cadences.PARTS.values() for part in allowed})
    once = {
        "period": _ref("period"),
        "window": _ref("window"),
        "opens": _ref("opening"),
        "due": _ref("due"),
        "grace": _ref("distance"),
        "set_by": _one_of(SetBy),
    }
    differs = {**once, "skip": _YES, "why": _WORD}
    # Beside the reason stands at least one thing that differs.
    exception = {**_mapping(_exactly(differs, cadences.EXCEPTION_KEYS), ("why",)), "minProperties": 2}
    return _exactly(
        {
            **once,
            "every": {"anyOf": [_one_of(Every), _pattern(f"({years}) years")]},
            "in": _ref("period"),
            "only": _some({"enum": parts}),
            "once": _one_or_more(_mapping(_exactly(once, cadences.ONCE_KEYS), ("period",))),
            "except": _named(exception, _pattern(f"{_SINGLE}(\\.\\.{_SINGLE})?")),
        },
        cadences.KEYS,
    )


def _beside_every() -> list[Schema]:
    """What a cadence allows beside itself: parts of the year, or nothing."""
    found: list[Schema] = []
    for kind in Every:
        is_it: Schema = {"properties": {"every": {"const": kind.value}}, "required": ["every"]}
        if kind in cadences.PARTS:
            allowed = {"only": {"items": {"enum": list(cadences.PARTS[kind])}}}
            found.append({"if": is_it, "then": {"properties": allowed}})
        else:
            refused = {Every.REQUEST: _NOT_REQUESTED, Every.TERM: ("in", "only")}.get(kind, ("only",))
            found.append({"if": is_it, "then": _without(refused)})
        if kind is Every.REQUEST:
            opened: Schema = {"required": ["after"], "properties": {"after": {"const": rules.OPENED}}}
            found.append({"if": is_it, "then": {"properties": {"due": opened}}})
    return [*found, {"if": {"required": ["once"]}, "then": _without(("in", "only"))}]


def _field() -> Schema:
    shapes = {
        "type": _one_of(FieldType),
        "label": _ref("text"),
        "help": _ref("text"),
        "required": _YES,
        "target": _number(0, obligations.HIGHEST_TARGET),
    }
    return {
        **_mapping(_exactly(shapes, obligations.FIELD_KEYS), ("type", "label")),
        "if": {"required": ["target"]},
        "then": {"properties": {"type": {"const": FieldType.NUMBER.value}}},
    }


def _who() -> Schema:
    parts: Schema = {key: _some(_WORD) for key in obligations.WHO_KEYS}
    named: Schema = {"anyOf": [{"required": [key]} for key in obligations.WHO_KEYS]}
    return {**_mapping({**parts, "except": _one_or_more({**_mapping(parts), **named})}), **named}


def _window() -> Schema:
    rule: Schema = {"oneOf": [_rule(head) for head in rules.BESIDE if head in rules.WINDOW_RULE_KEYS]}
    shapes = {"cutoff_day": _number(1, cadences.LAST_CUTOFF), "cumulative": _YES, "from": rule, "to": rule}
    return {
        **_mapping(_exactly(shapes, cadences.WINDOW_KEYS)),
        "minProperties": 1,
        "not": {"required": ["cumulative", "from"]},
    }


def _rule(head: str, *more: str) -> Schema:
    """A rule by the word that makes it, with what may stand beside that."""
    days = _number(1, rules.FARTHEST)
    shapes = {
        "end_of": _ref("stretch"),
        "start_of": _ref("stretch"),
        "before": {"anyOf": [_ref("stretch"), _pattern(reader.CODE_SHAPE)]},
        "last_working_day_of": _ref("stretch"),
        "day": {"anyOf": [_number(1, 31), {"const": rules.LAST}]},
        "of": {"enum": list(rules.MONTHS)},
        "date": _ref("day"),
        "on": _pattern(reader.CODE_SHAPE),
        "after": _pattern(reader.CODE_SHAPE),
        "year": _number(-20, 20),
        "days": days,
        "working_days": days,
        "hours": _number(1, rules.MOST_HOURS),
        "roll": _one_of(Roll),
    }
    found = _mapping({key: shapes[key] for key in (head, *rules.BESIDE[head], *more)}, (head,))
    counts = [{"required": [key]} for key in ("days", "working_days", "hours") if key in rules.BESIDE[head]]
    match head:
        case "after":
            found["oneOf"] = counts
            found["if"] = {"required": ["hours"]}
            found["then"] = {"properties": {"after": {"const": rules.OPENED}, "roll": False}}
        case "before":
            found["not"] = {"required": ["days", "working_days"]}
        case "day":
            found["required"] = ["day", "of"]
        case "end_of" | "start_of" | "last_working_day_of":
            found["if"] = {"required": ["year"]}
            found["then"] = {"properties": {head: {"enum": list(rules.PARTS)}}}
    return found


def _exactly(shapes: Mapping[str, object], keys: Iterable[str]) -> Schema:
    """The shapes of the loader's keys, in its order; a key of the loader without a shape is a KeyError."""
    return {key: shapes[key] for key in keys}


def _mapping(shapes: Mapping[str, object], required: Iterable[str] = ()) -> Schema:
    return {
        "type": "object", "properties": dict(shapes), "required": list(required), "additionalProperties": False
    }  # fmt: skip


def _named(shape: Schema, names: Schema | None = None) -> Schema:
    names = names or _pattern(reader.CODE_SHAPE)
    return {"type": "object", "propertyNames": names, "additionalProperties": shape}


def _name() -> Schema:
    """A name that rules may use."""
    taken = [*(part.lower() for part in rules.PARTS), rules.CUTOFF, rules.OPENED]
    return {**_pattern(reader.CODE_SHAPE), "not": {"enum": taken}}


def _without(keys: Iterable[str]) -> Schema:
    return {"properties": dict.fromkeys(keys, False)}


def _list(shape: Schema) -> Schema:
    return {"type": "array", "items": shape}


def _some(shape: Schema) -> Schema:
    return {**_list(shape), "minItems": 1}


def _one_or_more(shape: Schema) -> Schema:
    return {"anyOf": [shape, _some(shape)]}


def _one_of(among: type[StrEnum]) -> Schema:
    return {"enum": [each.value for each in among]}


def _number(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _pattern(shape: str) -> Schema:
    return {"type": "string", "pattern": f"^({shape})$"}


def _period(shape: str) -> Schema:
    """A year alone is a number to YAML."""
    return {"anyOf": [_number(reader.YEARS[0], reader.YEARS[-1]), _pattern(shape)]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
