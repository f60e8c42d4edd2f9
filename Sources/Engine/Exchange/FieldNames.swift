internal import Wire

/// The names and constant values that Weir writes itself, as bytes.
enum FieldNames {
    static let contentType = Array("Content-Type".utf8)
    static let problemType = Array("application/problem+json".utf8)
    static let contentEncoding = Array("Content-Encoding".utf8)
    static let cacheControl = Array("Cache-Control".utf8)
    static let noStore = Array("no-store".utf8)
    static let errorCode = Array("X-Error-Code".utf8)
    static let requestID = Array("X-Request-Id".utf8)
    static let retryAfter = Array("Retry-After".utf8)
    static let proxyStatus = Array("Proxy-Status".utf8)
    static let receivedStatus = Array("; received-status=".utf8)
    static let rateLimit = Array("RateLimit".utf8)
    static let ratePolicy = Array("RateLimit-Policy".utf8)
    static let preferenceApplied = Array("Preference-Applied".utf8)
    static let serverTiming = Array("Server-Timing".utf8)
    static let authenticate = Array("WWW-Authenticate".utf8)
    static let anyScheme = Array("Bearer".utf8)
    static let trailer = Array("Trailer".utf8)
    static let via = Array("Via".utf8)
    static let allow = Array("Allow".utf8)
    /// Any other method is forwarded as well, but CONNECT and TRACE.
    static let forwardedMethods = Array("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS".utf8)
}

extension FieldBlock {
    mutating func append(_ name: [UInt8], _ value: [UInt8]) { append(name: name.span, value: value.span) }

    func contains(_ name: [UInt8]) -> Bool { contains(name.span) }
}
