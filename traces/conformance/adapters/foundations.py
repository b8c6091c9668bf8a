"""Cases of what everything else is built on: quantities, label selectors, percentages, names."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from kythera.model.api import int_or_string, ip_addresses, names, quantity
from kythera.model.api.decode import Context, decode
from kythera.model.api.label_parsing import (
    Requirement,
    parse_selector,
    required_value,
    requirement_errors,
    selector_matches,
    selector_of,
    selector_of_map,
    selector_text,
)
from kythera.model.api.labels import matches, matches_map
from kythera.model.api.meta import LabelSelector
from kythera.model.api.quantity import Quantity, canonical, parse_quantity

Case = dict[str, Any]


def _selected(expected: Case, got: Case) -> str | None:
    """Compare as much of the answer as upstream asserts."""
    found = {key: got.get(key) for key in expected}
    return None if found == expected else f"expected {expected}, got {found}"


# Quantities


def _number(text: str, form: str | None = None) -> Quantity:
    """A quantity from an exact decimal number; its notation is the plain one if none is named."""
    return Quantity(parse_quantity(text).nano, form or quantity.DECIMAL_SI)


def _exact(amount: Quantity) -> str:
    """A quantity as an exact decimal number, without needless zeros."""
    whole, rest = divmod(abs(amount.nano), quantity.NANO)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{'-' if amount.nano < 0 else ''}{whole}{fraction}"


def parse(case: Case) -> str | None:
    """A text as a quantity."""
    try:
        read = parse_quantity(case["input"]["string"])
    except ValueError:
        return _selected(case["expected"], {"ok": False})
    return _selected(case["expected"], {"ok": True, "value": _exact(read), "format": read.format})


def parse_emit(case: Case) -> str | None:
    """A text read and written again."""
    read = parse_quantity(case["input"]["string"])
    return _selected(case["expected"], {"string": canonical(read), "value": _exact(read)})


def emit(case: Case) -> str | None:
    """A number written as a quantity."""
    given = case["input"]
    return _selected(case["expected"], {"string": canonical(_number(given["value"], given.get("format")))})


def from_json(case: Case) -> str | None:
    """A quantity in JSON, as text or number, with blanks around it."""
    read = quantity.quantity(json.loads(case["input"]["json"], parse_int=str, parse_float=str))
    return _selected(case["expected"], {"string": canonical(read)})


def compare(case: Case) -> str | None:
    """Which of two quantities is larger."""
    a, b = (parse_quantity(case["input"][name]) for name in "ab")
    return _selected(case["expected"], {"cmp": quantity.compare(a, b)})


def compare_numbers(case: Case) -> str | None:
    """Which of two numbers is larger; in a finer unit, as they may be finer than what can be read."""
    texts = [case["input"][name] for name in "ab"]
    places = max(len(text.partition(".")[2]) for text in texts)
    a, b = (Quantity(int(Fraction(text) * 10**places)) for text in texts)
    return _selected(case["expected"], {"cmp": quantity.compare(a, b)})


def arithmetic(operation: Callable[[Quantity, Quantity], Quantity], case: Case) -> str | None:
    """The sum or difference of two numbers in their notations."""
    given = case["input"]
    result = operation(_number(given["a"], given.get("a_format")), _number(given["b"], given.get("b_format")))
    return _selected(case["expected"], {"value": _exact(result), "string": canonical(result)})


def arithmetic_of_texts(operation: Callable[[Quantity, Quantity], Quantity], case: Case) -> str | None:
    """The sum or difference of two texts, written again."""
    result = operation(*(parse_quantity(case["input"][name]) for name in "ab"))
    return _selected(case["expected"], {"string": canonical(result), "value": _exact(result)})


def multiply(case: Case) -> str | None:
    """A quantity many times."""
    given = case["input"]
    result = quantity.multiply(_number(given["a"], given.get("a_format")), given["b"])
    return _selected(case["expected"], {"value": _exact(result), "string": canonical(result)})


def negate(case: Case) -> str | None:
    """A quantity with the other sign."""
    given = case["input"]
    result = quantity.negate(_number(given["value"], given.get("format")))
    return _selected(case["expected"], {"string": canonical(result), "value": _exact(result)})


def scaled_value(case: Case) -> str | None:
    """A number in another unit."""
    given = case["input"]
    result = quantity.scaled_value(_number(given["value"]), given["scale_power_of_ten"])
    return _selected(case["expected"], {"int": result})


def round_up(case: Case) -> str | None:
    """A quantity rounded to a unit."""
    given = case["input"]
    rounded, exact = quantity.round_up(parse_quantity(given["string"]), given["scale_power_of_ten"])
    return _selected(case["expected"], {"value": _exact(rounded), "exact": exact})


def as_float(case: Case) -> str | None:
    """The nearest floating-point number, which upstream itself calls approximate."""
    wanted, got = case["expected"]["float"], quantity.as_float(parse_quantity(case["input"]["string"]))
    return None if math.isclose(wanted, got, rel_tol=1e-12) else f"expected {wanted}, got {got}"


# Label selectors


def _requirements(given: list[Case] | None) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(each.get("key") or "", each.get("operator") or "", tuple(each.get("values") or ()))
        for each in given or ()
    )


def parse_labels(case: Case) -> str | None:
    """A text as a selector: what it asks, and how it is written again."""
    try:
        selector = parse_selector(case["input"]["selector"])
    except ValueError:
        return _selected(case["expected"], {"ok": False})
    asked = [{"key": r.key, "operator": r.operator, "values": sorted(r.values)} for r in selector]
    return _selected(case["expected"], {"ok": True, "restring": selector_text(selector), "requirements": asked})


def match_string(case: Case) -> str | None:
    """Whether a selector in text selects labels."""
    given = case["input"]
    found = selector_matches(parse_selector(given["selector"]), given.get("labels") or {})
    return _selected(case["expected"], {"match": found})


def match_map(case: Case) -> str | None:
    """Whether labels have all the pairs of a map."""
    given = case["input"]
    return _selected(
        case["expected"], {"match": matches_map(given.get("match_labels") or {}, given.get("labels") or {})}
    )


def match_requirements(case: Case) -> str | None:
    """Whether labels fulfil a list of requirements."""
    given = case["input"]
    found = selector_matches(_requirements(given.get("requirements")), given.get("labels") or {})
    return _selected(case["expected"], {"match": found})


def requirement_valid(case: Case) -> str | None:
    """Whether a requirement is valid, and which of its fields isn't."""
    errors = requirement_errors(*_requirements([case["input"]]))
    return _selected(case["expected"], {"ok": not errors, "error_fields": [error.field for error in errors]})


