// Probes that name a file which scripts were made of.
#pragma once
#include "agent/node/attachment.h"

struct map_candidates { // scripts that were made of the file that a probe names
    str urls[CANDIDATES_MAX];
    size_t n;
};

// "file:///srv/app/a.js" is "app/a.js".
bool session_url_matches(str url, str file);
// Looks at the maps of the loaded scripts for the files that no script is called by. Once a session.
void session_maps_find(struct attachment *a);
// Whether the probe means a source of the script whose text is known; then *ret_view and *ret_source are, too. Negative: it does, and that cannot be followed.
int session_map_of(struct attachment *a, const struct placed *p, const struct map_view **ret_view, uint32_t *ret_source,
                   struct err *err);
// The text of that source, in the session's arena. ERR_NOENT: the map does not hold it, nor has the process such a file.
int session_map_content(struct attachment *a, uint32_t source, str *ret_text, struct err *err);
// Where in the script it has come to stand, as data of the probe's state.
void session_map_placed(struct attachment *a, struct placed *p, const struct edit_probe *e);
// The script's text is this one now.
void session_map_edited(struct attachment *a, str text);
// The script is done with.
void session_map_end(struct attachment *a);
