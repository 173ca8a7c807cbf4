#include "COpenAPI.h"

static const unsigned char document[] = {
#embed "openapi.json"
};

const unsigned char *hopspan_openapi(void) { return document; }
size_t hopspan_openapi_size(void) { return sizeof document; }
