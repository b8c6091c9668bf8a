"""What is compiled by Numba: a set of states, a memo table, and the loop that expands states with both.

A state is a row of 64-bit words.  There is one memo table for everything: a key is the words under the mask of its
``kind`` (a bundle of processes, a stage, a field, ...), the kind and a parameter, and a set of uids; its entry is
three numbers (``info``) and perhaps some rows of words.  What is not there is asked for: an entry without an answer is
appended, and the state is put off until the host has filled it in.

All of it is in one file, because Numba keeps what it compiled until the file of the function changes, and does not look
at the files of what that function calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Int = Any  # in compiled code Python's integers and NumPy's are the same
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function, compiled when it is first called, and kept on disk for the next time.

    It makes no arrays (``_nrt``): counting who refers to those that are passed around would take most of the time.
    """
    return cast(F, numba.njit(cache=True, nogil=True, _nrt=False)(function))


def inlined(function: F) -> F:
    """The same, for what is called so often that passing the arrays would take longer than the work."""
    return cast(F, numba.njit(cache=True, nogil=True, _nrt=False, inline="always")(function))


class Store(NamedTuple):
    """The distinct states, one a row, in the order in which they were found, and where each can be found by its hash.

    ``places``: 0 for none, else 32 bits of hash and the number of the state, plus one.
    """

    rows: Words
    places: Words


class Memo(NamedTuple):
    """The memo table; ``places`` holds the numbers of entries, plus one.

    An entry is a row: the words of its key, its kind, its uids, then ``FIRST`` (the first of its rows in ``rows``),
    ``COUNT`` (how many there are, or ``NOT_ANSWERED``) and ``ANSWER``.  What they say depends on the kind.  A bundle:
    its outcomes, and the seconds to wait, plus one.  A stage: what it changes, the uids that are perhaps gone (in
    ``COUNT``), and 1 if it renames + 2 if it disorders.  An order: what becomes of the bits that it depends on, and the
    number of the change of the others, plus one.  An image: what it is.  All others: an answer only.  Until then
    ``ANSWER`` is the state that asked.

    ``outcomes``: for each row its kind of action, its stages (-1: a plain outcome, else 4 * the number in ``stages``
    + 1 if it renames + 2 if it disorders), and the uids that are perhaps gone.  ``visits``: how often the situation of
    a bundle was met.  ``images``: a second way to the images, from the entry of the field and the number of the change
    to the row.  ``live``: the fields that have more than one value; ``others``: those of them that the order does not
    depend on; ``constant``: the uids in all the others.
    """

    places: NDArray[np.uint32]
    entries: Words
    visits: Numbers
    rows: Words
    outcomes: Numbers
    images: Words
    masks: Words
    stages: Numbers
    layout: Numbers
    live: Numbers
    others: Numbers
    constant: Words


class Lists(NamedTuple):
    """What is on its way: successors to be added, states put off, steps for the host to normalise, edges on demand.

    ``info`` of successors and of steps for the host: source, action, and seconds of the clock (for the host only).
    ``probes``: the hash of each successor, and what was found in its first place.  The last six are room to work in:
    the ``state`` that is expanded and the one ``after`` a step, two more for parts of their work, the situations of the
    bundles of ``state``, and the entries of its fields.
    """

    fresh: Words
    fresh_info: Numbers
    probes: Words
    later: Numbers
    slow: Words
    slow_info: Numbers
    edges: Numbers
    counters: Numbers
    state: Words
    after: Words
    scratch: Words
    found: Words
    situations: Numbers
    pieces: Numbers


# the numbers in ``counters``
STATES, ENTRIES, LATER, SLOW, EDGES, FRESH, TICKS = range(7)
# the numbers in ``layout``: how many of each kind there are, and where each kind begins in ``masks``
BUNDLES, STAGES, FIELDS, LOOKS, TIMED, FIRST_STAGE, ORDER, FIRST_FIELD, PLAN, FIRST_IMAGE, FIRST_LOOK, AGE = range(12)
SYMMETRIC = 12

