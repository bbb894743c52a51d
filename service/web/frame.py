"""What every page of a clinic shows around its own matter: who is logged in, what waits for a person, what is held."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import timeline
from service.store.people import Clinic, Site
from service.store.texts import Task
from service.switches import paused_since
from service.web.access import Person


def sites(session: Session) -> Sequence[Site]:
    """The clinic's sites, the oldest first."""
    return session.scalars(select(Site).order_by(Site.id)).all()


def frame(session: Session, who: Person, here: str, path: str, shown: Sequence[Task] | None = ()) -> dict[str, object]:
    """The frame of the page at `path`, from which the open page renews itself; `here` is its place in the navigation.

    Of urgent tasks the frame names those that are not `shown` by the page itself; None: the page shows them all.
    """
    waiting = timeline.open_tasks(session, who.clinic_id)
    return {
        "who": who,
        "here": here,
        "path": path,
        "clinic": session.get_one(Clinic, who.clinic_id),
        "site": sites(session)[0],
        "paused_since": paused_since(session),
        "waiting": waiting,
        "shown": waiting if shown is None else shown,
    }
