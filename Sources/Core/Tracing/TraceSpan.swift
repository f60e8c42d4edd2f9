/// A span of OTLP: the numbers of its fields are those of `opentelemetry/proto/trace/v1/trace.proto`.
struct TraceSpan: Sendable {
    /// Which side of a call the span describes.
    enum Kind: Int64, Sendable { case `internal` = 1, server, client }

    /// The value of an attribute.
    enum Value: Sendable, Hashable {
        case text(String)
        case integer(Int)
        case boolean(Bool)
    }

    /// Something that happened at one time.
    struct Event: Sendable {
        var at: Int64
        var name: String
        var attributes: [(String, Value)]
    }

    var trace: TraceID
    var id: SpanID
    var parent: SpanID?
    /// Whether ``parent`` belongs to another process.
    var hasRemoteParent = false
    var name: String
    var kind: Kind
    /// Nanoseconds since 1970-01-01 UTC.
    var start: Int64
    var end: Int64
    var attributes: [(String, Value)] = []
    var events: [Event] = []
    var isError = false

    /// Adds it to the spans of a `ScopeSpans`.
    func append(to scope: inout ProtobufMessage) { scope.add(2, message: encode) }

    private func encode(into message: inout ProtobufMessage) {
        message.add(1, bytes: trace.bytes)
        message.add(2, bytes: id.bytes)
        if let parent { message.add(4, bytes: parent.bytes) }
        message.add(5, text: name)
        message.add(6, integer: kind.rawValue)
        message.add(7, fixed64: UInt64(clamping: start))
        message.add(8, fixed64: UInt64(clamping: max(start, end)))
        for (name, value) in attributes { message.add(9, attribute: name, value) }
        for event in events {
            message.add(11) { message in
                message.add(1, fixed64: UInt64(clamping: event.at))
                message.add(2, text: event.name)
                for (name, value) in event.attributes { message.add(3, attribute: name, value) }
            }
        }
        if isError { message.add(15) { $0.add(3, integer: 2) } }
        // The flags of W3C; then whether it is known that the parent is remote, and whether it is.
        message.add(16, fixed32: 1 | 0x100 | (hasRemoteParent ? 0x200 : 0))
    }
}

extension ProtobufMessage {
    /// Adds a `KeyValue`.
    mutating func add(_ field: UInt64, attribute name: String, _ value: TraceSpan.Value) {
        add(field) { pair in
            pair.add(1, text: name)
            pair.add(2) { any in
                switch value {
                case .text(let text): any.add(1, text: text)
                // A value of 0 is left out, but its presence counts: 0 as a varint.
                case .boolean(let isTrue): any.add(2, present: isTrue ? 1 : 0)
                case .integer(let number): any.add(3, present: UInt64(bitPattern: Int64(number)))
                }
            }
        }
    }
}

/// The request that exports spans: `ExportTraceServiceRequest` of OTLP.
public struct TraceExport: Sendable {
    private let resource: [UInt8]
    private let scope: [UInt8]

    /// Where spans are sent, below the endpoint.
    public static let path = "/v1/traces"
    /// The type of its body and of the response's.
    public static let contentType = "application/x-protobuf"

    /// An export of this program's spans.
    ///
    /// - Parameters:
    ///   - version: of Weir.
    ///   - instance: the name of this process.
    public init(version: String, instance: String) {
        var resource = ProtobufMessage()
        resource.add(1, attribute: "service.name", .text("weir"))
        resource.add(1, attribute: "service.version", .text(version))
        resource.add(1, attribute: "service.instance.id", .text(instance))
        self.resource = resource.bytes
        var scope = ProtobufMessage()
        scope.add(1) { scope in
            scope.add(1, text: "weir")
            scope.add(2, text: version)
        }
        self.scope = scope.bytes
    }

    /// The body for spans as ``TraceRecord`` encodes them, one behind the other.
    public func body(spans: [UInt8]) -> [UInt8] {
        var scopes = ProtobufMessage()
        scopes.add(2, lengthOfDelimited: scope.count + spans.count)
        let head = scopes.bytes
        var resources = ProtobufMessage()
        resources.add(1, bytes: resource)
        var body = ProtobufMessage()
        body.add(1, lengthOfDelimited: resources.bytes.count + head.count + scope.count + spans.count)
        for part in [resources.bytes, head, scope, spans] { body.add(fields: part) }
        return body.bytes
    }

    /// How many spans a collector has rejected although its status is 200 (`ExportTraceServiceResponse`).
    public static func rejectedSpans(in response: [UInt8]) -> Int {
        for (field, value) in ProtobufFields(response[...]) {
            guard field == 1, case .bytes(let partial) = value else { continue }
            for (field, value) in ProtobufFields(partial) {
                if field == 1, case .number(let count) = value {
                    return Int(clamping: Int64(bitPattern: count))
                }
            }
        }
        return 0
    }
}
