"""How does it run by hand? `python -m samples.fake_zalo --port 8090`; the messages stand on its page."""

import argparse
import os

import uvicorn

from dondoc import clock
from samples.fake_zalo.app import FakeZalo
from samples.fake_zalo.state import Bot, State


class AnyChat(dict[str, str]):
    """Everybody has written to this bot."""

    def __contains__(self, chat: object) -> bool:
        return isinstance(chat, str)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m samples.fake_zalo")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--bot", default=os.environ.get("FAKE_ZALO_BOT", "1:playground"), help="token of the bot")
    parser.add_argument("--hook", default="", help="the office's /hooks/zalobot, to write to its bot from the page")
    parser.add_argument("--hook-secret", default="playground", help="what stands in the office's zalobot-webhook")
    given = parser.parse_args()
    state = State(clock.now, bots={given.bot: Bot(given.bot, chats=AnyChat())}, hook=given.hook)
    state.hook_secret = given.hook_secret
    uvicorn.run(FakeZalo(state), host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
