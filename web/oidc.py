"""Has the organisation's own sign-in let them in? OpenID Connect: authorization code with PKCE, state and nonce.

The provider leads back by a GET, and reading changes nothing here: the page that it leads to has one button, whose
press exchanges the code and begins the session.
"""

import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from dondoc.keys import seal_of
from dondoc.settings import Settings
from engine import sign_in
from engine.errors import RefusedError
from web import cookies, forms
from web.access import OpenToAll
from web.network import agent
from web.office import InOffice, Office
from web.pages import page

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

START: Final = "/sign-in/oidc"
BACK: Final = "/sign-in/oidc/back"
COOKIE: Final = "oidc"
WITHIN: Final = 10 * 60  #: seconds from leaving for the provider to coming back
TIMEOUT: Final = 10
LEEWAY: Final = 60  #: seconds that the provider's clock may be ahead
#: Signatures with the provider's own key; never `none`, nor one made with the secret that we share.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
router = APIRouter(dependencies=[OpenToAll])


def check(settings: Settings) -> None:
    """Says at the start what would fail at the first sign-in."""
    if settings.oidc_issuer is None:
        return
    parts = urlsplit(settings.oidc_issuer)
    if parts.scheme != "https" and parts.hostname not in cookies.LOOPBACK:
        raise RuntimeError(f"DONDOC_OIDC_ISSUER: expected an https address, got {settings.oidc_issuer}")
    try:
        import authlib  # noqa: F401
    except ImportError as error:
        raise RuntimeError("DONDOC_OIDC_ISSUER needs the extra: install dondoc[oidc]") from error


@router.api_route(START, methods=["GET", "HEAD"])
def leave(request: Request, office: InOffice) -> Response:
    provider = _provider(office)
    kept = {
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "verifier": secrets.token_urlsafe(48),
        "next": forms.own_address(request.query_params.get("next", "/")),
    }
    with _client(office) as client:
        to, _state = client.create_authorization_url(
            provider["authorization_endpoint"],
            state=kept["state"],
            nonce=kept["nonce"],
            code_verifier=kept["verifier"],
        )
    answer = RedirectResponse(to, 303)
    sealed = seal_of(office.key, COOKIE).encrypt(json.dumps(kept).encode()).decode()
    cookies.keep(request, answer, COOKIE, sealed, WITHIN)
    return answer


@router.api_route(BACK, methods=["GET", "HEAD"])
def come_back(request: Request, office: InOffice) -> Response:
    _provider(office)
    code, state = (request.query_params.get(name, "")[:4096] for name in ("code", "state"))
    if not code:  # else the provider said why not, in words of its own
        return _refusal(request, RefusedError("oidc.refused"))
    return page(request, "oidc.html", refused=None, code=code, state=state)


@router.post(BACK)
def enter(request: Request, office: InOffice, form: forms.Form) -> Response:
    provider, code = _provider(office), forms.text(form, "code")
    try:
        kept = _kept(request, office, forms.text(form, "state"))
        claims = _claims(office, provider, code, kept)
        token = sign_in.enter_by_subject(
            office.database,
            claims["sub"],
            name=str(claims.get("name") or claims.get("preferred_username") or claims["sub"]),
            adds=office.settings.oidc_adds_users,
            agent=agent(request),
            now=office.wall(),
        )
    except RefusedError as error:
        return _refusal(request, error)
    answer = RedirectResponse(kept["next"], 303)
    cookies.keep_session(request, answer, office, token)
    cookies.keep(request, answer, COOKIE, "", 0)
    return answer


def _refusal(request: Request, refused: RefusedError) -> Response:
    return page(request, "oidc.html", status=422, refused=refused, code="", state="")


def _kept(request: Request, office: Office, state: str) -> dict[str, str]:
    """What we left with, when this is the browser that left and the answer is to what it asked."""
    try:
        sealed = cookies.read(request, COOKIE)
        kept: dict[str, str] = json.loads(seal_of(office.key, COOKIE).decrypt(sealed, ttl=WITHIN))
    except (InvalidToken, ValueError) as error:
        raise RefusedError("oidc.stale") from error
    if not secrets.compare_digest(kept["state"].encode(), state.encode()):
        raise RefusedError("oidc.stale")
    return kept


def _claims(office: Office, provider: Mapping[str, Any], code: str, kept: Mapping[str, str]) -> dict[str, Any]:
    """What the provider says of whom it let in, once signature, issuer, audience, time and nonce are right."""
    import requests
    from authlib.integrations.base_client import OAuthError
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    settings = office.settings
    try:
        with _client(office) as client:
            token = client.fetch_token(
                provider["token_endpoint"], code=code, code_verifier=kept["verifier"], timeout=TIMEOUT
            )
            keys = KeySet.import_key_set(
                client.request("GET", provider["jwks_uri"], withhold_token=True, timeout=TIMEOUT).json()
            )
        said = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
        jwt.JWTClaimsRegistry(
            now=int(office.wall().timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": provider["issuer"]},
            aud={"essential": True, "value": settings.oidc_client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": kept["nonce"]},
        ).validate(said.claims)
    except (OAuthError, JoseError, requests.RequestException, KeyError, ValueError) as error:
        raise RefusedError("oidc.refused") from error
    return dict(said.claims)


def _client(office: Office) -> "OAuth2Session":
    from authlib.integrations.requests_client import OAuth2Session

    settings = office.settings
    secret = settings.oidc_client_secret
    return OAuth2Session(
        settings.oidc_client_id,
        secret.get_secret_value() if secret else None,
        redirect_uri=f"{settings.url.rstrip('/')}{BACK}",
        scope="openid profile",
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
    )


def _provider(office: Office) -> Mapping[str, Any]:
    """Where its pages are, as it says itself; 404 without one. Asked again until it has once answered."""
    import requests

    issuer = office.settings.oidc_issuer
    if issuer is None:
        raise HTTPException(404)
    if issuer not in office.providers:
        try:
            answer = requests.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=TIMEOUT)
            answer.raise_for_status()
            found = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise RefusedError("oidc.away") from error
        if found.get("issuer") != issuer:
            raise RefusedError("oidc.away")
        office.providers[issuer] = found
    return office.providers[issuer]
