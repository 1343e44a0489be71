"""The system calls that no function needs and that would let it look for a way out: refused with EPERM.

A list of what is refused, not of what is allowed, so that every runtime and every library works as on AWS.
"""

import ctypes
import errno
import os
import struct

# name: (x86_64, aarch64); None where the architecture has no such call.
_REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "open_tree": (428, 428), "move_mount": (429, 429), "mount_setattr": (442, 442),
    "mknod": (133, None), "mknodat": (259, 33), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "acct": (163, 89), "quotactl": (179, 60), "syslog": (103, 116),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "vhangup": (153, 58), "lookup_dcookie": (212, 18),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_NAMESPACES = 0x7E020000  # Every CLONE_NEW...
_NO_FAMILIES = (17, 38, 40)  # AF_PACKET, AF_ALG, AF_VSOCK.
_TIOCSTI = 0x5412
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_OF, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_AT, _SECOND_AT = 0, 4, 16, 24
_PR_SET_SECCOMP, _FILTER = 22, 2


def supported():
    return os.uname().machine in _ARCHITECTURES


def install(leaving=0):
    """In the process that becomes the function, after no_new_privs. `leaving`: the one set of namespaces that it may
    still leave for, or none."""
    program = b"".join(_program(*_ARCHITECTURES[os.uname().machine], leaving))
    held = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.c_char_p(head), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, "seccomp: " + os.strerror(number))


def _program(column, architecture, leaving):
    refuse, absent = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    yield _step(_LOAD, _ARCHITECTURE_AT)
    yield from _unless(_EQUAL, architecture, _KILL)
    yield _step(_LOAD, _NUMBER_AT)
    if column == 0:
        yield from _if(_AT_LEAST, _X32, refuse)
    if leaving:
        yield from _call(_REFUSED["unshare"][column], _FIRST_AT, [(_EQUAL, leaving)], _ALLOW, refuse)
    for numbers in _REFUSED.values():
        if numbers[column] is not None:
            yield from _if(_EQUAL, numbers[column], refuse)
    # Its flags lie in memory, where a filter cannot look: libraries then use clone.
    yield from _if(_EQUAL, _CLONE3[column], absent)
    yield from _call(_CLONE[column], _FIRST_AT, [(_ANY_OF, _NAMESPACES)], refuse)
    yield from _call(_SOCKET[column], _FIRST_AT, [(_EQUAL, family) for family in _NO_FAMILIES], refuse)
    yield from _call(_IOCTL[column], _SECOND_AT, [(_EQUAL, _TIOCSTI)], refuse)
    yield _step(_RETURN, _ALLOW)


def _call(number, argument_at, tests, verdict, otherwise=_ALLOW):
    """The verdict on a call whose argument meets a test; another call goes on behind these steps."""
    steps = [_step(_LOAD, argument_at)]
    for test, value in tests:
        steps += _if(test, value, verdict)
    steps.append(_step(_RETURN, otherwise))
    yield _step(_EQUAL, number, 0, len(steps))
    yield from steps


def _if(test, value, verdict):
    return [_step(test, value, 0, 1), _step(_RETURN, verdict)]


def _unless(test, value, verdict):
    return [_step(test, value, 1, 0), _step(_RETURN, verdict)]


def _step(code, value, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, value)
