#pragma once
#include <stddef.h>

// The description of the api, openapi.json, as it stands in the binary's read-only data: valid for ever, never written.
const unsigned char *hopspan_openapi(void);
size_t hopspan_openapi_size(void);
