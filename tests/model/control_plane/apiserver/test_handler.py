"""What becomes of requests: codes, reasons, messages, and the store afterwards."""

from __future__ import annotations

from tests.model.control_plane.apiserver.small import LABELS, after, budget, only, pod, running, stored

from kythera.model.api.apps import Deployment, DeploymentSpec
from kythera.model.api.core.cluster import ConfigMap, Namespace
from kythera.model.api.core.pod import Pod, PodTemplateSpec
from kythera.model.api.core.scheduling import PodSchedulingGate
from kythera.model.api.core.service import Service, ServicePort, ServiceSpec
from kythera.model.api.meta import LabelSelector, ObjectMeta
from kythera.model.api.pods import condition
from kythera.model.control_plane.apiserver.handler import get, handle, listed, reads
from kythera.model.record import Map, NodeName, Uid, replace
from kythera.model.request import Bind, Create, Delete, Evict, Patch, Ref, Update, ref_of
from kythera.model.view import view

EMPTY = stored()


def test_a_created_pod_has_uid_defaults_and_the_status_of_a_new_pod() -> None:
    store, reply = handle(EMPTY, Create(pod()), fresh=7)
    assert (reply.code, reply.object) == (201, only(store, "Pod"))
    made = only(store, "Pod")
    assert (made.metadata.uid, made.metadata.generation, made.metadata.creation_timestamp) == (7, 1, 0)
    assert (made.status.phase, made.status.qos_class) == ("Pending", "BestEffort")
    assert (made.spec.restart_policy, made.spec.priority) == ("Always", 0)
    assert [t.toleration_seconds for t in made.spec.tolerations] == [300, 300]


def test_names_are_taken_once_but_generated_ones_never_clash() -> None:
    store, reply = after(EMPTY, Create(pod()), Create(pod()))
    assert (reply.code, reply.reason) == (409, "AlreadyExists")
    assert reply.message == 'pods "a" already exists'
    generated = replace(pod(), metadata=ObjectMeta(generate_name="w-", namespace="default"))
    store, reply = after(store, Create(generated), Create(generated))
    assert reply.ok
    assert [p.metadata.name for p in listed(store, "Pod", "default")] == ["", "", "a"]


def test_objects_stay_sorted_by_namespace_name_and_uid() -> None:
    maps = [ConfigMap(ObjectMeta(n, namespace=ns)) for ns, n in (("b", "a"), ("a", "z"), ("a", "b"))]
    store, _ = after(view(ConfigMap=()), *map(Create, maps))
    assert [(o.metadata.namespace, o.metadata.name) for o in listed(store, "ConfigMap")] == [
        ("a", "b"),
        ("a", "z"),
        ("b", "a"),
    ]


def test_creating_over_an_object_that_is_being_deleted_says_so() -> None:
    old = ConfigMap(ObjectMeta("a", namespace="default", finalizers=("x.y/z",)))
    store, _ = after(view(ConfigMap=()), Create(old), Delete(Ref("ConfigMap", "default", "a")))
    _, reply = handle(store, Create(old))
    assert reply.message == 'object is being deleted: configmaps "a" already exists'


def test_a_namespace_must_exist_and_not_be_terminating_where_there_are_namespaces() -> None:
    store, _ = after(view(Namespace=(), ConfigMap=()), Create(Namespace(ObjectMeta("one"))))
    _, reply = handle(store, Create(ConfigMap(ObjectMeta("a", namespace="two"))))
    assert (reply.code, reply.message) == (404, 'namespaces "two" not found')
    store, _ = handle(store, Delete(Ref("Namespace", name="one")))
    assert only(store, "Namespace").status.phase == "Terminating"
    _, reply = handle(store, Create(ConfigMap(ObjectMeta("a", namespace="one"))))
    assert reply.message == (
        'configmaps "a" is forbidden: unable to create new content in namespace one because it is being terminated'
    )
    closing = only(store, "Namespace")
    store, reply = handle(store, Update(replace(closing, spec=replace(closing.spec, finalizers=())), "finalize"))
    assert store.objects["Namespace"] == ()


