"""The cases, in groups: a function g_NAME makes what its cases need, and clears it away."""
import itertools
import json
import re
import threading
import time
from urllib.parse import quote, urlencode

from recorder import ipam, names, networks_of, subnet

PARENT = "parent0"            # a link in the engine's network namespace, with ADVERTISE/24
ADVERTISE = "198.51.100.1"


def g_baseline(r):
    r.rec("list", "GET", "/networks")
    for n in sorted(r.keep):
        r.rec("inspect " + n, "GET", "/networks/" + n)
    r.rec("info", "GET", "/info", pick=lambda i: {k: i.get(k) for k in (
        "Plugins", "Swarm", "IPv4Forwarding", "BridgeNfIptables", "BridgeNfIp6tables",
        "DefaultAddressPools", "FirewallBackend", "Warnings")})


def g_pools(r):
    got = []
    for i in range(64):
        status, body = r.api.call("POST", "/networks/create", {"Name": f"p{i}"})
        if status != 201:
            break
        got.append(r.api.call("GET", "/networks/" + body["Id"])[1]["IPAM"]["Config"][0]["Subnet"])
    r.note("subnets in order", got)
    r.note("how many", len(got) if status != 201 else f"more than {len(got)}")
    r.rec("one more", "POST", "/networks/create", {"Name": "more"})
    r.rec("one more, internal", "POST", "/networks/create", {"Name": "more2", "Internal": True})
    r.rec("one more with a subnet", "POST", "/networks/create", {"Name": "more3", "IPAM": subnet("10.9.0.0/24")})
    r.clean()


def g_create(r):
    r.create("minimal", Name="g")
    r.create("name and driver", Name="g", Driver="bridge")
    r.create("every field", Name="g", CheckDuplicate=True, Driver="bridge", Internal=False,
             Attachable=True, Ingress=False, EnableIPv6=False, EnableIPv4=True, Scope="local",
             ConfigOnly=False, Labels={"k": "v", "empty": ""},
             Options={"com.docker.network.bridge.name": "labbr0",
                      "com.docker.network.driver.mtu": "1400"},
             IPAM={"Driver": "default", "Options": {"foo": "bar"},
                   "Config": [{"Subnet": "10.77.0.0/16", "IPRange": "10.77.5.0/24", "Gateway": "10.77.5.254",
                               "AuxiliaryAddresses": {"a": "10.77.5.7", "b": "10.77.9.9"}}]})
    r.create("driver empty", Name="g", Driver="")
    r.create("driver null", Name="g", Driver=None)
    r.create("driver other case", Name="g", Driver="Bridge")
    r.create("driver unknown", Name="g", Driver="nosuch")
    r.create("driver with slash", Name="g", Driver="some/plugin:latest")
    r.create("driver host", Name="g", Driver="host")
    r.create("driver null-driver", Name="g", Driver="null")
    r.create("driver none", Name="g", Driver="none")
    r.create("driver default", Name="g", Driver="default")
    r.create("driver overlay without swarm", Name="g", Driver="overlay")
    r.create("driver overlay attachable without swarm", Name="g", Driver="overlay", Attachable=True)
    r.create("internal", Name="g", Internal=True)
    r.create("internal with gateway", Name="g", Internal=True, IPAM=subnet("10.1.0.0/24", Gateway="10.1.0.9"))
    r.create("attachable", Name="g", Attachable=True)
    r.create("ingress on bridge", Name="g", Ingress=True)
    r.create("labels null", Name="g", Labels=None)
    r.create("labels a number", Name="g", Labels={"k": 1})
    r.create("labels a list", Name="g", Labels=["k=v"])
    r.create("labels empty key", Name="g", Labels={"": "v"})
    r.create("internal a string", Name="g", Internal="true")
    for s in ("local", "swarm", "global", "bogus", ""):
        r.create(f"scope {s!r}", Name="g", Scope=s)
    r.create("v6 enabled, no subnet", Name="g", EnableIPv6=True)
    r.create("v6 enabled, v6 subnet", Name="g", EnableIPv6=True, IPAM=subnet("fd00:1::/64"))
    r.create("v6 enabled, v6 subnet and gateway", Name="g", EnableIPv6=True,
             IPAM=subnet("fd00:1::/64", Gateway="fd00:1::9"))
    r.create("v6 enabled, both subnets", Name="g", EnableIPv6=True,
             IPAM=ipam({"Subnet": "10.2.0.0/24"}, {"Subnet": "fd00:1::/64"}))
    r.create("v6 enabled, only v4 subnet", Name="g", EnableIPv6=True, IPAM=subnet("10.2.0.0/24"))
    r.create("v6 not enabled, v6 subnet", Name="g", IPAM=subnet("fd00:1::/64"))
    r.create("v6 not enabled, both subnets", Name="g",
             IPAM=ipam({"Subnet": "10.2.0.0/24"}, {"Subnet": "fd00:1::/64"}))
    r.create("v6 false, v6 subnet", Name="g", EnableIPv6=False, IPAM=subnet("fd00:1::/64"))
    r.create("v6 null", Name="g", EnableIPv6=None)
    r.create("v4 false", Name="g", EnableIPv4=False)
    r.create("v4 false, v6 true", Name="g", EnableIPv4=False, EnableIPv6=True)
    r.create("v4 false, v6 true with subnet", Name="g", EnableIPv4=False, EnableIPv6=True, IPAM=subnet("fd00:1::/64"))
    r.create("v4 false, v4 subnet", Name="g", EnableIPv4=False, IPAM=subnet("10.2.0.0/24"))
    r.create("v4 false, v6 true, v4 subnet", Name="g", EnableIPv4=False, EnableIPv6=True, IPAM=subnet("10.2.0.0/24"))


def g_options(r):
    br = "com.docker.network.bridge."

    def option(case, **opts):
        r.create(case, Name="g", Options={k: v for k, v in opts["o"].items()})
    option("bridge name", o={br + "name": "labbr0"})
    option("bridge name of 15", o={br + "name": "abcdefghijklmno"})
    option("bridge name of 16", o={br + "name": "abcdefghijklmnop"})
    option("bridge name with slash", o={br + "name": "a/b"})
    option("bridge name empty", o={br + "name": ""})
    option("bridge name of an existing veth", o={br + "name": PARENT})
    r.net("other", Options={br + "name": "labbr0"})
    r.rec("bridge name taken by a network", "POST", "/networks/create",
          {"Name": "g", "Options": {br + "name": "labbr0"}})
    r.clean()
    for v in ("1400", "0", "-1", "abc", "70000", "67", ""):
        option(f"mtu {v!r}", o={"com.docker.network.driver.mtu": v})
    option("mtu short key", o={"mtu": "1400"})
    option("icc false", o={br + "enable_icc": "false"})
    option("icc garbage", o={br + "enable_icc": "maybe"})
    option("masquerade false", o={br + "enable_ip_masquerade": "false"})
    option("masquerade garbage", o={br + "enable_ip_masquerade": "maybe"})
    option("host binding", o={br + "host_binding_ipv4": "127.0.0.1"})
    option("host binding garbage", o={br + "host_binding_ipv4": "maybe"})
    option("inhibit_ipv4", o={br + "inhibit_ipv4": "true"})
    option("container iface prefix", o={"com.docker.network.container_iface_prefix": "net"})
    for v in ("nat", "routed", "isolated", "nat-unprotected", "garbage"):
        option(f"gateway_mode_ipv4 {v}", o={br + "gateway_mode_ipv4": v})
    r.create("gateway_mode isolated and internal", Name="g", Internal=True, Options={br + "gateway_mode_ipv4": "isolated"})
    option("unknown option", o={"foo": "bar"})
    option("vlan on bridge", o={"vlan": "10"})
    r.create("option not a string", Name="g", Options={"foo": 1})
    r.create("options null", Name="g", Options=None)
    r.create("options a list", Name="g", Options=["a=b"])


def g_names(r):
    for case, name in {
            "empty": "", "one space": " ", "inner space": "a b", "outer spaces": " a ", "tab": "a\tb",
            "newline": "a\nb", "slash": "a/b", "leading slash": "/a", "colon": "a:b", "at": "a@b",
            "dot": ".", "dots": "..", "dotted": "a.b", "leading dot": ".a", "dash": "-a", "underscore": "_a",
            "trailing dash": "a-", "unicode": "réseau", "emoji": "\U0001f600", "nul": "a\0b", "percent": "a%b",
            "quote": "a\"b", "backslash": "a\\b", "upper": "UPPER", "digits": "12345", "star": "a*",
            "bridge": "bridge", "host": "host", "none": "none", "default": "default", "null": "null",
            "nat": "nat", "podman": "podman", "Bridge": "Bridge", "ingress": "ingress",
            "docker_gwbridge": "docker_gwbridge", "container:x": "container:x", "ns:/x": "ns:/x",
            "of 63": "n" * 63, "of 64": "n" * 64, "of 128": "n" * 128, "of 255": "n" * 255, "of 256": "n" * 256,
            "of 4096": "n" * 4096, "of 70000": "n" * 70000,
            "like a short id": "0123456789ab", "like an id": "0123456789abcdef" * 4}.items():
        r.create(case, Name=name)
    r.create("missing", Driver="bridge")
    r.create("null value", Name=None)
    r.create("a number", Name=7)
    # duplicates
    for first in (None, True, False):
        for second in (None, True, False):
            a = {} if first is None else {"CheckDuplicate": first}
            b = {} if second is None else {"CheckDuplicate": second}
            r.net("dup", **a)
            r.rec(f"duplicate, CheckDuplicate {first} then {second}", "POST", "/networks/create", {"Name": "dup", **b})
            r.note(f"duplicate, {first} then {second}: how many", len([n for n in r.networks() if n["Name"] == "dup"]))
            r.rec(f"duplicate, {first} then {second}: get by name", "GET", "/networks/dup", pick=lambda n: n["Name"])
            r.rec(f"duplicate, {first} then {second}: delete by name", "DELETE", "/networks/dup")
            r.clean()
    r.net("dup")
    r.rec("duplicate, other driver", "POST", "/networks/create", {"Name": "dup", "Driver": "macvlan", "Options": {"parent": PARENT}})
    r.rec("duplicate, other case", "POST", "/networks/create", {"Name": "DUP"})
    r.clean()
    # a name that is another network's id, or a prefix of it
    for case, cut in (("full id", 64), ("prefix of 12", 12), ("prefix of 1", 1)):
        ident = r.net("first")
        name = ident[:cut]
        if cut == 64:
            r.hidden[ident] = "<net:first>"
        others = {n["Id"]: n["Name"] for n in r.networks()}
        case = f"name is another's {case}"

        def rec(what, *args, **more):
            r.rec(what, *args, **more)
            for k in ("request", "body"):  # a short prefix is random and not normalised
                if cut < 64:
                    r.entries[-1][k] = json.loads(re.sub(rf"(?<=[/ \"\\:]){name}(?=[ \"\\>])", "<prefix>", json.dumps(r.entries[-1][k])))
        rec(case, "POST", "/networks/create", {"Name": name})
        rec(case + ": get", "GET", "/networks/" + name, pick=lambda n: "the id's" if n["Id"] in others else "the name's")
        rec(case + ": delete", "DELETE", "/networks/" + name)
        rec(case + ": what is left", "GET", "/networks", pick=lambda ns: sorted(
            "the id's" if n["Id"] in others else "the name's" for n in ns if n["Name"] not in r.keep))
        r.clean()


