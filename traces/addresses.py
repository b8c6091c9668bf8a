"""Addresses as a reader expects them: no two pods of the cluster have the same.

In the model an address is a number on its node (``10.0.0.1`` on one node and on another), so that which node has which
range makes no states.  Shown are ``10.0.1.1`` and ``10.0.2.1``, by the number of the node.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

ON_ITS_NODE = re.compile(r"(?<![\w.])10\.0\.0\.(\d+)(?![\w.]*\d)")


def cluster_wide(text: str, node: int) -> str:
    """A text with the addresses of the node of this number (from 1; 0: unknown) as they are in the whole cluster."""
    return ON_ITS_NODE.sub(rf"10.{node // 256}.{node % 256}.\1", text) if node else text


def with_addresses(data: dict[str, Any], number: Callable[[str], int]) -> dict[str, Any]:
    """A Pod or an EndpointSlice as plain data, with addresses of the whole cluster; others as they are."""
    if data.get("kind") == "Pod" and "status" in data:
        node = number(data.get("spec", {}).get("nodeName", ""))
        return {**data, "status": _wide(data["status"], node)}
    if data.get("kind") == "EndpointSlice":
        endpoints = [
            {**each, "addresses": _wide(each.get("addresses", []), number(each.get("nodeName", "")))}
            for each in data.get("endpoints") or []
        ]
        return {**data, "endpoints": endpoints} if endpoints else data
    return data


def _wide(value: Any, node: int) -> Any:
    if isinstance(value, dict):
        return {key: _wide(each, node) if key in ("podIP", "podIPs", "ip") else each for key, each in value.items()}
    if isinstance(value, list):
        return [_wide(each, node) for each in value]
    return cluster_wide(value, node) if isinstance(value, str) else value