def test_the_namespaces_of_the_system_stay() -> None:
    store, _ = after(view(Namespace=()), Create(Namespace(ObjectMeta("default"))))
    _, reply = handle(store, Delete(Ref("Namespace", name="default")))
    assert reply.message == 'namespaces "default" is forbidden: this namespace may not be deleted'


def test_what_is_not_there_is_not_found() -> None:
    nowhere = Ref("Pod", "default", "x")
    absent = replace(pod("x"), metadata=ObjectMeta("x", namespace="default"))
    for request in (
        Update(absent),
        Delete(nowhere),
        Bind(nowhere, NodeName("n")),
        Evict(nowhere),
        Patch(nowhere),
    ):
        store, reply = handle(EMPTY, request)
        assert (reply.code, reply.reason, reply.message) == (404, "NotFound", 'pods "x" not found')
        assert store is EMPTY
    assert get(EMPTY, "Deployment", "default", "d").message == 'deployments.apps "d" not found'


def test_a_stale_sender_conflicts_unless_it_does_not_care() -> None:
    store = stored(running(1))
    changed = replace(only(store, "Pod"), metadata=replace(running(1).metadata, labels=Map({"app": "x"})))
    same, reply = handle(store, Update(changed), stale=True)
    assert same is store
    assert (reply.code, reply.reason) == (409, "Conflict")
    assert reply.message.endswith("please apply your changes to the latest version and try again")
    _, reply = handle(store, Update(changed, unconditional=True), stale=True)
    assert reply.ok


def test_another_incarnation_conflicts() -> None:
    old = ConfigMap(ObjectMeta("a", namespace="default", uid=Uid(9)))
    store, _ = after(view(ConfigMap=()), Create(ConfigMap(ObjectMeta("a", namespace="default"))))
    _, reply = handle(store, Update(old))
    assert reply.code == 409
    assert "Precondition failed: UID in precondition: 9, UID in object meta: 1" in reply.message
    _, reply = handle(store, Delete(ref_of(old)))
    assert reply.code == 409


def test_a_write_that_changes_nothing_leaves_the_same_store() -> None:
    store, _ = after(EMPTY, Create(pod()))
    there = only(store, "Pod")
    for request in (
        Update(there),
        Update(there, "status"),
        Patch(ref_of(there), "strategic", '{"spec": {"containers": [{"name": "c", "image": "i:1"}]}}'),
    ):
        assert handle(store, request)[0] is store


def deployment(**spec: object) -> Deployment:
    template = PodTemplateSpec(ObjectMeta(labels=LABELS), pod().spec)
    made = DeploymentSpec(replicas=2, selector=LabelSelector(LABELS), template=template)
    return Deployment(ObjectMeta("d", namespace="default"), replace(made, **spec))


def test_a_generation_rises_with_the_specification_and_a_deployments_with_its_annotations() -> None:
    store, _ = after(view(Deployment=()), Create(deployment()))
    made = only(store, "Deployment")
    assert made.metadata.generation == 1
    store, _ = handle(store, Update(replace(made, status=replace(made.status, replicas=7)), "status"))
    assert only(store, "Deployment").metadata.generation == 1
    scaled = replace(made, spec=replace(made.spec, replicas=5, paused=True))
    store, _ = handle(store, Update(scaled, "scale"))
    there = only(store, "Deployment")
    assert (there.metadata.generation, there.spec.replicas, there.spec.paused) == (2, 5, False)
    annotated = replace(there, metadata=replace(there.metadata, annotations=Map({"k": "v"})))
    store, _ = handle(store, Update(annotated))
    assert only(store, "Deployment").metadata.generation == 3
    assert only(store, "Deployment").status.replicas == 7


