"""Rules over stored events: the condition that the store is asked, of one rule and of many
together, leaves out nothing that a rule matches, and a stored row matches as the event did when it came in.  The published rules
over the public recordings, and rules of its own over records that write the same text in
other ways.  Usage: hunt_filter.py STORE_SERVE HUNT_FILTER"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import zipfile

from store_lib import Store, done, folder, ok

serve, tool = map(os.path.abspath, sys.argv[1:3])
shared = os.environ.get("YAGURA_SHARED", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared"))
zips = sorted(glob.glob(os.path.join(shared, "data/events/windows/*.zip")))
if not zips or not os.path.exists(os.path.join(shared, "data/detect/sigma-rules.tar.gz")):
    print("# without the published rules over the recordings: they are not at hand")

RULES = """\
title: unicode escapes
logsource: {product: zeek}
detection: {a: {query|contains: evil}, condition: a}
---
title: slashes and quotes in a name
logsource: {product: zeek}
detection: {a: {note|contains: 'say "hello" to \\\\server/share'}, condition: a}
---
title: a column that is written otherwise
logsource: {category: dns}
detection: {a: {query|endswith: upper.example}, condition: a}
---
title: an address as text
logsource: {category: firewall}
detection: {a: {src_ip: 2001:db8::17}, condition: a}
---
title: a number as text
logsource: {product: zeek}
detection: {a: {id.resp_p: 4443}, condition: a}
---
title: keywords in a URL that is put together
logsource: {product: zeek}
detection: {words: ['http://www.joined.example/index'], condition: words}
---
title: keywords that are digits
logsource: {product: zeek}
detection: {words: ['4003'], condition: words}
---
title: not
logsource: {product: zeek, service: dns}
detection: {a: {query|contains: evil}, b: {query|contains: nothing-of-that-kind}, condition: not b and not a}
---
title: one of several, all of several
logsource: {product: zeek}
detection:
  a: {query: [first.example, second.example, '*.third.example']}
  b: {query|contains|all: [four, part, th.exa]}
  condition: a or b
