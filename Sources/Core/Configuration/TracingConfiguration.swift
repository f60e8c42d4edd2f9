internal import Wire

/// Where spans are exported to, and which.
public struct TracingConfiguration: Hashable, Sendable {
    /// A field of each request to the collector.
    public struct Field: Hashable, Sendable {
        /// A token (RFC 9110 5.6.2).
        public var name: String
        /// The value, which may be a credential.
        public var value: Secret

        /// A field.
        public init(name: String, value: Secret) { (self.name, self.value) = (name, value) }
    }

    /// The base URL of an OTLP collector over HTTP: its traces are at ``TraceExport/path`` below it.
    public var endpoint: UpstreamURL
    /// Which of the traces that begin in Weir are recorded.
    public var sample = SamplingRate.tenPercent
    /// Further fields of each request, in the order of the file.
    public var fields: [Field] = []
    /// A PEM file of the authorities to trust instead of the system's.
    public var caFile: String?
    /// A hash of its contents when they were read, so that a renewed file is a changed configuration.
    public var contents = 0

    /// The most further fields.
    public static let maximumFields = 16

    /// An export to this collector.
    public init(endpoint: UpstreamURL) { self.endpoint = endpoint }

    /// The target of requests: an endpoint that ends with it already is taken as it is.
    public var target: String {
        endpoint.pathPrefix.hasSuffix(TraceExport.path)
            ? endpoint.pathPrefix : endpoint.pathPrefix + TraceExport.path
    }

    /// Whether spans for `other` go the same way.
    public func exports(like other: TracingConfiguration) -> Bool {
        var same = other
        same.sample = sample
        return same == self
    }

    /// Why the field `name` cannot be sent to a collector; `nil` if it can.
    public static func reasonAgainstField(_ name: String) -> String? {
        let bytes = Array(name.utf8)
        guard bytes.span.isToken, bytes.count <= 128 else {
            return "must be the name of a header field, such as Authorization"
        }
        switch RequestField(bytes.span) {
        case .authorization, .other, .requestID: return nil
        default: return "belongs to the connection or to the message, which Weir writes itself"
        }
    }
}
