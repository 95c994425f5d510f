"""Sends tasks to the demo's workers, a few per second: `python -m celtop.demo.producer SEED`.

The seed alone determines the tasks and their order; the ids are new each time. For a while map
layers arrive faster than they can be converted, then hardly at all: their queue grows and drains
again.
"""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from celery import chain, chord, group
from celery.canvas import Signature

from . import tasks
from .app import app

TASKS_PER_SECOND: Final = 3.0
CYCLE_TASKS: Final = 480
"""Tasks in one cycle of the growing and draining queue of map layers."""
GROWING_SHARE: Final = 0.3
"""The share of a cycle in which it grows."""
MAX_UNREAD: Final = 88
"""Messages for the queue without consumers; more would only use memory."""
PROJECTIONS: Final = ("EPSG:3857", "EPSG:31287", "EPSG:4326", "EPSG:2056", "Gauß-Krüger")
LAYERS: Final = ("Flüsse", "roads", "buildings", "Höhenlinien", "forêts", "湖泊", "parcels")
NAMES: Final = ("Zoë", "Jürgen", "山田太郎", "Ana María", "שירה", "Oluwaseun", "Łukasz", "Ingrid")
TEMPLATES: Final = ("Dear {name}, welcome", "Dear {name}, {balance} is due")
REGIONS: Final = ("north", "south", "east", "west", "overseas")


