// Messages between the privileged helper and the network process, over a socket pair: a length, a kind, bytes. Both sides take the other
// for hostile: lengths are bounded before memory is spent, and a broken frame ends the channel.
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "os/loop.h"

enum { CHANNEL_MESSAGE_MAX = 8 << 20, CHANNEL_QUEUE_MAX = 16 << 20 };

enum channel_kind {
    CHANNEL_JSON = 'J',    // a message of the agent's protocol, one way or the other
    CHANNEL_CAPTURE = 'C', // helper: length of the id (one byte), id, CAPTURE
    CHANNEL_STATUS =
        'S', // helper: ppm of a core, bytes of memory, attached, processes (four little-endian 64-bit numbers)
    CHANNEL_LOST = 'L', // network: the id of a capture that the spool had no room for
    CHANNEL_SYNC = 'Y', // network: a new connection, tell everything again
    CHANNEL_CONTACT =
        'A', // network: the server is there, and its lease in milliseconds (a little-endian 64-bit number)
};

struct channel {
    struct loop *loop;
    struct loop_watch watch;
    struct buf in, out;
    size_t sent;
    bool dead, held;
    void (*message)(struct channel *c, uint8_t kind, bytes m);
    void (*closed)(struct channel *c); // once; the channel is dead
};

// fd is the channel's from now on.
int channel_open(struct channel *c, struct loop *loop, int fd, void (*message)(struct channel *, uint8_t, bytes),
                 void (*closed)(struct channel *));
void channel_close(struct channel *c);
// ERR_LIMIT: too much waits already; ERR_CLOSED.
int channel_send(struct channel *c, uint8_t kind, bytes a, bytes b);
size_t channel_queued(const struct channel *c);
// While held nothing is read.
void channel_hold(struct channel *c, bool hold);
