internal import CYAML

/// A value of a YAML document, and where it is.
struct YAMLNode {
    /// What kind of value it is.
    enum Content {
        /// `isPlain`: written without quotes, and not as a block.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the order of the document; keys may repeat.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    let content: Content
    /// The line, from 1; 0 if the value is in no document.
    let line: Int
    /// The column, from 1, in characters; 0 with the line.
    let column: Int

    /// A value that is in no document.
    init(_ content: Content, line: Int = 0, column: Int = 0) {
        self.content = content
        self.line = line
        self.column = column
    }

    /// The only document of `text`.
    ///
    /// An alias is replaced by what it names; the caller bounds how many there are.
    ///
    /// - Returns: `nil` for a text without a document.
    init?(parsing text: String) throws(YAMLSyntaxError) {
        var text = text
        let node: YAMLNode?
        do {
            node = try text.withUTF8 { bytes in
                var composer = unsafe YAMLComposer(bytes: bytes)
                return try composer.composeDocument()
            }
        } catch let error as YAMLSyntaxError {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
        guard let node else { return nil }
        self = node
    }

    /// The text of a scalar.
    var text: String? {
        guard case .scalar(let text, _) = content else { return nil }
        return text
    }

    /// The text of a scalar that is written without quotes, and not as a block.
    var plainText: String? {
        guard case .scalar(let text, true) = content else { return nil }
        return text
    }

    /// Whether the document has `null`, `~` or nothing here.
    var isNull: Bool { plainText.map { ["", "~", "null", "Null", "NULL"].contains($0) } ?? false }
}

/// Why a text is not YAML, without the text around the place, which may be a secret.
struct YAMLSyntaxError: Error, Equatable {
    let problem: String
    /// From 1.
    let line: Int
    /// From 1, in characters.
    let column: Int
}

/// Makes values of the events of libyaml, which reports syntax errors and limits nesting.
@safe private struct YAMLComposer: ~Copyable {
    /// The deepest nesting: the composer calls itself for each level.
    private static let maximumDepth = 500

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeBufferPointer<UInt8>
    private var anchors: [String: YAMLNode] = [:]

    /// `bytes` must outlive it.
    init(bytes: UnsafeBufferPointer<UInt8>) {
        unsafe self.bytes = bytes
        unsafe parser = .allocate(capacity: 1)
        // It fails only without memory.
        guard unsafe yaml_parser_initialize(parser) == 1 else { fatalError("no memory") }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
    }

    /// The document; `nil` if there is none, an error if there are several.
    mutating func composeDocument() throws(YAMLSyntaxError) -> YAMLNode? {
        _ = try next()
        guard try next().kind == .documentStart else { return nil }
        let node = try compose(next(), depth: 0)
        _ = try next()
        let last = try next()
        guard last.kind == .streamEnd else { throw last.error("but found another document") }
        return node
    }

    private mutating func compose(_ event: Event, depth: Int) throws(YAMLSyntaxError) -> YAMLNode {
        guard depth < Self.maximumDepth else { throw event.error("is nested too deeply") }
        let node: YAMLNode
        switch event.kind {
        case .alias:
            guard let anchored = anchors[event.text] else { throw event.error("found undefined alias") }
            return anchored
        case .scalar: node = event.node(.scalar(event.text, isPlain: event.isPlain))
        case .sequenceStart:
            var elements: [YAMLNode] = []
            while case let element = try next(), element.kind != .collectionEnd {
                elements.append(try compose(element, depth: depth + 1))
            }
            node = event.node(.sequence(elements))
        case .mappingStart:
            var members: [(key: YAMLNode, value: YAMLNode)] = []
            while case let key = try next(), key.kind != .collectionEnd {
                let key = try compose(key, depth: depth + 1)
                members.append((key, try compose(next(), depth: depth + 1)))
            }
            node = event.node(.mapping(members))
        case .documentStart, .streamEnd, .collectionEnd, .other:
            throw event.error("the text cannot be parsed")
        }
        if let anchor = event.anchor { anchors[anchor] = node }
        return node
    }

    /// What the composer needs of an event.
    private struct Event {
        enum Kind {
            case documentStart, streamEnd, alias, scalar, sequenceStart, mappingStart, collectionEnd, other
        }

        var kind = Kind.other
        /// Of a scalar, or the name of an alias.
        var text = ""
        var isPlain = false
        var anchor: String?
        var line = 0
        var column = 0

        func node(_ content: YAMLNode.Content) -> YAMLNode {
            YAMLNode(content, line: line, column: column)
        }

        func error(_ problem: String) -> YAMLSyntaxError {
            YAMLSyntaxError(problem: problem, line: line, column: column)
        }
    }

    private func next() throws(YAMLSyntaxError) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw error }
        defer { unsafe yaml_event_delete(&event) }
        var result = unsafe Event(
            line: Int(clamping: event.start_mark.line) + 1, column: Int(clamping: event.start_mark.column) + 1
        )
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
        case YAML_STREAM_END_EVENT: result.kind = .streamEnd
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: result.kind = .collectionEnd
        case YAML_ALIAS_EVENT:
            result.kind = .alias
            result.text = unsafe Self.text(event.data.alias.anchor) ?? ""
        case YAML_SCALAR_EVENT:
            result.kind = .scalar
            let scalar = unsafe event.data.scalar
            result.text = unsafe String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            result.isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            result.anchor = unsafe Self.text(scalar.anchor)
        case YAML_SEQUENCE_START_EVENT:
            result.kind = .sequenceStart
            result.anchor = unsafe Self.text(event.data.sequence_start.anchor)
        case YAML_MAPPING_START_EVENT:
            result.kind = .mappingStart
            result.anchor = unsafe Self.text(event.data.mapping_start.anchor)
        default: break
        }
        return result
    }

    private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe bytes.map { unsafe String(decodingCString: $0, as: UTF8.self) }
    }

    /// What the parser has found.
    private var error: YAMLSyntaxError {
        let state = unsafe parser.pointee
        let problem = unsafe state.problem.map { unsafe String(cString: $0) } ?? "the text cannot be parsed"
        guard unsafe state.error == YAML_READER_ERROR else {
            return unsafe YAMLSyntaxError(
                problem: problem, line: Int(clamping: state.problem_mark.line) + 1,
                column: Int(clamping: state.problem_mark.column) + 1)
        }
        // The reader knows how many bytes are before the mistake.
        let before = unsafe bytes.prefix(Int(clamping: state.problem_offset))
        let lineStart = unsafe before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let lines = unsafe before.count { $0 == 0x0A }
        let characters = unsafe String(decoding: before[lineStart...], as: UTF8.self).unicodeScalars.count
        return YAMLSyntaxError(problem: problem, line: lines + 1, column: characters + 1)
    }
}
