"""Is every word of the plan language explained, in both languages, and nothing that is no word?"""

from collections.abc import Iterator
from typing import Any

import pytest

from dondoc.i18n import LANGUAGES, catalogue
from schedules.hints import described
from schedules.schema import json_schema

NAMES_OF_LANGUAGES = {"vi", "en"}


def keys(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of a schema with its shape."""
    if isinstance(node, list):
        for each in node:
            yield from keys(each)
    elif isinstance(node, dict):
        for name, each in node.items():
            if name == "properties":
                yield from ((key, shape) for key, shape in each.items() if isinstance(shape, dict))
            yield from keys(each)


def bare(node: Any) -> Any:
    if isinstance(node, list):
        return [bare(each) for each in node]
    if isinstance(node, dict):
        return {name: bare(each) for name, each in node.items() if name != "description" or not isinstance(each, str)}
    return node


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_key_is_explained(lang: str) -> None:
    silent = {key for key, shape in keys(described(lang)["$defs"]) if "description" not in shape}
    assert silent <= NAMES_OF_LANGUAGES
    assert {shape["description"] for _, shape in keys(described(lang)) if "description" in shape} <= {
        *catalogue(lang).values()
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_explanation_changes_nothing_of_the_schema(lang: str) -> None:
    assert bare(described(lang)) == json_schema()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_explanation_is_left_over(lang: str) -> None:
    said = {shape["description"] for _, shape in keys(described(lang)) if "description" in shape}
    written = {code: words for code, words in catalogue(lang).items() if code.startswith("hint.")}
    assert [code for code, words in written.items() if words not in said] == []


def test_a_key_means_what_it_means_where_it_stands() -> None:
    rungs = described("en")["$defs"]["escalate"]["items"]["properties"]
    assert rungs["to"]["description"].startswith("Who is told")
    assert described("en")["$defs"]["obligation"]["properties"]["to"]["description"].startswith("Who receives it")
