internal import CMicroHTTPD
internal import Glibc
internal import Wire

/// The head of a request: references into libmicrohttpd's memory, which is valid until the request is completed.
///
/// It is well-formed, since ``RequestScanner`` has passed it. A copy costs nothing, and is valid as long as the
/// request.
@safe public struct RequestHead {
    @safe private struct Field {
        var name: UnsafePointer<UInt8>
        var nameLength: Int
        var value: UnsafePointer<UInt8>
        var valueLength: Int
    }

    private var methodStart: UnsafePointer<UInt8>?
    private var methodLength = 0
    /// Owned by the request, not an array: a head is read a dozen times per exchange, and reading must not count
    /// references.
    private var fields: UnsafeMutableBufferPointer<Field>

    /// Whether the client speaks HTTP/1.0.
    public private(set) var isHTTP10 = false
    /// The bytes of all names and values.
    public private(set) var fieldBytes = 0

    /// The number of fields; a repeated one counts each time.
    public private(set) var fieldCount = 0

    /// The position of the letter in its name that is hidden for a `Cookie`.
    private static let cookieLetter = 5
    /// Names of fields that are not read from the library's memory.
    private var cookieNames: UnsafeMutableBufferPointer<UInt8>
    private var hasCookies = false

    init() {
        unsafe methodStart = nil
        unsafe cookieNames = UnsafeMutableBufferPointer(start: nil, count: 0)
        unsafe fields = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    /// Calls `body` with the method.
    public func withMethod<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        guard let start = unsafe methodStart else { return body(Span()) }
        return unsafe body(Span(_unsafeStart: start, count: methodLength))
    }

    /// Calls `body` with each field in order: the name as sent, the value without surrounding whitespace.
    @inline(__always)
    public func forEachField(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        for index in 0..<fieldCount {
            let field = unsafe fields[index]
            let value = unsafe Span(_unsafeStart: field.value, count: field.valueLength)
            unsafe body(
                Span(_unsafeStart: field.name, count: field.nameLength), value.extracting(value.trimmedRange))
        }
    }

    /// Determines the position of everything.
    mutating func take(
        connection: OpaquePointer, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>
    ) {
        unsafe methodStart = UnsafeRawPointer(method).assumingMemoryBound(to: UInt8.self)
        methodLength = unsafe strlen(method)
        isHTTP10 = unsafe strcmp(version, "HTTP/1.0") == 0
        fieldCount = 0
        fieldBytes = 0
        hasCookies = false
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
        if hasCookies { showCookies() }
    }

    mutating func clear() {
        unsafe methodStart = nil
        methodLength = 0
        fieldCount = 0
    }

    /// Releases its own memory; there are no other copies.
    mutating func deallocate() {
        clear()
        unsafe cookieNames.deallocate()
        unsafe cookieNames = UnsafeMutableBufferPointer(start: nil, count: 0)
        unsafe fields.deallocate()
        unsafe fields = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    private mutating func append(
        _ name: UnsafePointer<CChar>, _ nameLength: Int, _ value: UnsafePointer<CChar>?, _ valueLength: Int
    ) {
        let nameBytes = unsafe UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self)
        // A field without a value has no pointer: its empty value is at the end of the name.
        let valueBytes =
            unsafe value.map { unsafe UnsafeRawPointer($0).assumingMemoryBound(to: UInt8.self) }
            ?? (nameBytes + nameLength)
        if unsafe Self.isHidden(nameBytes, nameLength) { hasCookies = true }
        if unsafe fieldCount == fields.count { grow() }
        unsafe fields.initializeElement(
            at: fieldCount,
            to: Field(name: nameBytes, nameLength: nameLength, value: valueBytes, valueLength: valueLength))
        fieldCount += 1
        fieldBytes += nameLength + valueLength
    }

    private mutating func grow() {
        let larger = unsafe UnsafeMutableBufferPointer<Field>.allocate(capacity: max(16, 2 * fields.count))
        _ = unsafe larger.initialize(fromContentsOf: fields)
        unsafe fields.deallocate()
        unsafe fields = larger
    }

    /// Whether a field's name is or begins like that of a `Cookie`: see ``RequestScanner/hiddenCookie``.
    private static func isHidden(_ name: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        guard length > cookieLetter else { return false }
        let letter = unsafe name[cookieLetter]
        return letter == RequestScanner.hiddenCookie.small || letter == RequestScanner.hiddenCookie.capital
    }

    /// Restores the letter of those names, in copies: the library's memory is not changed.
    private mutating func showCookies() {
        var length = 0
        for index in 0..<fieldCount {
            let field = unsafe fields[index]
            if unsafe Self.isHidden(field.name, field.nameLength) { length += field.nameLength }
        }
        if unsafe length > cookieNames.count {
            unsafe cookieNames.deallocate()
            unsafe cookieNames = .allocate(capacity: max(length, 64))
        }
        guard var place = unsafe cookieNames.baseAddress else { return }
        for index in 0..<fieldCount {
            let field = unsafe fields[index]
            guard unsafe Self.isHidden(field.name, field.nameLength) else { continue }
            unsafe place.initialize(from: field.name, count: field.nameLength)
            let isCapital = unsafe place[Self.cookieLetter] == RequestScanner.hiddenCookie.capital
            unsafe place[Self.cookieLetter] = UInt8(ascii: isCapital ? "E" : "e")
            unsafe fields[index].name = UnsafePointer(place)
            unsafe place += field.nameLength
        }
    }
}

/// The value of `Date`.
enum HTTPDate {
    /// The time in the format of RFC 9110 5.6.7.
    static var now: [UInt8] {
        var now = time(nil)
        var parts = unsafe tm()
        unsafe gmtime_r(&now, &parts)
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 40) { room in
            // The program never sets a locale, so names are those of the C locale.
            guard let start = room.baseAddress else { return [] }
            let length = unsafe strftime(start, room.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            return unsafe Array(UnsafeRawBufferPointer(start: start, count: length))
        }
    }
}
