"""What names, keys and values may look like.

Each function answers with what is wrong, in Kubernetes' own words, and with nothing if all is well.  Lengths
are in bytes.

Source: staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go;
staging/src/k8s.io/apimachinery/pkg/api/validate/content/{dns,kube,errors}.go.
"""

from __future__ import annotations

import re
from functools import lru_cache

Messages = tuple[str, ...]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_WITH_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SUBDOMAIN_WITH_UNDERSCORE = rf"{_LABEL_WITH_UNDERSCORE}(\.{_LABEL_WITH_UNDERSCORE})*"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_PERCENT = "[0-9]+%"
_HEADER = "[-A-Za-z0-9]+"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

LABEL_LENGTH, SUBDOMAIN_LENGTH, PORT_NAME_LENGTH = 63, 253, 15

_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, {}'-' or '.', "
    "and must start and end with an alphanumeric character"
)
_WILDCARD_RULE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist "
    "of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)
_LABEL_1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_KEY_CHARACTERS = (
    "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_KEY_RULE = f"must {_KEY_CHARACTERS}"
_VALUE_RULE = f"a valid label must be an empty string or {_KEY_CHARACTERS}"
_PERCENT_RULE = "a valid percent string must be a numeric string followed by an ending '%'"
_HEADER_RULE = "a valid HTTP header must consist of alphanumeric characters or '-'"
_CONFIG_KEY_RULE = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"

NOT_EMPTY = "must be non-empty"


def is_dns1123_label(value: str) -> Messages:
    """A part of a host name: up to 63 lower-case letters, digits and inner hyphens.

    Source: content/dns.go IsDNS1123Label.
    """
    problems = _too_long(value, LABEL_LENGTH)
    if _fits(_LABEL, value):
        return problems
    if _fits(_SUBDOMAIN, value):
        return (*problems, "must not contain dots")
    return (*problems, _explained(_LABEL_RULE, _LABEL, "my-name", "123-abc"))


def is_dns1123_subdomain(value: str) -> Messages:
    """A host name: labels with dots between them, up to 253 bytes.

    Source: content/dns.go IsDNS1123Subdomain.
    """
    rule = _SUBDOMAIN_RULE.format("")
    return _too_long(value, SUBDOMAIN_LENGTH) + _matched(value, rule, _SUBDOMAIN, "example.com")


def is_dns1123_subdomain_with_underscore(value: str) -> Messages:
    """A host name in which underscores are allowed.

    Source: validation.go IsDNS1123SubdomainWithUnderscore.
    """
    rule = _SUBDOMAIN_RULE.format("'_', ")
    return _too_long(value, SUBDOMAIN_LENGTH) + _matched(value, rule, _SUBDOMAIN_WITH_UNDERSCORE, "example.com")


def is_wildcard_dns1123_subdomain(value: str) -> Messages:
    """``*.`` and a host name.  Source: validation.go IsWildcardDNS1123Subdomain."""
    return _too_long(value, SUBDOMAIN_LENGTH) + _matched(value, _WILDCARD_RULE, _WILDCARD, "*.example.com")


def is_dns1035_label(value: str) -> Messages:
    """A DNS label that starts with a letter.  Source: validation.go IsDNS1035Label."""
    return _too_long(value, LABEL_LENGTH) + _matched(value, _LABEL_1035_RULE, _LABEL_1035, "my-name", "abc-123")


def is_fully_qualified_domain_name(value: str) -> Messages:
    """A host name of two labels or more, perhaps with a dot at the end.

    Source: validation.go IsFullyQualifiedDomainName.
    """
    if not value:
        return (NOT_EMPTY,)
    name = value.removesuffix(".")
    problems = is_dns1123_subdomain(name)
    if problems:
        return problems
    labels = name.split(".")
    if len(labels) < 2:
        return ("should be a domain with at least two segments separated by dots",)
    return next((found for found in map(is_dns1123_label, labels) if found), ())


@lru_cache(maxsize=10_000)
def is_qualified_name(value: str) -> Messages:
    """A label's key: a name of up to 63 bytes, after a host name and a slash if it isn't one's own.

    Source: content/kube.go IsLabelKey.
    """
    prefix, slash, name = value.rpartition("/")
    explained = _explained(_KEY_RULE, _KEY, "MyName", "my.name", "123-abc")
    if "/" in prefix:
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return (f"a valid label key {explained} {optional}",)
    problems: list[str] = []
    if slash:
        about_prefix = is_dns1123_subdomain(prefix) if prefix else (NOT_EMPTY,)
        problems += (f"prefix part {each}" for each in about_prefix)
    about_name = _too_long(name, LABEL_LENGTH) if name else (NOT_EMPTY,)
    problems += (f"name part {each}" for each in about_name)
    if not _fits(_KEY, name):
        problems.append(f"name part {explained}")
    return tuple(problems)


def is_domain_prefixed_key(value: str) -> Messages:
    """A label's key with a host name before it.  Source: validation.go IsDomainPrefixedKey."""
    if not value:
        return (NOT_EMPTY,)
    problems = is_qualified_name(value)
    if problems or "/" in value:
        return problems
    return ('must be a domain-prefixed key (such as "acme.io/foo")',)


@lru_cache(maxsize=10_000)
def is_valid_label_value(value: str) -> Messages:
    """A label's value: nothing, or up to 63 bytes like the name of a key.

    Source: content/kube.go IsLabelValue.
    """
    return _too_long(value, LABEL_LENGTH) + _matched(value, _VALUE_RULE, _VALUE, "MyValue", "my_value", "12345")


def is_valid_port_num(value: int) -> Messages:
    """A port from 1 to 65535.  Source: validation.go IsValidPortNum."""
    return _within(value, 1, 65535)


def is_valid_port_name(value: str) -> Messages:
    """A port's name: up to 15 bytes, with a letter among them.  Source: validation.go IsValidPortName."""
    problems = list(_too_long(value, PORT_NAME_LENGTH))
    if not _fits("[-a-z0-9]+", value):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        problems.append("must contain at least one letter (a-z)")
    if "--" in value:
        problems.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return tuple(problems)


def is_valid_user_id(value: int) -> Messages:
    """A user's number, from 0 to 2**31-1.  Source: validation.go IsValidUserID."""
    return _within(value, 0, 2**31 - 1)


def is_valid_group_id(value: int) -> Messages:
    """A group's number, from 0 to 2**31-1.  Source: validation.go IsValidGroupID."""
    return _within(value, 0, 2**31 - 1)


def is_valid_percent(value: str) -> Messages:
    """Digits and ``%``.  Source: validation.go IsValidPercent."""
    return _matched(value, _PERCENT_RULE, _PERCENT, "1%", "93%")


def is_http_header_name(value: str) -> Messages:
    """The name of an HTTP header.  Source: validation.go IsHTTPHeaderName."""
    return _matched(value, _HEADER_RULE, _HEADER, "X-Header-Name")


def is_config_map_key(value: str) -> Messages:
    """A key of a ConfigMap or Secret, which must do as a file's name.

    Source: validation.go IsConfigMapKey.
    """
    problems = _too_long(value, SUBDOMAIN_LENGTH) + _matched(
        value, _CONFIG_KEY_RULE, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"
    )
    if value in (".", ".."):
        return (*problems, f"must not be '{value}'")
    return (*problems, "must not start with '..'") if value.startswith("..") else problems


def _fits(pattern: str, value: str) -> bool:
    return re.fullmatch(pattern, value, re.ASCII) is not None


def _matched(value: str, rule: str, pattern: str, *examples: str) -> Messages:
    return () if _fits(pattern, value) else (_explained(rule, pattern, *examples),)


def _explained(rule: str, pattern: str, *examples: str) -> str:
    """A rule with examples and the pattern.  Source: content/errors.go RegexError."""
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{rule} (e.g. {listed}regex used for validation is '{pattern}')"


def _too_long(value: str, most: int) -> Messages:
    """Source: content/errors.go MaxLenError."""
    return () if len(value.encode()) <= most else (f"must be no more than {most} bytes",)


def _within(value: int, least: int, most: int) -> Messages:
    return () if least <= value <= most else (f"must be between {least} and {most}, inclusive",)
