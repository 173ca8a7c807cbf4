/// What carries messages to a server and back. Confined to the host's loop.
protocol Duplex: AnyObject {
    /// Queues a message.
    /// - Returns: false where it is not taken: the server does not read what it is sent, or is gone.
    func send(_ message: [UInt8]) -> Bool
    /// Stops reading what the server says, and goes on.
    func pause(_ isPaused: Bool)
    /// Ends the connection, and a server that is ours with it.
    func close()
}

/// What comes over a duplex.
enum Arrival {
    case message([UInt8])
    /// A message that is too long.
    case tooLong(LineReader.Cut)
    /// There will be nothing more: why, as the end of a sentence that begins with the server's name.
    case end(String)
}