# what follows the key's words, its kind and its uids in an entry, counted from the end of the words
FIRST, COUNT, ANSWER, EXTRA = 2, 3, 4, 5
NOT_ANSWERED = np.uint64(0xFFFFFFFFFFFFFFFF)
NEVER = 1 << 30
TOO_MANY = np.uint64((1 << 63) - 1)
DONE, MISSING, BY_HOST = 0, 1, 2

MIX = np.uint64(0x9E3779B97F4A7C15)
S32 = np.uint64(32)
S29 = np.uint64(29)
LOW32 = np.uint64(0xFFFFFFFF)
NONE = np.uint64(0)
ONE = np.uint64(1)


@compiled
def hashed(rows: Words, row: Int) -> np.uint64:
    """The hash of a state."""
    h = NONE
    for j in range(rows.shape[1]):
        h = (h ^ rows[row, j]) * MIX
        h ^= h >> S29
    h *= MIX
    return h ^ (h >> S32)


@inlined
def put(store: Store, states: Words, row: Int, h: np.uint64, counters: Numbers, add: bool) -> Int:
    """The number of a state that has this hash; if it is new, it is added, or -1."""
    rows, places = store.rows, store.places
    k = rows.shape[1]
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
                same = same and rows[number, j] == states[row, j]
            if same:
                return number
        at = (at + ONE) & last
    if not add:
        return np.int64(-1)
    number = counters[STATES]
    places[at] = tag | np.uint64(number + 1)
    for j in range(k):
        rows[number, j] = states[row, j]
    counters[STATES] = number + 1
    return number


@compiled
def index_states(store: Store, first: Int, end: Int) -> None:
    """Enter states into ``places``."""
    last = np.uint64(store.places.shape[0] - 1)
    for number in range(first, end):
        h = hashed(store.rows, number)
        at = h & last
        while store.places[at] != NONE:
            at = (at + ONE) & last
        store.places[at] = (h & (LOW32 << S32)) | np.uint64(number + 1)


@inlined
def key_hash(rows: Words, row: Int, masks: Words, mask: Int, kind: np.uint64, uids: np.uint64) -> np.uint64:
    """The hash of a key of the memo table."""
    h = (kind * MIX) ^ uids
    for j in range(masks.shape[1]):
        h = (h ^ (rows[row, j] & masks[mask, j])) * MIX
        h ^= h >> S29
    h *= MIX
    return h ^ (h >> S32)


@compiled
def ask(memo: Memo, counters: Numbers, state: Words, mask: Int, kind: np.uint64, uids: np.uint64, asker: Int) -> Int:
    """A new entry without an answer."""
    places, entries, k = memo.places, memo.entries, state.shape[1]
    last = np.uint64(places.shape[0] - 1)
    at = key_hash(state, 0, memo.masks, mask, kind, uids) & last
    while places[at] != 0:
        at = (at + ONE) & last
    entry = counters[ENTRIES]
    counters[ENTRIES] = entry + 1
    places[at] = np.uint32(entry + 1)
    for j in range(k):
        entries[entry, j] = state[0, j] & memo.masks[mask, j]
    entries[entry, k] = kind
    entries[entry, k + 1] = uids
    entries[entry, k + FIRST] = NONE
    entries[entry, k + COUNT] = NOT_ANSWERED
    entries[entry, k + ANSWER] = np.uint64(asker)
    memo.visits[entry] = 0
    return entry


