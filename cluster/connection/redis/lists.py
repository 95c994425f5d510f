"""Reads the sizes and the next messages of many lists on Redis with one command, a script.

No command of Redis counts several lists. A user who may not run scripts (`EVAL`) has to count them
one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

MAX_KEYS: Final = 5_000
"""Lists in one script: about five milliseconds of the server's time, if most are empty."""
GROUP_KEYS: Final = 10
"""Lists of which one EXISTS shows whether there are any: those of one queue are side by side."""
_SCRIPT: Final = """
local most, left, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local found = {}

local function read(number, key)
  local size = redis.pcall('LLEN', key)
  if type(size) == 'table' then
    found[#found + 1] = {number, size.err, {}}
    return true
  elseif size == 0 then
    return false
  end
  local messages = most > 0 and left > 0 and redis.call('LRANGE', key, -1, -1) or {}
  local count = #messages > 0 and math.min(most, size, math.floor(left / #messages[1])) or 0
  if count > 1 then
    messages = redis.call('LRANGE', key, -count, -1)
  elseif count == 0 then
    messages = {}
  end
  for _, message in ipairs(messages) do
    left = left - #message
  end
  found[#found + 1] = {number, size, messages}
  return true
end

for first = 1, #KEYS, width do
  local last = math.min(first + width - 1, #KEYS)
  local existing, number = redis.call('EXISTS', unpack(KEYS, first, last)), first
  while existing > 0 and number <= last do
    if read(number, KEYS[number]) then
      existing = existing - 1
    end
    number = number + 1
  end
end
return found
"""


class ReadList(NamedTuple):
    """A list that is not empty."""

    size: int | str
    """Its messages; a text is the reason why they cannot be counted."""
    messages: tuple[bytes, ...]
    """The next messages, the next one first; fewer than were asked for if they are large."""


EMPTY_LIST: Final = ReadList(0, ())


def read_lists(
    redis: Any, keys: Sequence[str], messages: int, max_bytes: int
) -> dict[str, ReadList] | None:
    """Return the lists among some keys that are not empty; None if scripts are refused.

    Args:
        redis: A client.
        keys: The keys, with the prefix of the broker.
        messages: The most messages of one list to return.
        max_bytes: Approximate size of all messages that are returned.

    Raises:
        redis.RedisError: The connection is lost.
    """
    from redis.exceptions import ResponseError

    found: dict[str, ReadList] = {}
    for first in range(0, len(keys), MAX_KEYS):
        block = keys[first : first + MAX_KEYS]
        try:
            replies = redis.eval(_SCRIPT, len(block), *block, messages, max_bytes, GROUP_KEYS)
        except ResponseError:
            return None
        for number, size, read in replies:
            max_bytes -= sum(map(len, read))
            size = int(size) if isinstance(size, int) else size.decode(errors="replace")
            found[block[number - 1]] = ReadList(size, tuple(reversed(read)))
    return found
