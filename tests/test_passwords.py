"""Which passwords are kept, and which are right?"""

import unicodedata

import pytest

from engine import passwords
from engine.errors import RefusedError
from engine.passwords import check, hashed, matches

GOOD = "ba con mèo ngồi trên mái nhà"


@pytest.mark.parametrize("password", [GOOD, "x7#kQ92mvLp4", "Xin chào, tôi là người gác cổng đêm!", f"{GOOD} " * 7])
def test_long_and_own_is_good_with_spaces_accents_and_any_length(password: str) -> None:
    check(password, "van-thu.stc", "Văn thư Chi bộ Sở Tài chính")


@pytest.mark.parametrize("password", ["", "ngắn quá", "x7#kQ92mvLp", "a" * 257])
def test_too_short_and_endless_are_refused(password: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check(password)
    assert refused.value.reason.code == "password.length"


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "passwordpassword",
        "123456789012",
        "qwertyuiop123",
        "aaaaaaaaaaaaaaaa",
        "Matkhau@12345",
        "anhyeuem123456",
        "matkhaucuatoi",
        "vanphong2026",
        "van-thu.stc1",
        "iloveyou1234",
    ],
)
def test_what_everybody_guesses_first_is_refused(password: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check(password, "van-thu.stc", "Văn thư")
    assert refused.value.reason.code == "password.common"


def test_a_mac_and_a_phone_mean_the_same_letters() -> None:
    kept = hashed(unicodedata.normalize("NFD", GOOD))
    assert kept.startswith("$argon2id$")
    assert GOOD not in kept
    assert matches(GOOD, kept)
    assert not matches(GOOD.upper(), kept)
    assert not matches(f"{GOOD} ", kept)


def test_an_unknown_login_costs_as_much_as_a_wrong_password() -> None:
    """There too a hash of the same cost is compared with; how long that takes is Argon2's business."""
    cost = hashed(GOOD).rsplit("$", 2)[0]
    assert cost.startswith("$argon2id$v=19$m=65536,")
    assert passwords._nobodys().rsplit("$", 2)[0] == cost
    assert not matches("something else", None)
