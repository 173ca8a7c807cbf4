private import COpenAPI

/// The api's own description, OpenAPI 3.1: `Sources/C/OpenAPI/openapi.json`, kept inside the program.
enum OpenAPI {
    static let document: [UInt8] = {
        // Sound: the bytes are the program's own and stay for ever; they are copied once.
        let bytes = unsafe UnsafeBufferPointer(start: hopspan_openapi(), count: hopspan_openapi_size())
        return unsafe Array(bytes)
    }()
}
