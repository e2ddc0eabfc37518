#!/usr/bin/env python3
"""Record what an engine answers to network-related API calls.

    record.py SOCKET FILE [GROUP...]

FILE gets the entries; where it is there already and groups are named, only theirs are recorded anew.
The engine must be there for this alone: EVERY CONTAINER AND NETWORK on it is removed.  It needs the image busybox, and a link
parent0 with 198.51.100.1/24 in its network namespace.
"""
import json
import os
import sys
import time

import groups
from recorder import Recorder

GROUPS = {name[2:]: group for name, group in vars(groups).items() if name.startswith("g_")}


def main(socket, path, *wanted):
    if unknown := set(wanted) - set(GROUPS):
        sys.exit(f"no group {', '.join(sorted(unknown))}, only {', '.join(GROUPS)}")
    recorder = Recorder(socket)
    recorder.clean()
    for group in wanted or GROUPS:
        recorder.group = group
        begun, before = time.time(), len(recorder.entries)
        try:
            GROUPS[group](recorder)
        except Exception as e:
            recorder.note("UNFINISHED", f"{type(e).__name__}: {e}")
            print(f"{group}: UNFINISHED {type(e).__name__}: {e}", file=sys.stderr)
        try:
            recorder.clean()
        except Exception as e:  # the next group may be spoilt by it, and shows it
            print(f"{group}: cannot clean up: {type(e).__name__}: {e}", file=sys.stderr)
        print(f"{group}: {len(recorder.entries) - before} entries in {time.time() - begun:.1f} s", file=sys.stderr)
    entries = recorder.entries
    if wanted and os.path.exists(path):
        with open(path) as file:
            old = json.load(file)["entries"]
        entries = [e for e in old if e["case"].split("/")[0] not in wanted] + entries
        entries.sort(key=lambda e: list(GROUPS).index(e["case"].split("/")[0]))
    save(path, recorder.engine(), entries)


def save(path, engine, entries):
    """One entry a line: a recording that changes shows what changed."""
    def line(value):
        if "case" in value:
            value = {key: value[key] for key in ("case", "request", "status", "type", "seconds", "body") if key in value}
        return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":"))

    def ordered(value, top=True):
        if isinstance(value, dict):
            return {k: ordered(v, False) for k, v in (value.items() if top else sorted(value.items()))}
        return [ordered(v, False) for v in value] if isinstance(value, list) else value
    with open(path, "w") as file:
        file.write('{"engine":' + line(engine) + ',\n"entries":[\n' + ",\n".join(map(line, entries)) + "\n]}\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
