"""Does the channel carry? One letter to one address, outside of the rows: no notice, no message, no attempt."""

import secrets
from dataclasses import replace
from datetime import datetime
from html import escape

from models.message import Outcome
from notifications.channels.carrier import Carrier, Letter, Result
from notifications.channels.smtp import may_be_of_us


def trial(carrier: Carrier, address: str, subject: str, text: str, now: datetime) -> Result:
    """Hands the letter over and gives back what the other side answered. Each trial is a message of its own.

    Whoever tries has no other letters to compare with: what may be meant for us is told as a fault of our settings.
    """
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line)
    letter = Letter(0, secrets.token_hex(16), None, now, address, "", subject, text, paragraphs)
    ((_letter, result),) = carrier.send([letter], lambda letters: {each.message_id for each in letters})
    return replace(result, outcome=Outcome.CONFIG) if may_be_of_us(result) else result
