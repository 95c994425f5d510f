"""The demo's tasks, similar to those of web shops, clubs and map makers.

Nothing is faked for the monitor: failures are raised, retries are Celery's, and progress is
reported in both ways that applications use (the result's meta and a custom event). The outcome of a
task depends only on its arguments, so that a seed always gives the same sequence.
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

from celery import Task
from celery.exceptions import SoftTimeLimitExceeded

from .app import task


class CardDeclined(Exception):
    """The bank declined the charge; it may accept it later."""


class UnknownProjection(ValueError):
    """A map in an unsupported coordinate system."""


def luck(*of: object) -> random.Random:
    """Return a task's random generator: the same for the same arguments."""
    return random.Random(repr(of))


def advance(running: Task, current: int, total: int, status: str) -> None:
    """Report a task's progress, to the result backend and as an event."""
    meta = {"current": current, "total": total, "status": status}
    running.update_state(state="PROGRESS", meta={"progress": 100 * current // total, **meta})
    running.send_event("task-progress", **meta)


def steps(running: Task, names: Sequence[str], seconds: float) -> Iterator[str]:
    """Yield each step's name after reporting it, and take `seconds` for each."""
    for number, name in enumerate(names):
        advance(running, number, len(names), name)
        yield name
        time.sleep(seconds)
    advance(running, len(names), len(names), "done")


@task(
    "images.download",
    autoretry_for=(ConnectionError,),
    retry_backoff=3,
    retry_backoff_max=30,
    max_retries=2,
)
def download(url: str, width: int = 800) -> dict[str, Any]:
    """Fetch a picture; if the host refuses the connection, the task is retried."""
    dice = luck(url)
    time.sleep(dice.uniform(0.1, 1.2))
    if dice.random() < 0.12:
        socket.create_connection(("127.0.0.1", 1), timeout=2).close()
    return {"url": url, "bytes": dice.randrange(20_000, 4_000_000), "size": [width, width * 2 // 3]}


@task("images.make_qr")
def make_qr(text: str, *, scale: int = 4) -> str:
    """Draw a QR code; return the picture's digest."""
    time.sleep(luck(text).uniform(0.02, 0.25))
    return hashlib.sha256(f"{text}*{scale}".encode()).hexdigest()


@task("images.thumbnail")
def thumbnail(picture: dict[str, Any] | str, size: int = 160) -> dict[str, Any]:
    """Shrink a picture."""
    time.sleep(luck(picture, size).uniform(0.1, 0.6))
    return {"of": picture, "size": [size, size]}


@task("images.render_pdf", soft_time_limit=4)
def render_pdf(title: str, pages: int) -> dict[str, Any]:
    """Render a document; a long one exceeds its soft time limit."""
    try:
        time.sleep(pages / 12)
    except SoftTimeLimitExceeded:
        raise TimeoutError(f"{title}: {pages} pages not rendered within 4 s") from None
    return {"title": title, "pages": pages}


@task("geo.convert_to_raster", bind=True, acks_late=True, track_started=True)
def convert_to_raster(
    self: Task, layer: str, *, resolution: float = 0.5, projection: str = "EPSG:3857"
) -> dict[str, Any]:
    """Convert a vector layer to tiles, step by step with progress."""
    dice = luck(layer, resolution)
    names = ["reading", "cleaning", "reprojecting", *["tiling"] * 12, "compressing", "uploading"]
    for name in steps(self, names, dice.uniform(0.2, 0.6)):
        if name == "reprojecting":
            reproject(layer, projection)
    return {
        "summary": {"layer": layer, "total_processed": 4 ** len(layer), "failed": 0},
        "extent": {"west": 9.53, "south": 46.37, "east": 17.16, "north": 49.02},
        "tiles": [{"z": zoom, "count": 4**zoom} for zoom in range(6)],
    }


def reproject(layer: str, projection: str) -> int:
    """Return the number of the projection.

    Raises:
        UnknownProjection: It is not an EPSG code.
    """
    try:
        return int(projection.partition(":")[2])
    except ValueError as error:
        raise UnknownProjection(f"{layer!r} is in {projection!r}") from error


@task("reports.weekly", bind=True, track_started=True)
def weekly_report(self: Task, week: int, recipients: list[str]) -> dict[str, Any]:
    """Create a report in fifteen steps."""
    names = [f"step {number} of 15" for number in range(1, 16)]
    done = [name for name in steps(self, names, luck(week).uniform(0.8, 2.0))]
    return {"week": week, "steps": len(done), "recipients": recipients}


@task("reports.count")
def count_region(region: str) -> dict[str, Any]:
    """Count one region's orders: the header of a chord."""
    dice = luck(region)
    time.sleep(dice.uniform(0.3, 1.5))
    return {"region": region, "orders": dice.randrange(5, 900)}


@task("reports.summarise")
def summarise(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Add the regions up: the body of a chord."""
    time.sleep(0.3)
    return {"regions": len(counts), "orders": sum(count["orders"] for count in counts)}


@task("billing.charge", bind=True, max_retries=3)
def charge(self: Task, customer: str, cents: int, currency: str = "EUR") -> str:
    """Charge a card; if it is declined, retry with growing delays."""
    dice = luck(customer, cents)
    time.sleep(dice.uniform(0.1, 0.8))
    if cents % 7 < 2 and self.request.retries <= cents % 5:
        declined = CardDeclined(f"{customer}: {cents / 100:.2f} {currency} declined")
        raise self.retry(exc=declined, countdown=4 * 2**self.request.retries)
    return f"paid {cents / 100:.2f} {currency}"


@task("mail.send", ignore_result=True)
def send_mail(to: str, template: str, values: dict[str, str]) -> None:
    """Fill a template and send it; some templates have a placeholder without a value."""
    time.sleep(luck(to, template).uniform(0.2, 1.5))
    template.format_map(values)


@task("mail.newsletter", rate_limit="20/m")
def send_newsletter(to: str, issue: int) -> str:
    """Send one newsletter, at most twenty per minute."""
    time.sleep(0.1)
    return f"issue {issue} to {to}"


@task("bookings.remind")
def remind(name: str, lane: int) -> str:
    """Remind a swimmer of a booked lane."""
    return f"{name}, lane {lane}"


@task("sessions.send", bind=True, track_started=True)
def send_session(
    self: Task, session_id: str, *, minutes: int, url: str, dry_run: bool = False
) -> dict[str, Any]:
    """Send a climbing session's data point by point, reporting a percentage and a message."""
    for minute in range(minutes):
        percentage = 100 * minute // minutes
        meta = {"progress": percentage, "message": f"minute {minute + 1} of {minutes}"}
        self.update_state(state="PROGRESS", meta=meta)
        self.send_event("task-progress", **meta)
        time.sleep(0.4)
    return {"session_id": session_id, "sent": 0 if dry_run else minutes, "to": url}


@task("imports.catalogue", bind=True, track_started=True)
def import_catalogue(self: Task, supplier: str, articles: int) -> dict[str, Any]:
    """Import a supplier's catalogue, which takes minutes."""
    for number in range(0, articles, 100):
        advance(self, number, articles, f"article {number:,}")
        time.sleep(1.0)
    return {"supplier": supplier, "articles": articles, "rejected": []}


@task("tags.classify")
def classify(text: str) -> list[str]:
    """Find the tags of a text; some texts are broken JSON."""
    time.sleep(luck(text).uniform(0.1, 0.7))
    words: list[str] = json.loads(text)["words"]
    return sorted({word.casefold() for word in words})


@task("notifications.push")
def push(user: str, text: str) -> None:
    """Never run: no worker consumes its queue."""
