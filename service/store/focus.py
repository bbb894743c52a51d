"""Everything that one decision about one phone depends on, loaded in one query and locked for the turn.

Plain values rather than mapped rows: a conversation turn reads fifty columns and writes three, and composing and tracking
mapped rows cost more than the query itself (DECISIONS, D-12). Whoever changes a fact says so in a statement of its own.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextualSelect, column, text
from sqlalchemy.orm import Session

from flows.limits import BURST, LATELY
from flows.model import Conversation as Talk
from service.store.facts import ContactFacts, Focus, PatientFacts, ScanFacts, SenderFacts, SiteWords, VisitFacts

_COLUMNS = """
    select cp.clinic_id, cv.id, cv.state, cv.attempts, cv.reasked, cv.options, cv.pending, cv.care_pause,
           cv.more, cv.back, cv.language_offered, cv.script, {heard},
           cp.id, cp.phone, cp.opted_out_at, cp.frozen_at, cp.frozen_why,
           s.id, s.keyword_handling, s.live, s.paused_reason is not null,
           st.id, st.name, st.zone, st.address, st.phone, st.after_hours_phone, st.prep, st.radiation, st.results_timing,
           st.food_drink, st.arrival_note, st.results_days, st.translations, st.terms_url, st.window_start, st.window_end,
           p.id, p.language, p.zone, p.paused_at is not null, p.stopped_at is not null, p.taken_over_until,
           sc.id, sc.arrival_at, sc.starts_at, sc.zone, sc.tracer, sc.reason, sc.state, sc.plan_version, sc.arrival_version,
           coalesce((select k.given from consents k where k.clinic_id = cp.clinic_id and k.patient_id = p.id
                     and k.contact_point_id = cp.id and k.kind = 'texts' order by k.id desc limit 1), false),
           coalesce((select k.given from consents k where k.clinic_id = cp.clinic_id and k.patient_id = p.id
                     and k.contact_point_id = cp.id and k.kind = 'detail' order by k.id desc limit 1), false),
           c.paused_at is not null or exists (select from switches w where w.name = 'pause' and w.value = 'on'),
           {lately}, {visits}, cv.sure_until
    from contact_points cp
    join clinics c on c.id = cp.clinic_id
    join conversations cv on cv.clinic_id = cp.clinic_id and cv.contact_point_id = cp.id
    left join scans sc on sc.clinic_id = cp.clinic_id and sc.id = {scan}
    left join patients p on p.clinic_id = cp.clinic_id
      and p.id = case when sc.id is null then cv.patient_id else sc.patient_id end
    join senders s on s.clinic_id = cp.clinic_id and s.id = {sender}
    join sites st on st.clinic_id = cp.clinic_id
      and st.id = coalesce(sc.site_id, (select min(x.id) from sites x where x.clinic_id = :clinic))
    {busy}
    where cp.clinic_id = :clinic and {where}
    for update of cv, cp
"""
# A `case` above, as PostgreSQL trusts no `coalesce` under row-level security, and read every patient of the clinic for it.
_FIRST_SENDER = "(select min(x.id) from senders x where x.clinic_id = :clinic)"
_HEARD = "(select max(i.received_at) from inbound i where i.clinic_id = cp.clinic_id and i.contact_point_id = cp.id)"
_BUSY = """
    left join lateral (
        select count(*) filter (where i.received_at > :burst) as all_of_them,
               count(*) filter (where i.body = :body) as the_same
        from inbound i where i.clinic_id = cp.clinic_id and i.contact_point_id = cp.id
          and i.received_at > :since and i.id <> :inbound) lately on true
