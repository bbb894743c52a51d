"""The rules that can be judged only when all is quiet: nothing open, nothing merely absent, every cry answered."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from tests.simulation.carrier import Carried
from tests.simulation.rules import Violation

if TYPE_CHECKING:
    from tests.simulation.rules import Rules

CHECKS = {"preparation_check", "results_check"}
DONE = {"accepted", "sending_at_carrier", "sent", "delivered"}
NOT_GONE = {"failed", "undelivered", "canceled", "refused"}
SAYS_WHEN = {"tomorrow", "today", "moved", "cancelled"}
PLAN = {"about", "prepare", "tomorrow", "today", "after", "results", "questions", "goodbye"}

_OPEN = text("""
    select 'text', o.id, o.key, o.status from outbound o where o.status in ('queued', 'sending', 'offered', 'uncertain',
                                                                            'planned', 'held')
    union all select 'reminder', r.id, r.touchpoint, r.status from reminders r where r.status = 'planned'
    union all select 'inbound', i.id, '', i.status from inbound i where i.status = 'received'
""")
_REMINDERS = text("""
    select r.id, r.clinic_id, r.touchpoint, r.status, r.reason, array_agg(o.id) as texts, array_agg(o.status) as statuses,
           array_agg(o.reason) as reasons, r.scan_id
    from reminders r left join outbound o on o.clinic_id = r.clinic_id and o.reminder_id = r.id group by r.clinic_id, r.id
""")
_TEXTS = text("select id, clinic_id, ref, status, reason, key, provider_sid from outbound")
_PLANS = text("""
    select s.clinic_id, s.external_id, s.plan_version, r.touchpoint, r.merged
    from scans s join reminders r on r.clinic_id = s.clinic_id and r.scan_id = s.id
    where s.state in ('booked', 'completed') and s.plan_version > 0
      and (r.plan_version >= s.arrival_version or (r.touchpoint = 'about' and r.status <> 'void')) and r.status <> 'void'
""")
_NO_PERMISSION = text("""
    select exists (select from tasks t join scans s on s.clinic_id = t.clinic_id and s.id = t.scan_id
                   where s.clinic_id = :clinic and s.external_id = :scan and t.kind = 'no_permission')
""")
_TWICE = text("select clinic_id, message_sid, count(*) from inbound group by 1, 2")
_REPLIES = text("""
    select o.id, o.key from outbound o join inbound i on i.clinic_id = o.clinic_id and i.id = o.inbound_id
    where i.clinic_id = :clinic and i.message_sid = :sid
""")
_SAFETY_TASKS = text("""
    select kind from tasks t join contact_points c on c.clinic_id = t.clinic_id and c.id = t.contact_point_id
    where t.clinic_id = :clinic and c.phone = :phone
      and (t.opened_at >= :at or t.closed_at is null or t.closed_at >= :at)
""")
_PHONED = text("""
    select exists (select from tasks t join scans s on s.clinic_id = t.clinic_id and s.id = t.scan_id
                   where s.clinic_id = :clinic and s.external_id = :scan
                     and t.kind in ('phone_change', 'not_delivered')
                     and (t.opened_at >= :since or t.closed_at is null or t.closed_at >= :since))
