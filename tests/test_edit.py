"""Is one value changed, and nothing else? The comments, the order and every other line of a plan stay."""

import re
from collections import Counter
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules import load, nodes, shipped
from schedules.edit import NotClean, edited
from schedules.skeleton import Beginning, skeleton
from schedules.words import Value, written

SMALL = """\
a: 1  # one
b:
  # inner
  - x  # ex
  # about y
  - y
  - {z: 1}
c: {k: 1, l: "2"}  # see
d:
  e: 1
  # cee
  f: |
    long
    text
g: &w {kinds: [a, 'b']}
h: *w
i:
"""
PLANS = {code: path.read_text(encoding="utf-8") for code, path in shipped.plans().items()}
WORDS = st.sampled_from(
    [
        "dang-uy",
        "14 days before",
        "due day",
        "1.10",
        "no",
        "2021",
        "08:00",
        "a: b",
        "x # y",
        "{",
        "'",
        '"',
        "Ễ",
        " ",
        "",
    ]
)
VALUES = st.recursive(
    WORDS | st.integers(-5, 400) | st.booleans() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS.filter(bool), inner, min_size=1, max_size=3),
    max_leaves=6,
)


def lines(text: str, **changes: Any) -> str:
    """What is new, after the lines that went."""
    made = edited(text, {tuple(key.split("_")): value for key, value in changes.items()})
    was, now = Counter(text.splitlines()), Counter(made.splitlines())
    return "\n".join([*(f"-{each}" for each in (was - now)), *(f"+{each}" for each in (now - was))])


def said(text: str) -> Any:
    """As the loader reads it: every value is words."""
    return _words(nodes.compose(text.encode(), "plan.yaml"))


def _words(node: nodes.Node) -> Any:
    match node:
        case nodes.Mapping():
            return {_words(key): _words(each) for key, each in node.entries}
        case nodes.Listing():
            return [_words(each) for each in node.items]
        case _:
            return node.text


def plain(value: Any) -> Any:
    match value:
        case dict():
            return {plain(key): plain(each) for key, each in value.items()}
        case list():
            return [plain(each) for each in value]
        case bool():
            return str(value).lower()
        case _:
            return normalize("NFC", str(value))


def comments(text: str) -> list[str]:
    return re.findall(r"^\s*(#.*)$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"a": 2}, "-a: 1  # one\n+a: 2  # one"),
        ({"b": ["x", "new", "y", {"z": 1}]}, "+  - new"),
        ({"b": ["x", {"z": 1}]}, "-  - y"),
        ({"c_k": None}, '-c: {k: 1, l: "2"}  # see\n+c: {l: "2"}  # see'),
        ({"c_l": None}, '-c: {k: 1, l: "2"}  # see\n+c: {k: 1}  # see'),
        ({"c_m": ["p", 3]}, '-c: {k: 1, l: "2"}  # see\n+c: {k: 1, l: "2", m: [p, 3]}  # see'),
        ({"d_e": None}, "-  e: 1"),
        ({"d_q": "no"}, '+  q: "no"'),
        ({"d_q": [{"after": "1 day", "to": "unit.head"}]}, "+  q:\n+    - {after: 1 day, to: unit.head}"),
        ({"d_f": "short"}, "-  f: |\n-    long\n-    text\n+  f: short"),
        ({"h_kinds": ["c"]}, "-h: *w\n+h: {kinds: [c]}"),
        ({"i": "x"}, "-i:\n+i: x"),
        ({"j_k_l": 5}, "+j: {k: {l: 5}}"),
        (
            {"b": "q"},
            "-b:\n-  # inner\n-  - x  # ex\n-  # about y\n-  - y\n-  - {z: 1}\n+# inner\n+# ex\n+# about y\n+b: q",
        ),
        ({"a": 1}, ""),
        ({"a": None, "z": None}, "-a: 1  # one\n+# one"),
    ],
)  # fmt: skip
def test_a_change_touches_its_own_lines_alone(change: dict[str, Value | None], expected: str) -> None:
    assert lines(SMALL, **change) == expected


def test_a_list_keeps_the_spelling_of_what_stays() -> None:
    assert "[a, 'b', c]" in edited("g: [a, 'b']\n", {("g",): ["a", "b", "c"]})


def test_a_comment_above_an_item_goes_on_standing_above_it() -> None:
    assert edited(SMALL, {("b",): ["y"]}).splitlines()[2:6] == ["  # inner", "  # ex", "  # about y", "  - y"]


def test_what_others_repeat_is_left_alone() -> None:
    with pytest.raises(NotClean):
        edited(SMALL, {("g", "kinds"): ["c"]})
    with pytest.raises(NotClean):
        edited("a: [\n", {("a",): 1})
    with pytest.raises(NotClean):
        edited("- a\n", {("a",): 1})


def test_a_new_key_is_put_where_others_of_its_sort_stand() -> None:
    text = "o:\n  title: x\n  # who\n  who: y\n  due: z\n"
    made = edited(text, {("o", "every"): "year"}, {"o": ("title", "who", "every", "due")})
    assert made == "o:\n  title: x\n  # who\n  who: y\n  every: year\n  due: z\n"


@given(VALUES)
def test_what_is_written_is_read_back_as_the_same_words(value: Value) -> None:
    made = edited("a: 1\n", {("a",): value})
    assert made == edited("a: 1\n", {("a",): value})
    assert edited(made, {("a",): value}) == made
    text = written(value)
    assert "\n" not in text
    assert said(f"{{a: {text}}}") == said(made) == {"a": plain(value)}


@settings(max_examples=50)
@given(st.data())
def test_an_edit_of_a_shipped_plan_changes_one_value_and_keeps_every_comment(data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(sorted(PLANS)))
    text = PLANS[code]
    plan, _ = load.parse(text.encode(), code)
    assert plan is not None
    where: tuple[str, ...] = data.draw(
        st.sampled_from([("defaults",), *(("obligations", each.code) for each in plan.obligations)])
    )
    key = data.draw(st.sampled_from(["remind", "escalate", "grace", "opens", "due", "who", "every", "new"]))
    value = data.draw(st.none() | VALUES)
    try:
        made = edited(text, {(*where, key): value})
    except NotClean:
        return
    was, now = said(text), said(made)
    inside, outside = was, now
    for each in where:
        inside, outside = inside[each], outside[each]
    inside.pop(key, None)
    assert outside.pop(key, None) == (None if value is None else plain(value))
    assert was == now
    assert comments(made) == comments(text)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_new_plan_says_what_was_typed(vi: str, en: str, issuer: str) -> None:
    text = skeleton(Beginning("moi", vi, en, issuer, "vn-state", "2026..2030"))
    assert said(text)["title"] == {"vi": plain(" ".join(vi.split())), "en": plain(" ".join(en.split()))}
