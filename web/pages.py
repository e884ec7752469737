"""How does a page come about? One Jinja environment, one language a request, the same frame for all."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dondoc import i18n
from engine.zalo_account import accounts, trouble
from models.entry import Entry
from web import network, trial, words
from web.log import SECRET
from web.office import Office, office_of
from web.states import STATES

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGE_COOKIE: Final = "lang"
YEAR: Final = 365 * 24 * 3600


@lru_cache
def environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def language(request: Request, default: str | None = None) -> str:
    """Asked for in the address, else chosen before, else `default`, else the office's own.

    The browser is not asked: many an English one stands in a Vietnamese office.
    """
    asked = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE), default)
    return next((lang for lang in asked if lang in i18n.LANGUAGES), office_of(request).settings.lang)


def page(
    request: Request,
    template: str,
    /,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    lang: str | None = None,
    **values: object,
) -> HTMLResponse:
    """The template filled. `lang` is the reader's own language, which an explicit choice goes before."""
    office = office_of(request)
    actor = getattr(request.state, "actor", None)
    chosen = language(request, lang or (actor.lang if actor else None))
    now = office.now()
    text = (
        environment()
        .get_template(template)
        .render(
            _=lambda message, /, **params: i18n.translate(message, chosen, **params),
            lang=chosen,
            other_lang="en" if chosen == "vi" else "vi",
            other_lang_href=_other_language(request, "en" if chosen == "vi" else "vi"),
            path=request.url.path,
            is_secret=request.url.path.startswith(SECRET),
            now=now,
            today=office.today(),
            is_demo=office.is_demo,
            browser=network.browser,
            has_trial_zalo=office.settings.trial_zalo is not None,
            trial_roles=lambda: trial.roles(request, office),
            here=request_address(request),
            inbox_total=lambda: office.waiting.total(office.database, actor, office.today(), now) if actor else 0,
            late_round=lambda: office.watch.late(office.database, now),
            zalo_trouble=lambda: _zalo_trouble(office, now),
            next_stop=lambda: office.next_stop(now),
            walked=office.walks.get(now),
            states=STATES,
            short_day=i18n.short_day,
            small_day=words.small_day,
            short_period=lambda label, year: words.short_period(label, chosen, year),
            hour=lambda moment: f"{moment.astimezone(ZoneInfo(office.settings.zone)):%H:%M}",
            local_small_day=lambda moment: f"{moment.astimezone(ZoneInfo(office.settings.zone)):%d/%m}",
            small_moment=partial(_small_moment, office.settings.zone),
            whole_day=lambda day: i18n.whole_day(day, chosen),
            whole_moment=lambda moment: i18n.whole_moment(moment, office.settings.zone, chosen),
            zone_name=lambda day: _zone_of(office.settings.zone, day),
            until=lambda day: words.until(day, chosen),
            due=lambda deadline: words.due(deadline, office.settings.zone, chosen),
            period=lambda label: i18n.whole_period(label, chosen),
            reason=lambda told: i18n.say(told["code"], chosen, told["params"]),
            size=lambda count: words.size(count, chosen),
            fingerprint=words.fingerprint,
            run_link=partial(run_link, office.settings.prefect),
            sentence=words.sentence,
            iso_day=lambda day: i18n.short_day(date.fromisoformat(day)),
            local_day=lambda moment: f"{moment.astimezone(ZoneInfo(office.settings.zone)):%d/%m/%Y}",
            **({"actor": actor} | values),
        )
    )
    answer = HTMLResponse(text, status, headers=dict(headers or {}))
    if request.query_params.get("lang") in i18n.LANGUAGES:
        choose_language(answer, chosen)
    return answer


def _zalo_trouble(office: Office, now: datetime) -> list[tuple[str, str]]:
    """Alias and code of each Official Account that needs somebody; not even asked where nothing speaks to Zalo."""
    if office.settings.secrets_folder is None:
        return []
    with office.database.reading() as session:
        return [(each.alias, why) for each in accounts(session) if (why := trouble(each, now)) is not None]


def choose_language(answer: Response, lang: str) -> None:
    """The browser remembers it."""
    answer.set_cookie(LANGUAGE_COOKIE, lang, max_age=YEAR, httponly=True, samesite="lax")


def _other_language(request: Request, lang: str) -> str:
    """The same page in the other language, named by its query alone, so that a secret address is not spelt out.

    The answer to a form has no address to come back to: there it is the page on which the form stood.
    """
    query = urlencode([each for each in request.query_params.multi_items() if each[0] != "lang"])
    form = _form_page(request)
    here = "" if form == request.url.path else form
    return f"{here}?{query}&lang={lang}" if query else f"{here}?lang={lang}"


def request_address(request: Request) -> str:
    """The address to come back to, with its filters."""
    query = request.url.query
    return f"{_form_page(request)}?{query}" if query else _form_page(request)


def _form_page(request: Request) -> str:
    """The page itself; of the answer to a form that on which the form stood."""
    path = request.url.path
    return path if request.method in {"GET", "HEAD"} else "/".join(path.split("/")[:3])


def _small_moment(zone: str, moment: datetime) -> str:
    """02/10/2025 16:21, in the organisation's zone."""
    return f"{moment.astimezone(ZoneInfo(zone)):%d/%m/%Y %H:%M}"


def run_link(prefect: str, entry: Entry | None) -> str | None:
    """Where Prefect shows the run behind an entry; None when a person acted, or nobody did yet."""
    # Of Prefect's two sets of pages the one that asks for the password first, and then leads on to the run.
    return f"{prefect}/v2/runs/flow-run/{entry.run}" if entry is not None and entry.run else None


def _zone_of(zone: str, day: date) -> str:
    return i18n.zone_name(datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)))
