private import Glibc

/// An IPv4 or IPv6 address.
struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    let isV6: Bool
    /// The address as a number; of IPv4 the low 32 bits.
    let bits: UInt128

    /// Dotted decimal with four parts, or RFC 4291 §2.2 text without brackets or zone.
    init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var v4 = in_addr()
        var v6 = in6_addr()
        // Sound: inet_pton reads a terminated string and fills the structure of the family it is told.
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            isV6 = false
            bits = UInt128(UInt32(bigEndian: v4.s_addr))
        } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
            isV6 = true
            bits = unsafe withUnsafeBytes(of: &v6) { bytes in unsafe bytes.reduce(0) { $0 << 8 | UInt128($1) } }
        } else {
            return nil
        }
    }

    init(v4 bits: UInt32) {
        isV6 = false
        self.bits = UInt128(bits)
    }

    /// An IPv4 address written as IPv6 (`::ffff:127.0.0.1`) is what it stands for (RFC 4291 §2.5.5.2).
    var unmapped: IPAddress { isV6 && bits >> 32 == 0xFFFF ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : self }

    /// 127.0.0.0/8 and ::1.
    var isLoopback: Bool {
        let address = unmapped
        return address.isV6 ? address.bits == 1 : address.bits >> 24 == 127
    }

    /// `0.0.0.0` or `::`: every address of the machine.
    var isUnspecified: Bool { bits == 0 }

    /// Whether the first `length` bits are those of `network`.
    func isIn(_ network: IPAddress, length: Int) -> Bool {
        let shift = (isV6 ? 128 : 32) - length
        return isV6 == network.isV6 && bits >> shift == network.bits >> shift
    }

    /// Without brackets.
    var description: String {
        if !isV6 { return (0..<4).reversed().map { String(UInt8(truncatingIfNeeded: bits >> (8 * $0))) }.joined(separator: ".") }
        var address = in6_addr()
        // Sound: both structures are 16 bytes; inet_ntop terminates within the buffer it is given.
        unsafe withUnsafeMutableBytes(of: &address) { bytes in
            for index in 0..<16 { unsafe bytes[index] = UInt8(truncatingIfNeeded: bits >> (8 * (15 - index))) }
        }
        let text = unsafe [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
            unsafe buffer.withMemoryRebound(to: CChar.self) { _ = unsafe inet_ntop(AF_INET6, &address, $0.baseAddress!, 64) }
            unsafe count = buffer.firstIndex(of: 0) ?? 0
        }
        return String(decoding: text, as: UTF8.self)
    }
}
