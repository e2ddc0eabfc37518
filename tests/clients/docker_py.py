"""Networks by docker-py, on the engine whose URL is the argument: the whole of its client.networks.

A step is a line "$ TITLE", and what it gave as JSON. Its own things begin with py-.
"""
import json
import sys

import docker
from docker.types import IPAMConfig, IPAMPool

LABEL = "docknet.clients=py"
LABELS = {"docknet.clients": "py"}
OURS = {"label": LABEL}

client = docker.DockerClient(base_url=sys.argv[1], version="auto")
networks = client.networks


def step(title, call, show=lambda answer: answer):
    print("$ " + title)
    try:
        answer = call()
        print(json.dumps(show(answer), indent=1, sort_keys=True, default=repr))
        return answer
    except docker.errors.APIError as e:
        print(json.dumps({
            "error": type(e).__name__, "status": e.status_code, "explanation": e.explanation,
            "client": e.is_client_error(), "server": e.is_server_error()}))
    except Exception as e:
        print(json.dumps({"error": type(e).__name__, "text": str(e)}))
    return None


def attrs(network):
    return network.attrs


def names(listed):
    return sorted(n.name for n in listed)


def settings(name, network):
    found = client.containers.get(name).attrs["NetworkSettings"]["Networks"].get(network)
    if found and network == "py-plain":  # which of the default pools is free depends on what others do
        found["IPAddress"] = found["Gateway"] = found["IPPrefixLen"] = None
    return found


def pool(subnet, **more):
    return IPAMConfig(pool_configs=[IPAMPool(subnet=subnet, **more)])


def clear():
    for name in ("py-box", "py-two"):
        try:
            client.containers.get(name).remove(force=True)
        except docker.errors.NotFound:
            pass
    for network in networks.list(filters=OURS):
        network.remove()


def create():
    def make(title, name="py-bad", **how):
        return step("create: " + title, lambda: networks.create(name, labels=LABELS, **how), attrs)

    step("create: plain", lambda: networks.create("py-plain", labels=LABELS), lambda n: [n.name, n.id, n.short_id, len(n.id)])
    make("ipam", "py-ipam", driver="bridge", ipam=IPAMConfig(driver="default", pool_configs=[
        IPAMPool(subnet="10.220.1.0/24", iprange="10.220.1.128/25", gateway="10.220.1.254", aux_addresses={"host": "10.220.1.7"})]))
    make("IPAM options", "py-ipam-options", ipam=IPAMConfig(options={"foo": "bar"}, pool_configs=[IPAMPool(subnet="10.220.2.0/24")]))
    make("options", "py-options", ipam=pool("10.220.3.0/24"), options={"com.docker.network.driver.mtu": "1400", "com.docker.network.bridge.name": "py-br0"})
    make("internal", "py-internal", ipam=pool("10.220.4.0/24"), internal=True)
    make("IPv6", "py-six", enable_ipv6=True, ipam=IPAMConfig(pool_configs=[IPAMPool("10.220.5.0/24"), IPAMPool("fd00:220:5::/64")]))
    make("attachable", "py-attachable", ipam=pool("10.220.6.0/24"), attachable=True, scope="local", check_duplicate=True)
    make("macvlan", "py-macvlan", driver="macvlan", options={"parent": "parent0"}, ipam=pool("10.220.7.0/24"))
    make("name taken", "py-plain")
    make("name taken, check_duplicate False", "py-plain", check_duplicate=False)
    make("predefined name", "bridge")
    make("empty name", "")
    make("ingress", ingress=True)
    make("overlay", driver="overlay")
    make("scope swarm", scope="swarm")
    make("driver host", driver="host")
    make("overlap", ipam=pool("10.220.1.0/25"))
    make("subnet garbage", ipam=pool("foo"))
    make("subnet with host bits", ipam=pool("10.220.9.1/24"))
    make("everything wrong at once", ipam=IPAMConfig(pool_configs=[
        IPAMPool("10.220.9.1/24", iprange="10.221.9.0/25", gateway="10.221.9.1", aux_addresses={"a": "foo"})]))
    make("IPAM not of the type", ipam={"Config": "x"})
    make("options not of the type", options="x")


def get_and_list():
    plain = networks.get("py-plain")
    step("get: name", lambda: networks.get("py-ipam"), attrs)
    step("get: id", lambda: networks.get(plain.id), lambda n: n.name)
    step("get: short id", lambda: networks.get(plain.short_id), lambda n: n.name)
    step("get: verbose, scope", lambda: networks.get("py-six", verbose=True, scope="local"), attrs)
    step("get: scope swarm", lambda: networks.get("py-six", scope="swarm"), attrs)
    step("get: missing", lambda: networks.get("py-missing"), attrs)
    step("get: none at all", lambda: networks.get(""), attrs)
    step("get: bridge", lambda: networks.get("bridge"), lambda n: [n.name, n.attrs["Driver"], n.attrs["Scope"], n.attrs["Options"]])
    step("list: label", lambda: networks.list(filters=OURS), names)
    step("list: attrs", lambda: networks.list(names=["py-ipam"]), lambda found: [n.attrs for n in found if n.name == "py-ipam"])
    step("list: greedy", lambda: networks.list(names=["py-ipam"], greedy=True), lambda found: [n.attrs for n in found if n.name == "py-ipam"])
    step("list: names", lambda: networks.list(names=["py-plain", "py-six"]), names)
    step("list: ids", lambda: networks.list(ids=[plain.id]), names)
    step("list: part of an id", lambda: networks.list(ids=[plain.id[8:40]]), names)
    step("list: driver", lambda: networks.list(filters={"driver": "macvlan", **OURS}), names)
    step("list: two labels", lambda: networks.list(filters={"label": [LABEL, "foo"]}), names)
    step("list: builtin", lambda: networks.list(filters={"type": "builtin"}), names)
    step("list: dangling", lambda: networks.list(filters={"dangling": True, **OURS}), names)
    step("list: dangling, garbage", lambda: networks.list(filters={"dangling": "foo"}), names)
    step("list: unknown filter", lambda: networks.list(filters={"foo": "bar"}), names)
    step("list: type garbage", lambda: networks.list(filters={"type": "foo"}), names)


