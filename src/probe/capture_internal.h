// Sections of a capture, as its writer, its sweep and its reader have them: see capture.h.
#pragma once
#include "probe/capture.h"

enum capture_tag {
    CAPTURE_END = 0,
    CAPTURE_THREAD = 1,     // text
    CAPTURE_FRAME = 2,      // function, file: texts; line: varint; module: text; in_app: byte
    CAPTURE_VAR = 3,        // frame: varint; kind: byte; name: text; value
    CAPTURE_EXPR = 4,       // index: varint; value
    CAPTURE_EXPR_ERROR = 5, // index: varint; text
    CAPTURE_RETURN = 6,     // value
    CAPTURE_EXCEPTION = 7,  // type, message: texts; value
    CAPTURE_LOG = 8,        // text
    CAPTURE_METRIC = 9,     // 8 bytes
};

enum {
    CAPTURE_HAS_TRACE = 1,
    CAPTURE_HAS_SPAN = 2,
    CAPTURE_IS_CUT = 4,
    CAPTURE_REPORTER_NONE = 8, // somebody has looked, and there was none
    CAPTURE_REPORTER_SENTRY = 16,
};

struct capture_section {
    enum capture_tag tag;
    uint32_t number; // frame of a variable, index of an expression, line of a frame
    uint8_t kind;    // of a variable; of a frame: in_app
    str text[3];     // in the order above
    double metric;
    bytes value;
};

// Reads the section at *at and moves on. ERR_TRUNCATED, ERR_MALFORMED.
int capture_section_next(bytes record, size_t *at, struct capture_section *ret);

struct probe;
struct buf;
// Appends the message of a logpoint. The values of its parts are expressions behind those of the probe.
int capture_log_body(const struct capture_section *list, size_t n, const struct probe *probe, struct buf *out,
                     unsigned *ret_redacted);
