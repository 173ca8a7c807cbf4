#pragma once
#include <isa-l/igzip_lib.h>

// Swift does not import a macro that is made of others.

/// Memory that level 1 works in: hash table and a block's worth of symbols. The library has five sizes; one less makes four times
/// as many blocks, one more is no faster (measured, batches of 0.7 MB).
static const uint32_t hopspan_level1_workspace = ISAL_DEF_LVL1_MEDIUM;
