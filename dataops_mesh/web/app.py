"""Paths -> facts -> HTML or JSON. GET and HEAD only; no page changes anything."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from http import HTTPStatus
from math import isfinite
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import MeshError, QuestionError, UnknownNameError
from dataops_mesh.store.record import plain
from dataops_mesh.web.links import served
from dataops_mesh.web.metrics.families import exposition
from dataops_mesh.web.metrics.totals import Totals
from dataops_mesh.web.openapi import openapi, path_of
from dataops_mesh.web.pages import MENU, PAGES, Page, html_of
from dataops_mesh.web.render import STYLE, render
from dataops_mesh.web.view import View

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

# Nothing but our own style sheet is loaded, nothing runs, nobody puts a page into a frame.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
Look = Callable[[], AbstractContextManager[View]]


def app_of(name: str, look: Look, hosts: Sequence[str] = ("*",)) -> Starlette:
    """Return the application.

    Args:
        name: what the mesh is called.
        look: opens the newest moment of the mesh.
        hosts: the names under which it answers; a page of another site that resolves to this
            machine must not read it.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.routing import Route

    routes = [Route("/style.css", _style)]
    routes.append(Route("/metrics", partial(_metrics, Totals(), look)))
    routes += [Route("/api/openapi.json", _openapi), Route("/api", partial(_api, name))]
    for page in PAGES:
        as_json = path_of(page).replace("{name}", _name_in(page.path))
        routes.append(Route(as_json, _endpoint(partial(_facts, look, page))))
        routes.append(Route(page.path, _endpoint(partial(_page, name, look, page))))
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(_Headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
        exception_handlers={HTTPStatus.NOT_FOUND: partial(_missing, name)},
    )


class _Headers:
    """Puts our headers on every answer, errors included."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                mine = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *mine]}
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)


def _name_in(path: str) -> str:
    return "{name:path}" if ":path" in path else "{name}"


def _endpoint(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Return a plain function, which Starlette runs beside its loop."""

    def endpoint(request: Request) -> Response:
        return answer(request)

    return endpoint


def _page(name: str, look: Look, page: Page, request: Request) -> Response:
    from starlette.responses import HTMLResponse

    try:
        with look() as view:
            facts = page.facts(view, _asked(request))
            return HTMLResponse(html_of(page, facts, view, served))
    except Exception as error:  # noqa: BLE001 - a page says that it failed, never a traceback
        status, why = _said(error)
        title = "There is no such page" if status == HTTPStatus.NOT_FOUND else "It cannot be shown"
        return HTMLResponse(_told(name, title, why), status)


def _facts(look: Look, page: Page, request: Request) -> Response:
    from starlette.responses import Response

    status = HTTPStatus.OK
    try:
        with look() as view:
            found = _finite(plain(page.facts(view, _asked(request))))
    except Exception as error:  # noqa: BLE001 - the answer says that it failed
        status, why = _said(error)
        found = {"error": why}
    text = json.dumps(found, default=str, allow_nan=False)
    return Response(text, status, media_type="application/json")


def _asked(request: Request) -> dict[str, str]:
    return {**request.query_params, **request.path_params}


def _said(error: Exception) -> tuple[HTTPStatus, list[str]]:
    """Return what is told of an error: ours in words, any other as a bug, which is logged."""
    if isinstance(error, UnknownNameError):
        return HTTPStatus.NOT_FOUND, [str(one) for one in error.problems]
    if isinstance(error, QuestionError):
        return HTTPStatus.BAD_REQUEST, [str(one) for one in error.problems]
    if isinstance(error, MeshError):
        return HTTPStatus.SERVICE_UNAVAILABLE, [str(one) for one in error.problems]
    traceback.print_exception(error, file=sys.stderr)
    what = f"a bug in mesh: {type(error).__name__}; its log says more"
    return HTTPStatus.INTERNAL_SERVER_ERROR, [what]


def _told(name: str, title: str, why: list[str]) -> str:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    return render(
        "error.html", served, title=title, why=why, mesh=name, now=now, release="", here="",
        menu=MENU,
    )  # fmt: skip


def _missing(name: str, request: Request, error: Exception) -> Response:
    from starlette.responses import HTMLResponse, JSONResponse

    del error
    why = ["nothing has this address"]
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": why}, HTTPStatus.NOT_FOUND)
    return HTMLResponse(_told(name, "There is no such page", why), HTTPStatus.NOT_FOUND)


def _metrics(totals: Totals, look: Look, request: Request) -> Response:
    from prometheus_client import CONTENT_TYPE_LATEST
    from starlette.responses import PlainTextResponse, Response

    del request
    try:
        with look() as view:
            found = exposition(view, totals)
    except MeshError as error:
        return PlainTextResponse("\n".join(_said(error)[1]), HTTPStatus.SERVICE_UNAVAILABLE)
    return Response(found, media_type=CONTENT_TYPE_LATEST)


def _style(request: Request) -> Response:
    from starlette.responses import Response

    del request
    return Response(STYLE.read_text("utf-8"), media_type="text/css")


def _openapi(request: Request) -> Response:
    from importlib.metadata import version

    from starlette.responses import JSONResponse

    del request
    return JSONResponse(openapi(version("dataops-mesh")))


def _api(name: str, request: Request) -> Response:
    from datetime import UTC, datetime

    from starlette.responses import HTMLResponse

    del request
    paths = [
        {"path": path_of(page).removeprefix("/api"), "summary": page.summary, "query": page.query}
        for page in PAGES
    ]
    text = render("api.html", served, paths=paths, mesh=name, now=datetime.now(UTC), release="",
                  here="api", menu=MENU)  # fmt: skip
    return HTMLResponse(text)


def _finite(value: Any) -> Any:
    """Return a value without the numbers that JSON has not."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value
