"""The window and the cursor while rows arrive."""

from __future__ import annotations

from celtop.widgets.table.viewport import Newest, Viewport

ENDS: tuple[Newest, ...] = ("first", "last")


class Arrivals:
    """Rows of which the newest is first, or last."""

    def __init__(self, count: int, newest: Newest = "first") -> None:
        self.ids = [str(number) for number in range(count)]
        self.newest = newest

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> str:
        return self.ids[len(self.ids) - 1 - index if self.newest == "first" else index]

    def index(self, id: str) -> int | None:  # noqa: A002 - as in `Rows`
        if id not in self.ids:
            return None
        at = self.ids.index(id)
        return len(self.ids) - 1 - at if self.newest == "first" else at

    def set_order(self, key: str, descending: bool) -> None:
        raise KeyError(key)

    def arrive(self, count: int = 1) -> None:
        self.ids += [str(number) for number in range(len(self.ids), len(self.ids) + count)]


def following(rows: Arrivals, height: int = 5) -> Viewport[str]:
    view = Viewport(rows, str)
    view.height, view.follow, view.newest = height, True, rows.newest
    view.settle()
    return view


def test_the_cursor_is_on_the_newest_row_until_a_key_is_pressed() -> None:
    for newest in ENDS:
        rows = Arrivals(20, newest)
        view = following(rows)
        assert view.cursor_id == "19"
        rows.arrive()
        view.settle()
        assert view.cursor_id == "20"


def test_a_pinned_cursor_stays_on_its_row_while_the_list_is_followed() -> None:
    for newest in ENDS:
        rows = Arrivals(20, newest)
        view = following(rows)
        view.pin("19")
        rows.arrive(2)
        view.settle()
        assert view.cursor_id == "19"
        assert view.follow and "21" in view.seen


def test_following_ends_where_the_cursor_would_leave_the_window() -> None:
    for newest in ENDS:
        rows = Arrivals(20, newest)
        view = following(rows)
        view.pin("19")
        rows.arrive(100)
        view.settle()
        assert view.cursor_id == "19"
        assert "19" in view.seen and not view.follow
        seen = view.seen
        rows.arrive(100)
        view.settle()
        assert view.seen == seen


def test_from_a_pinned_row_a_key_moves_to_its_neighbour() -> None:
    rows = Arrivals(20)
    view = following(rows)
    view.pin("19")
    rows.arrive(2)
    view.settle()
    view.move("up")
    assert view.cursor_id == "20"
    view.move("up")
    assert view.cursor_id == "21"


def test_the_row_that_a_key_was_meant_for_may_be_an_earlier_one() -> None:
    rows = Arrivals(20)
    view = following(rows)
    rows.arrive()
    view.settle()
    view.pin("19")
    assert (view.cursor_id, view.cursor_index) == ("19", 1)
    view.pin("gone")
    assert view.cursor_id == "19"


def test_following_again_goes_to_the_newest_row() -> None:
    rows = Arrivals(20)
    view = following(rows)
    view.pin("19")
    rows.arrive(2)
    view.restart()
    assert view.cursor_id == "21"


def test_a_resting_window_shows_the_first_rows() -> None:
    rows = Arrivals(20)
    view = Viewport(rows, str)
    view.height, view.resting = 5, True
    view.settle()
    rows.arrive(450)
    view.settle()
    assert (view.top, view.cursor_id) == (0, "469")


def test_a_row_that_arrives_below_the_first_one_does_not_move_it_out_of_sight() -> None:
    rows = Arrivals(4, "last")
    view = Viewport(rows, str)
    view.height = 3
    view.settle()
    rows.ids.insert(1, "new")
    view.settle()
    assert (view.top, view.cursor_id, view.seen) == (0, "0", ["0", "new", "1"])
    rows.ids.insert(0, "above")
    view.settle()
    assert (view.top, view.cursor_id, view.seen) == (1, "0", ["0", "new", "1"])


def test_scrolling_away_from_the_cursor_ends_following_in_any_order() -> None:
    rows = Arrivals(20)
    view = following(rows)
    view.newest = None  # sorted by something else: the cursor's row is followed
    view.scroll(3)
    view.settle()
    assert view.top == 3 and not view.follow
    view.follow = True
    view.place(6)
    view.scroll(4)
    view.settle()
    assert view.top == 4 and view.follow
