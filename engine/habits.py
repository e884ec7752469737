"""When do the simulation's units hand in? Shares of a hundred, drawn one by one there and summed up here."""

from typing import Final

SLOW: Final = 12  #: so many of a hundred units are late more often than others
#: whether a unit is slow -> of a hundred: never heard of; those and the late; those and the ones given more time
SHARES: Final = {False: (1, 5, 6), True: (6, 30, 32)}
EARLY: Final = 10  #: the punctual come on one of so many working days, of which the due day is the last
LATE: Final = 15  #: the late on one of so many after it
REVIEWED: Final = 4  #: what came in is looked at on one of so many working days after
RETURNED: Final = 4  #: of a hundred reports so many are returned once


def owing(days: int) -> float:
    """The share that owes still on the morning so many working days after the due day; negative is before it."""
    parts = ((SLOW / 100, SHARES[True]), (1 - SLOW / 100, SHARES[False]))
    return sum(share * _owing(days, *(each / 100 for each in of)) for share, of in parts)


def _owing(days: int, silent: float, late: float, longer: float) -> float:
    if days <= 0:
        return longer + (1 - longer) * min(1 - days, EARLY) / EARLY
    return silent + (late - silent) * max(LATE + 1 - days, 0) / LATE