def requirements_to_string(case: Case) -> str | None:
    """A list of requirements as text."""
    return _selected(case["expected"], {"string": selector_text(_requirements(case["input"].get("requirements")))})


def map_to_string(case: Case) -> str | None:
    """A map as a selector in text."""
    return _selected(case["expected"], {"string": selector_text(selector_of_map(case["input"]["match_labels"] or {}))})


def requires_exact_match(case: Case) -> str | None:
    """The one value that a selector leaves to a label."""
    given = case["input"]
    found = required_value(_requirements(given.get("requirements")), given["key"])
    expected = case["expected"]
    return _selected(expected, {"found": found is not None, "value": expected.get("value") if found is None else found})


def label_selector_object(case: Case) -> str | None:
    """A LabelSelector object as a selector."""
    data = case["input"].get("labelSelector")
    if data is None:
        return _selected(case["expected"], {"ok": True, "matches_nothing": not matches(None, {})})
    try:
        selector = selector_of(decode(LabelSelector, data, Context()))
    except ValueError:
        return _selected(case["expected"], {"ok": False})
    return _selected(case["expected"], {"ok": True, "matches_nothing": False, "selector": selector_text(selector)})


# Numbers that may be percentages


def int_or_string_value(case: Case) -> str | None:
    """The number, and whether it is a percentage."""
    try:
        number, is_percentage = int_or_string.percentage(case["input"]["intOrString"])
    except ValueError:
        return _selected(case["expected"], {"ok": False, "value": None, "is_percent": False})
    return _selected(case["expected"], {"ok": True, "value": number, "is_percent": is_percentage})


