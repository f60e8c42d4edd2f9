internal import Wire

/// The forms of message in which a field can cross the proxy.
public enum FieldForm: Sendable, Hashable {
    /// The head of a request, sent for the first time or again.
    case request
    /// The trailers of a request.
    case requestTrailer
    /// The head of a response that is relayed.
    case response
    /// The head of a problem that replaces a provider's response with this status.
    case problem(status: Int)
    /// An interim response.
    case interim
    /// The trailers of a response.
    case responseTrailer
}

/// The fields that `Connection` names: they belong to one connection, in the head and in the trailers (RFC 9110 7.6.1).
public struct ConnectionFields: Sendable {
    /// In lower case.
    private var names: Set<[UInt8]> = []

    /// No fields.
    public init() {}

    /// Whether no field is named.
    public var isEmpty: Bool { names.isEmpty }

    /// Adds what the value of a `Connection` field names; `close` and `keep-alive` name no field.
    public mutating func add(_ value: Span<UInt8>) {
        // Most values are one of these alone.
        if value.equalsIgnoringCase("keep-alive") || value.equalsIgnoringCase("close") { return }
        ListElements.forEach(in: value) { element in
            guard !element.equalsIgnoringCase("close"), !element.equalsIgnoringCase("keep-alive") else {
                return
            }
            names.insert(Self.lowercased(element))
        }
    }

    /// Whether the field `name` is named.
    public func contains(_ name: Span<UInt8>) -> Bool {
        !names.isEmpty && names.contains(Self.lowercased(name))
    }

    private static func lowercased(_ name: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.count)
        for index in 0..<name.count { bytes.append(name[index].lowercasedASCII) }
        return bytes
    }
}

extension FieldRules {
    /// Whether the field `name` crosses the proxy in a message of this form.
    ///
    /// The one place that decides it, for both directions. What becomes of the value is ``request(_:)``'s and ``ReferenceRewriter``'s.
    @inline(__always)
    public static func crosses(_ name: Span<UInt8>, as form: FieldForm) -> Bool {
        switch form {
        case .request: request(name) != .drop
        case .requestTrailer, .responseTrailer: forwardsTrailer(name)
        case .response, .interim: forwardsResponse(name)
        case .problem(let status):
            forwardsResponse(name) && !isWrittenOnProblems(name)
                && (!describesBody(name) || isRequired(name, by: status))
        }
    }

    /// Whether the field `name` crosses the proxy in a message whose `Connection` fields name others.
    public static func crosses(
        _ name: Span<UInt8>, as form: FieldForm, connection: ConnectionFields
    ) -> Bool {
        guard crosses(name, as: form) else { return false }
        guard connection.contains(name) else { return true }
        switch form {
        case .request, .requestTrailer: return !mayBeNamedByConnection(name)
        case .response, .problem, .interim, .responseTrailer: return false
        }
    }

    /// Whether a response with this status means something by the field, whatever its body: RFC 9110 15.5.17 has the current length
    /// of the representation in a 416.
    private static func isRequired(_ name: Span<UInt8>, by status: Int) -> Bool {
        status == 416
            && (name.equalsIgnoringCase("content-range") || name.equalsIgnoringCase("accept-ranges"))
    }
}
