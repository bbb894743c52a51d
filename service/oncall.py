"""Tell the site's on-call contact of an urgent task, by text and without the patient's words, until someone has seen it.

The second contact is told as well after some announcements, and from the first one on while texts to the first contact fail.
"""

import logging
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.model import Say
from service import wording
from service.failures import on_call_fails
from service.store.database import ring_after
from service.store.people import Sender, Site
from service.store.texts import Task
from service.tasks import announced, due_announcements
from service.wiring import Parts

log = logging.getLogger(__name__)


def announce_due(parts: Parts, clinic_id: int, now: datetime) -> int:
    """Announce every urgent task of a clinic whose moment has come; returns how many."""
    with parts.database.clinic(clinic_id) as session:
        due = due_announcements(session, clinic_id, now)
        for task in due:
            second_too = announced(task, now)
            for phone in _contacts(session, task, second_too):
                _text(parts, session, task, phone, now)
    return len(due)


def _site(session: Session, task: Task) -> Site:
    statement = select(Site).where(Site.clinic_id == task.clinic_id).order_by(Site.id).limit(1)
    if task.site_id is not None:
        statement = statement.where(Site.id == task.site_id)
    return session.scalars(statement).one()


def _contacts(session: Session, task: Task, second_too: bool) -> list[str]:
    site = _site(session, task)
    first, second = site.on_call_phone, site.on_call_phone_2
    return [first, second] if second and (second_too or on_call_fails(session, task.clinic_id, first)) else [first]


def _text(parts: Parts, session: Session, task: Task, phone: str, now: datetime) -> None:
    site = _site(session, task)
    url = f"{parts.settings.public_url.rstrip('/')}/clinic/tasks"
    known = {"site": site.name, "task": str(task.id), "url": url}
    text = wording.word(parts.script, Say("on_call", "general"), "en", known)
    sender = session.scalars(
        select(Sender).where(Sender.clinic_id == task.clinic_id).order_by(Sender.id).limit(1)
    ).one_or_none()
    if sender is None:
        log.warning("clinic %s has no number: its on-call contact cannot be texted of task %s", task.clinic_id, task.id)
        return
    wording.keep_for_staff(session, sender, phone, text, parts.script, task, now=now)
    ring_after(session, "send_now", task.clinic_id, sender.id)