class Story:
    """One seed's sequence of tasks.

    Args:
        seed: Determines the tasks.
        salt: Makes the ids differ from those of another run, of which the history may have tasks.
    """

    def __init__(self, seed: int, salt: int = 0) -> None:
        self.dice = random.Random(seed)
        self._salt = salt
        self.unread = 0

    def opening(self) -> list[Signature]:
        """Return the tasks to send at once, so that every screen has something to show."""
        first = [
            self._report(), self._catalogue(), self._session(), self._counting(), self._pictures(),
            self._sequence(), self._reminder(),
        ]  # fmt: skip
        kinds: list[tuple[Callable[[], Signature], int]] = [
            (self._charge, 4), (self._raster, 5), (self._download, 4), (self._reminder, 2),
            (self._notification, 7), (self._mail, 3), (self._tags, 2), (self._pdf, 2),
        ]  # fmt: skip
        return first + [make() for make, times in kinds for _ in range(times)]

    def endless(self) -> Iterator[Signature]:
        """Yield tasks forever."""
        number = 0
        while True:
            growing = number % CYCLE_TASKS < CYCLE_TASKS * GROWING_SHARE
            weighted: dict[Callable[[], Signature], float] = {
                self._download: 26, self._qr: 22, self._raster: 24 if growing else 0.8,
                self._charge: 8, self._mail: 12, self._newsletter: 5, self._tags: 9, self._pdf: 2,
                self._session: 2, self._reminder: 2, self._report: 0.7, self._catalogue: 0.1,
                self._counting: 0.7, self._pictures: 0.7, self._sequence: 1,
                self._notification: 3 if self.unread < MAX_UNREAD else 0,
            }  # fmt: skip
            [make] = self.dice.choices(list(weighted), list(weighted.values()))
            yield make()
            number += 1

    def _named(self, signature: Signature, **options: Any) -> Signature:
        """Set a task id from the seed and the salt."""
        task_id = str(uuid.UUID(int=self.dice.getrandbits(128) ^ self._salt, version=4))
        signature.set(task_id=task_id, **options)
        return signature

    def _url(self) -> str:
        return f"https://img{self.dice.randrange(9)}.example.org/{self.dice.randrange(10_000)}.jpg"

    def _download(self) -> Signature:
        return self._named(tasks.download.s(self._url(), width=self.dice.choice((400, 800, 1600))))

    def _qr(self) -> Signature:
        guest = self.dice.choice(NAMES)
        return self._named(tasks.make_qr.s(f"ticket {self.dice.randrange(10**6)} for {guest}"))

    def _pdf(self) -> Signature:
        return self._named(tasks.render_pdf.s("Jahresbericht", self.dice.randrange(5, 60)))

    def _raster(self) -> Signature:
        layer = f"{self.dice.choice(LAYERS)}-{self.dice.randrange(100)}"
        [projection] = self.dice.choices(PROJECTIONS, (12, 4, 4, 4, 2))
        # A few expire soon: they are revoked when they expire in the queue.
        expires = 20 if self.dice.random() < 0.08 else None
        signature = tasks.convert_to_raster.s(layer, projection=projection)
        return self._named(signature, expires=expires)

    def _report(self) -> Signature:
        recipients = [f"{name.casefold()}@example.org" for name in self.dice.sample(NAMES, 3)]
        return self._named(tasks.weekly_report.s(self.dice.randrange(1, 53), recipients))

    def _catalogue(self) -> Signature:
        articles = self.dice.randrange(9_000, 24_000, 100)
        return self._named(tasks.import_catalogue.s("Nordwind & Söhne", articles))

    def _charge(self) -> Signature:
        customer = f"cus_{self.dice.randrange(10**8):08d}"
        return self._named(tasks.charge.s(customer, self.dice.randrange(199, 99_900)))

    def _mail(self) -> Signature:
        to, values = (
            f"user{self.dice.randrange(999)}@example.org",
            {"name": self.dice.choice(NAMES)},
        )
        [template] = self.dice.choices(TEMPLATES, (9, 1))
        return self._named(tasks.send_mail.s(to, template, values))

    def _newsletter(self) -> Signature:
        to = f"user{self.dice.randrange(999)}@example.org"
        return self._named(tasks.send_newsletter.s(to, issue=self.dice.randrange(1, 90)))

    def _tags(self) -> Signature:
        text = json.dumps({"words": [self.dice.choice(LAYERS), "Berg", "See"]}, ensure_ascii=False)
        return self._named(tasks.classify.s(text if self.dice.random() > 0.06 else text[:-2]))

    def _reminder(self) -> Signature:
        signature = tasks.remind.s(self.dice.choice(NAMES), lane=self.dice.randrange(1, 9))
        return self._named(signature, countdown=self.dice.randrange(20, 240))

    def _session(self) -> Signature:
        minutes, url = self.dice.randrange(8, 40), "https://climb.example.org/api/sessions"
        session_id = f"wall-{self.dice.randrange(10**5)}"
        return self._named(tasks.send_session.s(session_id, minutes=minutes, url=url))

    def _notification(self) -> Signature:
        self.unread += 1
        return self._named(tasks.push.s(self.dice.choice(NAMES), "your table is ready"))

    def _counting(self) -> Signature:
        header = [self._named(tasks.count_region.s(region)) for region in REGIONS]
        return chord(header, body=self._named(tasks.summarise.s()))

    def _pictures(self) -> Signature:
        url = self._url()
        return group(self._named(tasks.thumbnail.s(url, size)) for size in (80, 160, 320, 640))

    def _sequence(self) -> Signature:
        last = self._named(tasks.make_qr.si("gallery"))
        return chain(self._download(), self._named(tasks.thumbnail.s()), last)


def feed(seed: int) -> None:
    """Send tasks until the process is killed."""
    story = Story(seed, random.SystemRandom().getrandbits(128))
    revocable: list[str] = []
    for signature in story.opening():
        signature.apply_async()
    for signature in story.endless():
        time.sleep(min(2.0, story.dice.expovariate(TASKS_PER_SECOND)))
        signature.apply_async()
        if signature.task == "bookings.remind":
            revocable.append(str(signature.options["task_id"]))
        if len(revocable) > 4:
            app.control.revoke(revocable.pop(story.dice.randrange(len(revocable))))
            revocable.clear()


if __name__ == "__main__":
    feed(int(sys.argv[1]))
