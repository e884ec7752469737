"""What does each word of the language mean? The schema with every key explained, for editors."""

from functools import lru_cache
from typing import Any

from dondoc.i18n import catalogue
from schedules.schema import json_schema


@lru_cache
def described(lang: str) -> dict[str, Any]:
    """`json_schema` with a `description` for each key; who gets it must not change it."""
    schema: dict[str, Any] = json_schema()
    _describe(schema, "", lang)
    return schema


def _describe(node: Any, inside: str, lang: str) -> None:
    """A key means what the catalogue says of it inside of the one above it; else what it always means."""
    if isinstance(node, list):
        for each in node:
            _describe(each, inside, lang)
    if not isinstance(node, dict):
        return
    for name, each in node.items():
        if name == "properties" and isinstance(each, dict):
            for key, shape in each.items():
                if isinstance(shape, dict):
                    said = catalogue(lang).get(f"hint.{inside}.{key}") or catalogue(lang).get(f"hint.{key}")
                    each[key] = {**shape, "description": said} if said else shape
                    _describe(each[key], key, lang)
        elif name == "$defs":
            for key, shape in each.items():
                _describe(shape, key, lang)
        else:
            _describe(each, inside, lang)
