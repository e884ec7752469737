"""How does every letter read? The examples of each kind as golden texts, which bin/golden writes."""

from pathlib import Path

from dondoc.i18n import LANGUAGES
from notifications.item import Office
from notifications.letters import data_of
from notifications.render import Rendered, render_bundle
from notifications.specimen import ZONE, Specimen, specimens
from notifications.wording import KINDS, Wordings

GOLDEN = Path(__file__).parent / "golden" / "letters"
#: Of several things the example that has all of them.
FULLEST = {"digest": 2}


def rendered(specimen: Specimen, wordings: Wordings | None = None) -> Rendered:
    own = wordings or Wordings()
    office = Office("email", "van-phong@example.org", "https://dondoc.example.org", ZONE, specimen.now, wordings=own)
    return render_bundle(specimen.contact, specimen.waiting, office, "4f1c")


def texts(kind: str, lang: str) -> dict[str, str]:
    """By the name of the golden file, what should stand in it."""
    specimen = specimens(kind, lang)[FULLEST.get(kind, 0)]
    letter = rendered(specimen)
    first = specimen.waiting[0]
    data = data_of(specimen.contact.name, first.contact_unit.name, letter.subject, first.notice.due_on, letter.short)
    parts = [letter.subject, letter.text, letter.short, "\n".join(f"{name}: {value}" for name, value in data.items())]
    told = "\n\n--------\n\n".join(part.strip() for part in parts)
    return {f"{kind}.{lang}.txt": f"{told}\n", f"{kind}.{lang}.html": f"{letter.html.strip()}\n"}


def write() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for kind in KINDS:
        for lang in LANGUAGES:
            for name, text in texts(kind, lang).items():
                (GOLDEN / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write()
