// The program's own log: one line an event on standard error, "time level place: text".
// Library rooms return errors; only programs (main, agent) and background threads log.
// Never give it a secret: no tokens, keys, links, bodies.
#pragma once

enum log_level { LOG_LVL_DEBUG, LOG_LVL_INFO, LOG_LVL_WARN, LOG_LVL_ERROR };

void log_set_level(enum log_level level);
void log_write(enum log_level level, const char *place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_debug(place, ...) log_write(LOG_LVL_DEBUG, place, __VA_ARGS__)
#define log_info(place, ...) log_write(LOG_LVL_INFO, place, __VA_ARGS__)
#define log_warn(place, ...) log_write(LOG_LVL_WARN, place, __VA_ARGS__)
#define log_error(place, ...) log_write(LOG_LVL_ERROR, place, __VA_ARGS__)
