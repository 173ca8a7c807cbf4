"""The binary as it is shipped: what is linked into it, and what it needs of the machine."""

import os
import re
import subprocess

from gateway import BINARY

#: Of Debian's, each with a module map in Sources/C, and what the Swift runtime needs. A new one is a decision.
LIBRARIES = {
    "linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64", "libc", "libm", "libgcc_s", "libstdc++",
    "libcrypto", "libisal", "libprotobuf-c", "libsqlite3", "libssl", "libyaml-0", "libz",
}


def test_it_needs_these_libraries_and_no_other():
    needed = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    names = {re.split(r"\.so", line.split()[0].rpartition("/")[2])[0] for line in needed.splitlines()}
    assert names <= LIBRARIES, names - LIBRARIES
    assert {"libssl", "libsqlite3"} <= names, "ldd could be read"
    assert "not found" not in needed


def test_neither_foundation_nor_icu_is_linked_into_it():
    symbols = subprocess.run(["nm", "--format=just-symbols", BINARY], capture_output=True, text=True).stdout
    if not symbols.strip():  # stripped: what is left are the words in it
        symbols = subprocess.run(["strings", "-n", "8", BINARY], capture_output=True, text=True, check=True).stdout
    assert len(symbols) > 100_000, "the symbols could be read"
    # Mangled, a module's name stands behind its length; ICU's symbols end with its version.
    strays = re.findall(r"\S*(?:\$s10Foundation|20FoundationEssentials|29FoundationInternationalization|_CFString|ucol_open|uloc_getDefault|ubrk_open)\S*", symbols)
    assert not strays, strays[:5]


def test_it_is_no_larger_than_it_has_reason_to_be():
    """ICU's data alone would be 30 MB more."""
    assert os.path.getsize(BINARY) < 48 << 20