@inlined
def look(memo: Memo, counters: Numbers, state: Words, mask: Int, parameter: Int, uids: np.uint64, asker: Int) -> Int:
    """The entry for a state under a mask; a new one without an answer if there is none."""
    k = state.shape[1]
    kind = np.uint64(mask | (parameter << 16))
    places, entries, masks = memo.places, memo.entries, memo.masks
    last = np.uint64(places.shape[0] - 1)
    at = key_hash(state, 0, masks, mask, kind, uids) & last
    entry = np.int64(-1)
    while places[at] != 0:
        tried = np.int64(places[at]) - 1
        same = entries[tried, k] == kind and entries[tried, k + 1] == uids
        for j in range(k):
            same = same and entries[tried, j] == state[0, j] & masks[mask, j]
        if same:
            entry = tried
            break
        at = (at + ONE) & last
    if entry < 0:
        entry = ask(memo, counters, state, mask, kind, uids, asker)
    return entry


@compiled
def index_keys(memo: Memo, count: Int) -> None:
    """Enter all keys into ``places``, which are empty."""
    k = memo.rows.shape[1]
    last = np.uint64(memo.places.shape[0] - 1)
    for entry in range(count):
        kind, uids = memo.entries[entry, k], memo.entries[entry, k + 1]
        mask = np.int64(kind & np.uint64(0xFFFF))
        at = key_hash(memo.entries, entry, memo.masks, mask, kind, uids) & last
        while memo.places[at] != 0:
            at = (at + ONE) & last
        memo.places[at] = np.uint32(entry + 1)


@compiled
def image_key(piece: Int, number: Int) -> np.uint64:
    """The key of an image: of the block that has this entry, by the change of this number."""
    return np.uint64((np.int64(piece) << 24 | np.int64(number)) + 1)


@compiled
def put_image(memo: Memo, key: np.uint64, row: Int) -> None:
    """Enter an image."""
    last = np.uint64(memo.images.shape[0] - 1)
    at = (key * MIX) >> S32 & last
    while memo.images[at, 0] != NONE:
        at = (at + ONE) & last
    memo.images[at, 0], memo.images[at, 1] = key, np.uint64(row)


@compiled
def put_images(memo: Memo, images: Words) -> None:
    """Enter several images: their keys and rows."""
    for n in range(images.shape[0]):
        put_image(memo, images[n, 0], np.int64(images[n, 1]))


@compiled
def index_images(old: Words, memo: Memo) -> None:
    """Enter the images of an older array."""
    for at in range(old.shape[0]):
        if old[at, 0] != NONE:
            put_image(memo, old[at, 0], old[at, 1])


@compiled
def differ(a: Words, b: Words, masks: Words, mask: Int) -> bool:
    """Whether two states differ under a mask."""
    differs = NONE
    for j in range(masks.shape[1]):
        differs |= (a[0, j] ^ b[0, j]) & masks[mask, j]
    return bool(differs != NONE)


@inlined
def entry_of_field(memo: Memo, lists: Lists, at: Int, asker: Int) -> Int:
    """The entry of a field of ``after``; ``pieces`` keeps those of ``state`` (-1: not looked for)."""
    state, source, pieces, counters = lists.after, lists.state, lists.pieces, lists.counters
    mask = memo.layout[FIRST_FIELD] + at
    if differ(state, source, memo.masks, mask):
        return look(memo, counters, state, mask, 0, NONE, asker)
    if pieces[at] < 0:
        pieces[at] = look(memo, counters, source, mask, 0, NONE, asker)
    return pieces[at]


@compiled
def uids_in(memo: Memo, lists: Lists, wanted: np.uint64, asker: Int) -> np.uint64:
    """The uids in ``after``, at least as many as tell whether all that are wanted are among them.

    ``NOT_ANSWERED`` if an answer is missing, ``TOO_MANY`` if they do not fit.
    """
    uids, k, missing = memo.constant[0], lists.after.shape[1], False
    for n in range(memo.live.shape[0]):
        if uids & wanted == wanted:
            break
        entry = entry_of_field(memo, lists, memo.live[n], asker)
        if memo.entries[entry, k + COUNT] == NOT_ANSWERED:
            missing = True
        elif memo.entries[entry, k + ANSWER] == TOO_MANY:
            return TOO_MANY
        else:
            uids |= memo.entries[entry, k + ANSWER]
    return NOT_ANSWERED if missing else uids


