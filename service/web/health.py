"""For machines: alive, ready, and how late we are. Lateness counts, not just being up."""

from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.exc import SQLAlchemyError

from service import overview, receipts
from service.migrate import head
from service.store.database import APP_ROLE
from service.web.access import TheParts
from service.web.ops import redis_of

router = APIRouter(include_in_schema=False)


@router.get("/livez")
def livez() -> dict[str, str]:
    """This process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(parts: TheParts) -> Response:
    """The database answers, at our version, and row security binds us. Redis may be away: texts are answered without."""
    from sqlalchemy import text

    try:
        with parts.database.unscoped() as session:
            role, rows = session.execute(text("select current_user, (select count(*) from clinics)")).one()
    except SQLAlchemyError:
        return Response("the database does not answer", 503)
    if role != APP_ROLE or rows:
        return Response("row security does not bind this process", 503)
    return Response(f"ready ({head()})", 200)


class _House:
    """Reads the house's state at scrape time, so restarts lose nothing. Only callbacks are counted in this process."""

    def __init__(self, state: overview.Overview, bells: overview.Bells | None) -> None:
        self.state, self.bells = state, bells

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges."""
        state = self.state
        seconds = {
            "oldest_due_seconds": (state.oldest_due, "age of the oldest due reminder or text; 0 when nothing is due"),
            "since_inbound_seconds": (state.since_inbound, "since the last text came in"),
            "since_receipt_seconds": (state.since_receipt, "since the last status callback"),
            "since_tick_seconds": (state.since_tick, "since the ticker's last turn"),
        }
        for name, (span, words) in seconds.items():
            if span is not None or name == "oldest_due_seconds":
                yield GaugeMetricFamily(f"scanguide_{name}", words, value=span.total_seconds() if span else 0)
        counts = {
            "reminders_due": state.reminders_due,
            "texts_due": state.texts_due,
            "in_flight": state.in_flight,
            "uncertain": state.uncertain,
            "failed_today": state.failed_today,
            "urgent_unseen": state.unseen_urgent,
            "unrouted": state.unrouted,
            "stray_receipts": state.stray_receipts,
            "stopped_senders": state.stopped_senders,
            "paused": int(state.paused),
        }
        for name, value in counts.items():
            yield GaugeMetricFamily(f"scanguide_{name}", name.replace("_", " "), value=value)
        up = GaugeMetricFamily("scanguide_doorbell_up", "whether Redis answers", value=int(self.bells is not None))
        yield up
        if self.bells is not None:
            waiting = GaugeMetricFamily("scanguide_rings_waiting", "rings waiting in a queue", labels=["queue"])
            failed = GaugeMetricFamily("scanguide_jobs_failed", "failed jobs kept in a queue", labels=["queue"])
            for queue in self.bells.queues:
                waiting.add_metric([queue.name], queue.waiting)
                failed.add_metric([queue.name], queue.failed)
            yield from (waiting, failed)


@router.get("/metrics")
def metrics(request: Request, parts: TheParts) -> Response:
    """Prometheus text. The proxy keeps it from the outside (docker-compose.yml)."""
    with parts.database.cross() as connection:
        state = overview.overview(connection, parts.now())
    registry = CollectorRegistry()
    registry.register(_House(state, overview.bells(redis_of(request))))
    registry.register(receipts.COUNTED)
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")
