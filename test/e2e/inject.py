"""Makes a running process do one system call of our choice, by ptrace: how the
tests prove that a role dies of a forbidden call without any hook in the program.
x86-64 only; needs the right to trace (root)."""

import ctypes
import os
import platform

PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_ATTACH, PTRACE_DETACH = 12, 13, 16, 17
NAMES = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
         "fs_base gs_base ds es fs gs").split()


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in NAMES]


def possible():
    """True, or why it cannot be done here."""
    if platform.machine() != "x86_64":
        return "the injection knows x86-64 only"
    if os.geteuid() != 0:
        return "tracing another process needs root"
    return True


def _ptrace(request, pid, address=0, data=0):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(request, pid, address, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


def syscall(pid, number, *args):
    """The process is waiting in a system call, so the two bytes before its
    instruction pointer are the instruction `syscall`: go back and do another."""
    _ptrace(PTRACE_ATTACH, pid)
    os.waitpid(pid, 0x40000000)  # __WALL
    regs = Registers()
    _ptrace(PTRACE_GETREGS, pid, 0, ctypes.addressof(regs))
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(regs.rip - 2)
        if memory.read(2) != b"\x0f\x05":
            _ptrace(PTRACE_DETACH, pid)
            raise RuntimeError("the process is not waiting in a system call")
    regs.rip -= 2
    regs.rax = number
    regs.orig_rax = 2**64 - 1  # not a call to be restarted
    for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), args):
        setattr(regs, name, value)
    _ptrace(PTRACE_SETREGS, pid, 0, ctypes.addressof(regs))
    _ptrace(PTRACE_DETACH, pid)


def spin(pid, thread, still):
    """Makes one thread run in a circle for ever, as a parser does that does not end.
    Only when it computes in the program's own code and still() holds while it is stopped;
    True when it was done.  Not in a library: stopped inside of malloc it would hold
    the allocator's lock for ever, which no parser does, and other threads would hang with it."""
    program = os.readlink(f"/proc/{pid}/exe")
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        code = next(line for line in maps if " r-xp " in line and line.rstrip("\n").endswith(program))
    start, end = (int(x, 16) for x in code.split()[0].split("-"))  # what is at its start runs at its start alone
    _ptrace(PTRACE_ATTACH, thread)
    os.waitpid(thread, 0x40000000)  # __WALL
    done = False
    try:
        regs = Registers()
        _ptrace(PTRACE_GETREGS, thread, 0, ctypes.addressof(regs))
        with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(regs.rip - 2)
            if start <= regs.rip < end and memory.read(2) != b"\x0f\x05" and still():
                memory.seek(start)
                memory.write(b"\xeb\xfe")  # jmp to itself
                regs.rip = start
                regs.orig_rax = 2**64 - 1
                _ptrace(PTRACE_SETREGS, thread, 0, ctypes.addressof(regs))
                done = True
    finally:
        _ptrace(PTRACE_DETACH, thread)
    return done
