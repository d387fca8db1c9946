"""Runs a command on a kernel that seems to have no Landlock: a seccomp filter
answers ENOSYS to landlock_create_ruleset(2).  Usage: no_landlock.py COMMAND..."""

import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SYS_LANDLOCK_CREATE_RULESET, ENOSYS = 444, 38


def instruction(code, jt, jf, k):
    return struct.pack("HBBI", code, jt, jf, k)


program = (instruction(0x20, 0, 0, 0) +                             # load the call's number
           instruction(0x15, 0, 1, SYS_LANDLOCK_CREATE_RULESET) +   # is it this one?
           instruction(0x06, 0, 0, 0x00050000 | ENOSYS) +           # then fail
           instruction(0x06, 0, 0, 0x7FFF0000))                     # else go on
code = ctypes.create_string_buffer(program)
fprog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
    sys.exit("no_new_privs")
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(fprog), 0, 0) != 0:
    sys.exit("seccomp")
os.execvp(sys.argv[1], sys.argv[1:])
