"""What the guide shows as a page, for those who would rather look than read: approved words, in the order of his visit.

An answer is the same text that he would get by SMS, all its pages at once. Only the closing lines that ask him to text
for more are left out, as here the rest stands below.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flows.journey import OVER
from flows.model import Say
from flows.script import Script
from messages.catalog import LANGUAGES, MORE
from messages.speech import spoken_day
from service import wording
from service.calendar_entry import Entry
from service.store.facts import Focus, ScanFacts

# Each topic stands once, where he would look for it.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "about": ("what_is", "psma_protein", "how_it_works", "tracer_names", "pet_ct_mri", "vs_ct_bone", "accuracy",
              "small_spread", "when_ordered", "staging", "recurrence", "psa_level", "theranostics"),
    "ready": ("prep", "food_drink", "medications", "wear_bring", "implants", "allergy_kidney", "companion"),
    "day": ("scan_day", "duration", "hurt", "claustrophobia", "lying_still"),
    "after": ("after_scan", "driving", "side_effects", "radiation_safety", "around_others"),
    "results": ("results_timing", "results_portal", "results_support", "results_reading", "report_terms",
                "positive_meaning", "negative_meaning", "false_positive", "next_steps", "questions_to_ask"),
    "practical": ("location_arrival", "cost_insurance", "about_service"),
}  # fmt: skip
# The moments of the way there, by days from the visit; the plan of the texts (flows/journey.py) is laid by the same days.
STEPS = (("booked", None), ("about", -7), ("prepare", -3), ("tomorrow", -1), ("today", 0), ("after", 0), ("results", 1),
         ("questions", 4))  # fmt: skip
PICTURES = ("arrive", "needle", "rest", "scan", "water", "home")
_CLOSING = re.compile(
    r"\s*(?:\n(?:" + "|".join(MORE.values()) + r"): [^\n]*|(?<=[.?!] )[^.?!\n]*\bMENU\b[^.?!\n]*\.)\Z"
)


@dataclass(frozen=True)
class Step:
    """One moment of the way there. `state` is past, present or coming."""

    name: str
    day: str
    state: str


@dataclass(frozen=True)
class Answer:
    """One topic: its name and all its pages, by paragraph."""

    topic: str
    name: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Asking:
    """Questions for his doctor, one by one, and what is said after them."""

    questions: tuple[str, ...]
    rest: str


@dataclass(frozen=True)
class Guide:
    """One patient's page in one language."""

    focus: Focus
    scan: ScanFacts
    script: Script
    language: str
    known: Mapping[str, str]

    def say(self, key: str) -> str:
        """An approved text with this visit's values, in the form that he agreed to."""
        return wording.word(self.script, Say(key, "detailed"), self.language, self.known).body

    def read(self, key: str) -> str:
        """The same without a closing line that asks him to text for more."""
        return _CLOSING.sub("", self.say(key))

    def answers(self, group: str) -> list[Answer]:
        """The topics of one group with everything there is to say about each."""
        return [Answer(topic, self._name(topic), tuple(self._paragraphs(topic))) for topic in GROUPS[group]]

    def _name(self, topic: str) -> str:
        known = self.script.texts.entries[self.language]
        return self.say(f"name_{topic}" if f"name_{topic}" in known else f"page_name_{topic}")

    def _paragraphs(self, topic: str) -> list[str]:
        found, key = [], topic
        while key:
            found += self.read(key).split("\n")
            key = self.script.texts.next_page(key, self.language, "detailed")
        return found

    def asking(self) -> Asking:
        """The questions that fit why his scan was ordered, one by one."""
        _, _, body = self.read(f"questions_{self.scan.reason}").partition(": ")  # the heading already leads in
        asked, _, rest = body.rpartition("?")
        return Asking(tuple(f"{one.strip()}?" for one in asked.split("?")), rest.strip())

    def steps(self, now: datetime) -> list[Step]:
        """The way there, with the step marked where he is at `now`."""
        zone = ZoneInfo(self.scan.zone)
        arrival = self.scan.arrival_at.astimezone(zone)
        here = present(self.scan, now)
        found = []
        for number, (name, days) in enumerate(STEPS):
            day = "" if days is None else spoken_day(arrival + timedelta(days=days), self.language)
            state = "past" if number < here else "present" if number == here else "coming"
            found.append(Step(name, day, state))
        return found

    def entry(self, public_url: str) -> Entry:
        """The visit for his calendar."""
        site = self.focus.site
        return Entry(
            visit=f"{public_url}/visits/{self.focus.clinic_id}/{self.scan.id}",
            version=self.scan.plan_version,
            arrival_at=self.scan.arrival_at,
            summary=self.say("page_calendar_entry"),
            location=f"{site.name}, {site.address}",
        )


def present(scan: ScanFacts, now: datetime) -> int:
    """The number of the step that is on at `now`, by the site's calendar; on the day itself also by its clock."""
    zone = ZoneInfo(scan.zone)
    away = (now.astimezone(zone).date() - scan.arrival_at.astimezone(zone).date()).days
    here = max(number for number, (_, days) in enumerate(STEPS) if days is None or days <= away)
    over = scan.state == "completed" or now >= scan.starts_at + OVER
    return here - 1 if away == 0 and not over else here


def guide(focus: Focus, pinned: Script, newest: Script, asked: str) -> Guide:
    """The page of a living link, in the language `asked` for or else his own.

    It speaks from the script of his conversation; one that was published before there was a page cannot, and gives way to
    the newest.
    """
    assert focus.scan is not None, "a link that is followed has its scan"
    language = asked if asked in LANGUAGES else focus.language
    script = pinned if "page_title" in pinned.texts.entries[language] else newest
    return Guide(focus, focus.scan, script, language, wording.values(focus, script, language))