def int_or_string_scaled(case: Case) -> str | None:
    """The number, or the percentage of a total."""
    given = case["input"]
    try:
        number = int_or_string.scaled_value(
            given.get("intOrString"), given.get("total") or 0, bool(given.get("round_up"))
        )
    except ValueError:
        return _selected(case["expected"], {"ok": False, "value": None})
    return _selected(case["expected"], {"ok": True, "value": number})


def int_or_string_parse(case: Case) -> str | None:
    """A text as a number, if it is one of 32 bits."""
    return _selected(case["expected"], {"intOrString": int_or_string.parse(case["input"]["string"])})


# Names


def valid(check: Callable[[Any], tuple[str, ...]], case: Case) -> str | None:
    """Whether a value is valid."""
    return _selected(case["expected"], {"valid": not check(case["input"]["value"])})


def valid_address(
    strict: Callable[[str], tuple[str, ...]], legacy: Callable[[str], tuple[str, ...]], case: Case
) -> str | None:
    """Whether an address is valid in a new field and in an older one, and what is said against it."""
    value, expected = case["input"]["value"], case["expected"]
    problems = strict(value)
    wrong = _selected(
        {"valid": expected["valid"], "valid_legacy": expected["valid_legacy"]},
        {"valid": not problems, "valid_legacy": not legacy(value)},
    )
    wanted = expected.get("error_contains")
    if wrong or not wanted:
        return wrong
    return None if any(wanted in each for each in problems) else f"expected {wanted!r}, got {problems}"


_CHECKS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "IsConfigMapKey": names.is_config_map_key,
    "IsDNS1035Label": names.is_dns1035_label,
    "IsDNS1123Label": names.is_dns1123_label,
    "IsDNS1123Subdomain": names.is_dns1123_subdomain,
    "IsDNS1123SubdomainWithUnderscore": names.is_dns1123_subdomain_with_underscore,
    "IsDomainPrefixedKey": names.is_domain_prefixed_key,
    "IsFullyQualifiedDomainName": names.is_fully_qualified_domain_name,
    "IsHTTPHeaderName": names.is_http_header_name,
    "IsQualifiedName": names.is_qualified_name,
    "IsValidGroupID": names.is_valid_group_id,
    "IsValidLabelValue": names.is_valid_label_value,
    "IsValidPercent": names.is_valid_percent,
    "IsValidPortName": names.is_valid_port_name,
    "IsValidPortNum": names.is_valid_port_num,
    "IsValidUserID": names.is_valid_user_id,
    "IsWildcardDNS1123Subdomain": names.is_wildcard_dns1123_subdomain,
}

ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    "quantity/parse": parse,
    "quantity/parse-emit": parse_emit,
    "quantity/canonical": emit,
    "quantity/from-json": from_json,
    "quantity/cmp": compare,
    "quantity/cmp-values": compare_numbers,
    "quantity/add": partial(arithmetic, quantity.add),
    "quantity/sub": partial(arithmetic, quantity.subtract),
    "quantity/add-strings": partial(arithmetic_of_texts, quantity.add),
    "quantity/sub-strings": partial(arithmetic_of_texts, quantity.subtract),
    "quantity/mul": multiply,
    "quantity/neg": negate,
    "quantity/scaled-value": scaled_value,
    "quantity/round-up": round_up,
    "quantity/float": as_float,
    "labels/parse": parse_labels,
    "labels/parse-set": parse_labels,
    "labels/match-string": match_string,
    "labels/match-map": match_map,
    "labels/match-requirements": match_requirements,
    "labels/requirement-valid": requirement_valid,
    "labels/to-string": requirements_to_string,
    "labels/map-to-string": map_to_string,
    "labels/requires-exact-match": requires_exact_match,
    "labels/label-selector-object": label_selector_object,
    "intstr/value": int_or_string_value,
    "intstr/scaled": int_or_string_scaled,
    "intstr/parse": int_or_string_parse,
    **{f"validate/{name}": partial(valid, check) for name, check in _CHECKS.items()},
    "validate/IsValidIP": partial(
        valid_address,
        ip_addresses.is_valid_ip,
        partial(ip_addresses.is_valid_ip_for_legacy_field, strict=False),
    ),
    "validate/IsValidCIDR": partial(
        valid_address,
        ip_addresses.is_valid_cidr,
        partial(ip_addresses.is_valid_cidr_for_legacy_field, strict=False),
    ),
}
