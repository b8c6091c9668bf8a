"""What is left to send after an answer: requests one after the other, and groups that are sent together."""

from __future__ import annotations

from kythera.model.host import Outbox, answered, outbox_of
from kythera.model.request import Delete, Ref

KEY = Ref("ReplicaSet", "default", "web")
REQUESTS = tuple(Delete(Ref("Pod", "default", name)) for name in "abcde")


def test_an_accepted_request_leaves_the_others() -> None:
    assert answered(outbox_of(KEY, REQUESTS, ()), True) == Outbox(KEY, REQUESTS[1:])


def test_after_a_refusal_the_others_are_dropped() -> None:
    assert answered(outbox_of(KEY, REQUESTS, ()), False) == Outbox()


def test_what_is_sent_together_with_a_refused_request_is_sent_all_the_same_and_nothing_after_it() -> None:
    outbox = answered(outbox_of(KEY, REQUESTS, (1, 2, 2)), True)
    assert outbox.requests == REQUESTS[1:]
    outbox = answered(outbox, False)
    assert outbox.requests == REQUESTS[2:3]
    assert answered(outbox, True) == Outbox()


def test_a_batch_that_went_well_is_followed_by_the_next() -> None:
    outbox = outbox_of(KEY, REQUESTS, (1, 2, 2))
    for sent in range(1, 5):
        outbox = answered(outbox, True)
        assert outbox.requests == REQUESTS[sent:]
    assert answered(outbox, True) == Outbox()


def test_requests_that_are_alone_are_written_in_one_way_only() -> None:
    assert outbox_of(KEY, REQUESTS, (1, 1)) == outbox_of(KEY, REQUESTS, ())
    assert answered(outbox_of(KEY, REQUESTS, (2, 1, 1)), True) == outbox_of(KEY, REQUESTS[1:], ())
    assert outbox_of(KEY, (), (1,)) == Outbox()
