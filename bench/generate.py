#!/usr/bin/env python3
"""Deterministic inputs for the benchmarks: Zeek NDJSON and indicator lists.

  generate.py zeek N > file        N records: dns, conn, http, ssl in real proportions
  generate.py indicators N > file  CSV; the first 1,000 also occur in the records
"""
import random
import sys

WORDS = ["mail", "www", "cdn", "api", "login", "static", "img", "update", "portal", "news", "files", "sync", "auth"]
TLDS = ["com", "net", "org", "jp", "info", "io"]


def domain(rng):
    name = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(rng.randint(5, 16)))
    return f"{name}.{rng.choice(TLDS)}"


def bad(i):
    return f"bad{i:05d}.indicator-{i % 97}.example"


def zeek(n):
    rng = random.Random(7)
    names = [f"{rng.choice(WORDS)}.{domain(rng)}" for _ in range(5000)]
    out = sys.stdout.write
    t = 1_760_000_000.0
    for i in range(n):
        t += rng.random() * 0.002
        uid = f"C{rng.getrandbits(80):020x}"[:18]
        src = f"10.{i % 13}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
        dst = f"{rng.randint(11, 223)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
        sp = rng.randint(1024, 65535)
        name = bad(rng.randint(0, 999)) if rng.random() < 0.0005 else rng.choice(names)
        kind = rng.random()
        head = f'"ts":{t:.6f},"uid":"{uid}","id.orig_h":"{src}","id.orig_p":{sp},"id.resp_h":"{dst}"'
        if kind < 0.40:
            out(f'{{"_path":"dns",{head},"id.resp_p":53,"proto":"udp","trans_id":{rng.randint(0, 65535)},"rtt":0.0{rng.randint(1000, 9999)},'
                f'"query":"{name}","qclass":1,"qclass_name":"C_INTERNET","qtype":1,"qtype_name":"A","rcode":0,"rcode_name":"NOERROR",'
                f'"AA":false,"TC":false,"RD":true,"RA":true,"Z":0,"answers":["{dst}"],"TTLs":[300.0],"rejected":false}}\n')
        elif kind < 0.80:
            out(f'{{"_path":"conn",{head},"id.resp_p":443,"proto":"tcp","service":"ssl","duration":{rng.random() * 9:.6f},'
                f'"orig_bytes":{rng.randint(100, 9999)},"resp_bytes":{rng.randint(100, 999999)},"conn_state":"SF","local_orig":true,'
                f'"local_resp":false,"missed_bytes":0,"history":"ShADadFf","orig_pkts":12,"orig_ip_bytes":1500,"resp_pkts":15,"resp_ip_bytes":9000}}\n')
        elif kind < 0.92:
            out(f'{{"_path":"ssl",{head},"id.resp_p":443,"version":"TLSv12","cipher":"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",'
                f'"curve":"x25519","server_name":"{name}","resumed":false,"established":true,"ssl_history":"CsxknGIi"}}\n')
        else:
            out(f'{{"_path":"http",{head},"id.resp_p":80,"trans_depth":1,"method":"GET","host":"{name}","uri":"/{rng.choice(WORDS)}/{rng.randint(1, 99999)}.html",'
                f'"version":"1.1","user_agent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36","request_body_len":0,'
                f'"response_body_len":{rng.randint(100, 99999)},"status_code":200,"status_msg":"OK","resp_mime_types":["text/html"]}}\n')


def indicators(n):
    rng = random.Random(11)
    out = sys.stdout.write
    out("indicator,type,category,family\n")
    for i in range(min(n, 1000)):
        out(f"{bad(i)},domain,malware,bench\n")
    for i in range(n - 1000):
        k = i % 100
        if k < 72:
            out(f"{domain(rng)},domain,malware,family{i % 300}\n")
        elif k < 89:
            out(f"203.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}:{rng.randint(1, 65535)},ip-port,malware,family{i % 300}\n")
        elif k < 99:
            out(f"/{rng.choice(WORDS)}/{rng.getrandbits(40):x}.php,url,malicious,family{i % 300}\n")
        else:
            out(f"198.{rng.randint(18, 19)}.{rng.randint(0, 255)}.{rng.randint(1, 254)},ip,malware,family{i % 300}\n")


{"zeek": zeek, "indicators": indicators}[sys.argv[1]](int(sys.argv[2]))
