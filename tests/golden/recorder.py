"""What an engine answers, recorded as entries.

An entry is {case, request, status, type, body}, and seconds where it took more than 2.  Bodies are normalised: ids become
<net:NAME>, <ctr:NAME> or <id>, times <time>, MAC addresses <mac>, and lists of networks are sorted.
"""
import json
import os
import re
import time

from engine import Engine, decode

BROKEN = " > the container is broken afterwards"


class Recorder:
    def __init__(self, sock):
        self.api = Engine(sock)
        self.entries = []
        self.ids = {}
        self.hidden = {}      # parts of ids, which are random too, and what is shown for them
        self.keep = set()
        self.made = {}        # containers by name, and how they were made
        self.podman = self.api.is_podman()
        self.version = self.api.version()
        self.api_version = tuple(int(x) for x in self.version["ApiVersion"].split("."))
        self.group = ""
        self.mended = mended(os.environ.get("GOLDEN_RECORDED"))
        self.refresh()
        self.keep = {n["Name"] for n in self.networks()}

    # --- state -----------------------------------------------------------------
    def networks(self):
        return self.api.call("GET", "/networks")[1]

    def refresh(self):
        for n in self.networks():
            self.ids[n["Id"]] = f"<net:{n['Name']}>"
        for c in self.api.call("GET", "/containers/json?all=1")[1]:
            self.ids[c["Id"]] = f"<ctr:{c['Names'][0].lstrip('/')}>"

    def net(self, name, **fields):
        ident = self.api.network(name, **fields)
        self.ids[ident] = f"<net:{name}>"
        return ident

    def ctr(self, name, state="running", **fields):
        ident = self.api.container(name, state, **fields)
        self.ids[ident] = f"<ctr:{name}>"
        self.made[name] = (state, fields)
        return ident

    def mend(self, ctr, case):
        """Podman before 5.8 cannot inspect a container again after a failed connect; make it anew.  In a replay, do so
        where it was done, so that what follows begins alike."""
        status, body = self.api.call("GET", f"/containers/{ctr}/json")
        if (status == 500 or case in self.mended) and ctr in self.made:
            self.api.remove(ctr)
            state, fields = self.made[ctr]
            self.ctr(ctr, state, **fields)
            return body if status == 500 else None

    def clean(self):
        self.api.clean(self.keep, self.made)
        self.made.clear()
        self.hidden.clear()

    def hide(self, text):
        for part in sorted(self.hidden, key=len, reverse=True):
            text = text.replace(part, self.hidden[part])
        return text

    # --- recording ---------------------------------------------------------------
    def rec(self, case, method, path, body=None, raw=None, headers=None, pick=None):
        """One call, recorded.  raw replaces the JSON of body; pick narrows the answer."""
        if raw is None and body is not None:
            raw, default = json.dumps(body), {"Content-Type": "application/json"}
        else:
            default = {} if headers is not None or raw is None else {"Content-Type": "application/json"}
        t0 = time.time()
        try:
            status, heads, data = self.api.raw(method, path, raw, headers or default)
            answer = decode(data)
        except Exception as e:  # the engine closed the connection, or hung
            status, heads, answer = 0, {}, f"{type(e).__name__}: {e}"
        if status == 201 and isinstance(answer, dict) and answer.get("Id"):
            name = (body or {}).get("Name") if isinstance(body, dict) else None
            name = name or re.sub(r".*name=([^&]*).*", r"\1", path)
            kind = "ctr" if "/containers/" in path else "net"
            self.ids.setdefault(answer["Id"], f"<{kind}:{self.hide(name)}>")
        shown = raw if isinstance(raw, str) or raw is None else repr(raw)
        request = f"{method} {path}" + (f" {shown if len(shown) < 600 else shown[:80] + f'...({len(shown)} bytes)'}" if shown is not None else "")
        kept = pick(answer) if pick and status < 300 else answer
        self.entries.append({
            "case": f"{self.group}/{case}", "request": self.normal(request),
            "status": status, "type": heads.get("Content-Type", ""), "body": self.normal(kept)})
        if time.time() - t0 > 2:
            self.entries[-1]["seconds"] = round(time.time() - t0)
        return status, answer

    def note(self, case, value):
        """A fact worked out from several calls."""
        self.entries.append({"case": f"{self.group}/{case}", "request": "", "status": None,
                             "type": "", "body": self.normal(value)})

    def normal(self, value):
        if isinstance(value, dict):
            return {self.normal(k): self.normal(sorted(v) if k == "NetworksDeleted" and v else v)
                    for k, v in value.items() if k not in ("time", "timeNano")}
        if isinstance(value, list):
            out = [self.normal(v) for v in value]
            if out and all(isinstance(v, dict) and "Name" in v for v in out):
                out.sort(key=lambda v: (v["Name"], json.dumps(v, sort_keys=True)))
            return out
        if not isinstance(value, str):
            return value
        s = self.hide(value)
        if len(s) > 400:
            s = s[:300] + f"...({len(value)} characters)"
        s = re.sub(r"[0-9a-f]{64}", lambda m: self.ids.get(m[0], "<id>"), s)
        s = re.sub(r"\b[0-9a-f]{12}\b", self.short, s)
        s = re.sub(r"\b(?=[a-z0-9]*\d)(?=[a-z0-9]*[g-z])[a-z0-9]{25}\b", "<swarmid>", s)
        s = re.sub(r"\b(?!0001)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d| [+-]\d{4} \S+)?", "<time>", s)
        s = re.sub(r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b",
                   lambda m: m[0] if m[0].startswith("92:d0") else "<mac>", s)
        s = re.sub(r"fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}(:[0-9a-f]{1,4})?::", "<ula>::", s)
        s = re.sub(r"0x[0-9a-f]{6,}", "<pointer>", s)
        s = re.sub(r"\(1[78]\d{8}\.\d+\)", "(<time>)", s)
        # Docker walks a map here, in another order each time.
        s = re.sub(r"(?<=network endpoints: )\w+(, \w+)+", lambda m: ", ".join(sorted(m[0].split(", "))), s)
        s = re.sub(r"\d+ matches found based on ID", "<n> matches found based on ID", s)
        s = re.sub(r"(?<=more than one result for network ID )[0-9a-f]{1,4}\b", "<prefix>", s)
        return re.sub(r"\b(veth|podman|vx-|dm-)[0-9a-f]{2,12}\b", r"\1<n>", s)

    def short(self, match):
        full = [v for k, v in self.ids.items() if k.startswith(match[0])]
        return full[-1].replace(":", "12:") if full else "<id12>"

    # --- the shapes of case that recur ---------------------------------------------
    def create(self, case, **body):
        """Create; where that works, inspect and delete as well."""
        self.create_raw(case, body=body)

    def create_raw(self, case, path="/networks/create", **how):
        status, answer = self.rec(case, "POST", path, **how)
        if status == 201 and isinstance(answer, dict):
            self.rec(case + " > inspect", "GET", "/networks/" + answer["Id"])
            status, answer = self.api.call("DELETE", "/networks/" + answer["Id"])
            if status != 204:
                self.note(case + " > delete", [status, answer])
        self.clean_nets()

    def clean_nets(self):
        for n in self.networks():
            if n["Name"] not in self.keep:
                self.api.call("DELETE", "/networks/" + n["Id"])

    def connect(self, case, net, ctr, config=None, look=True, raw=None, undo=False):
        body = {"Container": ctr}
        if config is not None:
            body["EndpointConfig"] = config
        before = self.attached(ctr)
        status, _ = self.rec(case, "POST", f"/networks/{net}/connect", body=None if raw else body, raw=raw)
        more = self.attached(ctr) - before
        if status == 200 and look:
            self.look(case, net, ctr)
        if status != 200 and more:
            self.look(case + " > attached all the same", None, ctr)
        if status != 200:  # Docker refuses to disconnect such a phantom, unless a connect succeeds first
            for n in more:
                self.api.call("POST", f"/networks/{n}/connect", {"Container": ctr})
                self.api.call("POST", f"/networks/{n}/disconnect", {"Container": ctr})
        elif undo:
            self.api.call("POST", f"/networks/{net}/disconnect", {"Container": ctr, "Force": True})
        if self.podman and (broken := self.mend(ctr, f"{self.group}/{case}")):
            self.note(case + BROKEN, broken)

    def attached(self, ctr):
        status, body = self.api.call("GET", f"/containers/{ctr.lstrip('/')}/json")
        return set(networks_of(body) or ()) if status == 200 else set()

    def look(self, case, net, ctr):
        self.rec(case + " > container", "GET", f"/containers/{ctr}/json", pick=settings)
        if net:
            self.rec(case + " > network", "GET", f"/networks/{net}", pick=members)

    def engine(self):
        """Which engine it was: a recording is of that one, and of no other."""
        return {k: self.version.get(k) for k in ("Version", "ApiVersion", "MinAPIVersion")}


def mended(recording):
    """The cases of a recording after which a container had to be made anew."""
    if not recording:
        return set()
    with open(recording) as file:
        cases = [entry["case"] for entry in json.load(file)["entries"]]
    return {case.removesuffix(BROKEN) for case in cases if case.endswith(BROKEN)}


def settings(c):
    return {"State": c["State"]["Status"], "NetworkMode": c["HostConfig"]["NetworkMode"],
            "NetworkSettings": {k: v for k, v in c["NetworkSettings"].items()
                                if k not in ("SandboxID", "SandboxKey")}}


def networks_of(c):
    return c["NetworkSettings"].get("Networks")


def members(n):
    return {k: n.get(k) for k in ("Name", "Containers", "Status") if k in n}


def names(listing):
    return sorted(n["Name"] for n in listing or [])


def ipam(*configs, **more):
    return {"Driver": "default", "Config": list(configs), **more}


def subnet(s, **more):
    return ipam({"Subnet": s, **more})
