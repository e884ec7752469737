"""What is somebody told who writes to us? One short answer in the same chat, outside of the rows."""

import secrets
from datetime import datetime

from notifications.channels.carrier import Carrier, Letter, Result


def reply(carrier: Carrier, channel: str, account: str, address: str, words: str, now: datetime) -> Result:
    """An answer that does not arrive is asked for again by whoever wrote: nothing is tried twice."""
    letter = Letter(
        0, secrets.token_hex(16), None, now, address, "", "", words, "", channel=channel, account=account, short=words
    )
    ((_letter, result),) = carrier.send([letter], lambda letters: {each.message_id for each in letters})
    return result
