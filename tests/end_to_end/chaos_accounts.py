"""The reckoning after the chaos: the carrier's own log of what phones received against the plan in the database."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from simulator.carrier import Message
from tests.end_to_end.chaos import Chaos

CHECKS = ("preparation_check", "results_check")  # planned moments without a text
MATTERS = {"invite", "prepare", "tomorrow", "today"}
ANSWERS_STOP = ("stopped", "stopped_cancel", "help", "crisis", "urgent", "started")


@dataclass
class Accounts:
    """What became of every planned text, reply and uncertain one."""

    planned: int = 0
    replaced: int = 0
    received: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    tasks: int = 0
    replies: int = 0
    replies_received: int = 0
    absent: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    after_stop: list[str] = field(default_factory=list)
    on_the_way: int = 0
    uncertain: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0


def reckon(house: Chaos) -> Accounts:
    """Compare phones and plan."""
    accounts = Accounts()
    arrived: dict[str, list[Message]] = defaultdict(list)
    for message in house.carrier.messages():
        if message.direction != "inbound" and message.arrived is not None and message.status_callback:
            arrived[message.status_callback.partition("#")[0].rsplit("/", 1)[1]].append(message)
    texts = house.rows("select * from outbound order by id")
    known = {row["ref"] for row in texts}
    accounts.doubled += [f"{got[0].to} of an unknown attempt" for ref, got in arrived.items() if ref not in known]
    accounts.doubled += [
        f"{got[0].to} {len(got)} times: {got[0].body[:40]}" for got in arrived.values() if len(got) > 1
    ]
    _plan(house, accounts, texts, arrived)
    _replies(house, accounts, texts, arrived)
    _after_stop(house, accounts, texts, arrived)
    _uncertain(house, accounts)
    return accounts


def _plan(house: Chaos, accounts: Accounts, texts: list[dict[str, object]], arrived: dict[str, list[Message]]) -> None:
    by_reminder = {(row["clinic_id"], row["reminder_id"]): row for row in texts if row["reminder_id"]}
    tasks = {(row["clinic_id"], row["scan_id"]) for row in house.rows("select clinic_id, scan_id from tasks")}
    seen: Counter[tuple[object, ...]] = Counter()
    for row in house.rows("select * from reminders where due_at <= :now order by id", now=house.clock()):
        if row["touchpoint"] in CHECKS:
            if row["status"] == "planned":
                accounts.absent.append(f"check {row['id']} was never looked at")
            continue
        if row["status"] == "void" and row["reason"].startswith("planned anew"):
            accounts.replaced += 1  # a newer version of the plan has its own row for it
            continue
        accounts.planned += 1
        text = by_reminder.get((row["clinic_id"], row["id"]))
        where = f"reminder {row['id']} {row['touchpoint']} {row['status']}"
        if text is not None and text["ref"] in arrived:
            accounts.received += 1
            seen[row["clinic_id"], row["scan_id"], row["touchpoint"]] += 1
        elif text is not None and text["status"] in ("refused", "failed", "undelivered") and text["reason"]:
            accounts.reasons[str(text["reason"])] += 1
            failed = text["status"] != "refused" and row["touchpoint"] in MATTERS
            accounts.tasks += failed
            if failed and (row["clinic_id"], row["scan_id"]) not in tasks:
                accounts.absent.append(f"{where}: {text['status']} and nobody was told")
        elif text is None and row["status"] in ("skipped", "void") and row["reason"]:
            accounts.reasons[row["reason"]] += 1
        else:
            accounts.absent.append(f"{where}: text {text['id'] if text else None} {text['status'] if text else ''}")
    accounts.doubled += [f"{name} said {count} times" for name, count in seen.items() if count > 1]


def _replies(
    house: Chaos, accounts: Accounts, texts: list[dict[str, object]], arrived: dict[str, list[Message]]
) -> None:
    """Each reply once, or a reason; each text of a phone stored once."""
    stored = Counter(row["message_sid"] for row in house.rows("select message_sid from inbound"))
    accounts.doubled += [f"text {sid} stored {count} times" for sid, count in stored.items() if count > 1]
    for message in house.carrier.messages():
        if message.direction == "inbound":
            accounts.unanswered += message.answered_at is None
            if message.answered_at is not None and message.sid not in stored:
                accounts.absent.append(f"text {message.sid} was answered and not kept")
    for row in texts:
        if row["inbound_id"] and not row["reminder_id"]:
            accounts.replies += 1
            accounts.replies_received += row["ref"] in arrived
            ended = row["status"] in ("refused", "failed", "undelivered") and row["reason"]
            if row["ref"] not in arrived and not ended:
                accounts.absent.append(f"reply {row['id']} {row['key']}: {row['status']}")


def _after_stop(
    house: Chaos, accounts: Accounts, texts: list[dict[str, object]], arrived: dict[str, list[Message]]
) -> None:
    """Nothing that was claimed after his STOP had been kept, but the confirmation and answers to what he texts."""
    stopped = {
        (row["clinic_id"], row["id"]): row["opted_out_at"]
        for row in house.rows("select clinic_id, id, opted_out_at from contact_points where opted_out_at is not null")
    }
    confirmations: Counter[object] = Counter()
    for row in texts:
        since = stopped.get((row["clinic_id"], row["contact_point_id"]))
        if since is None or row["ref"] not in arrived:
            continue
        if row["key"] in ANSWERS_STOP:
            confirmations[row["contact_point_id"]] += str(row["key"]).startswith("stopped")
        elif max(message.created_at for message in arrived[str(row["ref"])]) > since:
            tried = row["tried_at"]
            if tried is not None and row["inbound_id"] is None and tried <= since + timedelta(milliseconds=50):
                accounts.on_the_way += 1
            else:
                accounts.after_stop.append(f"text {row['id']} {row['key']} to contact {row['contact_point_id']}")
    accounts.after_stop += [f"{n} confirmations to contact {who}" for who, n in confirmations.items() if n > 1]


def _uncertain(house: Chaos, accounts: Accounts) -> None:
    """How each text that had become uncertain came to its end."""
    by_receipt = {
        (row["clinic_id"], row["outbound_id"], row["tx"]) for row in house.rows("select * from chaos_receipts")
    }
    for step in house.rows("select * from chaos_steps where old = 'uncertain' order by n"):
        if (step["clinic_id"], step["id"], step["tx"]) in by_receipt:
            way = "by its receipt"
        elif step["new"] == "queued":
            way = "absent from two listings: sent anew"
        elif step["new"] == "refused":
            way = "absent from two listings: too late, refused"
        elif step["new"] == "failed" and step["listings"] == 0:
            way = "by a person"
        else:
            way = "found in a listing"
        accounts.uncertain[way] += 1
    left = house.rows("select count(*) as n from outbound where status in ('uncertain', 'sending', 'offered')")
    if left[0]["n"]:
        accounts.uncertain["still open"] = left[0]["n"]


def table(house: Chaos, accounts: Accounts) -> str:
    """The table that a run prints."""
    lines = [f"{'process':<12}{'started':>8}{'killed':>8}{'ended by itself':>17}"]
    lines += [f"{p.name:<12}{p.starts:>8}{p.killed:>8}{p.by_itself:>17}" for p in house.parts.values()]
    lines += [f"{'postgresql':<12}{house.postgres.killed + 1:>8}{house.postgres.killed:>8}{0:>17}"]
    lines += [
        f"{'valkey':<12}{house.valkey.killed + 1:>8}{house.valkey.killed:>8}{0:>17}   (flushed {house.valkey.flushed})"
    ]
    lines += ["", "trouble: " + ", ".join(f"{kind} {n}" for kind, n in sorted(house.struck.items()))]
    lines += ["at the carrier: " + ", ".join(f"{k} {n}" for k, n in sorted(house.carrier.faults.counts().items()))]
    refused = sum(accounts.reasons.values())
    lines += ["", f"texts planned and due      {accounts.planned:>6}   (replaced by a newer plan {accounts.replaced})"]
    lines += [f"  received once            {accounts.received:>6}"]
    lines += [f"  not sent, with a reason  {refused:>6}   (failed, with a task {accounts.tasks})"]
    lines += [f"    {n:>4} {reason}" for reason, n in accounts.reasons.most_common()]
    lines += [
        f"  merely absent            {len(accounts.absent):>6}",
        f"  doubled                  {len(accounts.doubled):>6}",
    ]
    lines += [f"replies                    {accounts.replies:>6}   (received {accounts.replies_received})"]
    lines += [
        f"after STOP                 {len(accounts.after_stop):>6}   (on their way as he said it {accounts.on_the_way})"
    ]
    lines += [f"texts that never got in    {accounts.unanswered:>6}   (the carrier gave up; he texted again)"]
    lines += [f"uncertain                  {sum(accounts.uncertain.values()):>6}"]
    lines += [f"    {n:>4} {way}" for way, n in accounts.uncertain.most_common()]
    return "\n".join(lines)
