// Values for people: sizes, durations, times, and text that cannot move the cursor.
#pragma once
#include "base/visible.h"

// "label       text\n", the label as wide as said; nothing when there is no text.
void human_labelled(struct buf *out, int width, const char *label, str text);
// Columns that the text takes on a terminal (wide characters two, combining marks none).
size_t human_width(str s);
// Cuts to at most columns, with an ellipsis when something was cut.
void human_cut(struct buf *out, str s, size_t columns);
// "1 event", "2 events".
void human_plural(struct buf *out, int64_t n, const char *one);
// 842ms, 1.24s, 3m12s: three digits.
void human_duration(struct buf *out, int64_t ns);
void human_size(struct buf *out, uint64_t size);
// "2026-01-01 14:31:52.204" in local time; "never" for 0.
void human_time(struct buf *out, int64_t unix_ns);
// "14 s ago"; "never" for 0.
void human_ago(struct buf *out, int64_t unix_ns, int64_t now_ns);
