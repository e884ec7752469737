"""Does the organisation's own sign-in let in whom it should, and nobody else? A provider on a real port."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import SecretStr
from sqlmodel import col, select

from dondoc import clock
from models.entry import Entry
from models.user import SignIn, User, UserRole
from tests.desk import SESSION, Desk, sqlite_desk
from web.app import create_app

KEY = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Provider:
    """Says yes to everybody as `subject`; what it says can be bent with `claims`, who signs it with `key`."""

    url: str
    subject: str = "sub-42"
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)
    algorithm: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, asked: dict[str, str]) -> str:
        """What its sign-in page leads back to."""
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (
            "dondoc",
            "code",
            "S256",
        )
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{urlsplit(asked['redirect_uri']).path}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        is_client = authorization == f"Basic {base64.b64encode(b'dondoc:shared').decode()}"
        if asked is None or not is_client or challenge.decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(clock.now().timestamp())
        said = {
            "iss": self.url,
            "aud": "dondoc",
            "sub": self.subject,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 60,
        }
        said = {name: value for name, value in (said | self.claims).items() if value is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        id_token = jwt.encode(header, said, self.key, algorithms=[self.algorithm])
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": id_token}


@pytest.fixture
def provider() -> Iterator[Provider]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own = found.url
            places = {"issuer": own, "authorization_endpoint": f"{own}/auth", "token_endpoint": f"{own}/token",
                      "jwks_uri": f"{own}/keys"}  # fmt: skip
            self.say(200, places if "well-known" in self.path else KeySet([KEY]).as_dict(private=False))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self.say(*found.token(form, self.headers.get("authorization", "")))

        def say(self, status: int, words: Any) -> None:
            content = json.dumps(words).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_given: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    found = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path, provider: Provider) -> Iterator[Desk]:
    """A real office that knows the provider."""
    with sqlite_desk(sqlite_template, tmp_path) as desk:
        desk.settings.clock.unlink()
        yield with_settings(
            desk, oidc_issuer=provider.url, oidc_client_secret=SecretStr("shared"), oidc_name="VNConnect"
        )


def with_settings(desk: Desk, **changes: Any) -> Desk:
    settings = desk.settings.model_copy(update=changes)
    return Desk(desk.database, settings, create_app(desk.database, settings))


def bound(desk: Desk, subject: str = "sub-42", role: UserRole = UserRole.ADMIN) -> int:
    user = desk.user(role, "duk")
    with desk.database.writing() as session:
        session.get_one(User, user.id).subject = subject
    return user.id


def leave(desk: Desk, provider: Provider, to: str = "/") -> str:
    """To the provider, and where it leads back to."""
    answer = desk.get(f"/sign-in/oidc?next={to}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{provider.url}/auth?")
    name, _, sealed = answer.headers["set-cookie"].partition(";")[0].partition("=")
    desk.cookies.set(name, sealed, domain="office.example.org")
    return provider.authorize({n: v[0] for n, v in parse_qs(urlsplit(answer.headers["location"]).query).items()})


def press(desk: Desk, back: str) -> httpx.Response:
    shown = desk.get(back)
    assert shown.status_code == 200
    given = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert all(f'value="{value}"' in shown.text for value in given.values())
    return desk.post("/sign-in/oidc/back", given)


def test_whom_the_provider_knows_and_an_admin_bound_comes_in_without_another_factor(
    desk: Desk, provider: Provider
) -> None:
    user_id = bound(desk)
    assert "Đăng nhập bằng VNConnect" in desk.get("/sign-in").text
    answer = press(desk, leave(desk, provider, "/people"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    token = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(SESSION))
    desk.cookies.set(SESSION, token.partition(";")[0].partition("=")[2], domain="office.example.org")
    assert desk.get("/people").status_code == 200
    with desk.database.reading() as session:
        last = session.exec(select(Entry).order_by(col(Entry.id).desc())).first()
    assert last is not None
    assert (last.act, last.by) == ("signed_in", f"user:{user_id}")


def test_coming_back_changes_nothing_before_the_button_is_pressed(desk: Desk, provider: Provider) -> None:
    bound(desk)
    before = desk.rows()
    back = leave(desk, provider)
    for _ in range(3):
        assert desk.get(back).status_code == 200
    assert desk.rows() == before
    assert press(desk, back).status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"exp": 1_000_000},
        {"exp": None},
        {"sub": None},
    ],
    ids=str,
)
def test_what_is_said_of_somebody_else_or_another_time_lets_nobody_in(
    desk: Desk, provider: Provider, claims: dict[str, Any]
) -> None:
    bound(desk)
    provider.claims = claims
    refused(desk, press(desk, leave(desk, provider)), "không xác nhận được")


def test_another_key_or_another_way_of_signing_lets_nobody_in(desk: Desk, provider: Provider) -> None:
    bound(desk)
    provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    refused(desk, press(desk, leave(desk, provider)), "không xác nhận được")
    provider.key, provider.claims = KEY, {}
    back = leave(desk, provider)
    real = provider.token
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()

    def none(form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        status, said = real(form, authorization)
        return status, said | {"id_token": f"{unsigned}.{said['id_token'].split('.')[1]}."}

    provider.token = none  # type: ignore[method-assign]
    refused(desk, press(desk, back), "không xác nhận được")


def test_the_answer_belongs_to_the_browser_that_asked_and_works_once(desk: Desk, provider: Provider) -> None:
    bound(desk)
    back = leave(desk, provider)
    stranger = Desk(desk.database, desk.settings, desk.app)
    refused(stranger, press(stranger, back), "bắt đầu ở trình duyệt khác")
    leave(stranger, provider)
    refused(stranger, press(stranger, back), "bắt đầu ở trình duyệt khác")
    kept = desk.cookies["__Host-oidc"]
    assert press(desk, back).status_code == 303
    desk.cookies.set("__Host-oidc", kept, domain="office.example.org")
    assert press(desk, back).status_code == 422


def test_somebody_whom_nobody_bound_is_told_what_to_give_to_an_admin(desk: Desk, provider: Provider) -> None:
    provider.subject = "sub-77"
    refused(desk, press(desk, leave(desk, provider)), "sub-77")
    with desk.database.reading() as session:
        assert session.exec(select(User).where(col(User.subject) == "sub-77")).first() is None


def test_where_the_office_says_so_whoever_is_known_becomes_a_user_without_a_role(
    desk: Desk, provider: Provider
) -> None:
    welcoming = with_settings(desk, oidc_adds_users=True)
    provider.claims = {"name": "Văn thư mới"}
    assert press(welcoming, leave(welcoming, provider)).status_code == 303
    with desk.database.reading() as session:
        user = session.exec(select(User).where(col(User.subject) == "sub-42")).one()
        assert session.exec(select(SignIn).where(col(SignIn.user_id) == user.id)).one().is_whole
    assert user.name == "Văn thư mới"


def test_a_disabled_user_stays_out(desk: Desk, provider: Provider) -> None:
    user_id = bound(desk)
    with desk.database.writing() as session:
        session.get_one(User, user_id).is_active = False
    refused(desk, press(desk, leave(desk, provider)), "chưa gắn với người dùng nào")


def test_a_refusal_of_the_provider_and_its_absence_are_told(desk: Desk, provider: Provider) -> None:
    answer = desk.get("/sign-in/oidc/back?error=access_denied&state=x")
    assert (answer.status_code, "không xác nhận được" in answer.text) == (422, True)
    away = with_settings(desk, oidc_issuer="http://127.0.0.1:9")
    answer = away.get("/sign-in/oidc")
    assert (answer.status_code, "không tới được cổng đăng nhập" in answer.text.lower()) == (422, True)


def test_without_a_provider_there_is_no_such_way(desk: Desk) -> None:
    plain = with_settings(desk, oidc_issuer=None)
    assert "/sign-in/oidc" not in plain.get("/sign-in").text
    for method, path in (("GET", "/sign-in/oidc"), ("GET", "/sign-in/oidc/back"), ("POST", "/sign-in/oidc/back")):
        assert plain.ask(method, path).status_code == 404


def test_a_provider_over_plain_http_elsewhere_stops_the_application(desk: Desk) -> None:
    with pytest.raises(RuntimeError, match="https"):
        with_settings(desk, oidc_issuer="http://sso.example.org")


def refused(desk: Desk, answer: httpx.Response, says: str) -> None:
    assert (answer.status_code, says in answer.text) == (422, True), answer.text
    assert SESSION not in "".join(answer.headers.get_list("set-cookie"))
    with desk.database.reading() as session:
        assert not session.exec(select(SignIn)).all()
