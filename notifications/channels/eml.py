"""What would be sent? Each message as an .eml file that any mail program opens."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from models.message import Outcome
from notifications.channels.carrier import Gate, Letter, Result
from notifications.channels.mail import compose

_AT_ONCE: Final = 10


class EmlCarrier:
    """Writes into a folder: the name starts with the day and the reference, so a second try is the same file."""

    channel = "eml"

    def __init__(self, folder: Path, sender: str, sender_name: str, url: str = "") -> None:
        self.folder, self.reply_address, self.sender_name, self.url = folder, sender, sender_name, url

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        self.folder.mkdir(parents=True, exist_ok=True)
        rest = iter(letters)
        while some := list(islice(rest, _AT_ONCE)):
            allowed = before_content(some)
            for letter in some:
                if letter.message_id in allowed:
                    yield letter, self._write(letter)

    def _write(self, letter: Letter) -> Result:
        try:
            content = compose(letter, self.reply_address, self.sender_name, "8bit", self.url)
        except ValueError as error:
            return Result(Outcome.RECIPIENT, "address", str(error))
        path = self.folder / f"{letter.at:%Y-%m-%d}-{letter.reference}.eml"
        fresh = path.with_suffix(".new")
        try:
            fresh.write_bytes(content)
            fresh.replace(path)
        except OSError as error:
            return Result(Outcome.RETRY, "file", error.strerror)
        return Result(Outcome.SENT, provider_id=path.name)
