// Fields inside a text, for the step `parse`: a JSON object, or logfmt (key=value key="quoted value"). They
// become one flat map of dotted names, in the encoding of wire/value.h; of equal names the last one counts.
#pragma once
#include "base/arena.h"
#include "wire/value.h"

enum { TEXT_FIELDS_DEPTH_MAX = 16, TEXT_FIELDS_MAX = 1000 };

// *ret: the map, its encoding in arena; VALUE_NULL when the text has no fields (is no JSON object). *ret_cut: it
// is nested deeper or has more fields than is read; those within are in the map. 0 or ERR_NOMEM.
int text_fields_json(struct arena *arena, str text, struct value *ret, bool *ret_cut);
// Words without `=` are passed over. Values: true and false; numbers that print as they are written; else text.
int text_fields_logfmt(struct arena *arena, str text, struct value *ret, bool *ret_cut);
// Both maps: names that are in neither twice; `first` wins. Either may be VALUE_NULL.
int text_fields_join(struct arena *arena, const struct value *first, const struct value *second, struct value *ret);
