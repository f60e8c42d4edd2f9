internal import ArgumentParser
internal import Core

/// `weir profile at`: what a place of a profile finds in a body.
struct ProfileAtCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "at", abstract: "Print the values at a place of a JSON body, as a JSON array.",
        discussion: """
            A place is a JSON Pointer (RFC 6901) such as /error/code, where '' is the whole body, or a JSONPath (RFC 9535) such as \
            '$.errors[*].message'.

            Example: weir profile at '$.errors[?@.code].message' body.json
            """)

    @Argument(help: ArgumentHelp("A JSON Pointer, or a JSONPath, which begins with $.", valueName: "place"))
    var place: String

    @Argument(help: ArgumentHelp("The body; standard input for - or if left out.", valueName: "file"))
    var file = "-"

    mutating func run() throws {
        let place: BodyPlace
        do {
            place = try BodyPlace(parsing: self.place)
        } catch {
            // The offset counts characters, and so does a column.
            let scalars = Array(self.place.unicodeScalars.prefix(error.offset))
            let line = scalars.count { $0 == "\n" } + 1
            let column = scalars.count - (scalars.lastIndex(of: "\n").map { $0 + 1 } ?? 0) + 1
            StandardStreams.printError("place:\(line):\(column): \(error.message)")
            throw Failure.check
        }
        guard var bytes = Files.readBytes(file) else {
            throw Failure.report("\(file) cannot be read: \(Files.lastError)", Failure.check)
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        let document = try document(bytes)
        guard let nodes = place.nodes(in: document) else {
            throw Failure.report(
                "the path takes more than \(JSONPath.stepLimit) steps in this body, or selects more than "
                    + "\(JSONPath.resultLimit) values: Weir stops there and finds nothing", Failure.check)
        }
        var output: [UInt8] = [0x5B]
        for node in nodes {
            if output.count > 1 { output.append(0x2C) }
            document.writeCompactly(node, into: &output)
        }
        output.append(0x5D)
        StandardStreams.print(IndentedJSON.lay(out: output))
    }

    /// The body; reports why it is no JSON, and throws the code.
    private func document(_ bytes: [UInt8]) throws -> JSONDocument {
        if let document = JSONDocument(bytes) { return document }
        if let mistake = JSONMistake(in: bytes) {
            let before = bytes.prefix(mistake.offset)
            let line = before.count { $0 == 0x0A } + 1
            let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            // Bytes that continue a character of UTF-8 are no columns.
            let column = before[start...].count { $0 & 0xC0 != 0x80 } + 1
            StandardStreams.printError("\(file):\(line):\(column): not JSON: \(mistake.message)")
        }
        throw Failure.check
    }
}

/// What is wrong with a place, and how many characters precede the mistake.
private struct PlaceError: Error {
    var offset: Int
    var message: String
}

/// A JSON Pointer or a JSONPath.
private enum BodyPlace {
    case pointer(JSONPointer)
    case path(JSONPath)

    init(parsing text: String) throws(PlaceError) {
        if text.hasPrefix("$") {
            do {
                self = .path(try JSONPath(parsing: text))
            } catch {
                throw PlaceError(offset: error.offset, message: error.message)
            }
        } else if let pointer = JSONPointer(text) {
            self = .pointer(pointer)
        } else {
            throw Self.mistake(in: text)
        }
    }

    /// Why a text is no JSON Pointer.
    private static func mistake(in text: String) -> PlaceError {
        let scalars = Array(text.unicodeScalars)
        guard scalars.first == "/" else {
            return PlaceError(
                offset: 0,
                message:
                    "a place begins with / (a JSON Pointer such as /error/code) or with $ (a JSONPath such as $.error.code)"
            )
        }
        let tilde = scalars.indices.first { index in
            let next = index + 1 < scalars.count ? scalars[index + 1] : nil
            return scalars[index] == "~" && next != "0" && next != "1"
        }
        return PlaceError(
            offset: tilde ?? 0, message: "~ in a JSON Pointer is followed by 0 (for ~) or 1 (for /)")
    }

    /// The nodes at the place; `nil` if a limit was exceeded.
    func nodes(in document: JSONDocument) -> [Int]? {
        switch self {
        case .pointer(let pointer): return document.value(at: pointer).map { [$0] } ?? []
        case .path(let path):
            let result = path.evaluate(in: document)
            return result.isComplete ? result.nodes : nil
        }
    }
}
