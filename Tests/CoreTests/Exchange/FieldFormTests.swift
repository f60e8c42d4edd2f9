import Core
import Testing

/// The table of which fields cross the proxy, in each form of message, named by `Connection` or not.
@Suite("the fields that cross in each form of message")
struct FieldFormTests {
    private static let requests: [FieldForm] = [.request, .requestTrailer]
    private static let responses: [FieldForm] = [
        .response, .problem(status: 400), .interim, .responseTrailer,
    ]
    private static let trailers: [FieldForm] = [.requestTrailer, .responseTrailer]

    /// A class of fields, and the forms in which they cross.
    struct FieldClass: Sendable, CustomTestStringConvertible {
        var name: String
        var fields: [String]
        var forms: Set<FieldForm>
        var testDescription: String { name }
    }

    static let classes: [FieldClass] = [
        FieldClass(
            name: "of one connection",
            fields: [
                "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade",
                "Transfer-Encoding",
                "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info", "Content-Length",
            ], forms: []),
        FieldClass(
            name: "end to end", fields: ["X-Sum", "Server-Timing", "X-Long-Name-Of-Many-Letters"], forms: all),
        FieldClass(
            name: "of a head",
            fields: [
                "Set-Cookie", "Allow", "WWW-Authenticate", "Vary", "Cache-Control", "Date", "Expires",
                "Cookie",
            ],
            forms: all.subtracting(trailers)),
        FieldClass(
            name: "references", fields: ["Location", "Content-Location"], forms: all.subtracting(trailers)),
        FieldClass(name: "links", fields: ["Link"], forms: all),
        FieldClass(
            name: "about a body that a problem replaces",
            fields: ["Content-Type", "Content-Encoding", "Content-Language", "Content-Range"],
            forms: all.subtracting(trailers + [.problem(status: 400)])),
        FieldClass(
            name: "about the bytes of a body that a problem replaces",
            fields: ["ETag", "Last-Modified", "Content-MD5", "Digest", "Repr-Digest", "Content-Digest"],
            forms: all.subtracting([.problem(status: 400)])),
        FieldClass(
            name: "written on problems by Weir", fields: ["Retry-After", "X-Error-Code"],
            forms: all.subtracting(trailers + [.problem(status: 400)])),
        FieldClass(
            name: "the request's id", fields: ["X-Request-Id"],
            forms: all.subtracting(trailers + [.problem(status: 400)])),
        FieldClass(
            name: "rate limits", fields: ["RateLimit", "RateLimit-Policy"], forms: all.subtracting(trailers)),
        FieldClass(
            name: "credentials", fields: ["Authorization"], forms: all.subtracting(trailers)),
        FieldClass(
            name: "addressed to Weir",
            fields: ["X-Error-Format", "X-Weir-Token", "Expect", "Host", "Priority"],
            forms: all.subtracting(requests + trailers)),
        FieldClass(
            name: "about the client's network",
            fields: [
                "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "traceparent", "tracestate",
                "baggage",
            ], forms: all.subtracting(requests + trailers)),
        FieldClass(
            name: "a connection's settings of HTTP/2", fields: ["HTTP2-Settings"],
            forms: Set(responses).subtracting(trailers)),
    ]

    private static let all = Set(requests + responses)

    private func crosses(
        _ name: String, as form: FieldForm, connection: ConnectionFields = ConnectionFields()
    ) -> Bool {
        let crosses = FieldRules.crosses(Array(name.utf8).span, as: form, connection: connection)
        if connection.isEmpty {
            let alone = FieldRules.crosses(Array(name.utf8).span, as: form)
            #expect(crosses == alone)
        }
        return crosses
    }

    @Test("each class of fields crosses where the table has it, and nowhere else", arguments: classes)
    func table(_ fields: FieldClass) {
        for field in fields.fields {
            for name in [field, field.lowercased(), field.uppercased()] {
                for form in Self.all {
                    #expect(crosses(name, as: form) == fields.forms.contains(form), "\(name) as \(form)")
                }
            }
        }
    }

    @Test(
        "what Connection names crosses in no form, but for what frames, routes or authorises a request",
        arguments: classes)
    func named(_ fields: FieldClass) {
        for field in fields.fields {
            var connection = ConnectionFields()
            connection.add(Array("close, \(field.uppercased())".utf8).span)
            for form in Self.all {
                let isProtected =
                    Self.requests.contains(form) && ["Authorization", "Content-Type"].contains(field)
                    && fields.forms.contains(form)
                #expect(
                    crosses(field, as: form, connection: connection) == isProtected,
                    "\(field) as \(form)")
            }
        }
    }

    @Test("a 416 keeps the range that its problem is about")
    func ranges() {
        for (name, status, isKept) in [
            ("Content-Range", 416, true), ("content-range", 416, true), ("Accept-Ranges", 416, true),
            ("Content-Range", 400, false), ("ETag", 416, false), ("Content-Type", 416, false),
        ] {
            #expect(crosses(name, as: .problem(status: status)) == isKept)
        }
    }

    @Test("the announcement of trailers has the names of those that cross")
    func announcement() {
        var connection = ConnectionFields()
        connection.add(Array("X-Hop".utf8).span)
        let value = Array("X-Sum, x-hop, Content-Length, Set-Cookie, , X-Two, a b".utf8)
        for form in Self.trailers {
            let names = FieldRules.trailerNames(value.span, as: form, connection: connection)
            #expect(names.map { String(decoding: $0, as: UTF8.self) } == "X-Sum, X-Two")
        }
        let none = FieldRules.trailerNames(
            Array("x-hop".utf8).span, as: .responseTrailer, connection: connection)
        #expect(none == nil)
    }
}
