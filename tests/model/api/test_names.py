"""Names, keys, values and addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api import names
from kythera.model.api.ip_addresses import (
    is_valid_cidr,
    is_valid_cidr_for_legacy_field,
    is_valid_ip,
    is_valid_ip_for_legacy_field,
)

TEXTS = st.text(alphabet="aZ0-._/ ", max_size=8)


def test_a_label_that_is_too_long_and_one_with_a_dot_are_told_apart() -> None:
    assert names.is_dns1123_label("a" * 63) == ()
    assert names.is_dns1123_label("a" * 64) == ("must be no more than 63 bytes",)
    assert names.is_dns1123_label("a.b") == ("must not contain dots",)


def test_a_rule_comes_with_examples_and_the_pattern() -> None:
    assert names.is_dns1123_subdomain("A") == (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
        "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    )
    assert names.is_valid_label_value("-a") == (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
        "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
        "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    )


def test_both_parts_of_a_key_are_looked_at() -> None:
    assert names.is_qualified_name("example.com/app") == ()
    assert names.is_qualified_name("/app") == ("prefix part must be non-empty",)
    assert names.is_qualified_name("example.com/" + "a" * 64) == ("name part must be no more than 63 bytes",)
    assert names.is_qualified_name("a" * 254 + "/b") == ("prefix part must be no more than 253 bytes",)
    empty = names.is_qualified_name("example.com/")
    assert empty[0] == "name part must be non-empty"
    assert empty[1].startswith("name part must consist of")
    assert names.is_qualified_name("a/b/c")[0].startswith("a valid label key must consist of")


def test_a_port_name_may_break_several_rules_at_once() -> None:
    assert names.is_valid_port_name("http") == ()
    assert names.is_valid_port_name("-1--") == (
        "must contain at least one letter (a-z)",
        "must not contain consecutive hyphens",
        "must not begin or end with a hyphen",
    )
    assert names.is_valid_port_name("a" * 16) == ("must be no more than 15 bytes",)


def test_numbers_have_bounds() -> None:
    assert names.is_valid_port_num(65535) == ()
    assert names.is_valid_port_num(0) == ("must be between 1 and 65535, inclusive",)
    assert names.is_valid_user_id(2**31) == ("must be between 0 and 2147483647, inclusive",)


def test_a_key_of_a_config_map_is_no_way_out_of_its_folder() -> None:
    assert names.is_config_map_key("..data") == ("must not start with '..'",)
    assert names.is_config_map_key(".") == ("must not be '.'",)
    assert names.is_config_map_key(".bashrc") == ()


def test_a_domain_has_two_labels_at_least() -> None:
    assert names.is_fully_qualified_domain_name("k8s.io.") == ()
    assert names.is_fully_qualified_domain_name("") == ("must be non-empty",)
    assert names.is_fully_qualified_domain_name("local") == (
        "should be a domain with at least two segments separated by dots",
    )
    assert names.is_fully_qualified_domain_name("a." + "b" * 64) == ("must be no more than 63 bytes",)


@pytest.mark.parametrize("text", ["a\n", "á", "١"])
def test_letters_and_digits_are_ascii(text: str) -> None:
    assert names.is_dns1123_label(text)
    assert names.is_valid_label_value(text)
    assert names.is_valid_percent(f"{text}%")


@given(TEXTS)
def test_a_dns_label_is_a_subdomain_and_a_value_and_a_key(text: str) -> None:
    if not names.is_dns1123_label(text):
        assert not names.is_dns1123_subdomain(text)
        assert not names.is_valid_label_value(text)
        assert not names.is_qualified_name(text)
    if not names.is_dns1035_label(text):
        assert not names.is_dns1123_label(text)


@given(TEXTS, TEXTS)
def test_a_prefixed_key_is_a_subdomain_and_a_key(prefix: str, name: str) -> None:
    parts_fit = not names.is_dns1123_subdomain(prefix) and not names.is_qualified_name(name)
    assert (not names.is_domain_prefixed_key(f"{prefix}/{name}")) == (parts_fit and "/" not in name)


@pytest.mark.parametrize(
    ("text", "strict", "legacy"),
    [
        ("10.0.0.1", "", True),
        ("2001:db8::1", "", True),
        ("2001:DB8::1", 'must be in canonical form ("2001:db8::1")', True),
        ("010.0.0.1", "must not have leading 0s", True),
        ("::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address", True),
        ("fe80::1%eth0", "must be a valid IP address", False),
        ("10.0.0", "must be a valid IP address", False),
        ("", "must be a valid IP address", False),
    ],
)
def test_an_address_in_new_and_in_older_fields(text: str, strict: str, legacy: bool) -> None:
    problems = is_valid_ip(text)
    assert strict in problems[0] if strict else not problems
    assert (not is_valid_ip_for_legacy_field(text, strict=False)) == legacy


@pytest.mark.parametrize(
    ("text", "strict", "legacy"),
    [
        ("10.0.0.0/8", "", True),
        ("10.0.0.1/8", "must not have bits set beyond the prefix length", True),
        ("10.0.0.0/08", "must not have leading 0s in IP or prefix length", True),
        ("10.0.00.0/8", "must not have leading 0s in IP or prefix length", True),
        ("2001:DB8::/32", 'must be in canonical form ("2001:db8::/32")', True),
        ("::ffff:10.0.0.0/104", "must not have an IPv4-mapped IPv6 address", True),
        ("10.0.0.0/33", "must be a valid CIDR value", False),
        ("10.0.0.0", "must be a valid CIDR value", False),
        ("10.0.0.0/8/8", "must be a valid CIDR value", False),
    ],
)
def test_a_block_in_new_and_in_older_fields(text: str, strict: str, legacy: bool) -> None:
    problems = is_valid_cidr(text)
    assert strict in problems[0] if strict else not problems
    assert (not is_valid_cidr_for_legacy_field(text, strict=False)) == legacy


def test_older_fields_ask_for_everything_but_the_canonical_form() -> None:
    assert is_valid_ip_for_legacy_field("2001:DB8::1") == ()
    assert is_valid_ip_for_legacy_field("010.0.0.1") == ("must not have leading 0s",)
    assert is_valid_cidr_for_legacy_field("2001:DB8::/32") == ()
    assert is_valid_cidr_for_legacy_field("10.0.0.1/8") == ("must not have bits set beyond the prefix length",)


@given(st.ip_addresses().map(str))
def test_each_address_in_canonical_form_is_valid_unless_it_is_ipv4_in_ipv6(text: str) -> None:
    assert is_valid_ip_for_legacy_field(text, strict=False) == ()
    assert is_valid_ip(text) == () or text.startswith("::ffff:")
