import HTTP

/// What carries messages to a server and back. Confined to the host's loop.
protocol Duplex: AnyObject {
    /// Queues a message.
    /// - Parameter fields: of the client's request, for a server that is reached by HTTP.
    /// - Returns: false where it is not taken: the server does not read what it is sent, or is gone.
    func send(_ message: [UInt8], _ fields: [HTTPField]) -> Bool
    /// Stops reading what the server says, and goes on.
    func pause(_ isPaused: Bool)
    /// Ends the connection, and a server that is ours with it.
    func close()
    /// Nothing of it is left.
    var isOver: Bool { get }
}

/// What comes over a duplex.
enum Arrival {
    case message([UInt8])
    /// A message that is too long.
    case tooLong(LineReader.Cut)
    /// A message that was sent and not taken: why, as the end of a sentence that begins with the server's name.
    case undelivered([UInt8], String)
    /// There will be nothing more: why, in the same way.
    case end(String)
}