def connect():
    box = client.containers.create("busybox", ["sleep", "1000"], name="py-box", network="py-ipam")
    two = client.containers.create("busybox", ["sleep", "1000"], name="py-two", network="py-six", networking_config={
        "py-six": client.api.create_endpoint_config(aliases=["db"], ipv4_address="10.220.5.20", ipv6_address="fd00:220:5::20")})
    step("created: settings", lambda: settings("py-two", "py-six"))
    box.start()
    two.start()
    step("started: settings", lambda: [settings("py-box", "py-ipam"), settings("py-two", "py-six")])

    def joined(title, network, container="py-box", **how):
        found = networks.get(network)
        step("connect: " + title, lambda: found.connect(container, **how))
        step("connect: " + title + ": settings", lambda: settings("py-box", network))

    joined("plain", "py-plain", box)
    joined("again", "py-plain", box)
    joined("everything", "py-six", box, aliases=["web", "www"], links=[("py-two", "peer")], ipv4_address="10.220.5.77",
           ipv6_address="fd00:220:5::77", link_local_ips=["169.254.34.68"], driver_opt={"foo": "bar"}, mac_address="92:d0:c6:0a:29:33")
    joined("by id", "py-internal", box.id)
    joined("links as a mapping", "py-attachable", box, links={"py-two": "other"})
    joined("address outside", "py-options", box, ipv4_address="10.99.0.1")
    joined("address garbage", "py-options", "py-two", ipv4_address="foo")
    joined("mac garbage", "py-options", "py-two", mac_address="foo")
    joined("missing container", "py-options", "py-missing")
    joined("host", "host", box)
    joined("none", "none", "py-two")
    six = networks.get("py-six")
    step("containers", lambda: six.containers, lambda found: sorted(c.name for c in found))
    step("containers: attrs", lambda: six.attrs["Containers"], lambda found: sorted(found.values(), key=lambda c: c["Name"]))
    step("containers: greedy list", lambda: networks.list(names=["py-six"], greedy=True),
         lambda found: [sorted(c.name for c in n.containers) for n in found])
    step("remove: in use", networks.get("py-ipam").remove)
    before = dict(six.attrs["Containers"])
    step("disconnect", lambda: six.disconnect("py-box"))
    step("disconnect: before reload", lambda: len(six.attrs["Containers"]) == len(before))
    step("disconnect: reload", six.reload)
    step("disconnect: after reload", lambda: sorted(c["Name"] for c in six.attrs["Containers"].values()))
    step("disconnect: again", lambda: six.disconnect("py-box"))
    step("disconnect: again, force", lambda: six.disconnect(box, force=True))
    step("disconnect: missing container", lambda: six.disconnect("py-missing"))
    step("disconnect: missing container, force", lambda: six.disconnect("py-missing", force=True))
    step("disconnect: container object", lambda: networks.get("py-plain").disconnect(box))
    step("networks of the container", lambda: sorted(client.containers.get("py-box").attrs["NetworkSettings"]["Networks"]))
    box.rename("py-moved")
    box.reload()
    step("rename: containers", lambda: networks.get("py-ipam").containers, lambda found: [c.name for c in found])
    box.rename("py-box")
    box.kill()
    box.wait()
    step("stopped: containers", lambda: networks.get("py-ipam").containers, names)
    step("stopped: settings", lambda: settings("py-box", "py-ipam"))
    step("stopped: connect", lambda: networks.get("py-options").connect(box, aliases=["late"]))
    step("stopped: connect: settings", lambda: settings("py-box", "py-options"))
    box.start()
    step("started again: settings", lambda: [settings("py-box", n) for n in ("py-ipam", "py-options")])
    gone = networks.get("py-options")
    box.remove(force=True)
    two.remove(force=True)
    step("remove", gone.remove)
    step("remove: again", gone.remove)
    step("reload: removed", gone.reload)
    step("connect: removed", lambda: gone.connect("py-box"))
    step("remove: predefined", networks.get("host").remove)


def prune():
    step("prune: nothing", lambda: networks.prune(filters={"label": LABEL, "until": "24h"}))
    step("prune: label and not label", lambda: networks.prune(filters={"label": [LABEL, "foo"]}))
    step("prune: unknown filter", lambda: networks.prune(filters={"foo": "bar"}))
    step("prune", lambda: networks.prune(filters=OURS), lambda answer: sorted(answer["NetworksDeleted"]))
    step("prune: left", lambda: networks.list(filters=OURS), names)
    step("prune: again", lambda: networks.prune(filters=OURS))


def client_calls():
    step("ping", client.ping)
    step("version", client.version, lambda v: {k: v[k] for k in ("ApiVersion", "MinAPIVersion", "Os", "Arch")})
    step("api version", lambda: client.api._version)
    step("info", client.info, lambda i: {"swarm": i["Swarm"]["LocalNodeState"], "plugins": sorted(i["Plugins"]["Network"])})


clear()
client_calls()
create()
get_and_list()
connect()
prune()
clear()
