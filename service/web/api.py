"""The clinic systems' door: book, move and end scans by the clinic's own ids, and read what became of each."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service import booking, care, timeline
from service.intake import Booking, Permission, read_booking
from service.store.journeys import Scan
from service.web.access import ApiCaller, TheParts

router = APIRouter(prefix="/api/v1", tags=["scans"])
ExternalId = Annotated[str, Path(pattern=r"^[\w.:@+-]{1,100}$")]
ENDINGS = {"cancel": "cancelled", "complete": "completed", "no-show": "no_show"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=500)


class PatientBody(_Body):
    """The patient, by the clinic's own id."""

    external_id: str
    given_name: str
    phone: str
    language: str = "en"
    zone: str | None = Field(None, description="IANA; the site's if absent")


class PermissionBody(_Body):
    """Who obtained the number and the permission to text it, how and when."""

    obtained_by: str = Field(min_length=1)
    how: str = Field(min_length=1)
    at: AwareDatetime


class ScanBody(_Body):
    """A booking. Moments are ISO 8601, with an offset or in the site's local time."""

    patient: PatientBody
    arrival_at: str
    starts_at: str | None = None
    tracer: str
    reason: Literal["staging", "recurrence", "advanced", "unknown"] = "unknown"
    site: str | None = Field(None, description="the site's name; the clinic's first if absent")
    permission: PermissionBody

    def booking(self) -> Booking:
        """What this body says, checked field by field."""
        return read_booking(
            patient_id=self.patient.external_id,
            given_name=self.patient.given_name,
            phone=self.patient.phone,
            language=self.patient.language,
            zone=self.patient.zone,
            arrival_at=self.arrival_at,
            starts_at=self.starts_at,
            tracer=self.tracer,
            reason=self.reason,
            site=self.site,
            permission=Permission(self.permission.obtained_by, self.permission.how, self.permission.at),
        )


class WishBody(_Body):
    """That he wants no more texts, as he told the clinic."""

    how: str = Field(min_length=1, description="how he said so, such as: by phone to the front desk")


class Outcome(BaseModel):
    """What became of a request: new, moved, changed, same, or the ending."""

    external_id: str
    outcome: str


class Line(BaseModel):
    """One line of the timeline."""

    at: datetime
    title: str
    status: str
    reason: str
    body: str
    error_code: int | None


class Timeline(BaseModel):
    """A scan, and every planned text of it with what became of it."""

    external_id: str
    state: str
    arrival_at: datetime
    starts_at: datetime
    confirmed_at: datetime | None
    planned: list[Line]
    thread: list[dict[str, object]]
    open_tasks: list[dict[str, object]]


@router.put("/scans/{external_id}", responses={201: {"model": Outcome}})
def put_scan(
    external_id: ExternalId, body: ScanBody, response: Response, caller: ApiCaller, parts: TheParts
) -> Outcome:
    """Book a scan, or move or change it. The same request again changes nothing."""
    done = booking.book(parts, caller.clinic_id, external_id, body.booking(), actor=caller.actor, now=parts.now())
    response.status_code = 201 if done.outcome == "new" else 200
    return Outcome(external_id=external_id, outcome=done.outcome)


@router.post("/scans/{external_id}/stop-texts")
def stop_texts(external_id: ExternalId, body: WishBody, caller: ApiCaller, parts: TheParts) -> Outcome:
    """Stop every text to the phone of this scan. Only he can undo it, by texting START; saying it twice changes nothing."""
    changed = care.stop_texts(parts, caller.clinic_id, external_id, body.how, actor=caller.actor, now=parts.now())
    return Outcome(external_id=external_id, outcome="stopped" if changed else "same")


@router.post("/scans/{external_id}/{ending}")
def end_scan(
    external_id: ExternalId, ending: Literal["cancel", "complete", "no-show"], caller: ApiCaller, parts: TheParts
) -> Outcome:
    """Cancel a scan, or say that it took place or that he did not come. Saying it twice changes nothing."""
    done = booking.end(parts, caller.clinic_id, external_id, ENDINGS[ending], actor=caller.actor, now=parts.now())
    return Outcome(external_id=external_id, outcome=done.outcome)


@router.get("/scans/{external_id}/timeline")
def get_timeline(external_id: ExternalId, caller: ApiCaller, parts: TheParts) -> Timeline:
    """Everything planned, sent, delivered and skipped for one scan, each with its reason in words."""
    with parts.database.clinic(caller.clinic_id) as session:
        scan: Scan = timeline.find_scan(session, caller.clinic_id, external_id)
        return Timeline(
            external_id=scan.external_id,
            state=scan.state,
            arrival_at=scan.arrival_at,
            starts_at=scan.starts_at,
            confirmed_at=scan.confirmed_at,
            planned=[
                Line(at=m.at, title=m.title, status=m.status, reason=m.reason, body=m.body, error_code=m.error_code)
                for m in timeline.moments(session, scan)
            ],
            thread=[
                {"at": b.at, "from": "clinic" if b.mine else "patient", "body": b.body, "status": b.status}
                for b in timeline.thread(session, caller.clinic_id, scan.contact_point_id)
            ],
            open_tasks=[
                {"id": t.id, "kind": t.kind, "title": timeline.task_title(t), "why": t.why, "opened_at": t.opened_at}
                for t in timeline.open_tasks(session, caller.clinic_id, scan)
            ],
        )
