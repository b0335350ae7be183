// Tables of words that the reader and the writer of probes share.
#pragma once
#include "probe/probe.h"

extern const str probe_kind_names[PROBE_KINDS], probe_point_names[PROBE_POINTS], probe_match_names[PROBE_MATCHES],
    probe_keep_names[PROBE_KEEPS], probe_metric_names[PROBE_METRICS], probe_level_names[PROBE_LEVELS];
bool probe_name_find(const str *names, size_t n, str name, unsigned *ret_i);
