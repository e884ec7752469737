"""How are the pages served? One uvicorn process, which says when it answers."""

import contextlib
import gc
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI


def listen(app: FastAPI, host: str, port: int, ready: Callable[[str], None], log_level: str) -> None:
    """Serves until SIGTERM or SIGINT; `ready` is told the address once it answers. Raises OSError for a taken port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.create_server((host, port), family=family)) as listener:
        config = uvicorn.Config(app, log_level=log_level.lower(), server_header=False)
        server = _Announcing(config, lambda: ready(_address(listener)))
        server.run(sockets=[listener])


class Server(uvicorn.Server):
    """Ends the streams of the pages first: uvicorn waits for every answer, and they have no end of their own."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        assert isinstance(app, FastAPI)
        app.state.live.close()
        await super().shutdown(sockets)


class _Announcing(Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # what lives as long as the server is not looked through again: that made one answer in twenty wait
        if self.started:
            self.ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but being told to end is no error: it would raise the signal again after the end."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
