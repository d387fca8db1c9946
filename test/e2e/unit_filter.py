"""Runs a command behind the system call filter of packaging/yagura.service, as the
service manager would load it.  Usage: unit_filter.py COMMAND...
Exit status 77: the filter cannot be made here."""

import ctypes
import os
import re
import subprocess
import sys

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../packaging/yagura.service")
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1  # EPERM


def groups():
    out = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout
    sets, name = {}, None
    for line in out.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif line.startswith("#"):
            name = None
        elif name and line.strip() and not line.strip().startswith("#"):
            sets[name].append(line.strip())
    return sets


def expand(sets, word):
    if not word.startswith("@"):
        return {word}
    return set().union(*(expand(sets, w) for w in sets[word]))


def main():
    try:
        sets = groups()
        lib = ctypes.CDLL("libseccomp.so.2")
    except (OSError, subprocess.CalledProcessError):
        sys.exit(77)
    allowed = expand(sets, "@default")
    with open(UNIT, encoding="utf-8") as f:
        for words in re.findall(r"^SystemCallFilter=(.*)$", f.read(), re.M):
            for word in words.lstrip("~").split():
                if words.startswith("~"):
                    allowed -= expand(sets, word)
                else:
                    allowed |= expand(sets, word)
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_load.argtypes = [ctypes.c_void_p]
    lib.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    ctx = lib.seccomp_init(REFUSE)
    for name in allowed:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and lib.seccomp_rule_add(ctx, ALLOW, number, 0) != 0:
            sys.exit(77)
    if lib.seccomp_load(ctx) != 0:
        sys.exit(77)
    os.execvp(sys.argv[1], sys.argv[1:])


main()