def g_ipam(r):
    # 20.10 leaks the subnet of some failing creates, so every case has one of its own:
    # a leading 10.3. becomes 10.<100...>., fd00:3: becomes fd00:<100...>:
    fresh = itertools.count(100)

    def own(value):
        n = next(fresh)
        return json.loads(re.sub(r'(fd00:)3:', rf'\g<1>{n}:', re.sub(r'"( ?)10\.3\.', rf'"\g<1>10.{n}.', json.dumps(value))))

    def one(case, s, **more):
        v6 = {"EnableIPv6": True} if ":" in str(s) else {}
        r.create(case, Name="g", IPAM=own(subnet(s, **more)), **v6)
    for s in ("10.3.0.0/24", "10.3.0.5/24", "10.3.0.0/32", "10.3.0.0/31", "10.3.0.0/30", "10.3.0.0/29",
              "10.3.0.0/8", "0.0.0.0/0", "127.0.0.0/8", "127.5.0.0/16", "169.254.0.0/16", "224.0.0.0/24", "240.0.0.0/24",
              "foo", "", "10.3.0.0", "10.3.0.0/33", "10.3.0.0/-1", "10.3.0.0/", "300.0.0.0/8", "10.3.0/24", " 10.3.0.0/24",
              "10.3.0.0/24 ", "10.3.0.0/255.255.255.0", "010.3.0.0/24", "::/0", "::ffff:10.3.0.0/120", "fd00:3::/64", "fd00:3::5/64",
              "fd00:3::/128", "fd00:3::/127", "fd00:3::/126", "fd00:3::/16", "fe80::/64", "fe80:3::/64", "ff02::/64", "2001:db8:3::/80"):
        one("subnet " + repr(s), s)
    one("gateway inside", "10.3.0.0/24", Gateway="10.3.0.77")
    one("gateway outside", "10.3.0.0/24", Gateway="10.4.0.1")
    one("gateway is the network", "10.3.0.0/24", Gateway="10.3.0.0")
    one("gateway is the broadcast", "10.3.0.0/24", Gateway="10.3.0.255")
    one("gateway garbage", "10.3.0.0/24", Gateway="foo")
    one("gateway with mask", "10.3.0.0/24", Gateway="10.3.0.1/24")
    one("gateway v6 for v4", "10.3.0.0/24", Gateway="fd00::1")
    one("gateway empty", "10.3.0.0/24", Gateway="")
    one("gateway outside the range", "10.3.0.0/24", Gateway="10.3.0.1", IPRange="10.3.0.128/25")
    one("range inside", "10.3.0.0/24", IPRange="10.3.0.128/25")
    one("range is the subnet", "10.3.0.0/24", IPRange="10.3.0.0/24")
    one("range outside", "10.3.0.0/24", IPRange="10.4.0.0/25")
    one("range larger", "10.3.0.0/24", IPRange="10.3.0.0/16")
    one("range with host bits", "10.3.0.0/24", IPRange="10.3.0.129/25")
    one("range garbage", "10.3.0.0/24", IPRange="foo")
    one("range of one", "10.3.0.0/24", IPRange="10.3.0.8/32")
    one("range v6 for v4", "10.3.0.0/24", IPRange="fd00::/80")
    one("range as a span", "10.3.0.0/24", IPRange="10.3.0.10-10.3.0.20")
    one("aux inside", "10.3.0.0/24", AuxiliaryAddresses={"a": "10.3.0.9"})
    one("aux outside", "10.3.0.0/24", AuxiliaryAddresses={"a": "10.4.0.9"})
    one("aux garbage", "10.3.0.0/24", AuxiliaryAddresses={"a": "foo"})
    one("aux is the gateway", "10.3.0.0/24", Gateway="10.3.0.9", AuxiliaryAddresses={"a": "10.3.0.9"})
    one("aux is the default gateway", "10.3.0.0/24", AuxiliaryAddresses={"a": "10.3.0.1"})
    one("aux twice the same", "10.3.0.0/24", AuxiliaryAddresses={"a": "10.3.0.9", "b": "10.3.0.9"})
    one("aux DefaultGatewayIPv4", "10.3.0.0/24", AuxiliaryAddresses={"DefaultGatewayIPv4": "10.3.0.9"})
    one("aux null", "10.3.0.0/24", AuxiliaryAddresses=None)
    for case, value in {
            "null": None, "empty": {}, "config null": {"Config": None}, "config empty": {"Config": []},
            "config of an empty one": ipam({}), "config null member": {"Config": [None]},
            "only a gateway": ipam({"Gateway": "10.3.0.1"}), "only a range": ipam({"IPRange": "10.3.0.0/25"}),
            "only aux": ipam({"AuxiliaryAddresses": {"a": "10.3.0.9"}}),
            "driver null": {"Driver": "null"}, "driver empty": {"Driver": ""}, "driver unknown": {"Driver": "nosuch"},
            "driver unknown with subnet": {"Driver": "nosuch", "Config": [{"Subnet": "10.3.0.0/24"}]},
            "driver null with subnet": {"Driver": "null", "Config": [{"Subnet": "10.3.0.0/24"}]},
            "driver dhcp": {"Driver": "dhcp"}, "driver host-local": {"Driver": "host-local"}, "driver none": {"Driver": "none"},
            "options": {"Driver": "default", "Options": {"foo": "bar"}},
            "two v4": ipam({"Subnet": "10.3.0.0/24"}, {"Subnet": "10.4.0.0/24"}),
            "two the same": ipam({"Subnet": "10.3.0.0/24"}, {"Subnet": "10.3.0.0/24"}),
            "two overlapping": ipam({"Subnet": "10.3.0.0/16"}, {"Subnet": "10.3.0.0/24"}),
            "two with gateways": ipam({"Subnet": "10.3.0.0/24", "Gateway": "10.3.0.9"}, {"Subnet": "10.4.0.0/24", "Gateway": "10.4.0.9"}),
            "a string": "default", "config an object": {"Config": {"Subnet": "10.3.0.0/24"}},
            "subnet a number": {"Config": [{"Subnet": 10}]}}.items():
        r.create("ipam " + case, Name="g", IPAM=own(value))
    r.create("two v6", Name="g", EnableIPv6=True, IPAM=ipam({"Subnet": "fd00:3::/64"}, {"Subnet": "fd00:4::/64"}))
    # overlap with a network that is there
    for case, s in (("the same", "10.5.0.0/16"), ("inside", "10.5.7.0/24"), ("around", "10.0.0.0/8"), ("beside", "10.6.0.0/16")):
        r.net("other", IPAM=subnet("10.5.0.0/16"))
        r.rec(f"overlap: {case}", "POST", "/networks/create", {"Name": "g", "IPAM": subnet(s)})
        r.clean()
    r.net("other", EnableIPv6=True, IPAM=ipam({"Subnet": "10.5.0.0/16"}, {"Subnet": "fd00:5::/64"}))
    r.rec("overlap: v6 the same", "POST", "/networks/create",
          {"Name": "g", "EnableIPv6": True, "IPAM": ipam({"Subnet": "10.6.0.0/16"}, {"Subnet": "fd00:5::/64"})})
    r.clean()
    r.net("other", Internal=True, IPAM=subnet("10.5.0.0/16"))
    r.rec("overlap: internal and not", "POST", "/networks/create", {"Name": "g", "IPAM": subnet("10.5.0.0/16")})
    r.clean()
    default = "10.88.0.0/16" if r.podman else "172.17.0.0/16"
    r.create("overlap: the default bridge", Name="g", IPAM=subnet(default))
    r.create("overlap: an interface of the host", Name="g", IPAM=subnet("198.51.100.0/24"))
    r.create("overlap: around an interface of the host", Name="g", IPAM=subnet("198.51.0.0/16"))
    # which subnet is next
    seen = []
    for n in ("s1", "s2", "s3"):
        r.net(n)
    for n in ("s1", "s2", "s3"):
        seen.append(r.api.call("GET", "/networks/" + n)[1]["IPAM"]["Config"][0]["Subnet"])
    r.api.call("DELETE", "/networks/s2")
    r.net("s4")
    r.net("s5")
    for n in ("s4", "s5"):
        seen.append(r.api.call("GET", "/networks/" + n)[1]["IPAM"]["Config"][0]["Subnet"])
    r.note("default subnets of s1 s2 s3, then (s2 removed) s4 s5", seen)
    r.clean()


