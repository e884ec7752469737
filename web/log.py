"""What may stand in a log? Never the secret part of an address."""

import logging
import re
from typing import Final

#: Beginnings of addresses that let somebody in.
SECRET: Final = ("/s/", "/u/", "/k/", "/not-me/", "/invite/")
_SECRET: Final = re.compile(rf"({'|'.join(SECRET)})[^/?\s]+")


def masked(path: str) -> str:
    """/s/12-abc/receipt becomes /s/***/receipt."""
    return _SECRET.sub(r"\1***", path)


class MaskSecrets(logging.Filter):
    """Masks the paths in uvicorn's access lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(masked(each) if isinstance(each, str) else each for each in record.args)
        return True


def mask_access_log() -> None:
    logger = logging.getLogger("uvicorn.access")
    if not any(isinstance(each, MaskSecrets) for each in logger.filters):
        logger.addFilter(MaskSecrets())
