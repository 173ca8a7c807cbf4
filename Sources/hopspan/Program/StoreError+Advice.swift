import EventLoop
import Glibc
import Store

extension StoreError {
    /// What is wrong with the store at a path, and what to do: a sentence that begins with the key.
    func sentence(of path: String) -> String { "store.path: \(path) cannot be used: \(self)\(advice(path).map { "; " + $0 } ?? "")." }

    private func advice(_ path: String) -> String? {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "the working directory"
        return switch self {
        case .inUse, .busy: "stop that one, or set store.path to another file"
        case .cannotOpen(code: ENOENT): "there is no \(folder): make that folder, or set store.path to another place"
        case .cannotOpen(code: EISDIR): "it is a folder: set store.path to a file"
        case .cannotOpen, .readOnly: "let this user write the file and \(folder), or set store.path to another place"
        case .foreign: "set store.path to another file, or move this one away"
        case .newerSchema: "run the newer hopspan, or set store.path to another file"
        case .diskFull: "make room, or set store.path to another disk"
        case .corrupt: "move it away: the store begins anew"
        case .inputOutput, .other: "look at the disk, or set store.path to another one"
        case .closed: nil
        }
    }
}
