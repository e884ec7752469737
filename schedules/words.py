"""How is a value written into a file? The shortest YAML that the loader reads back as the same, on one line."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

#: What a file can say: numbers and truths bare, all else as words.
Value: TypeAlias = str | int | bool | Sequence["Value"] | Mapping[str, "Value"]

#: What another reader of YAML would take for something else than a word.
_NO_WORD: Final = re.compile(r"~|null|true|false|yes|no|on|off|[-+.0-9][0-9_.:eExXoOabcdfABCDF+-]*", re.IGNORECASE)
_PERIOD: Final = re.compile(r"[0-9]{4}-([HQM0-9][0-9M]+|[0-9]{2}-[0-9]{2})|[0-9]{4}[-0-9HQM]*\.\.[0-9]{4}[-0-9HQM]*")
#: What no file may have in it as it is: the loader's own list, and line breaks.
_UNSEEN: Final = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_KEY: Final = re.compile(r"[a-z][a-z0-9_-]*")
_PLAIN: Final = re.compile(r"[^\W_][^,\[\]{}#&*!|>'\"%@`:]*")


def written(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return value if _is_plain(value) else _quoted(value)
        case Mapping():
            return "{" + ", ".join(f"{named(key)}: {written(each)}" for key, each in value.items()) + "}"
        case _:
            return "[" + ", ".join(written(each) for each in value) + "]"


def named(key: str) -> str:
    """A key stands as it is, `on` too: the loader takes none of them for anything else than its letters."""
    return key if _KEY.fullmatch(key) else written(key)


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or _UNSEEN.search(text) or text != text.strip():
        return False
    return bool(_PERIOD.fullmatch(text)) or not _NO_WORD.fullmatch(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
