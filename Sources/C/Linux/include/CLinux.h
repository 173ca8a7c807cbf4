#pragma once
// What Swift cannot import from the kernel's headers: variadic calls, macros, types behind feature tests.
