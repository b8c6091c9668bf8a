"""Namespaces, ConfigMaps and Secrets.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.api.meta import ObjectMeta
from kythera.model.record import EMPTY, Map, Record, record


@record
class NamespaceStatus(Record):
    """Active or Terminating."""

    phase: str = ""

    ignored: ClassVar[dict[str, str]] = {"conditions": "progress of a namespace's deletion is not modelled"}


@record
class NamespaceSpec(Record):
    """What still has to be done before the namespace may go."""

    finalizers: tuple[str, ...] = ()


@record
class Namespace(Record):
    """A scope for names."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NamespaceSpec = NamespaceSpec()
    status: NamespaceStatus = NamespaceStatus()

    api_version: ClassVar[str] = "v1"
    kind: ClassVar[str] = "Namespace"
    plural: ClassVar[str] = "namespaces"


@record
class ConfigMap(Record):
    """Configuration that pods refer to; its contents are opaque."""

    metadata: ObjectMeta = ObjectMeta()
    data: Map[str] = EMPTY
    immutable: bool = False

    api_version: ClassVar[str] = "v1"
    kind: ClassVar[str] = "ConfigMap"
    plural: ClassVar[str] = "configmaps"
    ignored: ClassVar[dict[str, str]] = {"binaryData": "contents of files are not modelled"}


@record
class Secret(Record):
    """A secret that pods refer to; its contents are opaque."""

    metadata: ObjectMeta = ObjectMeta()
    data: Map[str] = EMPTY
    type: str = ""
    immutable: bool = False

    api_version: ClassVar[str] = "v1"
    kind: ClassVar[str] = "Secret"
    plural: ClassVar[str] = "secrets"
    ignored: ClassVar[dict[str, str]] = {"stringData": "contents of secrets are not modelled"}
