"""The file of acknowledged findings."""

from __future__ import annotations

from pathlib import Path

import pytest
from celtop.files.acknowledgements import GONE_AFTER, Acknowledgements
from celtop.model.health.finding import Finding

NOW = 1_700_000_000.0
MAIL, GEO = (
    Finding("queue-stalled", "error", "queue", "stalled", name) for name in ("mail", "geo")
)


def test_acknowledgements_are_kept_for_each_cluster(tmp_path: Path) -> None:
    path = tmp_path / "state" / "acknowledged.json"
    one = Acknowledgements(path, "redis://one")
    one.add([MAIL], NOW)
    assert one.quiets(MAIL) and not one.quiets(GEO)
    assert Acknowledgements(path, "redis://one").quiets(MAIL)
    assert not Acknowledgements(path, "redis://two").quiets(MAIL)
    one.remove([MAIL])
    assert not one.quiets(MAIL)
    assert path.read_text() == "{}"
    assert path.stat().st_mode & 0o077 == 0


def test_another_celtop_of_the_user_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "acknowledged.json"
    one, two = Acknowledgements(path, "a"), Acknowledgements(path, "a")
    assert not two.quiets(MAIL)
    one.add([MAIL], NOW)
    two.update([MAIL, GEO], NOW)
    assert two.quiets(MAIL)
    two.add([GEO], NOW)
    assert Acknowledgements(path, "a").quiets(MAIL)


def test_an_acknowledgement_ends_when_its_finding_has_gone_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "acknowledged.json"
    held = Acknowledgements(path, "a")
    held.add([MAIL], NOW)
    held.update([], NOW + GONE_AFTER)  # it may come back
    held.update([MAIL], NOW + GONE_AFTER + 1)
    held.update([], NOW + 2 * GONE_AFTER)
    assert held.quiets(MAIL)
    held.update([], NOW + 3 * GONE_AFTER)
    assert not held.quiets(MAIL)
    assert not Acknowledgements(path, "a").quiets(MAIL)


def test_what_is_not_known_yet_has_not_gone(tmp_path: Path) -> None:
    path = tmp_path / "acknowledged.json"
    Acknowledgements(path, "a").add([MAIL], NOW)
    later = Acknowledgements(path, "a")
    later.update([], NOW + 10_000)
    assert later.quiets(MAIL)


def test_a_file_that_cannot_be_written_keeps_them_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    held = Acknowledgements(tmp_path / "file" / "acknowledged.json", "a")
    with pytest.raises(OSError):
        held.add([MAIL], NOW)
    assert held.quiets(MAIL)
    held.update([MAIL], NOW + 1)
    assert held.quiets(MAIL)


def test_a_damaged_file_acknowledges_nothing(tmp_path: Path) -> None:
    path = tmp_path / "acknowledged.json"
    path.write_text("{")
    assert not Acknowledgements(path, "a").quiets(MAIL)
