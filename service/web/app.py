"""The application, put together; nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.sessions import SessionMiddleware
from twilio.request_validator import RequestValidator

from service import doorbell, keys
from service.web import api, book, care, clinic, guide, health, home, login, ops, problems, twilio, worklist
from service.web.pages import HERE
from service.wiring import Parts

LOG_IN_SECONDS = 12 * 3600


def create_app(parts: Parts) -> FastAPI:
    """The web application of these parts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        parts.database.forget_connections()

    app = FastAPI(
        title="ScanGuide",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.parts = parts
    app.state.redis = doorbell.connect(parts.settings.redis_url)
    app.state.routes = {}  # our number -> clinic and sender, as last seen; each turn checks it again
    app.state.validator = RequestValidator(parts.settings.twilio_auth_token)
    secret = keys.derive(keys.secret_key(parts.settings), "log-in")
    app.add_middleware(
        SessionMiddleware,
        secret_key=secret.hex(),
        session_cookie="scanguide",
        max_age=LOG_IN_SECONDS,
        same_site="strict",
        https_only=parts.settings.public_url.startswith("https://"),
    )
    problems.install(app)
    for door in (twilio, api, login, clinic, book, worklist, care, ops, guide, health, home):
        app.include_router(door.router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app
