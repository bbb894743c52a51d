"""The demo clinic: one site, its number, log-ins for staff and operators, and a first patient with a booked scan."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text

from service import booking
from service.clinics import SiteFacts, add_clinic, add_operator, add_staff
from service.intake import Permission, read_booking
from service.wiring import Parts

CLINIC_NUMBER = "+12125550100"
PATIENT_NUMBER = "+12125550123"
ZONE = "America/New_York"

SITE = SiteFacts(
    name="Riverside Imaging",
    zone=ZONE,
    address="1200 Riverside Ave, Suite 340",
    phone="+12125550142",
    after_hours_phone="+12125550199",
    on_call_phone="+12125550177",
    on_call_phone_2="+12125550178",
    prep={
        "Pylarify": "Eat and drink as usual. Drink 2 or 3 glasses of water in the 2 hours before you come. "
        "Use the bathroom just before the pictures.",
        "Illuccix": "Eat and drink as usual, and drink plenty of water before you come.",
    },
    radiation="For 6 hours after the visit keep some distance from babies and anyone who is pregnant.",
    results_timing="Your doctor usually has the report within 2 working days.",
    food_drink="Eat and drink as usual. Coffee is fine.",
    arrival_note="Park in lot B and use the east door; the desk is on the third floor.",
    results_days=3,
    translations={
        "es": {
            "prep": {
                "Pylarify": "Coma y beba como siempre. Beba 2 o 3 vasos de agua en las 2 horas antes de venir. "
                "Vaya al servicio justo antes de que empiece.",
                "Illuccix": "Coma y beba como siempre, y beba bastante agua antes de venir.",
            },
            "radiation": "Por 6 horas, mantenga distancia de los bebés y de mujeres embarazadas.",
            "results_timing": "Su doctor suele tener el informe antes de 48 horas.",
            "food_drink": "Coma y beba como siempre. Puede tomar café.",
            "arrival_note": "Estacione en el lote B y entre por la puerta este; tercer piso.",
        }
    },
    terms_url="riverside.example/texts",
)


@dataclass(frozen=True)
class DemoClinic:
    """The demo clinic's id and clock."""

    clinic_id: int
    zone: str


def seed(parts: Parts, now: datetime) -> DemoClinic:
    """Make the demo clinic once; a second start finds it as it was left."""
    with parts.database.cross() as connection:
        found = connection.execute(
            text("select clinic_id from senders where phone = :phone"), {"phone": CLINIC_NUMBER}
        ).scalar()
    if found is not None:
        return DemoClinic(found, ZONE)
    clinic = add_clinic(parts.database, "Riverside Imaging", CLINIC_NUMBER, SITE, keywords="ours", now=now)
    add_staff(parts.database, clinic.clinic_id, "nurse@demo.test", "Nurse Rivera", "demo-nurse")
    add_operator(parts.database, "ops@demo.test", "Operator Lee", "demo-operator")
    _book_first(parts, clinic.clinic_id, now)
    return DemoClinic(clinic.clinic_id, ZONE)


def _book_first(parts: Parts, clinic_id: int, now: datetime) -> None:
    """Walter, ten days from now at 9:15."""
    local = now.astimezone(ZoneInfo(ZONE)).date() + timedelta(days=10)
    arrival = datetime.combine(local, time(9, 15))
    read = read_booking(
        patient_id="P-1001",
        given_name="Walter",
        phone=PATIENT_NUMBER,
        language="en",
        zone=None,
        arrival_at=arrival.isoformat(),
        starts_at=(arrival + timedelta(hours=1)).isoformat(),
        tracer="Pylarify",
        reason="recurrence",
        site=None,
        permission=Permission("front desk", "asked by phone when booking", now),
    )
    booking.book(parts, clinic_id, "SCAN-1001", read, actor="demo", now=now)