@compiled
def change(memo: Memo, lists: Lists, fields: Numbers, number: Int, asker: Int) -> Int:
    """Add to ``scratch`` what a change (a renaming or an ageing) makes of some fields of ``after``; then that is it."""
    state, scratch = lists.after, lists.scratch
    images, status, k = memo.images, DONE, state.shape[1]
    last = np.uint64(images.shape[0] - 1)
    for n in range(fields.shape[0]):
        entry = entry_of_field(memo, lists, fields[n], asker)
        if memo.entries[entry, k + COUNT] == NOT_ANSWERED:
            status = MISSING
            continue
        key = image_key(entry, number)
        at = (key * MIX) >> S32 & last
        while images[at, 0] != key and images[at, 0] != NONE:
            at = (at + ONE) & last
        if images[at, 0] == NONE:
            look(memo, lists.counters, state, memo.layout[FIRST_IMAGE] + fields[n], number, np.uint64(entry), asker)
            status = MISSING
            continue
        row = np.int64(images[at, 1])
        for j in range(k):
            scratch[0, j] |= memo.rows[row, j]
    if status == DONE:
        for j in range(k):
            state[0, j] = scratch[0, j]
    return status


@inlined
def normalise(memo: Memo, lists: Lists, stages: Int, flags: Int, gone: np.uint64, asker: Int) -> Int:
    """Carry out stages and bring ``after`` into its canonical form, in place; ``state`` is what it comes from.

    That is in canonical form: what does not differ from it is in order.
    """
    state, source, scratch, counters, layout = lists.after, lists.state, lists.scratch, lists.counters, memo.layout
    k = state.shape[1]
    for n in range(memo.stages[stages, 0]):
        entry = look(memo, counters, state, layout[FIRST_STAGE] + memo.stages[stages, n + 1], 0, NONE, asker)
        if memo.entries[entry, k + COUNT] == NOT_ANSWERED:
            return MISSING
        row = np.int64(memo.entries[entry, k + FIRST])
        flags |= np.int64(memo.entries[entry, k + ANSWER])
        gone |= memo.entries[entry, k + COUNT]
        for j in range(k):
            state[0, j] ^= memo.rows[row, j]
    if layout[SYMMETRIC] == 0:
        return DONE
    if gone == TOO_MANY:
        return BY_HOST
    if flags & 1 == 0 and gone != NONE:
        uids = uids_in(memo, lists, gone, asker)
        if uids == NOT_ANSWERED:
            return MISSING
        if uids == TOO_MANY:
            return BY_HOST
        if uids & gone != gone:
            flags |= 1
    if flags == 0:
        return DONE
    for j in range(k):
        scratch[0, j] = NONE
    if flags & 1 == 0:
        if not differ(state, source, memo.masks, layout[ORDER]):
            return DONE
        entry = look(memo, counters, state, layout[ORDER], 0, NONE, asker)
        if memo.entries[entry, k + COUNT] == NOT_ANSWERED:
            return MISSING
        number, row = np.int64(memo.entries[entry, k + ANSWER]), np.int64(memo.entries[entry, k + FIRST])
        if number == 0:
            return DONE
        for j in range(k):
            scratch[0, j] = memo.rows[row, j]
        return change(memo, lists, memo.others, number - 1, asker)
    uids = uids_in(memo, lists, TOO_MANY, asker)
    if uids == NOT_ANSWERED:
        return MISSING
    if uids == TOO_MANY:
        return BY_HOST
    entry = look(memo, counters, state, layout[PLAN], 0, uids, asker)
    if memo.entries[entry, k + COUNT] == NOT_ANSWERED:
        return MISSING
    number = np.int64(memo.entries[entry, k + ANSWER])
    if number == 0:
        return DONE
    return change(memo, lists, memo.live, number - 1, asker)