def g_leaks(r):
    """Whether a create that fails gives its subnet back."""
    br = "com.docker.network."
    r.net("other", IPAM=subnet("10.90.0.0/24"), Options={br + "bridge.name": "labbr0"})
    r.keep.add("other")
    fresh = itertools.count(100)
    for case, body, conf in (
            ("aux garbage", {}, {"AuxiliaryAddresses": {"a": "foo"}}),
            ("aux outside", {}, {"AuxiliaryAddresses": {"a": "10.90.0.9"}}),
            ("aux is the gateway", {}, {"AuxiliaryAddresses": {"a": "@.1"}}),
            ("gateway garbage", {}, {"Gateway": "foo"}), ("gateway outside", {}, {"Gateway": "10.90.0.9"}),
            ("gateway is the network", {}, {"Gateway": "@.0"}), ("range garbage", {}, {"IPRange": "foo"}),
            ("bridge name too long", {"Options": {br + "bridge.name": "a" * 16}}, {}),
            ("bridge name taken", {"Options": {br + "bridge.name": "labbr0"}}, {}),
            ("bridge name of a veth", {"Options": {br + "bridge.name": PARENT}}, {}),
            ("mtu garbage", {"Options": {br + "driver.mtu": "foo"}}, {}), ("mtu too large", {"Options": {br + "driver.mtu": "70000"}}, {}),
            ("icc garbage", {"Options": {br + "bridge.enable_icc": "foo"}}, {}),
            ("driver unknown", {"Driver": "nosuch"}, {}), ("driver host", {"Driver": "host"}, {}),
            ("macvlan missing parent", {"Driver": "macvlan", "Options": {"parent": "nosuch0"}}, {}),
            ("duplicate name", {"Name": "other", "CheckDuplicate": True}, {}),
            ("v6 garbage besides", {"EnableIPv6": True}, [{"Subnet": "foo"}]),
            ("v6 gateway outside besides", {"EnableIPv6": True}, [{"Subnet": "fd00:9::/64", "Gateway": "fd00:8::1"}]),
            ("second v4 besides", {}, [{"Subnet": "10.91.0.0/24"}]),
            ("overlap besides", {}, [{"Subnet": "10.90.0.0/24"}])):
        prefix = f"10.{next(fresh)}.0"
        more = conf if isinstance(conf, list) else []
        first = {"Subnet": prefix + ".0/24", **({} if more else json.loads(json.dumps(conf).replace("@", prefix)))}
        status, answer = r.api.call("POST", "/networks/create", {"Name": "g", **body, "IPAM": ipam(first, *more)})
        r.clean_nets()
        probe, why = r.api.call("POST", "/networks/create", {"Name": "probe", "IPAM": subnet(prefix + ".0/24")})
        r.clean_nets()
        r.note(case, {"create": status, "why": answer if status != 201 else "", "the subnet again": probe, "why not": why if probe != 201 else ""})
    r.keep.discard("other")
    r.clean()
    # and the default pools
    if r.podman:
        return

    def capacity():
        n = 0
        while n < 64 and r.api.call("POST", "/networks/create", {"Name": f"p{n}"})[0] == 201:
            n += 1
        r.clean()
        return n
    before = capacity()
    for case, body in (
            ("bridge name too long", {"Options": {br + "bridge.name": "a" * 16}}), ("bridge name of a veth", {"Options": {br + "bridge.name": PARENT}}),
            ("mtu garbage", {"Options": {br + "driver.mtu": "foo"}}), ("mtu too large", {"Options": {br + "driver.mtu": "70000"}}),
            ("v6 without a pool", {"EnableIPv6": True, "IPAM": ipam()}), ("macvlan missing parent", {"Driver": "macvlan", "Options": {"parent": "nosuch0"}}),
            ("duplicate name", {"Name": "bridge"})):
        status, _ = r.api.call("POST", "/networks/create", {"Name": "g", **body})
        r.clean()
        after = capacity()
        r.note("default pools, " + case, {"create": status, "networks that fit before": before, "after": after})
        before = after


def g_bodies(r):
    js = {"Content-Type": "application/json"}
    good = '{"Name":"g"}'
    for case, raw, headers in (
            ("no body", None, {}), ("no body, JSON type", None, js), ("empty body", "", js), ("invalid JSON", "{", js),
            ("not JSON", "foo", js), ("null", "null", js), ("a list", "[]", js), ("a string", '"g"', js),
            ("a number", "7", js), ("trailing garbage", good + "x", js), ("two documents", good + good, js),
            ("trailing space", good + "\n \n", js),
            ("empty object", "{}", js), ("text/plain", good, {"Content-Type": "text/plain"}),
            ("no content type", good, {"Content-Type": ""}), ("form", good, {"Content-Type": "application/x-www-form-urlencoded"}),
            ("charset", good, {"Content-Type": "application/json; charset=utf-8"}),
            ("upper-case type", good, {"Content-Type": "Application/JSON"}),
            ("unknown fields", '{"Name":"g","Foo":1,"bar":{}}', js),
            ("lower-case keys", '{"name":"g","internal":true}', js),
            ("duplicate keys", '{"Name":"f","Name":"g"}', js),
            ("byte order mark", "\ufeff" + good, js),
            ("invalid utf-8", b'{"Name":"g\xff"}', js),
            ("deep nesting", '{"Name":"g","IPAM":' + "[" * 20000 + "]" * 20000 + "}", js),
            ("label of 1 MiB", json.dumps({"Name": "g", "Labels": {"k": "v" * (1 << 20)}}), js),
            ("label of 20 MiB", json.dumps({"Name": "g", "Labels": {"k": "v" * (20 << 20)}}), js),
            ("100000 labels", json.dumps({"Name": "g", "Labels": {f"k{i}": "v" for i in range(100000)}}), js)):
        if isinstance(raw, str):
            raw = raw.encode()
        status, answer = r.rec(case, "POST", "/networks/create", raw=raw, headers=headers or {"X-None": "1"})
        if status == 201:
            r.rec(case + " > inspect", "GET", "/networks/" + answer["Id"], pick=lambda n: {
                "Name": n["Name"], "Internal": n["Internal"], "Labels": f"{len(json.dumps(n['Labels']))} characters"})
        r.clean()
    for case, method, path in (
            ("GET create", "GET", "/networks/create"), ("PUT create", "PUT", "/networks/create"),
            ("POST /networks", "POST", "/networks"), ("DELETE /networks", "DELETE", "/networks"),
            ("GET /networks/", "GET", "/networks/"), ("HEAD /networks", "HEAD", "/networks"),
            ("OPTIONS /networks", "OPTIONS", "/networks"), ("GET connect", "GET", "/networks/bridge/connect"),
            ("POST a network", "POST", "/networks/bridge"), ("PATCH a network", "PATCH", "/networks/bridge"),
            ("below a network", "GET", "/networks/bridge/foo"), ("version too old", "GET", "/v1.11/networks"),
            ("version too new", "GET", "/v1.99/networks"), ("version malformed", "GET", "/v1/networks"),
            ("double slash", "GET", "//networks")):
        r.rec(case, method, path)


