// What is on the shelves. One lock over all of it, also while deliveries are merged: whoever orders or looks meanwhile waits.
#ifndef INVENTORY_STOCK_H
#define INVENTORY_STOCK_H

#include "request.h"

#define STOCK_LINES_MAX 64

enum stock_result { STOCK_DONE, STOCK_UNKNOWN, STOCK_SHORT, STOCK_BAD };

// On anything but STOCK_DONE, `ret_sku` is the one it is about; all lines or none are taken.
enum stock_result stock_take(struct text body, struct text *ret_sku);
enum stock_result stock_give(struct text body, struct text *ret_sku);
enum stock_result stock_count(struct text sku, int *ret_quantity);
// Counts what was delivered onto some shelves, with the lock held. How many there were.
int stock_merge(void);

#endif
