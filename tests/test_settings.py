"""Which settings are refused, and what do they never say?"""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from dondoc.cli.office import read_settings
from dondoc.cli.words import CommandFailedError
from dondoc.settings import Settings
from notifications.channels import carrier_for
from notifications.channels.eml import EmlCarrier


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zone", "Mars/X"),
        ("smtp_url", "http://mail"),
        ("smtp_url", "smtp://"),
        ("port", 99999),
        ("mail_from", "abc"),
        ("mail_from", "Office <office@example.org>"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({name: value})


def test_a_refused_mail_address_does_not_show_its_password() -> None:
    with pytest.raises(CommandFailedError) as refused:
        read_settings(smtp_url="ftp://office:secret@mail")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "vi",
            "DONDOC_MAIL_FROM: giá trị “abc” không dùng được: cần một địa chỉ thư điện tử như van-phong@example.org",
        ),
        ("en", "DONDOC_MAIL_FROM: the value “abc” cannot be used: expected an e-mail address such as"),
    ],
)
def test_a_sender_that_is_no_address_is_told_in_words(lang: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DONDOC_LANG", lang)
    with pytest.raises(CommandFailedError) as refused:
        read_settings(mail_from="abc")
    assert str(refused.value).startswith(said)
    assert read_settings(mail_from="van-phong@example.org").mail_from == "van-phong@example.org"


def test_a_playground_sends_nothing_whatever_the_settings_say(tmp_path: Path) -> None:
    office = read_settings(data=tmp_path, smtp_url=SecretStr("smtp://127.0.0.1:1"))
    assert not isinstance(carrier_for(office), EmlCarrier)
    office.clock.write_text("2025-10-03T01:15:00+00:00")
    assert isinstance(carrier_for(office), EmlCarrier)
