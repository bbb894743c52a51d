"""Doors for outside tests: the fault switches, a patient's text, everything carried, and waiting for quiet."""

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from simulator.carrier import Carrier
from simulator.records import to_json


class TextIn(BaseModel):
    """A patient's text."""

    from_: str = Field(alias="from")
    to: str
    body: str = Field(max_length=1600)
    media: list[str] = []


class Switch(BaseModel):
    """One turn of a switch: a number of times, or a probability, or everything off; other keys are parameters."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float]

    kind: str | None = None
    times: int = Field(1, ge=1, le=100_000)
    rate: float | None = Field(None, ge=0, le=1)
    clear: bool = False


class Wait(BaseModel):
    """How long to wait for quiet."""

    timeout: float = Field(5.0, ge=0, le=60)


def switch_routes(carrier: Carrier) -> APIRouter:
    """Build the routes below `/simulator`."""
    routes = APIRouter(prefix="/simulator")

    @routes.get("/faults")
    def faults() -> dict[str, Any]:
        return {**carrier.faults.armed(), "counts": carrier.faults.counts()}

    @routes.post("/faults")
    def switch(order: Switch) -> dict[str, Any]:
        if order.clear:
            carrier.faults.clear()
        params = order.__pydantic_extra__
        try:
            if order.kind and order.rate is not None:
                carrier.faults.rate(order.kind, order.rate, **params)
            elif order.kind:
                carrier.faults.plan(order.kind, order.times, **params)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return faults()

    @routes.post("/text", status_code=201)
    def text(order: TextIn) -> dict[str, str]:
        try:
            return {"sid": carrier.text_in(order.from_, order.to, order.body, order.media)}
        except ValueError as error:
            raise HTTPException(400, str(error)) from error

    @routes.get("/messages")
    def messages(since: int = 0) -> dict[str, Any]:
        version, changed = carrier.since(since)
        return {"version": version, "messages": [to_json(message) for message in changed]}

    @routes.post("/wait")
    def wait(order: Wait) -> dict[str, bool]:
        return {"idle": carrier.wait_idle(order.timeout)}

    return routes