def g_drivers(r):
    r.create("macvlan with parent", Name="g", Driver="macvlan", Options={"parent": PARENT})
    r.create("macvlan with parent and subnet", Name="g", Driver="macvlan", Options={"parent": PARENT}, IPAM=subnet("10.7.0.0/24", Gateway="10.7.0.9"))
    r.create("macvlan without parent", Name="g", Driver="macvlan")
    r.create("macvlan without parent, internal", Name="g", Driver="macvlan", Internal=True)
    r.create("macvlan missing parent", Name="g", Driver="macvlan", Options={"parent": "nosuch0"})
    r.create("macvlan vlan parent", Name="g", Driver="macvlan", Options={"parent": PARENT + ".10"})
    r.create("macvlan vlan parent out of range", Name="g", Driver="macvlan", Options={"parent": PARENT + ".5000"})
    for m in ("bridge", "private", "vepa", "passthru", "garbage"):
        r.create("macvlan mode " + m, Name="g", Driver="macvlan", Options={"parent": PARENT, "macvlan_mode": m})
    r.net("other", Driver="macvlan", Options={"parent": PARENT}, IPAM=subnet("10.71.0.0/24"))
    r.rec("macvlan parent in use", "POST", "/networks/create", {"Name": "g", "Driver": "macvlan", "Options": {"parent": PARENT}, "IPAM": subnet("10.72.0.0/24")})
    r.rec("ipvlan parent in use by macvlan", "POST", "/networks/create", {"Name": "g2", "Driver": "ipvlan", "Options": {"parent": PARENT}, "IPAM": subnet("10.73.0.0/24")})
    r.clean()
    r.create("ipvlan with parent", Name="g", Driver="ipvlan", Options={"parent": PARENT})
    r.create("ipvlan without parent", Name="g", Driver="ipvlan")
    for m in ("l2", "l3", "l3s", "garbage"):
        r.create("ipvlan mode " + m, Name="g", Driver="ipvlan", Options={"parent": PARENT, "ipvlan_mode": m})
    r.create("macvlan ipam null", Name="g", Driver="macvlan", Options={"parent": PARENT}, IPAM={"Driver": "null"})
    r.create("host second", Name="g", Driver="host", IPAM=subnet("10.7.0.0/24"))
    r.net("mv", Driver="macvlan", Options={"parent": PARENT}, IPAM=subnet("10.7.0.0/24"))
    r.net("base")
    r.ctr("box", HostConfig={"NetworkMode": "base"})
    r.connect("macvlan connect", "mv", "box")
    r.clean()
    # config-only and config-from
    r.create("config-only", Name="g", ConfigOnly=True)
    r.create("config-only with settings", Name="g", ConfigOnly=True, IPAM=subnet("10.8.0.0/24"), Labels={"k": "v"}, Options={"com.docker.network.driver.mtu": "1400"})
    r.create("config-only and internal", Name="g", ConfigOnly=True, Internal=True)
    r.create("config-only with a driver", Name="g", ConfigOnly=True, Driver="bridge")
    r.create("config-only, scope local", Name="g", ConfigOnly=True, Scope="local")
    r.create("config-only and attachable", Name="g", ConfigOnly=True, Attachable=True)
    r.create("config-from missing", Name="g", ConfigFrom={"Network": "nosuch"})
    r.create("config-from empty", Name="g", ConfigFrom={"Network": ""})
    r.create("config-from and config-only", Name="g", ConfigOnly=True, ConfigFrom={"Network": "bridge"})
    r.create("config-from an ordinary network", Name="g", ConfigFrom={"Network": "bridge"})
    if r.rec("config: make", "POST", "/networks/create", {
            "Name": "cfg", "ConfigOnly": True, "IPAM": subnet("10.8.0.0/24"), "EnableIPv6": False,
            "Labels": {"from": "cfg"}, "Options": {"com.docker.network.driver.mtu": "1400"}})[0] == 201 and not r.podman:
        r.rec("config: inspect", "GET", "/networks/cfg")
        r.rec("config: use", "POST", "/networks/create", {"Name": "g", "ConfigFrom": {"Network": "cfg"}})
        r.rec("config: inspect the user", "GET", "/networks/g")
        r.rec("config: use by id", "POST", "/networks/create", {"Name": "g2", "ConfigFrom": {"Network": r.api.call("GET", "/networks/cfg")[1]["Id"]}})
        r.rec("config: use with own labels", "POST", "/networks/create", {"Name": "g6", "ConfigFrom": {"Network": "cfg"}, "Labels": {"own": "1"}})
        r.rec("config: second user", "POST", "/networks/create", {"Name": "g7", "ConfigFrom": {"Network": "cfg"}})
        r.rec("config: use with own ipam", "POST", "/networks/create", {"Name": "g3", "ConfigFrom": {"Network": "cfg"}, "IPAM": subnet("10.9.0.0/24")})
        r.rec("config: use with own options", "POST", "/networks/create", {"Name": "g4", "ConfigFrom": {"Network": "cfg"}, "Options": {"a": "b"}})
        r.rec("config: use with own internal", "POST", "/networks/create", {"Name": "g5", "ConfigFrom": {"Network": "cfg"}, "Internal": True})
        r.rec("config: remove in use", "DELETE", "/networks/cfg")
        r.net("base")
        r.ctr("box", HostConfig={"NetworkMode": "base"})
        r.connect("config: connect to the config-only", "cfg", "box")
        r.connect("config: connect to the user", "g", "box")
        r.rec("config: container on the config-only", "POST", "/containers/create?name=two",
              {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": "cfg"}})
        r.rec("config: start it", "POST", "/containers/two/start")
        r.rec("config: list", "GET", "/networks", pick=names)
    r.clean()


def g_get(r):
    ident = r.net("alpha")
    r.net("alphabet")
    r.hidden = {ident[:n]: f"<{n} of net:alpha>" for n in (6, 12, 63)} | {
        ident: "<net:alpha>", ident.upper(): "<NET:alpha>"}
    for case, ref in (("name", "alpha"), ("id", ident), ("prefix of 12", ident[:12]), ("prefix of 6", ident[:6]), ("prefix of 63", ident[:63]),
                      ("id upper case", ident.upper()), ("name prefix", "alph"), ("name upper case", "ALPHA"), ("missing", "nosuch"),
                      ("missing id", "0123456789abcdef" * 4), ("id with one more", ident + "0"), ("escaped", "%61lpha"), ("space", "%20"),
                      ("bridge", "bridge"), ("default", "default"), ("unicode", quote("réseau")), ("slash", "a%2Fb")):
        r.rec(f"by {case}", "GET", "/networks/" + ref, pick=lambda n: n["Name"])
    for q in ("verbose=true", "verbose=1", "verbose=false", "verbose=garbage", "verbose=", "scope=local", "scope=swarm", "scope=global", "scope=garbage", "foo=bar", "verbose=true&scope=local"):
        r.rec("query " + q, "GET", "/networks/alpha?" + q)
    r.clean()
    # more networks than hex digits: two ids share their first digit
    made = {}
    for i in range(17):
        made[r.net(f"amb{i}", IPAM=subnet(f"10.200.0.{i * 8}/29"))] = f"amb{i}"
    first = next(c for c in "0123456789abcdef" if sum(i.startswith(c) for i in made) > 1)
    ref = first
    two = sorted(i for i in made if i.startswith(first))[:2]
    while two[0].startswith(ref) and two[1].startswith(ref):
        good, ref = ref, two[0][:len(ref) + 1]
    entry = lambda case, *a, **k: r.rec(case, *a, **k)
    entry("ambiguous prefix", "GET", "/networks/" + good)
    entry("ambiguous prefix, verbose", "GET", f"/networks/{good}?verbose=true")
    entry("ambiguous prefix: delete", "DELETE", "/networks/" + good)
    r.net("base")
    r.ctr("box", HostConfig={"NetworkMode": "base"})
    entry("ambiguous prefix: connect", "POST", f"/networks/{good}/connect", {"Container": "box"})
    entry("ambiguous prefix: disconnect", "POST", f"/networks/{good}/disconnect", {"Container": "box"})
    for e in r.entries[-5:]:  # the prefix is random
        e["request"] = e["request"].replace("/networks/" + good, "/networks/<prefix>")
        e["body"] = json.loads(json.dumps(e["body"]).replace(f" {good} ", " <prefix> ").replace(f'\\"{good}\\"', '\\"<prefix>\\"').replace(f'"{good} ', '"<prefix> ').replace(f"'{good}'", "'<prefix>'"))
    r.clean()


def g_list(r):
    a = r.net("alpha", Labels={"env": "dev", "tier": "1"})
    r.hidden = {a: "<net:alpha>", a[:12]: "<12 of net:alpha>", a[20:30]: "<part of net:alpha>"}
    r.net("alphabet", Labels={"env": "prod"}, Internal=True)
    r.net("beta", Labels={"flag": ""}, Attachable=True)
    r.net("mv", Driver="macvlan", Options={"parent": PARENT}, IPAM=subnet("10.7.0.0/24"))
    r.ctr("box", HostConfig={"NetworkMode": "alpha"})
    r.rec("all", "GET", "/networks")
    r.note("list against inspect: fields whose value differs", sorted({
        k for n in r.networks() for k, v in r.api.call("GET", "/networks/" + n["Id"])[1].items() if n.get(k) != v}))

    def f(case, filters):
        text = filters if isinstance(filters, str) else json.dumps(filters)
        r.rec(case, "GET", "/networks?" + urlencode({"filters": text}), pick=names)
    f("no filters", {})
    for style, wrap in (("list", lambda v: v), ("map", lambda v: {x: True for x in v})):
        f(f"name ({style})", {"name": wrap(["alpha"])})
        f(f"name part ({style})", {"name": wrap(["lph"])})
        f(f"id ({style})", {"id": wrap([a])})
        f(f"driver ({style})", {"driver": wrap(["bridge"])})
        f(f"label key ({style})", {"label": wrap(["env"])})
        f(f"two values ({style})", {"name": wrap(["alphabet", "beta"])})
        f(f"type custom ({style})", {"type": wrap(["custom"])})
    f("map with false", {"name": {"alpha": False}})
    f("name anchored", {"name": ["^alpha$"]})
    f("name regexp", {"name": ["a.*t"]})
    f("name bad regexp", {"name": ["("]})
    f("name empty", {"name": [""]})
    f("name missing", {"name": ["nosuch"]})
    f("name other case", {"name": ["ALPHA"]})
    f("id prefix", {"id": [a[:12]]})
    f("id inner part", {"id": [a[20:30]]})
    f("id missing", {"id": ["ffffffffffffffff"]})
    f("driver macvlan", {"driver": ["macvlan"]})
    f("driver two", {"driver": ["macvlan", "host"]})
    f("driver part", {"driver": ["brid"]})
    f("driver unknown", {"driver": ["nosuch"]})
    f("label key=value", {"label": ["env=dev"]})
    f("label wrong value", {"label": ["env=none"]})
    f("label two (both)", {"label": ["env", "tier"]})
    f("label two (values)", {"label": ["env=dev", "env=prod"]})
    f("label empty value", {"label": ["flag="]})
    f("label part of key", {"label": ["en"]})
    f("label!", {"label!": ["env"]})
    f("type builtin", {"type": ["builtin"]})
    f("type both", {"type": ["builtin", "custom"]})
    f("type unknown", {"type": ["foo"]})
    f("scope local", {"scope": ["local"]})
    f("scope swarm", {"scope": ["swarm"]})
    f("scope global", {"scope": ["global"]})
    f("scope unknown", {"scope": ["foo"]})
    for v in ("true", "false", "1", "0", "True", "foo"):
        f("dangling " + v, {"dangling": [v]})
    f("dangling both", {"dangling": ["true", "false"]})
    f("until", {"until": ["1h"]})
    f("two kinds", {"driver": ["bridge"], "label": ["env"]})
    f("two kinds, none match", {"driver": ["macvlan"], "label": ["env"]})
    f("unknown filter", {"foo": ["bar"]})
    f("unknown filter, no value", {"foo": []})
    f("key other case", {"Name": ["alpha"]})
    f("empty list", {"name": []})
    f("empty string", "")
    f("malformed JSON", "{")
    f("not JSON", "foo")
    f("a list", "[]")
    f("a string value", '{"name":"alpha"}')
    f("a number value", '{"name":[1]}')
    f("null", "null")
    f("null value", '{"name":null}')
    r.rec("filters twice", "GET", "/networks?filters=%7B%22name%22%3A%5B%22beta%22%5D%7D&filters=%7B%7D", pick=names)
    r.rec("old style query", "GET", "/networks?name=alpha", pick=names)
    r.clean()


def g_connect(r):
    r.net("n1", IPAM=subnet("10.10.1.0/24"))
    r.net("n2", IPAM=subnet("10.10.2.0/24"))
    r.net("auto")
    r.net("six", EnableIPv6=True, IPAM=ipam({"Subnet": "10.10.6.0/24"}, {"Subnet": "fd00:10::/64"}))
    r.net("ranged", IPAM=subnet("10.10.3.0/24", IPRange="10.10.3.128/25", AuxiliaryAddresses={"a": "10.10.3.129"}))
    run = r.ctr("run", HostConfig={"NetworkMode": "n1"})
    r.look("running on n1", "n1", "run")
    r.ctr("made", "created", HostConfig={"NetworkMode": "n1"})
    r.look("created on n1", "n1", "made")
    r.ctr("off", "exited", HostConfig={"NetworkMode": "n1"})
    r.look("exited on n1", "n1", "off")

    def undo(net, ctr):
        r.api.call("POST", f"/networks/{net}/disconnect", {"Container": ctr, "Force": True})

    for state in ("run", "made", "off"):
        r.connect(f"{state}: plain", "n2", state)
        r.connect(f"{state}: again", "n2", state)
        r.rec(f"{state}: disconnect", "POST", "/networks/n2/disconnect", {"Container": state})
        r.look(f"{state}: disconnect", "n2", state)
        r.rec(f"{state}: disconnect again", "POST", "/networks/n2/disconnect", {"Container": state})
        r.rec(f"{state}: disconnect again, force", "POST", "/networks/n2/disconnect", {"Container": state, "Force": True})
        r.connect(f"{state}: with an address", "n2", state, {"IPAMConfig": {"IPv4Address": "10.10.2.77"}}, undo=True)
        r.connect(f"{state}: address outside", "n2", state, {"IPAMConfig": {"IPv4Address": "10.99.2.77"}}, undo=True)
        r.connect(f"{state}: address on an automatic subnet", "auto", state, {"IPAMConfig": {"IPv4Address": "172.18.0.77"}}, undo=True)
        r.connect(f"{state}: address garbage", "n2", state, {"IPAMConfig": {"IPv4Address": "foo"}}, undo=True)
        r.connect(f"{state}: to host", "host", state)
        r.connect(f"{state}: to none", "none", state)
        r.connect(f"{state}: to bridge", "podman" if r.podman else "bridge", state, undo=True)
        r.rec(f"{state}: missing network", "POST", "/networks/nosuch/connect", {"Container": state})
        r.rec(f"{state}: missing network: start", "POST", f"/containers/{state}/start")
        r.rec(f"{state}: missing network: disconnect", "POST", "/networks/nosuch/disconnect", {"Container": state})
        undo("nosuch", state)
        r.look(f"{state}: missing network: after", None, state)
        if state != "run":  # an engine that refused the connect could start it: what follows asks one that does not run
            r.api.call("POST", f"/containers/{state}/kill")
    # by what name
    run = r.api.call("GET", "/containers/run/json")[1]["Id"]
    r.connect("by ids", r.api.call("GET", "/networks/n2")[1]["Id"], run, undo=True, look=False)
    r.connect("by id prefixes", r.api.call("GET", "/networks/n2")[1]["Id"][:12], run[:12], undo=True)
    r.hidden = {run: "<ctr:run>", run[:5]: "<5 of ctr:run>"}
    r.connect("container prefix of 5", "n2", run[:5], look=False, undo=True)
    r.hidden.clear()
    r.connect("name with slash", "n2", "/run", look=False, undo=True)
    r.connect("missing container", "n2", "nosuch")
    r.connect("both missing", "nosuch", "nosuch")
    # endpoint settings
    ok = lambda case, net="n2", **config: r.connect(case, net, "run", config, undo=True)
    ok("aliases", Aliases=["web", "www"])
    ok("aliases odd", Aliases=["", "a b", "Ünï", "web", "web"])
    ok("aliases a string", Aliases="web")
    ok("links", Links=["made:db", "off"])
    ok("links missing container", Links=["nosuch:x"])
    ok("links garbage", Links=["a:b:c"])
    ok("v6 address", "six", IPAMConfig={"IPv6Address": "fd00:10::77"})
    ok("v4 and v6 address", "six", IPAMConfig={"IPv4Address": "10.10.6.77", "IPv6Address": "fd00:10::77"})
    ok("v6 plain", "six")
    ok("v6 address outside", "six", IPAMConfig={"IPv6Address": "fd00:99::77"})
    ok("v6 address on a v4 network", IPAMConfig={"IPv6Address": "fd00:10::77"})
    ok("v6 garbage", "six", IPAMConfig={"IPv6Address": "foo"})
    ok("v4 in the v6 field", "six", IPAMConfig={"IPv6Address": "10.10.6.77"})
    ok("v6 in the v4 field", "six", IPAMConfig={"IPv4Address": "fd00:10::77"})
    ok("link-local v4", IPAMConfig={"LinkLocalIPs": ["169.254.34.68"]})
    ok("link-local v6", IPAMConfig={"LinkLocalIPs": ["fe80::3468"]})
    ok("link-local v6 on a v6 network", "six", IPAMConfig={"LinkLocalIPs": ["fe80::3468"]})
    ok("link-local not link-local", IPAMConfig={"LinkLocalIPs": ["10.0.0.9"]})
    ok("link-local garbage", IPAMConfig={"LinkLocalIPs": ["foo"]})
    ok("IPAMConfig null", IPAMConfig=None)
    ok("IPAMConfig empty", IPAMConfig={})
    ok("address empty", IPAMConfig={"IPv4Address": ""})
    ok("address with mask", IPAMConfig={"IPv4Address": "10.10.2.77/24"})
    ok("address is the gateway", IPAMConfig={"IPv4Address": "10.10.2.1"})
    ok("address is the network", IPAMConfig={"IPv4Address": "10.10.2.0"})
    ok("address is the broadcast", IPAMConfig={"IPv4Address": "10.10.2.255"})
    ok("address outside the range", "ranged", IPAMConfig={"IPv4Address": "10.10.3.5"})
    ok("address is an aux address", "ranged", IPAMConfig={"IPv4Address": "10.10.3.129"})
    ok("ranged plain", "ranged")
    ok("mac", MacAddress="92:d0:c6:0a:29:33")
    ok("mac upper case with dashes", MacAddress="92-D0-C6-0A-29-34")
    ok("mac garbage", MacAddress="foo")
    ok("mac multicast", MacAddress="01:00:5e:00:00:01")
    ok("mac zero", MacAddress="00:00:00:00:00:00")
    ok("mac of 8 bytes", MacAddress="92:d0:c6:0a:29:33:00:00")
    ok("driver options", DriverOpts={"foo": "bar"})
    ok("driver option sysctl", DriverOpts={"com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1"})
    ok("driver option bad sysctl", DriverOpts={"com.docker.network.endpoint.sysctls": "foo"})
    ok("driver option ifname", DriverOpts={"com.docker.network.endpoint.ifname": "lab0"})
    ok("driver option ifname taken", DriverOpts={"com.docker.network.endpoint.ifname": "eth0"})
    ok("driver option ifname too long", DriverOpts={"com.docker.network.endpoint.ifname": "a" * 20})
    ok("GwPriority", GwPriority=10)
    ok("GwPriority a string", GwPriority="10")
    ok("operational fields", IPAddress="10.10.2.88", Gateway="10.10.2.9", NetworkID="foo", EndpointID="bar", IPPrefixLen=8, DNSNames=["x"])
    ok("unknown field", Foo=1)
    r.ctr("fresh", "created", HostConfig={"NetworkMode": "n1"})
    r.connect("fresh: everything", "six", "fresh", {
        "MacAddress": "92:d0:c6:0a:29:39", "Aliases": ["x"], "Links": ["run:y"], "DriverOpts": {"foo": "bar"}, "GwPriority": 7,
        "IPAMConfig": {"IPv4Address": "10.10.6.99", "IPv6Address": "fd00:10::99"}})
    r.rec("fresh: everything: start", "POST", "/containers/fresh/start")
    r.look("fresh: everything: start", "six", "fresh")
    # addresses in use
    r.ctr("peer", HostConfig={"NetworkMode": "n2"})
    ip = networks_of(r.api.call("GET", "/containers/peer/json")[1])["n2"]["IPAddress"]
    ok("address in use", IPAMConfig={"IPv4Address": ip})
    r.connect("made: address in use", "n2", "made", {"IPAMConfig": {"IPv4Address": ip}})
    r.rec("made: address in use: start", "POST", "/containers/made/start")
    undo("n2", "made")
    r.rec("made: start after", "POST", "/containers/made/start")
    ok("mac in use", MacAddress=networks_of(r.api.call("GET", "/containers/peer/json")[1])["n2"]["MacAddress"])
    # bodies
    for case, raw in (("no body", None), ("empty body", b""), ("empty object", b"{}"), ("container empty", b'{"Container":""}'), ("container null", b'{"Container":null}'),
                      ("container a number", b'{"Container":7}'), ("invalid JSON", b"{"), ("lower-case key", b'{"container":"run"}'),
                      ("endpoint null", b'{"Container":"run","EndpointConfig":null}'), ("endpoint a list", b'{"Container":"run","EndpointConfig":[]}')):
        for verb in ("connect", "disconnect"):
            r.rec(f"{verb}: {case}", "POST", f"/networks/n2/{verb}", raw=raw, headers={"Content-Type": "application/json"})
    undo("n2", "run")
    r.rec("connect: text/plain", "POST", "/networks/n2/connect", raw='{"Container":"run"}', headers={"Content-Type": "text/plain"})
    undo("n2", "run")
    # disconnect
    r.rec("disconnect: missing container", "POST", "/networks/n2/disconnect", {"Container": "nosuch"})
    r.rec("disconnect: missing container, force", "POST", "/networks/n2/disconnect", {"Container": "nosuch", "Force": True})
    r.rec("disconnect: missing network", "POST", "/networks/nosuch/disconnect", {"Container": "run"})
    r.rec("disconnect: missing network, force", "POST", "/networks/nosuch/disconnect", {"Container": "run", "Force": True})
    r.rec("disconnect: both missing", "POST", "/networks/nosuch/disconnect", {"Container": "nosuch"})
    r.rec("disconnect: force a string", "POST", "/networks/n2/disconnect", {"Container": "run", "Force": "yes"})
    r.rec("disconnect: the last network", "POST", "/networks/n1/disconnect", {"Container": "run"})
    r.look("disconnect: the last network", "n1", "run")
    r.connect("reconnect after the last", "n1", "run")
    r.clean()


def g_phantom(r):
    """What a connect that fails leaves behind in the running container."""
    r.net("n1", IPAM=subnet("10.10.1.0/24"))
    r.net("n2", IPAM=subnet("10.10.2.0/24"))

    def seen():
        status, body = r.api.call("GET", "/containers/box/json")
        return [status, body["message"]] if status != 200 else {
            n: {k: v for k, v in e.items() if k in ("IPAddress", "Gateway", "EndpointID", "IPAMConfig", "Links") and v}
            for n, e in networks_of(body).items()}

    def verb(method, path, body=None):
        status, answer = r.api.call(method, path, body)
        return [status, answer] if answer else [status]
    for case, config in (
            ("address is the gateway", {"IPAMConfig": {"IPv4Address": "10.10.2.1"}}),
            ("address outside", {"IPAMConfig": {"IPv4Address": "10.99.2.77"}}),
            ("links garbage", {"Links": ["a:b:c"]}),
            ("interface name taken", {"DriverOpts": {"com.docker.network.endpoint.ifname": "eth0"}})):
        for then in ("disconnect", "force", "restart", "connect well"):
            r.ctr("box", HostConfig={"NetworkMode": "n1"})
            story = {"connect": verb("POST", "/networks/n2/connect", {"Container": "box", "EndpointConfig": config}), "then": seen()}
            if story["connect"][0] == 200:
                r.api.remove("box")
                continue
            if then == "restart":
                story[then] = verb("POST", "/containers/box/restart?t=0")
            elif then == "connect well":
                story[then] = verb("POST", "/networks/n2/connect", {"Container": "box"})
            else:
                story[then] = verb("POST", "/networks/n2/disconnect", {"Container": "box", "Force": then == "force"})
            story["at last"] = seen()
            r.note(f"{case}, {then}", story)
            r.api.remove("box")
    r.clean()


def g_modes(r):
    """Containers with special network modes, and networks given at creation."""
    r.net("n1", IPAM=subnet("10.10.1.0/24"))
    r.net("n2", IPAM=subnet("10.10.2.0/24"))
    default = "podman" if r.podman else "bridge"
    for mode in ("host", "none", "bridge", "default", ""):
        if r.rec(f"mode {mode!r}: create", "POST", "/containers/create?name=box", {
                "Image": "busybox", "Cmd": ["sleep", "100000"], "HostConfig": {"NetworkMode": mode}})[0] == 201:
            r.look(f"mode {mode!r}: created", None, "box")
            r.rec(f"mode {mode!r}: start", "POST", "/containers/box/start")
            r.look(f"mode {mode!r}: running", mode if mode in ("host", "none") else default, "box")
            r.connect(f"mode {mode!r}: connect", "n1", "box")
            r.rec(f"mode {mode!r}: disconnect from it", "POST", f"/networks/{mode if mode in ('host', 'none') else default}/disconnect", {"Container": "box"})
            r.look(f"mode {mode!r}: after", None, "box")
            r.connect(f"mode {mode!r}: connect again", "n1", "box")
        r.api.remove("box")
    r.ctr("base", HostConfig={"NetworkMode": "n1"})
    if r.rec("mode container: create", "POST", "/containers/create?name=box", {
            "Image": "busybox", "Cmd": ["sleep", "100000"], "HostConfig": {"NetworkMode": "container:base"}})[0] == 201:
        r.rec("mode container: start", "POST", "/containers/box/start")
        r.look("mode container: running", None, "box")
        r.connect("mode container: connect", "n2", "box")
        r.rec("mode container: disconnect", "POST", "/networks/n1/disconnect", {"Container": "box"})
    r.clean()
    n1 = r.net("n1", IPAM=subnet("10.10.1.0/24"))
    r.net("n2", IPAM=subnet("10.10.2.0/24"))

    def made(case, mode, endpoints, **more):
        status, _ = r.rec(case, "POST", "/containers/create?name=box", {
            "Image": "busybox", "Cmd": ["sleep", "100000"], "HostConfig": {"NetworkMode": mode},
            "NetworkingConfig": {"EndpointsConfig": endpoints}, **more})
        if status == 201:
            r.look(case + ": created", None, "box")
            r.rec(case + ": start", "POST", "/containers/box/start")
            r.look(case + ": started", None, "box")
        r.api.remove("box")
    made("at creation: one", "n1", {"n1": {"Aliases": ["x"], "IPAMConfig": {"IPv4Address": "10.10.1.50"}}})
    made("at creation: by id", n1, {n1: {}})
    made("at creation: mode by id, endpoint by name", n1, {"n1": {"Aliases": ["x"]}})
    made("at creation: two", "n1", {"n1": {}, "n2": {}})
    made("at creation: other than the mode", "n1", {"n2": {}})
    made("at creation: mode default, endpoint n1", "default", {"n1": {}})
    made("at creation: mode bridge, endpoint n1", "bridge", {"n1": {}})
    made("at creation: mode none, endpoint n1", "none", {"n1": {}})
    made("at creation: missing mode", "nosuch", {})
    made("at creation: missing endpoint", "n1", {"n1": {}, "nosuch": {}})
    made("at creation: endpoint null", "n1", {"n1": None})
    made("at creation: address outside", "n1", {"n1": {"IPAMConfig": {"IPv4Address": "10.99.1.50"}}})
    made("at creation: address garbage", "n1", {"n1": {"IPAMConfig": {"IPv4Address": "foo"}}})
    made("at creation: address on bridge", "bridge", {"bridge": {"IPAMConfig": {"IPv4Address": "172.17.0.50"}}})
    made("at creation: alias on bridge", "bridge", {"bridge": {"Aliases": ["x"]}})
    made("at creation: mac of the container", "n1", {"n1": {}}, MacAddress="92:d0:c6:0a:29:35")
    made("at creation: mac of the endpoint", "n1", {"n1": {"MacAddress": "92:d0:c6:0a:29:36"}})
    made("at creation: two macs", "n1", {"n1": {"MacAddress": "92:d0:c6:0a:29:36"}}, MacAddress="92:d0:c6:0a:29:35")
    made("at creation: empty name", "n1", {"": {}})
    r.clean()


def g_addresses(r):
    """How addresses are handed out and given back."""
    r.net("n", IPAM=subnet("10.10.1.0/28"))
    got = []
    address = lambda c: networks_of(r.api.call("GET", f"/containers/{c}/json")[1])["n"]["IPAddress"]
    for c in ("c1", "c2", "c3"):
        r.ctr(c, HostConfig={"NetworkMode": "n"})
        got.append(address(c))
    r.api.call("DELETE", "/containers/c2?force=1")
    for c in ("c4", "c5"):
        r.ctr(c, HostConfig={"NetworkMode": "n"})
        got.append(address(c))
    r.note("addresses of c1 c2 c3, then (c2 removed) c4 c5", got)
    r.api.call("POST", "/containers/c1/kill")
    r.api.call("POST", "/containers/c1/wait")
    r.ctr("c6", HostConfig={"NetworkMode": "n"})
    r.note("c1 stopped: address of c1, of c6", [address("c1"), address("c6")])
    r.api.call("POST", "/containers/c1/start")
    r.note("c1 started again", address("c1"))
    r.api.call("POST", "/containers/c1/restart?t=0")
    r.note("c1 restarted", address("c1"))
    r.clean()
    # a full network
    for s in ("10.10.1.0/30", "10.10.1.0/29"):
        r.net("n", IPAM=subnet(s))
        for i in range(8):
            status, _ = r.api.call("POST", f"/containers/create?name=c{i}", {
                "Image": "busybox", "Cmd": ["sleep", "100000"], "HostConfig": {"NetworkMode": "n"}})
            status, body = r.api.call("POST", f"/containers/c{i}/start")
            if status != 204:
                break
        r.note(f"{s}: containers that fit", i)
        r.note(f"{s}: the next", [status, body])
        r.clean()
    r.net("n", IPAM=subnet("10.10.1.0/28"))
    r.net("z", Internal=True)
    r.ctr("box", HostConfig={"NetworkMode": "n"})
    r.connect("second network, internal", "z", "box")
    r.connect("third network", "podman" if r.podman else "bridge", "box")
    for n in ("n", "z"):
        r.api.call("POST", f"/networks/{n}/disconnect", {"Container": "box"})
    r.look("first two gone", None, "box")
    r.rec("rename the container", "POST", "/containers/box/rename?name=moved")
    r.connect("renamed", "n", "moved")
    r.clean()


def sh(r, ctr, text):
    """The lines a shell command prints in a container."""
    status, body = r.api.call("POST", f"/containers/{ctr}/exec", {
        "AttachStdout": True, "AttachStderr": True, "Tty": True, "Cmd": ["sh", "-c", text]})
    if status != 201:
        return [status, body]
    raw = json.dumps({"Detach": False, "Tty": True})
    data = r.api.raw("POST", f"/exec/{body['Id']}/start", raw, {"Content-Type": "application/json"})[2]
    return data.decode("utf-8", "replace").replace("\r", "").splitlines()


def g_inside(r):
    """What a container sees of its networks."""
    r.net("n1", IPAM=subnet("10.10.1.0/24"))
    r.net("n2", IPAM=subnet("10.10.2.0/24"), Internal=True)
    r.net("n3", IPAM=subnet("10.10.3.0/24"), Options={"com.docker.network.bridge.enable_icc": "false"})
    r.net("six", EnableIPv6=True, IPAM=ipam({"Subnet": "10.10.6.0/24"}, {"Subnet": "fd00:10::/64"}))
    default = "podman" if r.podman else "bridge"
    r.ctr("one", HostConfig={"NetworkMode": "n1"}, Hostname="hosta")
    r.ctr("two", HostConfig={"NetworkMode": "n1"},
          NetworkingConfig={"EndpointsConfig": {"n1": {"Aliases": ["web"]}}})
    r.ctr("far", HostConfig={"NetworkMode": "n3"})
    r.ctr("near", HostConfig={"NetworkMode": "n3"})
    r.ctr("plain", HostConfig={"NetworkMode": default})
    r.ctr("lone", HostConfig={"NetworkMode": "none"})
    seen = "ip -o -4 a | awk '{print $2,$4}'; ip r; cat /etc/hosts /etc/resolv.conf | grep -v '^#'"
    for c in ("one", "plain", "lone"):
        r.note(f"{c}: addresses, routes, files", sh(r, c, seen))
    ask = "nslookup -type=a {} 2>&1 | grep -E 'Name|Address|find' | tail -n +2; ping -c1 -W1 {} >/dev/null 2>&1 && echo ping"
    for name in ("two", "web", "one", "hosta", "far", "nosuch"):
        r.note(f"one asks for {name}", sh(r, "one", ask.format(name, name)))
    r.note("one asks for two's short id", sh(r, "one", "ping -c1 -W1 " + r.api.call("GET", "/containers/two/json")[1]["Id"][:12] + " >/dev/null 2>&1 && echo ping"))
    r.note("plain asks for two", sh(r, "plain", ask.format("two", "two")))
    r.note("far pings near (icc false)", sh(r, "far", "ping -c1 -W1 10.10.3.3 >/dev/null && echo ping"))
    r.note("one pings far by address (another network)", sh(r, "one", "ping -c1 -W1 10.10.3.2 >/dev/null && echo ping"))
    for net in ("n2", "six", default):
        r.api.call("POST", f"/networks/{net}/connect", {"Container": "one"})
        r.note(f"one also on {net}", sh(r, "one", seen + "; ip -o -6 a | grep -v 'fe80\|::1' | awk '{print $2,$4}'"))
    r.api.call("POST", "/networks/n1/disconnect", {"Container": "one"})
    r.note("one no longer on n1", sh(r, "one", seen))
    r.clean()


def g_remove(r):
    for state in ("running", "created", "exited", "paused"):
        r.net("n")
        r.ctr("box", state, HostConfig={"NetworkMode": "n"})
        r.rec(f"used by a {state} container", "DELETE", "/networks/n")
        r.rec(f"used by a {state} container: list", "GET", "/networks", pick=names)
        r.look(f"used by a {state} container: after", None, "box")
        r.rec(f"used by a {state} container: start", "POST", "/containers/box/start")
        r.clean()
    r.net("n")
    r.ctr("box", HostConfig={"NetworkMode": "n"})
    r.rec("used, ?force=1", "DELETE", "/networks/n?force=1")
    r.clean()
    # removed and made again under the same name
    r.net("n")
    r.ctr("box", "exited", HostConfig={"NetworkMode": "n"})
    r.api.call("DELETE", "/networks/n")
    try:
        r.net("n")
    except RuntimeError as e:
        r.note("made again: create", str(e))
    r.rec("made again: start", "POST", "/containers/box/start")
    r.look("made again", "n", "box")
    r.clean()
    for n in ("bridge", "host", "none", "podman", "nosuch", "default"):
        r.rec(n, "DELETE", "/networks/" + n)
    ident = r.net("n")
    r.rec("by name", "DELETE", "/networks/n")
    r.rec("again by name", "DELETE", "/networks/n")
    r.rec("again by id", "DELETE", "/networks/" + ident)
    ident = r.net("n")
    r.rec("by id", "DELETE", "/networks/" + ident)
    ident = r.net("n")
    r.hidden = {ident: "<net:n>", ident[:8]: "<8 of net:n>"}
    r.rec("by prefix", "DELETE", "/networks/" + ident[:8])
    r.hidden.clear()
    r.rec("with a body", "DELETE", "/networks/nosuch", {"Force": True})
    r.clean()


def g_prune(r):
    def setup():
        r.net("used", Labels={"a": "1"})
        r.net("held", Labels={"a": "1"})
        r.net("free", Labels={"a": "1"})
        r.net("other", Labels={"b": "2"})
        r.net("bare")
        r.ctr("run", HostConfig={"NetworkMode": "used"})
        r.ctr("off", "exited", HostConfig={"NetworkMode": "held"})

    def prune(case, filters=None, fresh=True):
        if fresh:
            r.clean()
            setup()
        if case in ("until 0s", "until 1ms"):  # engines count from the second that has begun: what was made in it is too young
            time.sleep(1.02 - time.time() % 1)
        query = "" if filters is None else "?" + urlencode({"filters": filters if isinstance(filters, str) else json.dumps(filters)})
        r.rec(case, "POST", "/networks/prune" + query)
        r.rec(case + ": left", "GET", "/networks", pick=names)
    prune("plain")
    prune("again", fresh=False)
    prune("label", {"label": ["a"]})
    prune("label=value", {"label": ["a=1"]})
    prune("label two", {"label": ["a", "b"]})
    prune("label!", {"label!": ["a"]})
    prune("label!=value", {"label!": ["a=1"]})
    prune("label and label!", {"label": ["a"], "label!": ["b"]})
    prune("label map", {"label": {"a": True}})
    prune("until 24h", {"until": ["24h"]})
    prune("until 0s", {"until": ["0s"]})
    prune("until 1ms", {"until": ["1ms"]})
    prune("until an epoch ahead", {"until": ["4102444800"]})
    prune("until an epoch past", {"until": ["1000000000"]})
    prune("until RFC 3339", {"until": ["2100-01-01T00:00:00Z"]})
    prune("until garbage", {"until": ["foo"]}, fresh=False)
    prune("until two", {"until": ["1h", "2h"]}, fresh=False)
    prune("until empty", {"until": []}, fresh=False)
    prune("name", {"name": ["free"]}, fresh=False)
    prune("dangling", {"dangling": ["true"]}, fresh=False)
    prune("unknown filter", {"foo": ["bar"]}, fresh=False)
    prune("malformed", "{", fresh=False)
    prune("empty", "", fresh=False)
    r.rec("GET", "GET", "/networks/prune")
    r.clean()


class Watch(threading.Thread):
    """The engine's events while the block runs.

    The network watch-begin says that the engine has begun to send, watch-end that it has sent all: no wait is longer than needed.
    """

    def __init__(self, r, filters):
        super().__init__(daemon=True)
        self.r, self.lines, self.marks = r, [], set()
        self.conn = r.api.open()
        self.conn.request("GET", "/events?" + urlencode({"filters": json.dumps(filters)}))
        self.sock = self.conn.sock

    def run(self):
        try:
            reply = self.conn.getresponse()
            while line := reply.readline():
                event = json.loads(line)
                told = event["Actor"]["Attributes"]
                name = told.get("name") or told.get("network") or ""  # Podman has the latter
                if name.startswith("watch-"):
                    self.marks.add((name, event["Action"]))
                else:
                    self.lines.append(event)
        except Exception:
            pass

    def __enter__(self):
        self.start()
        self.mark("watch-begin", tries=20)
        return self

    def __exit__(self, *_):
        self.mark("watch-end", tries=1)
        self.sock.shutdown(2)
        self.join(2)

    def mark(self, name, tries):
        """Make and remove a network until its events have come, a second at the most."""
        ends = {(name, "destroy"), (name, "remove")}
        for _ in range(tries):
            self.r.api.call("POST", "/networks/create", {"Name": name, "IPAM": subnet("10.250.0.0/24")})
            self.r.api.call("DELETE", "/networks/" + name)
            for _ in range(100 // tries):
                if self.marks & ends:
                    return
                time.sleep(0.01)


def g_events(r):
    def story():
        r.net("n1", Labels={"k": "v"})
        r.net("n2", Driver="bridge", Internal=True)
        r.ctr("box", "created", HostConfig={"NetworkMode": "n1"})
        r.api.call("POST", "/networks/n2/connect", {"Container": "box"})
        r.api.call("POST", "/networks/n2/disconnect", {"Container": "box"})
        r.api.call("POST", "/containers/box/start")
        r.api.call("POST", "/networks/n2/connect", {"Container": "box", "EndpointConfig": {"Aliases": ["x"]}})
        r.api.call("POST", "/networks/n2/disconnect", {"Container": "box"})
        r.api.call("POST", "/networks/nosuch/connect", {"Container": "box"})
        r.api.call("DELETE", "/networks/n1")
        r.api.call("POST", "/containers/box/restart?t=0")
        r.api.call("POST", "/containers/box/kill")
        r.api.call("POST", "/containers/box/wait")
        r.api.call("DELETE", "/containers/box")
        r.api.call("DELETE", "/networks/n1")
        r.api.call("POST", "/networks/prune")
    with Watch(r, {"type": ["network"]}) as w:
        t0 = time.time()
        story()
        t1 = time.time()
    r.note("type network, live", w.lines)
    r.note("live: brief", [f"{e.get('Action')} {e['Actor']['Attributes'].get('name')}" for e in w.lines])
    with Watch(r, {}) as w:
        story()
    r.note("unfiltered, live: brief", [
        f"{e.get('Type')} {e.get('Action')} {e['Actor']['Attributes'].get('name')}" for e in w.lines])

    def replay(case, filters, since=t0, until=t1):
        q = urlencode({"since": f"{since:.9f}", "until": f"{until:.9f}", "filters": json.dumps(filters)})
        status, _, data = r.api.raw("GET", "/events?" + q)
        lines = [json.loads(x) for x in data.splitlines() if x.strip()] if status == 200 else data.decode()
        r.note(case, [status, [f"{e.get('Action')} {e['Actor']['Attributes'].get('name')}" for e in lines] if status == 200 else lines])
    replay("replay: type network", {"type": ["network"]})
    replay("replay: type network, event connect", {"type": ["network"], "event": ["connect"]})
    replay("replay: network n1", {"network": ["n1"]})
    replay("replay: network n2", {"network": ["n2"]})
    replay("replay: network missing", {"network": ["nosuch"]})
    replay("replay: type network, container box", {"type": ["network"], "container": ["box"]})
    replay("replay: type network, label k=v", {"type": ["network"], "label": ["k=v"]})
    replay("replay: type network, scope local", {"type": ["network"], "scope": ["local"]})
    replay("replay: type garbage", {"type": ["foo"]})
    replay("replay: event garbage", {"type": ["network"], "event": ["foo"]})
    replay("replay: unknown filter", {"foo": ["bar"]})
    replay("replay: since after until", {"type": ["network"]}, t1, t0)
    r.clean()


def g_versions(r):
    """The same calls under older versions of the API."""
    for v in ("1.20", "1.24", "1.40", "1.41", "1.43", "1.44", "1.46", "1.47", "1.48", "1.50", "1.51"):
        if tuple(map(int, v.split("."))) > r.api_version:
            continue
        p = "/v" + v
        r.rec(f"{v}: create", "POST", p + "/networks/create", {"Name": "n", "CheckDuplicate": True})
        r.rec(f"{v}: duplicate", "POST", p + "/networks/create", {"Name": "n", "CheckDuplicate": False})
        r.rec(f"{v}: inspect", "GET", p + "/networks/n")
        r.clean()
        r.rec(f"{v}: invalid range", "POST", p + "/networks/create", {"Name": "n", "IPAM": subnet("10.3.0.0/24", IPRange="10.3.0.129/25")})
        r.clean()
        r.rec(f"{v}: EnableIPv4 false", "POST", p + "/networks/create", {"Name": "n", "EnableIPv4": False, "EnableIPv6": True, "IPAM": subnet("fd00:3::/64")})
        r.rec(f"{v}: EnableIPv4 false: inspect", "GET", p + "/networks/n")
        r.clean()
        r.net("n1", IPAM=subnet("10.10.1.0/24"))
        r.net("n2", IPAM=subnet("10.10.2.0/24"))
        status, _ = r.rec(f"{v}: container on two", "POST", p + "/containers/create?name=box", {
            "Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": "n1"},
            "NetworkingConfig": {"EndpointsConfig": {"n1": {"MacAddress": "92:d0:c6:0a:29:36"}, "n2": {}}}})
        if status == 201:
            r.rec(f"{v}: container on two: inspect", "GET", p + "/containers/box/json", pick=lambda c: networks_of(c))
        r.api.remove("box")
        r.ctr("box", HostConfig={"NetworkMode": "n1"})
        r.rec(f"{v}: connect", "POST", p + "/networks/n2/connect", {"Container": "box", "EndpointConfig": {"MacAddress": "92:d0:c6:0a:29:37", "GwPriority": 5, "Aliases": ["x"]}})
        r.rec(f"{v}: connect: inspect", "GET", p + "/containers/box/json", pick=lambda c: networks_of(c))
        r.rec(f"{v}: list filter until", "GET", p + "/networks?" + urlencode({"filters": '{"name":{"n2":true}}'}), pick=names)
        r.clean()


def g_swarm(r):
    if r.podman:
        r.rec("init", "POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"})
        r.rec("state", "GET", "/swarm")
        return
    r.rec("state before", "GET", "/swarm")
    r.rec("init without an address", "POST", "/swarm/init", {"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "nosuch0"})
    status, _ = r.rec("init", "POST", "/swarm/init", {"ListenAddr": ADVERTISE + ":2377", "AdvertiseAddr": ADVERTISE})
    if status != 200:
        return
    for _ in range(100):
        if {"ingress", "docker_gwbridge"} <= {n["Name"] for n in r.networks()}:
            break
        time.sleep(0.2)
    r.refresh()
    keep = r.keep
    r.keep = keep | {"ingress", "docker_gwbridge"}
    try:
        swarm(r)
    finally:
        r.clean()
        r.rec("leave without force", "POST", "/swarm/leave")
        r.rec("leave", "POST", "/swarm/leave?force=1")
        time.sleep(1)
        r.rec("after leaving: list", "GET", "/networks", pick=names)
        r.keep = keep
        for _ in range(20):
            r.clean()
            if names(r.networks()) == sorted(keep):
                break
            time.sleep(0.5)


def swarm(r):
    r.rec("list", "GET", "/networks")
    r.rec("inspect ingress", "GET", "/networks/ingress")
    r.rec("inspect ingress verbose", "GET", "/networks/ingress?verbose=true")
    r.rec("inspect docker_gwbridge", "GET", "/networks/docker_gwbridge")
    r.create("overlay", Name="g", Driver="overlay")
    r.create("overlay attachable", Name="g", Driver="overlay", Attachable=True)
    r.create("overlay with settings", Name="g", Driver="overlay", Attachable=True, Internal=True, Labels={"k": "v"},
             Options={"encrypted": ""}, IPAM=subnet("10.55.0.0/24", Gateway="10.55.0.9"))
    r.create("overlay scope swarm", Name="g", Driver="overlay", Scope="swarm")
    r.create("overlay scope local", Name="g", Driver="overlay", Scope="local")
    r.create("overlay v6", Name="g", Driver="overlay", EnableIPv6=True, IPAM=subnet("fd00:55::/64"))
    r.create("bridge scope swarm", Name="g", Driver="bridge", Scope="swarm")
    r.create("macvlan scope swarm", Name="g", Driver="macvlan", Scope="swarm", Options={"parent": PARENT})
    r.create("bridge scope local", Name="g", Driver="bridge", Scope="local")
    r.create("second ingress", Name="g", Driver="overlay", Ingress=True)
    r.create("attachable ingress", Name="g", Driver="overlay", Ingress=True, Attachable=True)
    r.create("overlay bad name", Name="a b", Driver="overlay")
    r.create("overlay name with dot", Name="a.b", Driver="overlay")
    r.create("overlay name of 64", Name="n" * 64, Driver="overlay")
    r.create("overlay bad subnet", Name="g", Driver="overlay", IPAM=subnet("foo"))
    r.create("overlay overlapping the ingress", Name="g", Driver="overlay", IPAM=subnet("10.0.0.0/24"))
    r.create("local driver unknown", Name="g", Driver="nosuch", Scope="swarm")
    r.net("ov", Driver="overlay")
    r.net("at", Driver="overlay", Attachable=True)
    r.rec("duplicate overlay", "POST", "/networks/create", {"Name": "ov", "Driver": "overlay"})
    r.rec("bridge named as an overlay", "POST", "/networks/create", {"Name": "ov", "Driver": "bridge"})
    r.rec("bridge named as an overlay: get", "GET", "/networks/ov", pick=lambda n: n["Scope"])
    r.rec("bridge named as an overlay: get swarm", "GET", "/networks/ov?scope=swarm", pick=lambda n: n["Scope"])
    r.rec("bridge named as an overlay: get local", "GET", "/networks/ov?scope=local", pick=lambda n: n["Scope"])
    r.rec("at: get scope swarm", "GET", "/networks/at?scope=swarm")
    r.rec("at: get scope local", "GET", "/networks/at?scope=local")
    r.rec("at: get verbose", "GET", "/networks/at?verbose=true")
    prefix = r.api.call("GET", "/networks/at")[1]["Id"][:8]
    r.hidden = {prefix: "<8 of net:at>"}
    r.rec("at: by prefix", "GET", "/networks/" + prefix, pick=lambda n: n["Name"])
    r.hidden.clear()
    for s in ("swarm", "local", "global"):
        r.rec(f"list scope {s}", "GET", "/networks?" + urlencode({"filters": json.dumps({"scope": [s]})}), pick=names)
    r.rec("list driver overlay", "GET", "/networks?" + urlencode({"filters": json.dumps({"driver": ["overlay"]})}), pick=names)
    r.rec("list dangling", "GET", "/networks?" + urlencode({"filters": json.dumps({"dangling": ["true"]})}), pick=names)
    r.rec("list builtin", "GET", "/networks?" + urlencode({"filters": json.dumps({"type": ["builtin"]})}), pick=names)
    r.ctr("box", HostConfig={"NetworkMode": "bridge"})
    r.connect("connect to an overlay that is not attachable", "ov", "box")
    r.connect("connect to an attachable overlay", "at", "box")
    r.connect("connect to ingress", "ingress", "box")
    r.connect("connect to docker_gwbridge", "docker_gwbridge", "box")
    r.rec("at with a container: get scope local", "GET", "/networks/at?scope=local")
    r.rec("at with a container: get verbose", "GET", "/networks/at?verbose=true")
    r.rec("at with a container: remove", "DELETE", "/networks/at")
    r.rec("at: disconnect", "POST", "/networks/at/disconnect", {"Container": "box"})
    r.rec("container on an overlay that is not attachable", "POST", "/containers/create?name=two",
          {"Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": "ov"}})
    r.rec("container on an overlay that is not attachable: start", "POST", "/containers/two/start")
    r.rec("service on the overlay", "POST", "/services/create", {
        "Name": "svc", "TaskTemplate": {"ContainerSpec": {"Image": "busybox", "Command": ["sleep", "1000"]}, "Networks": [{"Target": "ov"}]}},
        pick=lambda s: "ok")
    time.sleep(5)
    r.rec("service: tasks", "GET", "/tasks", pick=lambda ts: [[t["Status"]["State"], t["Status"].get("Err", "")] for t in ts][:1])
    r.rec("ov with a service: get verbose", "GET", "/networks/ov?verbose=true&scope=swarm")
    r.rec("ov with a service: remove", "DELETE", "/networks/ov?")
    r.rec("remove the service", "DELETE", "/services/svc")
    r.rec("prune", "POST", "/networks/prune")
    r.rec("remove docker_gwbridge", "DELETE", "/networks/docker_gwbridge")
    r.rec("remove ingress", "DELETE", "/networks/ingress")
    time.sleep(1)
    r.create("ingress again", Name="ing", Driver="overlay", Ingress=True, IPAM=subnet("10.66.0.0/24"))


def g_hijack(r):
    """Last, since it moves the default bridge's address: reset the engine afterwards."""
    if r.podman:
        return

    def default():
        return r.api.call("GET", "/networks/bridge")[1]["IPAM"]["Config"]
    before = default()
    status, body = r.rec("default_bridge true", "POST", "/networks/create", {
        "Name": "g", "Options": {"com.docker.network.bridge.default_bridge": "true"}})
    r.rec("default_bridge true: inspect", "GET", "/networks/g")
    r.note("default_bridge true: bridge before, after", [before, default()])
    if status == 201:
        r.ctr("box", HostConfig={"NetworkMode": "bridge"})
        r.note("default_bridge true: a container on bridge reaches its gateway", [
            networks_of(r.api.call("GET", "/containers/box/json")[1])["bridge"]["Gateway"], *sh(r, "box", "ping -c1 -W1 172.17.0.1 >/dev/null && echo yes || echo no")])
    r.clean()


GROUPS = {k[2:]: v for k, v in globals().items() if k.startswith("g_")}
