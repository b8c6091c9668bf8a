"""What IP addresses and CIDR blocks may look like.

Two ways of reading stand side by side: fields that are older than the strict rules also take leading zeros and
IPv4 addresses in IPv6 clothes; new fields take the canonical form alone.  Each function answers with what is
wrong, in Kubernetes' own words.

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
    address = parse_sloppy(text)
    if address is None:
        return (NOT_AN_ADDRESS,)
    if _parse(text) is None:
        return ("must not have leading 0s",)
    if _is_ipv4_in_ipv6(address):
        return ("must not be an IPv4-mapped IPv6 address",)
    return () if str(address) == text else (f'must be in canonical form ("{address}")',)


def is_valid_ip_for_legacy_field(text: str) -> tuple[str, ...]:
    """An address as older fields take it.  Source: ip.go IsValidIPForLegacyField."""
    return (NOT_AN_ADDRESS,) if parse_sloppy(text) is None else ()


def is_valid_cidr(text: str) -> tuple[str, ...]:
    """A block in canonical form, without bits after its prefix, as new fields want it.

    Source: ip.go IsValidCIDR.
    """
    block = _split(text)
    if block is None:
        return (NOT_A_BLOCK,)
    address, length = block
    if _parse(text.partition("/")[0]) is None or text.partition("/")[2] != str(length):
        return ("must not have leading 0s in IP or prefix length",)
    if _is_ipv4_in_ipv6(address):
        return ("must not have an IPv4-mapped IPv6 address",)
    network = ip_network((address, length), strict=False)
    if network.network_address != address:
        return ("must not have bits set beyond the prefix length",)
    return () if str(network) == text else (f'must be in canonical form ("{network}")',)


def is_valid_cidr_for_legacy_field(text: str) -> tuple[str, ...]:
    """A block as older fields take it.  Source: ip.go IsValidCIDRForLegacyField."""
    return (NOT_A_BLOCK,) if _split(text) is None else ()


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