"""
_VISITS = """
    case when exists (select from scans x where x.clinic_id = cp.clinic_id and x.contact_point_id = cp.id
               and x.state = 'booked' and x.arrival_at > :now and x.id is distinct from cv.scan_id) then coalesce((
        select jsonb_agg(jsonb_build_array(x.id, x.arrival_at, x.zone, x.reason, k.detail, x.site_id)
                         order by x.arrival_at, x.id)
        from scans x, lateral (
            select bool_or(g.given) filter (where g.kind = 'texts') as texts,
                   coalesce(bool_or(g.given) filter (where g.kind = 'detail'), false) as detail
            from (select distinct on (c2.kind) c2.kind, c2.given from consents c2
                  where c2.clinic_id = x.clinic_id and c2.patient_id = x.patient_id
                    and c2.contact_point_id = x.contact_point_id and c2.kind in ('texts', 'detail')
                  order by c2.kind, c2.id desc) g) k
        where x.clinic_id = cp.clinic_id and x.contact_point_id = cp.id and x.state = 'booked' and x.arrival_at > :now
          and k.texts), '[]') else '[]' end"""
WIDTH = 60  # columns of the query


def _statement(sql: str) -> TextualSelect:
    """With its columns declared, what a row looks like is worked out once and not at each execution."""
    return text(sql).columns(*(column(f"c{n}") for n in range(WIDTH)))


_BY_TEXT = _statement(
    _COLUMNS.format(
        busy=_BUSY,
        visits=_VISITS,
        lately="lately.all_of_them, lately.the_same",
        heard="null::timestamptz",  # only automated texts ask how long ago he wrote
        scan="cv.scan_id",
        sender=":sender",
        where="cp.phone_hash = :phone_hash",
    )
)
_BY_SCAN = _statement(
    _COLUMNS.format(
        busy="",
        visits="'[]'::jsonb",
        lately="0, 0",
        heard=_HEARD,
        scan=":scan",
        sender=_FIRST_SENDER,
        where="cp.id = (select x.contact_point_id from scans x where x.clinic_id = :clinic and x.id = :scan)",
    )
)


def _focus(row: Sequence[Any]) -> Focus:
    return Focus(
        clinic_id=row[0],
        conversation_id=row[1],
        talk_row=(row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10]),
        script=row[11],
        last_inbound_at=row[12],
        contact=ContactFacts(*row[13:18]),
        sender=SenderFacts(*row[18:21]),
        site=SiteWords(*row[22:38]),
        patient=PatientFacts(*row[38:44]) if row[38] is not None else None,
        scan=ScanFacts(*row[44:53]) if row[44] is not None else None,
        opted_in=row[53],
        detail=row[54],
        paused=row[55] or row[21],
        recent_texts=row[56],
        identical_texts=row[57],
        visits=_visits(row[58]),
        sure_until=row[59],
    )


def _visits(found: list[list[Any]]) -> tuple[VisitFacts, ...]:
    return tuple(VisitFacts(v[0], datetime.fromisoformat(v[1]), *v[2:]) for v in found)


# A statement of its own: one that waits for a lock reads all but the locked rows as they were before the wait.
_HOLD = text("""
    select cp.id from contact_points cp where cp.clinic_id = :clinic
      and cp.id = (select x.contact_point_id from scans x where x.clinic_id = :clinic and x.id = :scan) for update
""")


def focus_on_scan(session: Session, clinic_id: int, scan_id: int) -> Focus:
    """Lock and load one scan's own phone and patient, on the clinic's first number, whatever the talk there is about."""
    about = {"clinic": clinic_id, "scan": scan_id}
    session.connection().execute(_HOLD, about)
    return _focus(session.connection().execute(_BY_SCAN, about).one())


def focus_on_text(
    session: Session, clinic_id: int, *, sender_id: int, inbound_id: int, body: str, phone_hash: str, now: datetime
) -> Focus | None:
    """The same for the phone that wrote a text, locked by its caller, and how busy it has been; None if never met."""
    values = {"clinic": clinic_id, "sender": sender_id, "phone_hash": phone_hash, "since": now - LATELY, "burst": now - BURST,
              "inbound": inbound_id, "body": body, "now": now}  # fmt: skip
    row = session.connection().execute(_BY_TEXT, values).one_or_none()
    return None if row is None else _focus(row)


_KEEP = text("""
    update conversations set state = :state, attempts = :attempts, reasked = :reasked, options = cast(:options as jsonb),
           pending = :pending, care_pause = :care_pause, more = :more, back = :back, language_offered = :language_offered
    where clinic_id = :clinic and id = :id
""")


def keep_talk(session: Session, focus: Focus, talk: Talk) -> None:
    """Write the engine's next conversation back, if anything in it changed."""
    row = (talk.state, talk.attempts, talk.reasked, list(talk.options), talk.pending, talk.care_pause, talk.more,
           talk.back, talk.language_offered)  # fmt: skip
    if row == focus.talk_row:
        return
    focus.talk_row = row
    names = ("state", "attempts", "reasked", "options", "pending", "care_pause", "more", "back", "language_offered")
    values = dict(zip(names, row, strict=True)) | {
        "options": json.dumps(row[3]),
        "clinic": focus.clinic_id,
        "id": focus.conversation_id,
    }
    session.connection().execute(_KEEP, values)
