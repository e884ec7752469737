"""Does the channel carry? One letter to one address, outside of the rows: no notice, no message, no attempt."""

import secrets
from datetime import datetime
from html import escape

from notifications.channels.carrier import Carrier, Letter, Result


def trial(carrier: Carrier, address: str, subject: str, text: str, now: datetime) -> Result:
    """Hands the letter over and gives back what the other side answered. Each trial is a message of its own."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line)
    letter = Letter(0, secrets.token_hex(16), None, now, address, "", subject, text, paragraphs)
    ((_letter, result),) = carrier.send([letter], lambda letters: {each.message_id for each in letters})
    return result
