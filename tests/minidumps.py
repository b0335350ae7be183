"""Writes minidumps, from the format's own specification: a crash with its modules, as Breakpad and Crashpad leave them."""
import struct

LINUX, WINDOWS, MAC = 0x8201, 2, 0x8101
AMD64, ARM64 = 9, 12
PC_AT = {AMD64: 0xF8, ARM64: 0x108}


def text(value):
    data = value.encode("utf-16-le")
    return struct.pack("<I", len(data)) + data + b"\0\0"


def minidump(code=11, pc=0x401234, address=0, modules=(("/srv/game/bin/game", 0x400000, 0x10000, bytes(range(20))),), platform=LINUX, processor=AMD64, thread=4242):
    """modules: (path, base, size, build id)."""
    streams, body, at = [], bytearray(), 32 + 3 * 12

    def put(data):
        where = at + len(body)
        body.extend(data + bytes(-len(data) % 8))
        return where

    def stream(kind, data):
        streams.append(struct.pack("<III", kind, len(data), put(data)))

    stream(7, struct.pack("<HHHBBIIIIIHH", processor, 6, 0, 8, 1, 6, 1, 0, platform, 0, 0, 0) + bytes(24))
    rows = b""
    for path, base, size, build in modules:
        record = struct.pack("<I", 0x4270454C) + build
        rows += struct.pack("<QIIII", base, size, 0, 0, put(text(path))) + bytes(52) + struct.pack("<IIII", len(record), put(record), 0, 0) + bytes(16)
    stream(4, struct.pack("<I", len(modules)) + rows)
    context = bytearray(1232)
    struct.pack_into("<Q", context, PC_AT[processor], pc)
    where = put(bytes(context))
    stream(6, struct.pack("<IIIIQQII", thread, 0, code, 1, 0, address, 0, 0) + bytes(15 * 8) + struct.pack("<II", len(context), where))
    head = struct.pack("<IIIIIIQ", 0x504D444D, 0xA793, len(streams), 32, 0, 0, 0)
    return head + b"".join(streams) + bytes(body)