@compiled
def add_states(store: Store, memo: Memo, lists: Lists, states: Words, numbers: Numbers, add: bool) -> None:
    """The numbers of several states (-1 of an unknown one that is not to be added)."""
    counters, state = lists.counters, lists.found
    for i in range(states.shape[0]):
        before = counters[STATES]
        numbers[i] = put(store, states, i, hashed(states, i), counters, add)
        if counters[STATES] != before:
            for j in range(states.shape[1]):
                state[0, j] = states[i, j]
            for n in range(memo.layout[LOOKS]):
                look(memo, counters, state, memo.layout[FIRST_LOOK] + n, 0, NONE, numbers[i])


@compiled
def flush(store: Store, memo: Memo, lists: Lists, add: bool, edges: bool) -> None:
    """Add the successors that wait.

    Where memory is slow, the time goes into finding the first place of each.  So all of them are fetched before the
    first is used.  A new state is looked at for properties only where it differs from the state before.
    """
    fresh, info, probes, counters, layout = lists.fresh, lists.fresh_info, lists.probes, lists.counters, memo.layout
    count, k, first = counters[FRESH], fresh.shape[1], layout[FIRST_LOOK]
    last = np.uint64(store.places.shape[0] - 1)
    for i in range(count):
        h = hashed(fresh, i)
        probes[i, 0] = h
        probes[i, 1] = store.places[h & last]
    for i in range(count):
        probes[i, 1] = store.rows[np.int64((probes[i, 1] & LOW32) - ONE) if probes[i, 1] != NONE else 0, 0]
    state = lists.found
    for i in range(count):
        before = counters[STATES]
        number = put(store, fresh, i, probes[i, 0], counters, add)
        if counters[STATES] != before:
            for j in range(k):
                state[0, j] = fresh[i, j]
            for n in range(layout[LOOKS]):
                differs = NONE
                for j in range(k):
                    differs |= (state[0, j] ^ store.rows[info[i, 0], j]) & memo.masks[first + n, j]
                if differs != NONE:
                    look(memo, counters, state, first + n, 0, NONE, number)
        if edges and number >= 0:
            at = counters[EDGES]
            lists.edges[at, 0], lists.edges[at, 1], lists.edges[at, 2] = info[i, 0], number, info[i, 1]
            counters[EDGES] = at + 1
    counters[FRESH] = 0


@compiled
def lead(states: Words, info: Numbers, at: Int, state: Words, source: Int, action: Int, seconds: Int) -> None:
    """Write down a successor, or a step for the host."""
    for j in range(state.shape[1]):
        states[at, j] = state[0, j]
    info[at, 0], info[at, 1], info[at, 2] = source, action, seconds


@compiled
def follow(memo: Memo, lists: Lists, number: Int) -> Int:
    """Take every step out of ``state``, or none if an answer is missing."""
    state, after, situations, pieces = lists.state, lists.after, lists.situations, lists.pieces
    layout, counters, k = memo.layout, lists.counters, state.shape[1]
    slow, fresh, missing = counters[SLOW], counters[FRESH], False
    wait = np.int64(NEVER)
    pieces[:] = -1
    for g in range(layout[BUNDLES]):
        entry = situations[g]
        count = np.int64(memo.entries[entry, k + COUNT])
        wait = min(wait, np.int64(memo.entries[entry, k + ANSWER]) - 1)
        first = np.int64(memo.entries[entry, k + FIRST])
        for row in range(first, first + count):
            for j in range(k):
                after[0, j] = state[0, j] ^ memo.rows[row, j]
            action, special, status = memo.outcomes[row, 0], memo.outcomes[row, 1], DONE
            if special >= 0:
                gone = np.uint64(memo.outcomes[row, 2])
                status = normalise(memo, lists, special >> 2, special & 3, gone, number)
            if status == DONE:
                lead(lists.fresh, lists.fresh_info, fresh, after, number, action, np.int64(0))
                fresh += 1
            elif status == BY_HOST:
                lead(lists.slow, lists.slow_info, slow, after, number, action, np.int64(0))
                slow += 1
            else:
                missing = True
    ticks = 0
    if wait >= 0 and wait < NEVER and layout[TIMED] > 0:
        for j in range(k):
            after[0, j] = state[0, j]
        status = tick(memo, lists, wait, number)
        if status == DONE:
            for j in range(k):
                ticks |= after[0, j] != state[0, j]
            if ticks:
                lead(lists.fresh, lists.fresh_info, fresh, after, number, np.int64(-1), wait)
                fresh += 1
        elif status == BY_HOST:
            lead(lists.slow, lists.slow_info, slow, state, number, np.int64(-1), wait)
            slow += 1
        else:
            missing = True
    if missing:
        return MISSING
    counters[SLOW], counters[FRESH] = slow, fresh
    counters[TICKS] += ticks
    return DONE


