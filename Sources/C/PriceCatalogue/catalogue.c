#include "CPriceCatalogue.h"

static const unsigned char catalogue[] = {
#embed "prices.json"
};

const unsigned char *hopspan_price_catalogue(void) { return catalogue; }
size_t hopspan_price_catalogue_size(void) { return sizeof catalogue; }
