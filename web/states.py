"""How is a state shown? Seven of them, each a glyph, a fill and words."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Look:
    glyph: str
    css: str  #: class of the fill in dondoc.css
    bar: str  #: class of its stretch in a bar; empty: left blank


#: By the code of a shown state; its words are the message `shown.<code>`. A missed task looks overdue.
STATES: Final = MappingProxyType(
    {
        "accepted": Look("✓", "s-ok", "ok"),
        "submitted_on_time": Look("●", "s-in", "in"),
        "submitted_late": Look("◐", "s-late", "late"),
        "overdue": Look("!", "s-over", "over"),
        "missed": Look("!", "s-over", "over"),
        "returned": Look("↩\N{VARIATION SELECTOR-15}", "s-back", "back"),
        "not_due": Look("…", "s-wait", ""),
        "none": Look("–", "s-none", ""),
    }
)
