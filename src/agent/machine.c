#include "agent/machine.h"
#include "base/hex.h"
#include "base/numfmt.h"
#include "os/disk.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { ID_DIGITS = 32, TURN_DIGITS = 20 };

void machine_id(char ret[MACHINE_ID_ROOM])
{
    static const str salt = STR_INIT("clew agent ");
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state s;
    char text[ID_DIGITS];
    int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool known = fd >= 0 && read(fd, text, sizeof text) == sizeof text;
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; i < sizeof text && known; i++)
        known = hex_digit(text[i]) >= 0; // "uninitialized" while a system is being installed
    ret[0] = 0;
    if (!known)
        return;
    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, (const uint8_t *)salt.ptr, salt.len);
    crypto_hash_sha256_update(&s, (const uint8_t *)text, sizeof text);
    crypto_hash_sha256_final(&s, hash);
    hex_encode(ret, hash, sizeof hash);
}

uint64_t turn_next(struct disk *d, uint64_t least)
{
    char text[TURN_DIGITS + 2];
    size_t n = 0;
    uint64_t had = 0;
    int file;
    if (disk_open(d, "turn", DISK_READ, &file) == 0) {
        if (disk_read_some(d, file, text, TURN_DIGITS, 0, &n) < 0 || !parse_u64(str_trim(str_of(text, n)), &had) ||
            had >= INT64_MAX)
            had = 0;
        disk_close(d, file);
    }
    had = (had > least ? had : least) + 1;
    int len = snprintf(text, sizeof text, "%llu\n", (unsigned long long)had);
    if (disk_open(d, "turn.new", DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &file) == 0) {
        int rc = disk_write(d, file, text, (size_t)len, 0);
        if (rc == 0)
            rc = disk_sync_data(d, file);
        disk_close(d, file);
        if (rc == 0)
            disk_rename(d, "turn.new", "turn");
    }
    return had;
}
