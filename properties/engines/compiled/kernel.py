"""What is compiled by Numba: a set of states, a memo table, and the loop that expands states with both.

A state is a row of 64-bit words.  There is one memo table for everything: a key is the words under the mask of its
``kind`` (a group of rules, a stage, a block of fields, ...), the kind and a parameter, and a set of uids; its entry is
three numbers (``info``) and perhaps some rows of words.  What is not there is asked for: an entry without an answer is
appended, and the state is put off until the host has filled it in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function, compiled when it is first called, and kept on disk for the next time."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


class Store(NamedTuple):
    """The distinct states, one a row, in the order in which they were found, and where each can be found by its hash.

    ``places``: 0 for none, else 32 bits of hash and the number of the state, plus one.
    """

    rows: Words
    places: Words


class Memo(NamedTuple):
    """The memo table; ``places`` holds the numbers of entries, plus one.

    ``info`` of a group: first row of its outcomes, how many (-1: not answered yet), 2 * seconds to wait + urgent.
    Of a stage: its row, 0, 1 if it renames + 2 if it moves nodes.  Of an image: its row.  Of the others the third is
    the answer.  Until there is an answer, the first is the number of the state that asked.
    ``outcomes``: for each row its kind of action, and its stages (-1: a plain outcome, else 4 * the number in
    ``stages`` + 1 if it renames + 2 if it moves nodes).
    """

    places: NDArray[np.uint32]
    keys: Words
    info: Numbers
    visits: Numbers
    rows: Words
    outcomes: Numbers
    masks: Words
    stages: Numbers
    layout: Numbers


class Lists(NamedTuple):
    """What the loop hands back: states put off, steps for the host to normalise, and (on demand) edges."""

    later: Numbers
    slow: Words
    slow_info: Numbers
    edges: Numbers
    counters: Numbers


# the numbers in ``counters``
STATES, ENTRIES, LATER, SLOW, EDGES, TRANSITIONS, TICKS = range(7)
# the numbers in ``layout``: how many of each kind there are, and where each kind begins in ``masks``
GROUPS, STAGES, BLOCKS, LOOKS, NAMED, CLOCK, FIRST_STAGE, ORDER, FIRST_BLOCK, PLAN, FIRST_IMAGE, FIRST_LOOK, AGE = (
    range(13)
)
SYMMETRIC = 13

NOT_ANSWERED = -1
NEVER = 1 << 30
DONE, MISSING, BY_HOST = 0, 1, 2
PROMPT_CLOCK, ADVERSARIAL_CLOCK, HOST_CLOCK = 1, 2, 4

MIX = np.uint64(0x9E3779B97F4A7C15)
S32 = np.uint64(32)
S29 = np.uint64(29)
LOW32 = np.uint64(0xFFFFFFFF)
NONE = np.uint64(0)
ONE = np.uint64(1)


@compiled
def hashed(rows: Words, row: int) -> np.uint64:
    """The hash of a state."""
    h = NONE
    for j in range(rows.shape[1]):
        h = (h ^ rows[row, j]) * MIX
        h ^= h >> S29
    h *= MIX
    return h ^ (h >> S32)


@compiled
def put(store: Store, state: Words, counters: Numbers, add: bool) -> int:
    """The number of a state; if it is new, it is added, or -1."""
    rows, places = store.rows, store.places
    k = rows.shape[1]
    h = hashed(state, 0)
    last = np.uint64(places.shape[0] - 1)
    tag = h & (LOW32 << S32)
    at = h & last
    while True:
        found = places[at]
        if found == NONE:
            break
        if (found & (LOW32 << S32)) == tag:
            number = np.int64(found & LOW32) - 1
            same = True
            for j in range(k):
                if rows[number, j] != state[0, j]:
                    same = False
                    break
            if same:
                return number
        at = (at + ONE) & last
    if not add:
        return -1
    number = counters[STATES]
    places[at] = tag | np.uint64(number + 1)
    for j in range(k):
        rows[number, j] = state[0, j]
    counters[STATES] = number + 1
    return number


@compiled
def index_states(store: Store, count: int) -> None:
    """Enter all states into ``places``, which are empty."""
    last = np.uint64(store.places.shape[0] - 1)
    for number in range(count):
        h = hashed(store.rows, number)
        at = h & last
        while store.places[at] != NONE:
            at = (at + ONE) & last
        store.places[at] = (h & (LOW32 << S32)) | np.uint64(number + 1)


@compiled
def key_hash(state: Words, masks: Words, mask: int, kind: np.uint64, uids: np.uint64) -> np.uint64:
    """The hash of a key of the memo table."""
    h = (kind * MIX) ^ uids
    for j in range(state.shape[1]):
        h = (h ^ (state[0, j] & masks[mask, j])) * MIX
        h ^= h >> S29
    h *= MIX
    return h ^ (h >> S32)


@compiled
def look(memo: Memo, counters: Numbers, state: Words, mask: int, parameter: int, uids: np.uint64, asker: int) -> int:
    """The entry for a state under a mask; a new one without an answer if there is none."""
    k = state.shape[1]
    kind = np.uint64(mask | (parameter << 16))
    keys, masks = memo.keys, memo.masks
    last = np.uint64(memo.places.shape[0] - 1)
    at = key_hash(state, masks, mask, kind, uids) & last
    while True:
        found = memo.places[at]
        if found == 0:
            break
        entry = np.int64(found) - 1
        if keys[entry, k] == kind and keys[entry, k + 1] == uids:
            same = True
            for j in range(k):
                if keys[entry, j] != state[0, j] & masks[mask, j]:
                    same = False
                    break
            if same:
                return entry
        at = (at + ONE) & last
    entry = counters[ENTRIES]
    counters[ENTRIES] = entry + 1
    memo.places[at] = np.uint32(entry + 1)
    for j in range(k):
        keys[entry, j] = state[0, j] & masks[mask, j]
    keys[entry, k] = kind
    keys[entry, k + 1] = uids
    memo.info[entry, 0] = asker
    memo.info[entry, 1] = NOT_ANSWERED
    memo.visits[entry] = 0
    return entry


@compiled
def index_keys(memo: Memo, first: int, count: int) -> None:
    """Enter keys into ``places``."""
    k = memo.rows.shape[1]
    last = np.uint64(memo.places.shape[0] - 1)
    for entry in range(first, count):
        kind, uids = memo.keys[entry, k], memo.keys[entry, k + 1]
        mask = np.int64(kind & np.uint64(0xFFFF))
        at = key_hash(memo.keys[entry : entry + 1, :k], memo.masks, mask, kind, uids) & last
        while memo.places[at] != 0:
            at = (at + ONE) & last
        memo.places[at] = np.uint32(entry + 1)


@compiled
def change(memo: Memo, counters: Numbers, state: Words, scratch: Words, number: int, asker: int) -> int:
    """Apply a change (a renaming or an ageing) to a state, block by block."""
    layout, missing = memo.layout, False
    k = state.shape[1]
    for j in range(k):
        scratch[0, j] = NONE
    for b in range(layout[BLOCKS]):
        entry = look(memo, counters, state, layout[FIRST_IMAGE] + b, number, NONE, asker)
        if memo.info[entry, 1] == NOT_ANSWERED:
            missing = True
            continue
        row = memo.info[entry, 0]
        for j in range(k):
            scratch[0, j] |= memo.rows[row, j]
    if missing:
        return MISSING
    for j in range(k):
        state[0, j] = scratch[0, j]
    return DONE


@compiled
def normalise(memo: Memo, counters: Numbers, state: Words, scratch: Words, stages: int, flags: int, asker: int) -> int:
    """Carry out stages and bring a state into its canonical form, in place."""
    layout = memo.layout
    k = state.shape[1]
    for n in range(memo.stages[stages, 0]):
        entry = look(memo, counters, state, layout[FIRST_STAGE] + memo.stages[stages, n + 1], 0, NONE, asker)
        if memo.info[entry, 1] == NOT_ANSWERED:
            return MISSING
        row = memo.info[entry, 0]
        flags |= memo.info[entry, 2]
        for j in range(k):
            state[0, j] ^= memo.rows[row, j]
    if flags == 0:
        return DONE
    entry = look(memo, counters, state, layout[ORDER], 0, NONE, asker)
    missing = memo.info[entry, 1] == NOT_ANSWERED
    exchange = memo.info[entry, 2]
    if not missing and exchange == 0 and flags == 2:
        return DONE
    uids = NONE
    for b in range(layout[BLOCKS]):
        entry = look(memo, counters, state, layout[FIRST_BLOCK] + b, 0, NONE, asker)
        if memo.info[entry, 1] == NOT_ANSWERED:
            missing = True
        elif memo.info[entry, 2] == -1:
            return BY_HOST
        else:
            uids |= np.uint64(memo.info[entry, 2])
    if missing:
        return MISSING
    entry = look(memo, counters, state, layout[PLAN], exchange, uids, asker)
    if memo.info[entry, 1] == NOT_ANSWERED:
        return MISSING
    number = memo.info[entry, 2]
    if number == 0:
        return DONE
    return change(memo, counters, state, scratch, number - 1, asker)


@compiled
def add_state(store: Store, memo: Memo, counters: Numbers, state: Words, add: bool) -> int:
    """The number of a state (-1 if it is unknown and not to be added); a new one is looked at for its properties."""
    before = counters[STATES]
    number = put(store, state, counters, add)
    if counters[STATES] != before:
        for n in range(memo.layout[LOOKS]):
            look(memo, counters, state, memo.layout[FIRST_LOOK] + n, 0, NONE, number)
    return number


@compiled
def add_states(store: Store, memo: Memo, lists: Lists, states: Words, numbers: Numbers, add: bool) -> None:
    """The numbers of several states."""
    for i in range(states.shape[0]):
        numbers[i] = add_state(store, memo, lists.counters, states[i : i + 1], add)


@compiled
def follow(
    store: Store, memo: Memo, lists: Lists, number: int, state: Words, after: Words, scratch: Words,
    situations: Numbers, add: bool, edges: bool,
) -> int:  # fmt: skip
    """Take every step out of a state; whether it is done, or something is missing.  A state can be taken up again."""
    layout, counters, k = memo.layout, lists.counters, state.shape[1]
    slow_before, edges_before = counters[SLOW], counters[EDGES]
    urgent, wake, steps, missing = False, np.int64(NEVER), 0, False
    for g in range(layout[GROUPS]):
        entry = situations[g]
        steps += memo.info[entry, 1]
        urgent = urgent or (memo.info[entry, 2] & 1) == 1
        wake = min(wake, memo.info[entry, 2] >> 1)
        first = memo.info[entry, 0]
        for row in range(first, first + memo.info[entry, 1]):
            for j in range(k):
                after[0, j] = state[0, j] ^ memo.rows[row, j]
            special, status = memo.outcomes[row, 1], DONE
            if special >= 0:
                status = normalise(memo, counters, after, scratch, special >> 2, special & 3, number)
            if status == MISSING:
                missing = True
                continue
            if status == BY_HOST:
                at = counters[SLOW]
                for j in range(k):
                    lists.slow[at, j] = after[0, j]
                lists.slow_info[at, 0], lists.slow_info[at, 1], lists.slow_info[at, 2] = (
                    number,
                    memo.outcomes[row, 0],
                    0,
                )
                counters[SLOW] = at + 1
                continue
            there = add_state(store, memo, counters, after, add)
            if edges and there >= 0:
                at = counters[EDGES]
                lists.edges[at, 0], lists.edges[at, 1], lists.edges[at, 2] = number, there, memo.outcomes[row, 0]
                counters[EDGES] = at + 1
    clock = layout[CLOCK]
    ticks = 0
    if wake < NEVER and clock > 0 and ((clock & ADVERSARIAL_CLOCK) > 0 or not urgent):
        status = BY_HOST
        for j in range(k):
            after[0, j] = state[0, j]
        if clock & HOST_CLOCK == 0:
            entry = look(memo, counters, state, layout[AGE], wake, NONE, number)
            status = MISSING
            if memo.info[entry, 1] != NOT_ANSWERED:
                status = change(memo, counters, after, scratch, memo.info[entry, 2], number)
            if status == DONE:
                status = normalise(memo, counters, after, scratch, 0, layout[SYMMETRIC], number)
            if status == BY_HOST:
                for j in range(k):
                    after[0, j] = state[0, j]
        if status == DONE:
            for j in range(k):
                ticks |= after[0, j] != state[0, j]
            if ticks:
                there = add_state(store, memo, counters, after, add)
                if edges and there >= 0:
                    at = counters[EDGES]
                    lists.edges[at, 0], lists.edges[at, 1], lists.edges[at, 2] = number, there, -1
                    counters[EDGES] = at + 1
        elif status == BY_HOST:
            at = counters[SLOW]
            for j in range(k):
                lists.slow[at, j] = state[0, j]
            lists.slow_info[at, 0], lists.slow_info[at, 1], lists.slow_info[at, 2] = number, -1, wake
            counters[SLOW] = at + 1
        else:
            missing = True
    if missing:
        counters[SLOW], counters[EDGES] = slow_before, edges_before
        return MISSING
    counters[TRANSITIONS] += steps + ticks
    counters[TICKS] += ticks
    return DONE


@compiled
def expand(store: Store, memo: Memo, lists: Lists, todo: Numbers, at: int, end: int, add: bool, edges: bool) -> int:
    """Expand some states, and give the place of the first that was not looked at for want of room."""
    layout, counters = memo.layout, lists.counters
    k = store.rows.shape[1]
    state, after, scratch = np.empty((1, k), np.uint64), np.empty((1, k), np.uint64), np.empty((1, k), np.uint64)
    groups = layout[GROUPS]
    situations = np.zeros(groups, np.int64)
    each = layout[STAGES] + 2 * layout[BLOCKS] + layout[LOOKS] + 4  # entries that one step can ask for
    while at < end:
        number = todo[at]
        if counters[ENTRIES] + 2 * groups + each > memo.info.shape[0]:
            return at
        for j in range(k):
            state[0, j] = store.rows[number, j]
        missing, steps = False, 2
        for g in range(groups):
            entry = look(memo, counters, state, g, 0, NONE, number)
            situations[g] = entry
            if memo.info[entry, 1] == NOT_ANSWERED:
                missing = True
            else:
                steps += memo.info[entry, 1]
        if (
            counters[ENTRIES] + steps * each > memo.info.shape[0]
            or counters[STATES] + steps > store.rows.shape[0]
            or counters[SLOW] + steps > lists.slow.shape[0]
            or counters[LATER] + 1 > lists.later.shape[0]
            or (edges and counters[EDGES] + steps > lists.edges.shape[0])
        ):
            return at
        if not missing:
            missing = follow(store, memo, lists, number, state, after, scratch, situations, add, edges) == MISSING
        if missing:
            lists.later[counters[LATER]] = number
            counters[LATER] += 1
        elif add:
            for g in range(groups):
                memo.visits[situations[g]] += 1
        at += 1
    return at


@compiled
def move(old: Words, new: Words, count: int, masks: Words, shifts: Numbers) -> None:
    """Write rows in a new layout: the bits under each mask so far to the left.  ``new`` may be ``old``."""
    moved = np.empty(new.shape[1], np.uint64)
    for i in range(count):
        moved[:] = NONE
        for b in range(shifts.shape[0]):
            word, bit = shifts[b] >> 6, np.uint64(shifts[b] & 63)
            for j in range(masks.shape[1]):
                part = old[i, j] & masks[b, j]
                if part != NONE:
                    moved[j + word] |= part << bit
                    if bit != NONE:
                        over = part >> (np.uint64(64) - bit)
                        if over != NONE:
                            moved[j + word + 1] |= over
        for j in range(new.shape[1]):
            new[i, j] = moved[j]
