"""Which carrier takes a message? The one of its channel; together they are one Carrier again."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from models.message import Outcome
from notifications.channels.carrier import Carrier, Gate, Letter, Result

#: Both are the office's mail: what was queued for files goes out by mail once there is a server, and vice versa.
MAIL: Final = ("email", "eml")


class ByChannel:
    """`mail` is the last resort, and the record if the office keeps one; the others are there when it set them up."""

    def __init__(self, mail: Carrier, others: Mapping[str, Carrier], keeps_record: bool = False) -> None:
        self.mail, self.others, self.keeps_record = mail, others, keeps_record
        self.channel, self.reply_address = mail.channel, mail.reply_address

    def send(self, letters: Sequence[Letter], before_content: Gate) -> Iterator[tuple[Letter, Result]]:
        ordered = sorted(letters, key=lambda letter: "" if letter.channel in MAIL else letter.channel)
        for channel, group in groupby(ordered, key=lambda letter: "" if letter.channel in MAIL else letter.channel):
            carrier = self.others.get(channel) if channel else self.mail
            if carrier is not None:
                yield from carrier.send(list(group), before_content)
            else:
                yield from ((letter, Result(Outcome.CONFIG, "no_channel", channel)) for letter in group)
