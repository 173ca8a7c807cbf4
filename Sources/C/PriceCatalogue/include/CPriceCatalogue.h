#pragma once
#include <stddef.h>

// The price catalogue, prices.json, as it stands in the binary's read-only data: valid for ever, never written.
const unsigned char *hopspan_price_catalogue(void);
size_t hopspan_price_catalogue_size(void);
