"""Refuses every request, of HTTP as of the websocket, that asks for another name than the app was started for.

A site may point its own name to this machine (DNS rebinding): its page would then read what the app serves. Streamlit
itself looks at the name for its websocket only.
"""

import json
from collections.abc import Sequence

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

from btfer.host_names import is_among, own_names

SHOWN = 100  # letters of a foreign name in the refusal


class OwnHosts:
    """Lets through what asks for a name in `server.allowedHosts`; without that option, for a name of this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._names = names()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 in place of the app where the name is foreign."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        asked = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(asked) == 1 and is_among(asked[0], self._names):
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})  # before it is opened: 403
        answer = PlainTextResponse(
            refusal(asked), 403, headers={"X-Content-Type-Options": "nosniff"}
        )
        return await answer(scope, receive, send)


def names() -> list[str]:
    """Under which the app answers."""
    allowed: list[str] = config.get_option("server.allowedHosts")
    if allowed:
        return list(allowed)
    return own_names(
        config.get_option("server.address") or "",
        config.get_option("browser.serverAddress")
        if config.is_manually_set("browser.serverAddress")
        else "",
    )


def refusal(asked: Sequence[str]) -> str:
    """What a person reads who asked for another name."""
    named = json.dumps(asked[0][:SHOWN]) if len(asked) == 1 else f"{len(asked)} Host headers"
    return (
        f"The review app answers only to the names that it was started for, and was asked for {named}. "
        "To serve it under this name, add the name without its port to allowedHosts of section [server] in "
        ".streamlit/config.toml, and start it again.\n"
    )
