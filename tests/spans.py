"""OTLP trace requests made by hand, quickly: one trace each, always the same number of spans."""

SPANS = 40  # a request


def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, payload):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def attribute(key, value):
    return field(1, key.encode()) + field(2, field(1, value.encode()))


def request_of(trace, now_ns):
    """One trace of SPANS spans, one request."""
    spans = b""
    for i in range(SPANS):
        span = field(1, trace) + field(2, (i + 1).to_bytes(8, "big")) + (field(4, (1).to_bytes(8, "big")) if i else b"")
        span += field(5, f"step {i}".encode()) + b"\x39" + now_ns.to_bytes(8, "little") + b"\x41" + (now_ns + 1000 + i).to_bytes(8, "little")
        span += field(9, attribute("step", str(i)))
        spans += field(2, span)
    return field(1, field(1, field(1, attribute("service.name", "kill"))) + field(2, spans))