@compiled
def tick(memo: Memo, lists: Lists, seconds: Int, asker: Int) -> Int:
    """Time passes, in place of ``after``."""
    k = lists.after.shape[1]
    entry = look(memo, lists.counters, lists.after, memo.layout[AGE], seconds, NONE, asker)
    if memo.entries[entry, k + COUNT] == NOT_ANSWERED:
        return MISSING
    for j in range(k):
        lists.scratch[0, j] = NONE
    if change(memo, lists, memo.live, np.int64(memo.entries[entry, k + ANSWER]), asker) == MISSING:
        return MISSING
    return normalise(memo, lists, np.int64(0), memo.layout[SYMMETRIC], NONE, asker)


@compiled
def expand(store: Store, memo: Memo, lists: Lists, todo: Numbers, at: Int, end: Int, add: bool, edges: bool) -> Int:
    """Expand some states, and give the place of the first that was not looked at for want of room."""
    layout, counters, k = memo.layout, lists.counters, store.rows.shape[1]
    state, situations, bundles = lists.state, lists.situations, layout[BUNDLES]
    each = layout[STAGES] + 4 * layout[FIELDS] + layout[LOOKS] + 4  # entries that one step can ask for
    batch = lists.fresh.shape[0] // 2
    while at < end:
        number = todo[at]
        if counters[FRESH] >= batch:
            flush(store, memo, lists, add, edges)
        if counters[ENTRIES] + 2 * bundles + counters[FRESH] * layout[LOOKS] > memo.entries.shape[0]:
            break
        for j in range(k):
            state[0, j] = store.rows[number, j]
        missing, steps = False, np.int64(2)
        for g in range(bundles):
            entry = look(memo, counters, state, g, 0, NONE, number)
            situations[g] = entry
            if memo.entries[entry, k + COUNT] == NOT_ANSWERED:
                missing = True
            else:
                steps += np.int64(memo.entries[entry, k + COUNT])
        waiting = counters[FRESH]
        if (
            counters[ENTRIES] + steps * each + waiting * layout[LOOKS] > memo.entries.shape[0]
            or counters[STATES] + steps + waiting > store.rows.shape[0]
            or waiting + steps > lists.fresh.shape[0]
            or counters[SLOW] + steps > lists.slow.shape[0]
            or counters[LATER] + 1 > lists.later.shape[0]
            or (edges and counters[EDGES] + steps + waiting > lists.edges.shape[0])
        ):
            break
        if not missing:
            missing = follow(memo, lists, number) == MISSING
        if missing:
            lists.later[counters[LATER]] = number
            counters[LATER] += 1
        elif add:
            for g in range(bundles):
                memo.visits[situations[g]] += 1
        at += 1
    flush(store, memo, lists, add, edges)
    return at


@compiled
def move(old: Words, new: Words, moved: Words, count: Int, masks: Words, shifts: Numbers) -> None:
    """Write the states in rows in a new layout: the bits under each mask so far to the left.

    ``new`` may be ``old``; ``moved`` is room for one state of the new layout.
    """
    k = moved.shape[0]
    for i in range(count):
        for j in range(k):
            moved[j] = NONE
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
        for j in range(k):
            new[i, j] = moved[j]
