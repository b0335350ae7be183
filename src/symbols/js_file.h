// What a JavaScript file says about itself in comments: its map and its debug id.
#pragma once
#include "base/buf.h"
#include "base/err.h"

// The last "//# sourceMappingURL=" (or "//@"), without query and fragment; a data: URL whole. Empty: none. A view.
str js_source_mapping_url(str source);
// The last "//# debugId=". Empty: none. A view.
str js_debug_id(str source);
// data:application/json[;charset=...];base64,... or percent-encoded: its bytes, appended. ERR_UNSUPPORTED: no data: URL;
// ERR_MALFORMED, ERR_NOMEM, ERR_LIMIT (out's max).
int js_data_url(str url, struct buf *out);