""")


def check(rules: "Rules", stored: dict[str, str]) -> None:
    """All of them."""
    left = rules.look.execute(_OPEN).all()
    if left:
        raise Violation("open for ever", str([tuple(row) for row in left[:4]]))
    got = _by_row(rules)
    _texts(rules, got)
    _reminders(rules, got)
    _plans(rules)
    _last_words(rules)
    _inbound(rules, stored, got)


def _by_row(rules: "Rules") -> dict[tuple[int, int], list[Carried]]:
    """What arrived, by the row that it was."""
    got: dict[tuple[int, int], list[Carried]] = {}
    for carried in rules.carrier.log:
        if carried.arrived_at is not None and carried.ref in rules.about:
            got.setdefault((carried.clinic_id, rules.about[carried.ref]["id"]), []).append(carried)
    return got


def _texts(rules: "Rules", got: dict[tuple[int, int], list[Carried]]) -> None:
    by_sid = {carried.sid: carried for carried in rules.carrier.log}
    for row in rules.look.execute(_TEXTS):
        where = f"text {row.id} ({row.key}), {row.status}"
        if row.status in NOT_GONE and not row.reason:
            raise Violation("absent", f"{where} without a reason")
        if row.status in DONE:
            carried = by_sid.get(row.provider_sid)
            if carried is None or carried.clinic_id != row.clinic_id or rules.about[carried.ref]["id"] != row.id:
                raise Violation("absent", f"{where}, and the carrier's text {row.provider_sid} is not it")
            if (row.clinic_id, row.id) not in got:
                raise Violation("absent", f"{where}, and the phone never got it")


def _reminders(rules: "Rules", got: dict[tuple[int, int], list[Carried]]) -> None:
    for row in rules.look.execute(_REMINDERS):
        where = f"{row.touchpoint} (reminder {row.id}), {row.status}"
        if row.status in ("skipped", "void") and not row.reason:
            raise Violation("absent", f"{where} without a reason")
        if row.status != "said" or row.touchpoint in CHECKS:
            continue
        if row.texts == [None]:
            raise Violation("absent", f"{where} and no text")


def _plans(rules: "Rules") -> None:
    """Every moment of the plan of a visit that took place is a row, or part of one, or a person is to get permission."""
    plans: dict[tuple[int, str], set[str]] = {}
    for row in rules.look.execute(_PLANS):
        plans.setdefault((row.clinic_id, row.external_id), set()).update((row.touchpoint, *row.merged))
    for (clinic_id, external_id), names in plans.items():
        scan = rules.truth.scans[clinic_id, external_id]
        died = rules.truth.phone(clinic_id, scan.phone).died_at
        missing = PLAN - names
        asked = {"clinic": clinic_id, "scan": external_id}
        if missing and not died and not rules.look.execute(_NO_PERMISSION, asked).scalar():
            raise Violation("absent", f"{external_id} has no row for {sorted(missing)}")


def _last_words(rules: "Rules") -> None:
    """Whom we told when his visit is does not keep a wrong hour: the last text says what is so, or someone phones him."""
    told: dict[tuple[int, str], tuple[str, datetime, str]] = {}
    for carried in rules.carrier.log:
        about = rules.about.get(carried.ref, {})
        names = {about.get("touchpoint"), *(about.get("merged") or ())}
        scan = rules.truth.scans.get((carried.clinic_id, about.get("external_id") or ""))
        if scan and carried.arrived_at is not None and carried.to == scan.phone and names & SAYS_WHEN:
            told[carried.clinic_id, scan.external_id] = about["stands"]
    for (clinic_id, external_id), last in told.items():
        scan = rules.truth.scans[clinic_id, external_id]
        phone = rules.truth.phone(clinic_id, scan.phone)
        if last == scan.stands() or phone.stopped_at or phone.wrong_at or phone.died_at:
            continue
        if last[0] == "on" and scan.settled_at and scan.settled_at >= last[1]:
            continue  # changed when the hour that he knew was past
        asked = {"clinic": clinic_id, "scan": external_id, "since": scan.settled_at}
        if not rules.look.execute(_PHONED, asked).scalar():
            raise Violation(
                "last word", f"{external_id}: told {last}, and it is {scan.stands()} since {scan.settled_at}"
            )


def _inbound(rules: "Rules", stored: dict[str, str], got: dict[tuple[int, int], list[Carried]]) -> None:
    rows = {(row[0], row[1]): row[2] for row in rules.look.execute(_TWICE)}
    for clinic_id, arrived, canned, fault in rules.inbound:
        if rows.get((clinic_id, arrived.message_sid)) != 1:
            raise Violation("inbound once", f"{arrived.message_sid} ({arrived.body[:30]!r}) is not stored once")
        kinds = {"crisis", "urgent"} & canned.means
        if "sensed" in canned.means:
            kinds = {"unhandled"} if fault == "broken" else {"crisis"}
        if kinds:
            _answered(rules, clinic_id, arrived, kinds, got)
    if len(rows) != len(rules.inbound):
        raise Violation("inbound once", f"{len(rows)} rows for {len(rules.inbound)} texts ({len(stored)} answers)")


def _answered(
    rules: "Rules", clinic_id: int, arrived: Any, kinds: set[str], got: dict[tuple[int, int], list[Carried]]
) -> None:
    replies = rules.look.execute(_REPLIES, {"clinic": clinic_id, "sid": arrived.message_sid}).all()
    at = next(row for row in rules.look.execute(
        text("select received_at from inbound where clinic_id = :clinic and message_sid = :sid"),
        {"clinic": clinic_id, "sid": arrived.message_sid})).received_at  # fmt: skip
    values = {"clinic": clinic_id, "phone": arrived.phone, "at": at}
    tasks = set(rules.look.execute(_SAFETY_TASKS, values).scalars())
    heard = {row.key for row in replies if (clinic_id, row.id) in got}
    for kind in kinds:
        if kind not in tasks:
            raise Violation("safety", f"{arrived.body[:30]!r} raised no task {kind}")
        if kind != "unhandled" and kind not in heard and "cannot_reach" not in tasks:
            raise Violation("safety", f"{arrived.body[:30]!r} was not answered, and nobody is told")
