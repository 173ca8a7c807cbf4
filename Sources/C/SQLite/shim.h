#pragma once
#include <sqlite3.h>

// sqlite3_config is variadic, which Swift cannot call. Without memory statistics SQLite's allocations take no global lock.
// To be called before any connection is opened; afterwards it is refused and nothing changes.
static inline int hopspan_sqlite_without_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
