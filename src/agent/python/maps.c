#include "agent/python/maps.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool hex_take(str *s, uint64_t *ret)
{
    uint64_t v = 0;
    size_t n = 0;
    for (; n < s->len && n < 16; n++) {
        char c = s->ptr[n];
        unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
        if (d == 16)
            break;
        v = v << 4 | d;
    }
    *s = str_slice(*s, n, s->len);
    *ret = v;
    return n > 0;
}

static bool char_take(str *s, char c)
{
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = str_slice(*s, 1, s->len);
    return true;
}

static str word_take(str *s)
{
    ptrdiff_t end = str_find_char(*s, ' ', 0);
    str word = str_slice(*s, 0, end < 0 ? s->len : (size_t)end);
    *s = str_slice(*s, word.len + (end < 0 ? 0 : 1), s->len);
    return word;
}

static bool line_parse(str line, struct maps_entry *ret)
{
    struct maps_entry e = { 0 };
    if (!hex_take(&line, &e.start) || !char_take(&line, '-') || !hex_take(&line, &e.end) || !char_take(&line, ' '))
        return false;
    str flags = word_take(&line);
    if (flags.len != 4 || e.end <= e.start)
        return false;
    e.read = flags.ptr[0] == 'r', e.write = flags.ptr[1] == 'w';
    e.exec = flags.ptr[2] == 'x', e.shared = flags.ptr[3] == 's';
    if (!hex_take(&line, &e.offset) || !char_take(&line, ' '))
        return false;
    word_take(&line); // device
    str inode = word_take(&line);
    for (size_t i = 0; i < inode.len && inode.ptr[i] >= '0' && inode.ptr[i] <= '9'; i++)
        e.inode = e.inode * 10 + (uint64_t)(inode.ptr[i] - '0');
    e.path = str_trim(line);
    *ret = e;
    return true;
}

bool maps_next(str *text, struct maps_entry *ret)
{
    while (text->len) {
        ptrdiff_t end = str_find_char(*text, '\n', 0);
        str line = str_slice(*text, 0, end < 0 ? text->len : (size_t)end);
        *text = str_slice(*text, line.len + (end < 0 ? 0 : 1), text->len);
        if (line_parse(line, ret))
            return true;
    }
    return false;
}

int maps_proc_read(pid_t pid, const char *name, size_t bytes_max, char **ret_text, size_t *ret_len)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ESRCH ? ERR_NOENT : err_of_errno(errno);
    char *text = NULL;
    size_t len = 0, room = 0;
    int rc = 0;
    for (;;) {
        if (room - len < 2) {
            size_t more = room ? room * 2 : 64 << 10;
            char *grown = more <= bytes_max * 2 ? mem_realloc(text, more) : NULL;
            if (!grown) {
                rc = more <= bytes_max * 2 ? ERR_NOMEM : ERR_LIMIT;
                break;
            }
            text = grown, room = more;
        }
        ssize_t got = read(fd, text + len, room - len - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = errno == ESRCH ? ERR_NOENT : err_of_errno(errno);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);
    if (rc < 0) {
        mem_free(text);
        return rc;
    }
    text[len] = 0;
    *ret_text = text, *ret_len = len;
    return 0;
}

bool maps_status_number(str status, const char *name, uint64_t *ret)
{
    char key[40];
    snprintf(key, sizeof key, "\n%s:\t", name);
    ptrdiff_t at = str_find(status, str_z(key));
    if (at < 0)
        return false;
    *ret = strtoull(status.ptr + at + strlen(key), NULL, 10); // the text ends with a NUL of ours
    return true;
}

int maps_open(pid_t pid, const struct maps_entry *entry, int *ret_fd)
{
    char path[MAPS_PATH_MAX + 64];
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid, entry->start, entry->end);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && entry->path.len && entry->path.ptr[0] == '/' && entry->path.len < MAPS_PATH_MAX) {
        snprintf(path, sizeof path, "/proc/%d/root%.*s", (int)pid, STR_ARG(entry->path));
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;
        if (fd >= 0 && (fstat(fd, &st) < 0 || (uint64_t)st.st_ino != entry->inode)) {
            close(fd);
            fd = -1;
        }
    }
    if (fd < 0)
        return ERR_NOENT;
    *ret_fd = fd;
    return 0;
}
