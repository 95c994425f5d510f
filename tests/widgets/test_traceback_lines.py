from __future__ import annotations

from celtop.widgets.glyphs import ASCII
from celtop.widgets.traceback_lines import draw, shortened_path, traceback_lines
from rich.cells import cell_len

CHAINED = """Traceback (most recent call last):
  File "/srv/shop/http.py", line 3, in get
    connect()
ConnectionError: refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/v/lib/python3.11/site-packages/requests/api.py", line 59, in get in it
    raise E
PaymentError: the payment provider did not answer
  in time
"""


def drawn(text: str, width: int = 60) -> list[str]:
    return [line.text for line in draw(traceback_lines(text), width, glyphs=ASCII)]


def test_causes_follow_the_final_exception() -> None:
    assert drawn(CHAINED) == [
        "PaymentError: the payment provider did not answer",
        "  in time",
        "+ requests/api.py:59 in get in it",
        "",
        "caused by",
        "ConnectionError: refused",
        "- /srv/shop/http.py:3 in get",
        "    connect()",
    ]


def test_without_own_code_the_innermost_frame_of_a_package_has_its_source() -> None:
    text = CHAINED.partition("following exception:")[2]
    assert drawn(text)[2:] == ["- requests/api.py:59 in get in it", "    raise E"]


def test_a_path_is_shortened_from_its_start_at_a_folder() -> None:
    path = "/srv/shop/apps/billing/gateway.py:41"
    assert shortened_path(path, 40, "~") == path
    assert shortened_path(path, 24, "~") == "~/billing/gateway.py:41"
    assert cell_len(shortened_path("/世界" * 20, 24, "~")) <= 24
    (_, line) = [line for line in drawn(f'  File "{path[:-3]}", line 41, in f\nE', 30)]
    assert line == "- ~/billing/gateway.py:41 in f"


def test_no_text_has_one_empty_line_at_most() -> None:
    assert [line.strip() for line in drawn("")] in ([], [""])
    assert drawn("only text") == ["only text"]


def test_hostile_text_is_drawn_harmlessly_wherever_it_stands() -> None:
    evil = "\x1b[2J\u202e\x07\t\r"
    frames = f'  File "/srv/{evil}.py", line 3, in {evil}\n    {evil}\n'
    for text in (f"Traceback (most recent call last):\n{frames}E: {evil}\n", evil, frames):
        assert all(line.isprintable() for line in drawn(text, 20))
