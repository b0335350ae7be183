#include "agent/python/maps.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

// Nothing is opened before it is seen to be a file: a device can be mapped, too, and some do things when they are opened.
static int open_seen(int seen, int *ret_fd)
{
    char path[64];
    struct stat st;
    int fd = -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", seen);
    if (fstat(seen, &st) == 0 && S_ISREG(st.st_mode))
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    close(seen);
    *ret_fd = fd;
    return fd < 0 ? ERR_NOENT : 0;
}

// By its name in the root of the process, which no link of it leads out of.
static int see_by_name(pid_t pid, const struct maps_entry *entry)
{
    char path[MAPS_PATH_MAX + 1];
    struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    struct stat st;
    if (!entry->path.len || entry->path.ptr[0] != '/' || entry->path.len > MAPS_PATH_MAX)
        return -1;
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof path, "%.*s", STR_ARG(entry->path));
    int fd = root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (root >= 0)
        close(root);
    if (fd >= 0 && (fstat(fd, &st) < 0 || (uint64_t)st.st_ino != entry->inode)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int maps_open(pid_t pid, const struct maps_entry *entry, int *ret_fd)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid, entry->start, entry->end);
    int seen = open(path, O_PATH | O_CLOEXEC);
    if (seen < 0)
        seen = see_by_name(pid, entry);
    return seen < 0 ? ERR_NOENT : open_seen(seen, ret_fd);
}
