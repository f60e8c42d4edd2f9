internal import CMicroHTTPD
internal import Glibc
internal import HTTPWire

/// The head of a request: where its parts lie in libmicrohttpd's memory, which keeps them until the request is completed.
///
/// It is well-formed: ``RequestScanner`` has let it pass.
@safe public struct RequestHead {
    @safe private struct Field {
        var name: UnsafePointer<UInt8>
        var nameLength: Int
        var value: UnsafePointer<UInt8>
        var valueLength: Int
    }

    private var methodStart: UnsafePointer<UInt8>?
    private var methodLength = 0
    private var fields: [Field] = []

    /// Whether the client speaks HTTP/1.0.
    public private(set) var isHTTP10 = false
    /// The bytes of all names and values.
    public private(set) var fieldBytes = 0

    init() { unsafe methodStart = nil }

    /// How many fields there are; a repeated one counts each time.
    public var fieldCount: Int { fields.count }

    /// Calls `body` with the method.
    public func withMethod<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        guard let start = unsafe methodStart else { return body(Span()) }
        return unsafe body(Span(_unsafeStart: start, count: methodLength))
    }

    /// Calls `body` with each field in order: the name as sent, the value without blanks around it.
    @inline(__always)
    public func forEachField(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        for field in fields {
            let value = unsafe Span(_unsafeStart: field.value, count: field.valueLength)
            unsafe body(
                Span(_unsafeStart: field.name, count: field.nameLength), value.extracting(value.trimmedRange))
        }
    }

    /// Reads where everything is.
    mutating func take(
        connection: OpaquePointer, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>
    ) {
        unsafe methodStart = UnsafeRawPointer(method).assumingMemoryBound(to: UInt8.self)
        methodLength = unsafe strlen(method)
        isHTTP10 = unsafe strcmp(version, "HTTP/1.0") == 0
        fields.removeAll(keepingCapacity: true)
        fieldBytes = 0
        unsafe withUnsafeMutablePointer(to: &self) { head in
            _ = unsafe cmhd_each_field(
                connection,
                { context, _, name, nameLength, value, valueLength in
                    guard let head = unsafe context?.assumingMemoryBound(to: RequestHead.self),
                        let name = unsafe name
                    else { return 0 }
                    unsafe head.pointee.append(name, nameLength, value, valueLength)
                    return 1
                }, head)
        }
    }

    mutating func clear() {
        unsafe methodStart = nil
        methodLength = 0
        fields.removeAll(keepingCapacity: true)
    }

    private mutating func append(
        _ name: UnsafePointer<CChar>, _ nameLength: Int, _ value: UnsafePointer<CChar>?, _ valueLength: Int
    ) {
        let nameBytes = unsafe UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self)
        // A field without any value has no pointer: its value lies, empty, where the name ends.
        let valueBytes =
            unsafe value.map { unsafe UnsafeRawPointer($0).assumingMemoryBound(to: UInt8.self) }
            ?? (nameBytes + nameLength)
        unsafe Self.showCookie(in: UnsafeMutablePointer(mutating: nameBytes), nameLength)
        unsafe fields.append(
            Field(name: nameBytes, nameLength: nameLength, value: valueBytes, valueLength: valueLength))
        fieldBytes += nameLength + valueLength
    }

    /// Gives a `Cookie` its name back, in the library's memory: see ``RequestScanner/hiddenCookie``.
    private static func showCookie(in name: UnsafeMutablePointer<UInt8>, _ length: Int) {
        guard length > 5 else { return }
        switch unsafe name[5] {
        case RequestScanner.hiddenCookie.small: unsafe name[5] = UInt8(ascii: "e")
        case RequestScanner.hiddenCookie.capital: unsafe name[5] = UInt8(ascii: "E")
        default: break
        }
    }
}
