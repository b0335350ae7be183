// CRC-32C (Castagnoli, reflected, init and final xor all ones; RFC 3720), as every block on disk carries.
#pragma once
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *p, size_t n);
// Continues a sum over what crc32c() or crc32c_more() returned for the bytes before.
uint32_t crc32c_more(uint32_t crc, const void *p, size_t n);
