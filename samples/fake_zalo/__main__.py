"""How does it run by hand? `python -m samples.fake_zalo`; the messages stand on its page."""

import argparse
import secrets
from pathlib import Path

import uvicorn

from dondoc import clock
from samples.fake_zalo.app import FakeZalo
from samples.fake_zalo.state import App, Bot, State, Template, User

APP, OA, TEMPLATE = "app-fake", "oa-fake", "fake"


class AnyChat(dict[str, str]):
    """Everybody has written to this bot."""

    def __contains__(self, chat: object) -> bool:
        return isinstance(chat, str)


class AnyUser(dict[str, User]):
    """Everybody has written to this account, a moment ago: who is linked stays known after a new start."""

    def get(self, user_id: str, default: object = None) -> User:
        return self.setdefault(user_id, User(user_id, clock.now()))


def state_of(folder: Path, alias: str, office: str) -> State:
    """A bot, an Official Account and a template for whoever has this folder of secrets; makes what it lacks."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def secret(name: str, words: str) -> str:
        path = folder / name
        if not path.exists():
            path.write_text(f"{words}\n")
            path.chmod(0o600)
        return path.read_text().strip()

    token = secret("zalobot-token", f"1:{secrets.token_hex(16)}")
    key = secret(f"zalo-{alias}-webhook", secrets.token_hex(16))
    app = App(APP, secret(f"zalo-{alias}-app", secrets.token_hex(16)), OA, key, f"{office}/hooks/zalo/{alias}")
    state = State(
        clock.now,
        apps={APP: app},
        users=AnyUser(),
        bots={token: Bot(token, chats=AnyChat())},
        templates={secret(f"zalo-{alias}-template", TEMPLATE): Template({})},
        other_phones="ok",
        trusts_grants=True,
        hook=f"{office}/hooks/zalobot",
        hook_secret=secret("zalobot-webhook", secrets.token_hex(16)),
    )
    for name, words in zip(("access", "refresh"), state.issue(APP), strict=True):
        secret(f"zalo-{alias}-{name}", words)
    return state


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m samples.fake_zalo",
        description="Zalo without Zalo: its page shows what was sent, and whoever writes there is heard by the office.",
    )
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--office", default="http://127.0.0.1:8000", help="the office's DONDOC_URL (%(default)s)")
    parser.add_argument("--alias", default="duk", help="the office's name for its Official Account (%(default)s)")
    parser.add_argument(
        "--secrets", type=Path, default=Path("zalo-secrets"), help="for the office's DONDOC_SECRETS (%(default)s)"
    )
    given = parser.parse_args()
    state = state_of(given.secrets, given.alias, given.office.rstrip("/"))
    told = [
        f"zalo http://127.0.0.1:{given.port}",
        f"DONDOC_ZALO_URL=http://127.0.0.1:{given.port} DONDOC_SECRETS={given.secrets.resolve()}",
        f"dondoc zalo add {given.alias} --app {APP} --oa {OA}",
    ]
    print(*told, sep="\n", flush=True)  # noqa: T201  # the answer of a command
    uvicorn.run(FakeZalo(state), host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
