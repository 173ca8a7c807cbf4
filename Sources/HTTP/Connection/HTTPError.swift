/// Why a message could not be read.
public enum HTTPError: Error, Equatable, Sendable {
    case stream(StreamError)
    case head(HeadError)
    case chunk(ChunkedDecoder.Failure)
    case bodyTooLarge
}