def test_an_update_touches_no_status_and_a_status_update_nothing_else() -> None:
    store, _ = after(view(Deployment=()), Create(deployment()))
    made = only(store, "Deployment")
    both = replace(made, spec=replace(made.spec, replicas=9), status=replace(made.status, replicas=9))
    store, _ = handle(store, Update(both))
    assert (only(store, "Deployment").spec.replicas, only(store, "Deployment").status.replicas) == (9, 0)
    both = replace(both, spec=replace(made.spec, replicas=1))
    store, _ = handle(store, Update(both, "status"))
    assert (only(store, "Deployment").spec.replicas, only(store, "Deployment").status.replicas) == (9, 9)


def test_a_subresource_that_the_kind_lacks_is_not_found() -> None:
    store, _ = after(view(ConfigMap=()), Create(ConfigMap(ObjectMeta("a", namespace="default"))))
    assert handle(store, Update(only(store, "ConfigMap"), "scale"))[1].code == 404


def test_a_pod_is_bound_once() -> None:
    store, reply = after(EMPTY, Create(pod()), Bind(Ref("Pod", "default", "a"), NodeName("n1")))
    assert reply.code == 201
    scheduled = condition(only(store, "Pod").status.conditions, "PodScheduled")
    assert scheduled is not None
    assert scheduled.status == "True"
    _, reply = handle(store, Bind(Ref("Pod", "default", "a"), NodeName("n2")))
    assert reply.code == 409
    assert reply.message == (
        'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1"'
    )


def test_a_gated_a_dying_or_another_pod_is_not_bound() -> None:
    gated = pod(scheduling_gates=(PodSchedulingGate("a.b/c"),))
    store, _ = after(EMPTY, Create(gated))
    _, reply = handle(store, Bind(Ref("Pod", "default", "a"), NodeName("n")))
    assert reply.message.endswith("pod a has non-empty .spec.schedulingGates")
    store, _ = after(EMPTY, Create(pod()))
    assert handle(store, Bind(Ref("Pod", "default", "a", Uid(9)), NodeName("n")))[1].code == 409
    dying = replace(pod(), metadata=replace(pod().metadata, deletion_timestamp=-5))
    _, reply = handle(stored(dying), Bind(Ref("Pod", "default", "a"), NodeName("n")))
    assert reply.message.endswith("pod a is being deleted, cannot be assigned to a host")


def test_services_get_an_address_that_stays() -> None:
    service = Service(ObjectMeta("s", namespace="default"), ServiceSpec((ServicePort(port=80),), LABELS))
    store, _ = after(view(Service=()), Create(service))
    made = only(store, "Service")
    assert made.spec.cluster_ip.startswith("10.96.")
    assert (made.spec.ports[0].target_port, made.spec.ports[0].protocol) == (80, "TCP")
    store, reply = handle(store, Update(replace(service, spec=replace(service.spec, selector=Map({"x": "y"})))))
    assert reply.ok
    assert only(store, "Service").spec.cluster_ip == made.spec.cluster_ip
    other = replace(made, spec=replace(made.spec, cluster_ip="10.96.0.1", cluster_ips=("10.96.0.1",)))
    _, reply = handle(store, Update(other))
    assert reply.message == (
        'Service "s" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.0.1"]: may not change once set'
    )


def test_what_decides_a_request_is_said_beforehand() -> None:
    assert reads(Create(pod())) == {"Pod", "Namespace", "PriorityClass"}
    assert reads(Evict(Ref("Pod", "default", "a"))) == {"Pod", "PodDisruptionBudget"}
    assert reads(Update(budget(), "status")) == {"PodDisruptionBudget"}


def test_an_unknown_kind_is_not_served() -> None:
    assert handle(EMPTY, Delete(Ref("Gadget", "default", "a")))[1].code == 404


def test_a_pod_refused_by_validation_is_not_stored() -> None:
    store, reply = handle(EMPTY, Create(Pod(ObjectMeta("a", namespace="default"))))
    assert store is EMPTY
    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.message == 'Pod "a" is invalid: spec.containers: Required value'