---
title: short words
logsource: {product: zeek}
detection: {a: {query|contains: 'x-'}, condition: a}
---
title: a program of syslog
logsource: {product: linux, service: sshd}
detection: {words: ['Failed password'], condition: words}
---
title: Windows, an event code and a path
logsource: {product: windows, category: process_creation}
detection: {a: {Image|endswith: '\\\\whoami.exe', CommandLine|contains: ' /all'}, condition: a}
---
title: anything at all
detection: {a: {query: '*.anything.example'}, condition: a}
logsource: {product: zeek}
---
title: an expression
logsource: {product: zeek}
detection: {a: {query|re: '^fi[a-z]+\\.example$'}, condition: a}
---
title: null and exists
logsource: {product: zeek}
detection: {a: {query|exists: true, absent: null}, condition: a}
---
title: a field of a row in TSV that is in no column
logsource: {product: zeek, service: dns}
detection: {a: {trans_id: 40961}, condition: a}
---
title: not the field of a row in TSV
logsource: {product: zeek, service: dns}
detection: {a: {Z: 0}, condition: not a}
---
title: a bit of a row in TSV
logsource: {product: zeek, service: dns}
detection: {a: {rejected: true}, condition: a}
---
title: bytes that a row in TSV writes with a backslash
logsource: {product: zeek, service: dns}
detection: {a: {qclass_name: 'tab, comma'}, condition: a}
---
title: an argument in hexadecimal digits
logsource: {product: linux, service: auditd}
detection: {a: {type: EXECVE, a1|contains: secret plan}, condition: a}
---
title: a command line in hexadecimal digits, zeros between arguments
logsource: {product: linux, service: auditd}
detection: {a: {type: PROCTITLE, proctitle|contains: 'NC -e /bin/sh'}, condition: a}
---
title: a program and its path in hexadecimal digits
logsource: {product: linux, service: auditd}
detection: {a: {comm: Odd Tool, exe|endswith: '/odd tool.x-1_2'}, condition: a}
---
title: keywords in hexadecimal digits
logsource: {product: linux, service: auditd}
detection: {words: ['drop table'], condition: words}
---
title: all of several in hexadecimal digits
logsource: {product: linux}
detection: {a: {proctitle|contains|all: [wget, evil.example]}, condition: a}
"""


def zeek(path, **more):
    return json.dumps({"_path": path, "ts": 1700000000.5, "uid": "C1", "id.orig_h": "10.0.0.1", "id.orig_p": 1, "id.resp_h": "192.0.2.1", "id.resp_p": 53, **more})


ZEEK = [zeek("dns", query="host.\\u0065vil.example").replace("\\\\u", "\\u"), zeek("dns", query="EVIL.example"), zeek("dns", query="harmless.example"),
        zeek("dns", query="q1.example", note='We SAY "hello" to \\server/share'), zeek("dns", query="q2.example", note='say "hello" to \\server/share').replace("/", "\\/"),
        zeek("dns", query="WWW.UPPER.example"), zeek("conn", **{"id.orig_h": "2001:DB8:0::17"}), zeek("conn", **{"id.resp_p": 4443}),
        zeek("http", host="www.joined.example", uri="/index.html", method="GET", **{"id.resp_p": 80}), zeek("dns", query="first.example"), zeek("dns", query="b.third.example"),
        zeek("dns", query="part-four-th.example"), zeek("dns", query="x-y.example"), zeek("dns", query="a.anything.example"), zeek("dns", query="fifty.example"),
        "#separator \\x09", "#path\tdns", "#fields\tts\tuid\tquery\tZ\trejected\ttrans_id\tqclass_name", "#types\ttime\tstring\tstring\tcount\tbool\tcount\tstring",
        "1700000000.5\tC2\ttsv.example\t0\tF\t40961\tC_INTERNET", "1700000000.5\tC3\tevil.tsv.example\t1\tT\t7\ttab\\x2c comma"]


def audit(record):
    return f"<30>1 2023-11-14T22:13:20Z web1 audispd - - - type={record.replace(' ', ' msg=audit(1700000000.123:77): ', 1)}"


def digits(text):
    return text.encode().hex().upper()


SYSLOG = ["<38>1 2023-11-14T22:13:20Z web1 sshd 77 - - Failed password for root from 192.0.2.9 port 22 ssh2",
          audit(f'EXECVE argc=2 a0="cat" a1={digits("my Secret Plan.txt")}'), audit(f'EXECVE argc=2 a0="cat" a1={digits("no plan")}'),
          audit(f"PROCTITLE proctitle={digits('nc' + chr(0) + '-E' + chr(0) + '/bin/sh')}"),
          audit(f"SYSCALL arch=c000003e syscall=59 a0=55d0c0ffee00 comm={digits('ODD tool')} exe={digits('/opt/a b/Odd Tool.X-1_2')} key=(null)"),
          audit(f"PROCTITLE proctitle={digits('psql' + chr(0) + '-c' + chr(0) + 'DROP TABLE users')}"),
          audit(f"PROCTITLE proctitle={digits('wget' + chr(0) + 'http://EVIL.example/x y')}"), audit('PROCTITLE proctitle="ls"')]
WINDOWS = [json.dumps({"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Hostname": "pc1", "EventTime": "2023-11-14 22:13:20",
                       "Image": "C:\\Windows\\System32\\WHOAMI.exe", "CommandLine": "whoami /all"}),
           json.dumps({"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Hostname": "pc1", "EventTime": "2023-11-14 22:13:20",
                       "Image": "C:/Windows\\System32\\whoami.exe", "CommandLine": "whoami  /all"}).replace("/all", "\\/all").replace("whoami ", "\\u0077hoami ")]

with tempfile.TemporaryDirectory() as d:
    store = Store(serve, folder())
    files = []
    for name, lines in (("zeek", ZEEK), ("syslog", SYSLOG), ("windows", WINDOWS)):
        with open(os.path.join(d, f"own-{name}"), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        files.append(f"{name}:{d}/own-{name}")
    for z in zips:
        with zipfile.ZipFile(z) as archive:
            for name in archive.namelist():
                if name.endswith(".json") and not name.startswith("__MACOSX"):
                    files.append("windows:" + archive.extract(name, d))
    rules = os.path.join(d, "rules.yml")
    with open(rules, "w", encoding="utf-8") as f:
        f.write(RULES)
    r = subprocess.run([tool, "unix:" + store.sock, "25", rules, *files], capture_output=True, text=True, timeout=400)
    store.kill()
    print(r.stdout, end="")
    ok(r.returncode == 0, "stored events match as they did when they came in, with the condition and without", (r.returncode, r.stderr[-1500:]))
done()
