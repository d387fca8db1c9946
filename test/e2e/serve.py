"""The supervisor: locks its roles in, starts them again, drains, reloads, and
says clearly why it cannot start.  Usage: serve.py YAGURA"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import inject
from harness import Server, bail, done, free_port, library, merge, note, ok, skip, until

BINARY = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
# Without an engine on this machine the roles are tested with a store that is away.
AWAY = {} if library() else {"store": {"url": "http://127.0.0.1:9"}}
PTRACE, EXECVE, CLOSE = 101, 59, 3


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def locked_in(s):
    """What the kernel says about each role from the outside."""
    for p in s.roles():
        st = status_of(p.pid)
        uids = set(st["Uid"].split())
        ok(st["NoNewPrivs"] == "1" and st["Seccomp"] == "2" and int(st["CapEff"], 16) == 0 and
           int(st["CapPrm"], 16) == 0 and int(st["CapAmb"], 16) == 0, f"{p.role}: no privilege, a filter, no way to more",
           st)
        ok(os.geteuid() != 0 or "0" not in uids, f"{p.role}: not root", uids)
        with open(f"/proc/{p.pid}/limits", encoding="ascii") as f:
            ok(re.search(r"Max core file size\s+0\s+0", f.read()), f"{p.role}: leaves no core")
        ok(s.find_event("sandbox.closed", role=p.role, pid=p.pid), f"{p.role}: its own probe passed before it was ready")


def told(s):
    """The same in /api/v1/status, by each process of itself: what the kernel says from outside."""
    names = {"main"} | {p.role if p.role != "ingest" else f"ingest-{p.index}" for p in s.roles()}
    boxes = until(lambda: (b := s.http("GET", "/api/v1/status").json().get("sandboxes", [])) and {x["process"] for x in b} == names and b, 20, 0.2)
    ok(boxes, "every process tells what it found out behind its sandbox", (names, s.http("GET", "/api/v1/status").json().get("sandboxes")))
    for b in boxes or []:
        st = status_of(b["pid"])
        ok([b["uid"]] * 4 == [int(x) for x in st["Uid"].split()] and b["capabilities"] == st["CapEff"] == st["CapPrm"] and b["bounding"] == st["CapBnd"] and
           str(b["seccomp"]) == st["Seccomp"] and b["no_new_privs"] == (st["NoNewPrivs"] == "1") and b["filters"] == int(st.get("Seccomp_filters", 0)),
           f"{b['process']}: what it says of itself is what the kernel says from outside", (b, st))
        ok(b["tried"] and {x["result"] for x in b["tried"]} <= {"EACCES", "EPERM", "ENOENT", "EROFS", "SIGSYS"} and
           (b["process"] == "main" or {"open", "create", "call"} <= {x["what"] for x in b["tried"]}), f"{b['process']}: what it tried was refused", b["tried"])


def forbidden_call(s):
    """A role that does what it may not is killed, reported and started again."""
    why = inject.possible()
    for role in [r for r in ("ingest", "center", "store") if s.pid(r)]:
        for name, number, args in (("ptrace", PTRACE, (0, 0, 0, 0)), ("execve", EXECVE, (0, 0, 0))):
            what = f"{role} dies of {name}() and is started again"
            if why is not True:
                skip(what, why)
                continue
            pid = s.pid(role)
            ready = len(s.events("role.ready", ready=role))
            inject.syscall(pid, number, *args)
            died = s.wait_event("role.crashed", process=pid)
            again = s.wait_event("role.ready", count=ready + 1, ready=role)
            ok(died and died["signal"] == "SYS" and died["sandbox"] is True and again, what, s.log()[-2000:])


def back_off(s):
    before = len(s.events("role.crashed", crashed="ingest"))
    pauses = []
    for n in range(4):
        until(lambda: s.pid("ingest"), 10)
        s.kill("ingest")
        died = s.wait_event("role.crashed", count=before + n + 1, crashed="ingest")
        pauses.append(died["pause_ms"] if died else None)
        s.alive()
    ok(all(p and q and (q == 2 * p or q == 1000) for p, q in zip(pauses, pauses[1:])), "the pause doubles", pauses)
    ok(s.find_event("role.crashed", crashed="ingest")["signal"] == "KILL", "the record names the signal")
    for n in range(4):
        until(lambda: s.pid("ingest"), 10)
        s.kill("ingest")
        died = s.wait_event("role.crashed", count=before + 4 + n + 1, crashed="ingest")
        pauses.append(died["pause_ms"] if died else None)
    ok(pauses[-1] == 1000, "up to process.restart_max", pauses)
    ok(s.wait_event("role.ready", count=1, ready="ingest"), "and then it works again")
    until(lambda: s.events("role.ready", ready="ingest")[-1]["process"] == s.pid("ingest"), 10)


def watchdog(s):
    pid = s.kill("ingest", sig=signal.SIGSTOP)
    died = s.wait_event("role.crashed", 30, process=pid)
    ok(died and died["watchdog"] is True and s.find_event("role.hung", process=pid),
       "a role that hangs is killed by the watchdog", s.log()[-2000:])
    ok(s.wait_event("role.ready", 30, count=1, ready="ingest"), "and started again")
    until(lambda: s.events("role.ready", ready="ingest")[-1]["process"] == s.pid("ingest"), 10)


def lets_go(s):
    """A role that closes its end of the channel and lives on: the supervisor outlives it."""
    what, why = "a role without its channel is killed by the watchdog, and the supervisor goes on", inject.possible()
    if why is not True:
        skip(what, why)
        return
    pid = s.pid("center")
    ready = len(s.events("role.ready", ready="center"))
    inject.syscall(pid, CLOSE, 3)
    died = s.wait_event("role.crashed", 30, process=pid)
    s.alive()
    ok(died and died["watchdog"] is True and s.wait_event("role.ready", 60, count=ready + 1, ready="center"), what, s.log()[-2000:])


def supervisor_away(s):
    """A supervisor that could not run for longer than the watchdog waits kills nobody for that."""
    pid, before = s.pid("ingest"), len(s.events("role.hung"))
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.8)  # it is asked meanwhile
    s.process.send_signal(signal.SIGSTOP)
    os.kill(pid, signal.SIGCONT)  # it answers
    time.sleep(2)
    s.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    ok(s.pid("ingest") == pid and len(s.events("role.hung")) == before, "no role is killed because the supervisor was away", s.log()[-2000:])


def settled(s):
    """What a reload has ended is gone, and every role there is now has said that it is ready."""
    gone = {e["process"] for name in ("role.ended", "role.crashed") for e in s.events(name)}
    return ({e["process"] for e in s.events("conf.role_restart")} <= gone and
            {"ingest", "center"} <= {p.role for p in s.roles()} and
            all(s.find_event("role.ready", process=p.pid) for p in s.roles()))


def listens(port):
    with socket.socket() as c:
        c.settimeout(2)
        return c.connect_ex(("127.0.0.1", port)) == 0


def reload(s):
    pids = {(p.role, p.index): p.pid for p in s.roles()}
    s.write_conf(text="api:\n  adress: 1\nlog:\n  level: loud\n")
    refused = s.reload()
    problems = s.events("conf.problem")
    ok(refused and refused["event"] == "conf.refused" and len(problems) == 2 and
       problems[0]["line"] == 2 and problems[0]["key"] == "api.adress" and "did you mean" in problems[0]["problem"] and
       problems[0]["file"] == s.conf_path and problems[1]["line"] == 4,
       "SIGHUP with a bad file reports file, line and key of every problem", s.log()[-3000:])
    ok({(p.role, p.index): p.pid for p in s.roles()} == pids and listens(s.port), "and changes nothing")

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        s.write_conf({"api": {"address": f"127.0.0.1:{taken}"}})
        refused = s.reload()
        ok(refused and refused["event"] == "conf.refused" and "is taken by" in refused["error"],
           "SIGHUP with a port that is taken says so", refused)
        ok({(p.role, p.index): p.pid for p in s.roles()} == pids and listens(s.port), "and changes nothing")

    other, syslog = free_port(), free_port()
    s.write_conf({"api": {"address": f"127.0.0.1:{other}"}, "ingest": {
        "workers": 2, "listeners": [{"name": "t", "org": "o1", "protocol": "tcp", "address": f"127.0.0.1:{syslog}"}]}})
    done_ = s.reload()
    ok(done_ and done_["event"] == "conf.reloaded" and
       set(done_["keys"].split()) == {"api.address", "ingest.workers", "ingest.listeners"},
       "SIGHUP with a good file names the changed keys", s.log()[-3000:])
    ok(until(lambda: s.pid("ingest", 1), 10), "a second worker starts")
    # the old socket ends with the role that had it
    ok(until(lambda: listens(other) and not listens(s.port) and listens(syslog), 20), "ports are bound anew and the old one is closed")
    ok(until(lambda: s.pid("ingest") not in (None, pids[("ingest", 0)]), 20), "the role that needs it starts again")
    if ("store", 0) in pids:
        ok(s.pid("store") == pids[("store", 0)], "a role that is not concerned goes on")
    s.write_conf()
    s.reload()
    ok(until(lambda: s.pid("ingest", 1) is None, 20), "a worker too many drains and ends", s.log()[-2000:])
    ok(until(lambda: s.pid("ingest", 0) and listens(s.port), 20), "the rest is as before")
    ok(until(lambda: settled(s), 30), "and ready", s.log()[-3000:])


def told_to_center(s):
    """What happened to roles can be read at the API."""
    if s.pid("center") is None:
        skip("crashes are system events", "no role center")
        return

    def names():
        reply = s.http("GET", "/api/v1/system-events?limit=200")
        return [e.get("name") for e in reply.json()["items"]] if reply.status == 200 else []
    ok(until(lambda: "role.crashed" in names(), 10), "crashes are system events at the API", names())


def drain(s):
    running = {p.pid: p.role for p in s.roles()}
    ok(s.stop() == 0, "SIGTERM ends it with status 0", s.log()[-2000:])
    ended = [e for e in s.events("role.ended") if e["process"] in running]
    order = [e["ended"] for e in ended]
    rank = {"ingest": 0, "center": 1, "store": 2}
    ok(sorted(order) == sorted(running.values()) and order == sorted(order, key=rank.get),
       "roles drain in their order, the store last", (running, s.log()[-3000:]))
    ok(all(e["exit"] == 0 and not e["signal"] for e in ended), "each by itself, in time", ended)
    ok(s.find_event("serve.stopped") and not os.path.exists(os.path.join(s.data, "run/api.sock")), "nothing is left behind")


def certificate(s):
    names = ssl._ssl._test_decode_cert(s.certificate())["subjectAltName"]
    ok(("DNS", "localhost") in names and ("IP Address", "127.0.0.1") in names and
       any(k == "IP Address" and v.strip() in ("0:0:0:0:0:0:0:1", "::1") for k, v in names),
       "the first start makes a certificate for this machine", names)
    mode = os.stat(os.path.join(s.data, "keys/tls.key")).st_mode & 0o777
    ok(mode == 0o600, "its key is readable by its owner alone", oct(mode))


def folders(s):
    for name in ("state", "events", "spool", "snapshot", "quarantine", "run", "keys"):
        ok(os.stat(os.path.join(s.data, name)).st_mode & 0o777 == 0o700, f"{name}/ is closed to others")


def second(s):
    other = subprocess.run([BINARY, "serve", "--data", s.data], capture_output=True, timeout=30, check=False)
    ok(other.returncode == 1 and f"in use by another yagura (process {s.main_pid()})" in other.stderr.decode(),
       "a second one on the same data folder is refused and names the first", other.stderr.decode())


def running():
    conf = merge(AWAY, {"process": {"restart_max": "1s", "watchdog": "2s"}})
    with Server(BINARY, conf) as s:
        for part in (folders, certificate, locked_in, second, forbidden_call, back_off, watchdog, lets_go,
                     supervisor_away, told_to_center, reload):
            part(s)
            s.alive()
        drain(s)


def supervisor_dies():
    with Server(BINARY, AWAY) as s:
        pids = [p.pid for p in s.roles()]
        s.process.kill()
        s.process.wait()
        ok(until(lambda: not any(os.path.exists(f"/proc/{p}") for p in pids), 10), "roles end with their supervisor")
        s.launch()
        ok(s.wait_event("serve.ready", 60), "and the same data folder starts again", s.log()[-2000:])


def broken_snapshot():
    """Main hands on what lies in snapshot/ unread; a worker refuses what is none and goes on."""
    def lay(s):
        os.makedirs(f"{s.data}/snapshot", exist_ok=True)
        for name in ("state", "spool"):
            os.makedirs(f"{s.data}/{name}", exist_ok=True)
        with open(f"{s.data}/snapshot/indicators-7.ygs", "wb") as f:
            f.write(b"no snapshot" * 1000)
        with open(f"{s.data}/snapshot/current", "w", encoding="ascii") as f:
            f.write("indicators-7.ygs\n")
    with Server(BINARY, AWAY, before=lay) as s:
        relayed = s.find_event("snapshot.relayed", kind=1)
        ok(relayed and relayed["generation"] == 7, "the last snapshot is handed on at the start", s.log())
        ok(until(lambda: [e for e in s.events() if e["role"] == "ingest" and e["level"] in ("warn", "error")], 10) and
           not s.events("role.crashed", crashed="ingest"), "a broken one is refused by the worker, which goes on", s.log())
    def outside(s):
        lay(s)
        with open(f"{s.data}/snapshot/current", "w", encoding="ascii") as f:
            f.write("../keys/tls.key\n")
    with Server(BINARY, AWAY, before=outside) as s:
        ok(s.find_event("snapshot.unreadable") and not s.find_event("snapshot.relayed", kind=1),
           "a name that leads elsewhere is not followed", s.log())


def notified():
    with tempfile.TemporaryDirectory() as d, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as n:
        os.chmod(d, 0o755)
        n.bind(f"{d}/notify")
        n.settimeout(10)
        said = []

        def wait(word):
            try:
                while not any(word in s for s in said):
                    said.append(n.recv(4096).decode())
            except socket.timeout:
                pass
            return any(word in s for s in said)

        with Server(BINARY, AWAY, env={"NOTIFY_SOCKET": f"{d}/notify", "WATCHDOG_USEC": "400000"}) as s:
            ok(wait("READY=1"), "systemd is told when it is ready")
            ok(wait("WATCHDOG=1"), "and that it lives")
            said.clear()
            s.reload()
            ok(wait("RELOADING=1\nMONOTONIC_USEC=") and wait("READY=1"), "and of a reload", said)
            ok(s.stop() == 0 and wait("STOPPING=1"), "and of the end")


def unprivileged():
    what = "a user without any privilege runs it on high ports"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        skip(what, "no setpriv")
        return

    def hand_over(s):
        if os.geteuid() == 0:
            os.mkdir(s.data)
            os.chown(s.data, 65534, 65534)

    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    with Server(BINARY, AWAY, prefix=prefix, before=hand_over) as s:
        ok(s.find_event("serve.ready"), what)
        locked_in(s)
        told(s)
        ok(s.stop() == 0, "and drains")


def service_unit():
    """The filter of packaging/yagura.service leaves every call that is needed."""
    what = "it runs behind the system call filter of its systemd unit"
    filtered = [sys.executable, f"{HERE}/unit_filter.py"]
    if shutil.which("setpriv") is None or os.geteuid() != 0:
        skip(what, "needs root and setpriv")
        return
    if subprocess.run([*filtered, "true"], capture_output=True, check=False).returncode != 0:
        skip(what, "needs systemd-analyze and libseccomp")
        return

    def hand_over(s):
        os.mkdir(s.data)
        os.chown(s.data, 65534, 65534)

    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *filtered]
    with Server(BINARY, AWAY, prefix=prefix, before=hand_over) as s:
        ok(s.find_event("serve.ready") and not s.events("role.crashed"), what, s.log())
        ok(s.stop() == 0, "and drains")


def refusals():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o700)
        conf = os.path.join(d, "c.yaml")

        def serve(text, data, prefix=()):
            with open(conf, "w", encoding="utf-8") as f:
                f.write(text)
            run = subprocess.run([*prefix, BINARY, "serve", "--config", conf, "--data", data], capture_output=True,
                                 timeout=60, check=False)
            return run.returncode, run.stderr.decode()

        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            port = busy.getsockname()[1]
            os.chmod(d, 0o755)
            code, said = serve(f"api: {{address: \"127.0.0.1:{port}\"}}\n", f"{d}/one")
            ok(code == 1 and f"127.0.0.1:{port} is taken by process {os.getpid()} (python3" in said,
               "a port that is taken: who has it", said)
        code, said = serve("ingest: {workers: 0}\n", f"{d}/two")
        ok(code == 3 and f"{conf}:1: ingest.workers: expected a whole number from 1 to 64, found '0'" in said and
           not os.path.exists(f"{d}/two"), "a bad configuration: where and what, before anything is made", said)
        os.mkdir(f"{d}/mine")
        with open(f"{d}/mine/letter", "w", encoding="utf-8"):
            pass
        code, said = serve("", f"{d}/mine")
        ok(code == 1 and "is no data folder of Yagura" in said and os.listdir(f"{d}/mine") == ["letter"],
           "a folder with other things in it is left alone", said)
        code, said = serve("", "/proc/nowhere")
        ok(code == 1 and "/proc/nowhere" in said, "a data folder that cannot be made", said)
        code, said = serve("", f"{d}/three", [sys.executable, f"{HERE}/no_landlock.py"])
        ok(code == 1 and "does not run without its sandbox" in said and not os.path.exists(f"{d}/three/run"),
           "without Landlock nothing starts: it fails closed", said)
        if os.geteuid() == 0:
            os.mkdir(f"{d}/closed", 0o700)
            code, said = serve(f"api: {{address: \"127.0.0.1:{free_port()}\"}}\n", f"{d}/closed/data")
            ok(code == 1 and "cannot reach the data folder" in said, "a data folder that the roles cannot reach", said)
        else:
            skip("a data folder that the roles cannot reach", "needs root")


def configured():
    with tempfile.TemporaryDirectory() as d:
        def config(*words):
            run = subprocess.run([BINARY, "config", *words], capture_output=True, timeout=30, check=False)
            return run.returncode, run.stdout.decode(), run.stderr.decode()

        with open(f"{d}/bad.yaml", "w", encoding="utf-8") as f:
            f.write("api:\n  timeout: 5\nstore:\n  memmory: 1GiB\n")
        code, out, said = config("check", f"{d}/bad.yaml")
        ok(code == 3 and f"{d}/bad.yaml:2: api.timeout: expected a length of time" in said and
           f"{d}/bad.yaml:4: store.memmory: there is no such key; did you mean 'store.memory'?" in said,
           "config check names file, line, key and what was expected", said)
        code, out, _ = config("print")
        with open(f"{d}/full.yaml", "w", encoding="utf-8") as f:
            f.write(out)
        ok(code == 0 and config("check", f"{d}/full.yaml")[0] == 0 and config("print", f"{d}/full.yaml")[1] == out,
           "config print reads back to itself")
        ok(config("print", "--changed", f"{d}/full.yaml")[:2] == (0, ""), "and nothing of it differs from the defaults")
        with open(f"{d}/empty.yaml", "w", encoding="utf-8"):
            pass
        ok(config("check", f"{d}/empty.yaml")[0] == 0, "an empty file is valid")
        code, out, _ = config("schema")
        ok(code == 0 and __import__("json").loads(out)["properties"]["ingest"]["properties"]["workers"]["maximum"] == 64,
           "config schema is JSON Schema")
        with open(f"{d}/origin.yaml", "w", encoding="utf-8") as f:
            f.write("api:\n  address: 127.0.0.1:9\ningest:\n  listeners:\n    - {name: a, org: o1, source: syslog, protocol: udp, address: '127.0.0.1:1'}\n")
        code, out, _ = config("print", "--origin", "--changed", f"{d}/origin.yaml")
        said = out.splitlines()
        ok(code == 0 and said[0] == f'api.address: "127.0.0.1:9"  # {d}/origin.yaml:2' and f"ingest.listeners[0].protocol: udp  # {d}/origin.yaml:5" in said and
           all("origin.yaml:" in line for line in said), "config print --origin tells where each value is from", out)
        ok("api.connections: " in (out := config("print", "--origin", f"{d}/origin.yaml")[1]) and "  # default\n" in out, "and which are defaults", out[:300])
        code, out, _ = config("print", "--roles")
        ok(code == 0 and "ingest\n" in out and "calls basic" in out, "config print --roles shows what each may do", out)


def main():
    configured()
    refusals()
    running()
    supervisor_dies()
    broken_snapshot()
    notified()
    unprivileged()
    service_unit()
    done()


try:
    main()
except Exception as e:  # a test that breaks off must not look like one that passed
    import traceback
    note(traceback.format_exc())
    bail(f"broke off: {type(e).__name__}")
