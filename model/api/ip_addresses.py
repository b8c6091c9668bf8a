"""What IP addresses and CIDR blocks may look like.

Two ways of reading stand side by side: new fields take the canonical form alone, older ("legacy") fields any form
that all software reads alike.  Before Kubernetes 1.36 the older fields also took leading zeros, IPv4 addresses in
IPv6 clothes and bits after a prefix: that is ``strict=False``.  Each function answers with what is wrong, in
Kubernetes' own words.

Source: staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go; k8s.io/utils/net ParseIPSloppy and
ParseCIDRSloppy.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

NOT_AN_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NOT_A_BLOCK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

# Zeros before the digits of a part, which strict readers refuse in IPv4 and after four digits in IPv6.
_LEADING_ZEROS = re.compile(r"(?<![0-9A-Fa-f])0+(?=[0-9A-Fa-f])")


def parse_sloppy(text: str) -> Address | None:
    """The address that a text denotes when leading zeros don't matter, or ``None``.

    Source: k8s.io/utils/net ParseIPSloppy.
    """
    return _parse(_LEADING_ZEROS.sub("", text))


def is_valid_ip(text: str) -> tuple[str, ...]:
    """An address in canonical form, as new fields want it.  Source: ip.go IsValidIP."""
    problems = is_valid_ip_for_legacy_field(text)
    address = parse_sloppy(text)
    return problems if problems or str(address) == text else (f'must be in canonical form ("{address}")',)


def is_valid_ip_for_legacy_field(text: str, strict: bool = True) -> tuple[str, ...]:
    """An address as older fields take it.

    Source: ip.go IsValidIPForLegacyField; feature gate StrictIPCIDRValidation (KEP-4858).
    """
    address = parse_sloppy(text)
    if address is None:
        return (NOT_AN_ADDRESS,)
    if strict and _parse(text) is None:
        return ("must not have leading 0s",)
    if strict and _is_ipv4_in_ipv6(address):
        return ("must not be an IPv4-mapped IPv6 address",)
    return ()


def is_valid_cidr(text: str) -> tuple[str, ...]:
    """A block in canonical form, without bits after its prefix, as new fields want it.

    Source: ip.go IsValidCIDR.
    """
    problems, block = is_valid_cidr_for_legacy_field(text), _split(text)
    if problems or block is None:
        return problems
    network = ip_network(block)
    return () if str(network) == text else (f'must be in canonical form ("{network}")',)


def is_valid_cidr_for_legacy_field(text: str, strict: bool = True) -> tuple[str, ...]:
    """A block as older fields take it.

    Source: ip.go IsValidCIDRForLegacyField; feature gate StrictIPCIDRValidation (KEP-4858).
    """
    block = _split(text)
    if block is None:
        return (NOT_A_BLOCK,)
    address, length = block
    first, _, second = text.partition("/")
    if strict and (_parse(first) is None or second != str(length)):
        return ("must not have leading 0s in IP or prefix length",)
    if strict and _is_ipv4_in_ipv6(address):
        return ("must not have an IPv4-mapped IPv6 address",)
    if strict and ip_network(block, strict=False).network_address != address:
        return ("must not have bits set beyond the prefix length",)
    return ()


def _split(text: str) -> tuple[Address, int] | None:
    """The address and the length of the prefix of a block, or ``None``."""
    first, slash, second = text.partition("/")
    address = parse_sloppy(first)
    if address is None or not slash or not re.fullmatch("[0-9]+", second, re.ASCII):
        return None
    return (address, int(second)) if int(second) <= address.max_prefixlen else None


def _parse(text: str) -> Address | None:
    if "%" in text:  # zones belong to a host, not to a cluster
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_ipv4_in_ipv6(address: Address) -> bool:
    return isinstance(address, IPv6Address) and address.ipv4_mapped is not None
