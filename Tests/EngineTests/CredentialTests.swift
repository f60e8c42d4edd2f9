import Core
import Foundation
import TestSupport
import Testing

@Suite("a credential on its way", .blocking)
struct CredentialTests {
    private static let secret = "sk-T3st/key+0123456789=&_"

    /// The secret as providers may repeat it.
    private static let spellings: [String] = {
        let bytes = secret.utf8
        let base64 = { (text: String) in Data(text.utf8).base64EncodedString() }
        let percent = { (text: String) in
            text.utf8.map { byte in
                let scalar = Unicode.Scalar(byte)
                return Character(scalar).isLetter || Character(scalar).isNumber
                    ? "\(scalar)" : String(format: "%%%02x", byte)
            }.joined()
        }
        return [
            secret, secret.uppercased(), base64(secret), base64(":\(secret)"), base64("user:\(secret)"),
            base64("\(secret):"),
            base64("{\"key\":\"\(secret)\"}").replacingOccurrences(of: "+", with: "-").replacingOccurrences(
                of: "/", with: "_"),
            percent(secret), percent(percent(secret)), bytes.map { String(format: "%02X", $0) }.joined(),
            bytes.map { "&#\($0);" }.joined(), secret.replacingOccurrences(of: "&", with: "&amp;"),
            bytes.map { String(format: "\\u%04x", $0) }.joined(),
            secret.replacingOccurrences(of: "/", with: "\\/"),
            secret.replacingOccurrences(of: "+", with: "\\u002b"),
            base64(base64(secret)), base64(bytes.map { String(format: "%02x", $0) }.joined()),
            bytes.map { String(format: "%02x", $0) }.joined(separator: ":"), bytes.map { "&#\($0)" }.joined(),
            // Base 32 of it (RFC 4648 6), made elsewhere.
            "ONVS2VBTON2C623FPEVTAMJSGM2DKNRXHA4T2JS7", "onvs2vbton2c623fpevtamjsgm2dknrxha4t2js7",
        ]
    }()

    /// What of any spelling may be nowhere: the middle of the secret, and of its encodings.
    private func expectNoSecret(_ text: String, _ comment: Comment) {
        let undone = text.replacingOccurrences(of: "\\/", with: "/")
        for spelling in Self.spellings {
            let middle = String(spelling.dropFirst(8).prefix(16))
            #expect(!undone.contains(middle) && !text.contains(middle), comment)
        }
        #expect(!text.lowercased().contains("t3st") && !text.contains("0123456789"), comment)
    }

    @Test(
        "a credential appears in no error of Weir, however the provider spells it",
        arguments: ["held", "bearer", "basic", "header"], [400, 422, 456])
    func errors(place: String, status: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            let number = Int(exchange.request.target.filter(\.isNumber)) ?? 0
            let spelling = Self.spellings[number]
            let json =
                spelling.contains("\\") ? spelling : spelling.replacingOccurrences(of: "\"", with: "\\\"")
            let fields = [
                (
                    "Content-Type",
                    spelling.contains("\\") ? "application/json" : "application/json; a=\(spelling)"
                ),
                ("X-Request-Id", spelling.contains("\\") ? "id" : spelling),
            ]
            let body = """
                {"message":"No access for \(json).","code":"\(json)","errors":[{"field":"key","message":"\(json) is wrong"}],
                "request_id":"\(json)","error_code":"\(json)","other":{"a":["\(json)"]}}
                """
            let isText = exchange.request.target.hasPrefix("/text")
            try exchange.respond(
                .status(status, fields: fields, body: isText ? "No access for \(spelling)!" : body))
        }
        let held = place == "held" ? ", credential: '\(Self.secret)'" : ""
        let more = "upstream_body: on, quarantine: off, upstream: '\(upstream.url)'\(held)"
        let providers =
            "providers: { p: { profile: generic, \(more) }, q: { profile: lettr, limits: [], \(more) } }"
        let authorization: [(String, String)] =
            switch place {
            case "bearer": [("Authorization", "Bearer \(Self.secret)")]
            case "basic": [("Authorization", "Basic \(Data(":\(Self.secret)".utf8).base64EncodedString())")]
            case "header": [("X-API-Key", Self.secret)]
            default: []
            }
        try withProxy(providers, upstreams: [upstream]) { proxy throws in
            for index in Self.spellings.indices {
                // Lettr has its key in one place.
                for mount in place == "held" || place == "bearer" ? ["p", "q", "p/text"] : ["p", "p/text"] {
                    let response = try proxy.exchange("GET", "/\(mount)/\(index)", fields: authorization)
                    let comment = Comment(rawValue: "\(place) \(index) \(mount): \(response.text)")
                    #expect(response.fields["Content-Type"] == "application/problem+json", comment)
                    #expect(response.text.contains("[redacted]"), comment)
                    expectNoSecret(response.text, comment)
                    if mount.hasPrefix("p") {
                        #expect(
                            response.problem["detail"]?.hasPrefix("No access for [redacted]") == true, comment
                        )
                    }
                    if place == "held" { expectNoSecret(response.fields.description, comment) }
                }
            }
            for page in ["/-/unmapped", "/-/requests", "/-/limits", "/-/", "/metrics"] {
                expectNoSecret(try proxy.exchange("GET", page).text, "\(page) of \(place)")
            }
            try eventually("the access log") { proxy.log.exchanges.count >= 2 * Self.spellings.count }
            expectNoSecret(proxy.log.text, "the log of \(place)")
        }
    }

    @Test("a credential of another client after the name of its scheme appears in no problem")
    func othersCredentials() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                .status(
                    401,
                    body:
                        #"{"message":"Got 'Basic OnNvbWVib2R5LWVsc2U=' or 'Bearer s0mebody-else'; Bearer token is invalid"}"#
                ))
        }
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(
                response.problem["detail"]
                    == "Got 'Basic [redacted]' or 'Bearer [redacted]'; Bearer token is invalid")
        }
    }

    @Test(
        "a credential that Weir adds appears in no header field of any response",
        arguments: [200, 201, 302, 400, 503], ["", "errors: raw"])
    func fields(status: Int, errors: String) throws {
        for spelling in Self.spellings where !spelling.contains("\\") {
            let upstream = try ScriptedUpstream { exchange in
                let fields = [
                    ("X-Echo", "key=\(spelling)"), ("Set-Cookie", "a=\(spelling); Path=/"), ("X-Kept", "1"),
                    ("Location", "https://other.test/?key=\(spelling)&x=1"),
                    ("WWW-Authenticate", "Bearer realm=\"\(spelling)\""),
                ]
                try exchange.respond(
                    .informational(103, fields: fields, then: .status(status, fields: fields, body: "{}")))
            }
            let more = errors.isEmpty ? "" : ", \(errors)"
            try withProxy(to: upstream, provider: "credential: '\(Self.secret)'\(more)") { proxy throws in
                let response = try proxy.exchange("GET", "/p/x")
                for fields in [response.fields] + response.informational.map(\.fields) {
                    expectNoSecret(fields.description, "\(status): \(fields)")
                    #expect(fields["X-Echo"] == "key=[redacted]" && fields["X-Kept"] == "1", "\(fields)")
                    #expect(fields["Location"] == "https://other.test/?key=redacted&x=1", "\(fields)")
                }
            }
        }
    }

    @Test(
        "a credential that Weir adds is redacted in raw errors, and nothing else is changed",
        arguments: ["", "deflate"])
    func raw(coding: String) throws {
        let plain =
            #"{"message":"No \#(Self.secret), \#(Self.secret.uppercased())","more":"Bearer somebody-3lse"}"#
        // A block that is not compressed (RFC 1951 3.2.4).
        let size = UInt16(plain.utf8.count)
        let head = [1, UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)]
        let body = (coding.isEmpty ? [] : head) + Array(plain.utf8)
        let upstream = try ScriptedUpstream { exchange in
            var fields = [("Content-Type", "application/json"), ("ETag", "\"1\""), ("Digest", "x")]
            if !coding.isEmpty { fields.append(("Content-Encoding", coding)) }
            let isClean = exchange.request.target == "/clean"
            try exchange.respond(
                .status(
                    400, fields: isClean ? [("ETag", "\"1\"")] : fields,
                    body: isClean ? Array("No %41 \\u0041".utf8) : body))
        }
        try withProxy(to: upstream, provider: "credential: '\(Self.secret)'") { proxy throws in
            let raw = [("X-Error-Format", "raw")]
            let response = try proxy.exchange("GET", "/p/x", fields: raw)
            #expect(
                response.text == #"{"message":"No [redacted], [redacted]","more":"Bearer somebody-3lse"}"#)
            #expect(response.status == 400 && response.isComplete && response.fields["X-Error-Code"] == nil)
            #expect(
                response.fields["Content-Type"] == "application/json"
                    && response.fields["Content-Encoding"] == nil)
            #expect(response.fields["ETag"] == nil && response.fields["Digest"] == nil)
            let clean = try proxy.exchange("GET", "/p/clean", fields: raw)
            #expect(clean.text == "No %41 \\u0041" && clean.fields["ETag"] == "\"1\"")
        }
        // A client knows its own.
        try withProxy(to: upstream) { proxy throws in
            let own = [("X-Error-Format", "raw"), ("Authorization", "Bearer \(Self.secret)")]
            let response = try proxy.exchange("GET", "/p/x", fields: own)
            #expect(response.body.bytes == body && response.fields["ETag"] == "\"1\"")
        }
    }

    @Test(
        "a credential that Weir adds is redacted in raw errors that resemble another character set",
        arguments: [[0], [0, 0x7B], [0xFF, 0xFE], [0xFE, 0xFF], [0x20, 0], [0, 0, 0xFE, 0xFF]] as [[UInt8]])
    func rawOfOtherCharset(start: [UInt8]) throws {
        let upstream = try ScriptedUpstream(
            answering: .status(
                400, fields: [("Content-Type", "image/png")],
                body: start + Array("key \(Self.secret) is bad".utf8)))
        try withProxy(to: upstream, provider: "credential: '\(Self.secret)', errors: raw") { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 400)
            #expect(!response.text.contains(Self.secret), "\(response.text)")
        }
    }

    @Test(
        "a credential that Weir adds appears in no field name of a response, an interim response or a trailer",
        arguments: ["ky-T3st-key-0123456789", "KY-t3st-KEY-0123456789"])
    func inName(spelling: String) throws {
        let secret = "ky-T3st-key-0123456789"
        let upstream = try ScriptedUpstream { exchange in
            let name = "X-\(spelling)"
            let status = exchange.request.target == "/error" ? "400 Bad Request" : "200 OK"
            try exchange.respond(
                "HTTP/1.1 103 Early Hints\r\nX-Hint: yes\r\n\(name): 1\r\n\r\n"
                    + "HTTP/1.1 \(status)\r\nX-Kept: yes\r\n\(name): 1\r\nTrailer: X-Last, \(name)\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Last: yes\r\n\(name): 1\r\n\r\n")
        }
        try withProxy(to: upstream, provider: "credential: '\(secret)'") { proxy throws in
            for path in ["/p/x", "/p/error"] {
                let response = try proxy.exchange("GET", path)
                let interim = response.informational.first?.fields
                #expect(response.fields["X-Kept"] == "yes" && interim?["X-Hint"] == "yes")
                if path == "/p/x" { #expect(response.trailers["X-Last"] == "yes") }
                let names = (response.fields.all + response.trailers.all + (interim?.all ?? [])).map {
                    "\($0.name): \($0.value)".lowercased()
                }
                #expect(!names.contains { $0.contains(secret.lowercased()) }, "\(names)")
                #expect(!proxy.log.text.lowercased().contains(secret.lowercased()))
            }
        }
    }

    @Test("a raw error too long to be searched for a credential that Weir adds becomes a problem")
    func longRaw() throws {
        let long = String(repeating: "x", count: 100_000) + Self.secret
        let upstream = try ScriptedUpstream(answering: .status(400, body: long))
        try withProxy(to: upstream, provider: "credential: '\(Self.secret)', errors: raw") { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 400 && response.fields["Content-Type"] == "application/problem+json")
            expectNoSecret(response.text, "\(response.text.prefix(100))")
        }
        try withProxy(to: upstream, provider: "errors: raw") { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x").text == long)
        }
    }

    @Test(
        "a raw error whose coding cannot be decoded becomes a problem if Weir adds a credential",
        arguments: ["utf-8", "compress", "gzip, unknown"])
    func undecodedRaw(coding: String) throws {
        let upstream = try ScriptedUpstream(
            answering: .status(400, fields: [("Content-Encoding", coding)], body: "bad key \(Self.secret)"))
        try withProxy(to: upstream, provider: "credential: '\(Self.secret)', errors: raw") { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 400)
            expectNoSecret(response.text, "\(response.text.prefix(100))")
        }
        try withProxy(to: upstream, provider: "errors: raw") { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x").text == "bad key \(Self.secret)")
        }
    }

    // MARK: One credential

    /// A profile that has its key in the query.
    private func withQueryKey(_ upstream: ScriptedUpstream, held: Bool, _ body: (ProxyFixture) throws -> Void)
        throws
    {
        try withProxy(
            "providers: { p: { profile: lemlist, upstream: '\(upstream.url)'\(held ? ", credential: '\(Self.secret)'" : "") } }",
            upstreams: [upstream], body)
    }

    @Test(
        "a credential of a client is not sent together with the one that Weir adds, in no place and no spelling"
    )
    func oneCredential() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withQueryKey(upstream, held: true) { proxy throws in
            for (target, sent) in [
                ("/p/a?access_token=c", "/a"), ("/p/a?x=1&access%5Ftoken=c&y=2", "/a?x=1&y=2"),
                ("/p/a?x=1;access_token=c", "/a?x=1"),
                ("/p/a?access_token=1&access_token=2", "/a"),
                ("/p/a?x%26access_token=c", "/a?x%26access_token=c"),
                ("/p/a?access_token%3Dc", "/a?access_token%3Dc"), ("/p?access_token=c", "/"),
            ] {
                let fields = [
                    ("Authorization", "Bearer a"), ("authorization", "Basic OmI="),
                    ("Connection", "Authorization"),
                ]
                #expect(try proxy.exchange("GET", target, fields: fields).status == 200)
                let request = try #require(upstream.requests.last)
                #expect(request.target == sent, "\(target)")
                let basic = "Basic \(Data(":\(Self.secret)".utf8).base64EncodedString())"
                #expect(request.fields.values(of: "Authorization") == [basic])
            }
        }
    }

    @Test("a credential of a client is sent once, and is the one that is counted")
    func countedCredential() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withQueryKey(upstream, held: false) { proxy throws in
            let fields = [("Authorization", "Bearer first"), ("Authorization", "Basic OnNlY29uZA==")]
            _ = try proxy.exchange(
                "GET", "/p/a?access_token=1&x&access%5ftoken=2;access_token=3", fields: fields)
            let request = try #require(upstream.requests.last)
            #expect(request.fields.values(of: "Authorization") == ["Bearer first"])
            #expect(request.target == "/a?access_token=1&x")
        }
        let limits = "limits: [{ requests: 1, per: 60s, by: credential }], max_wait: 0s"
        try withProxy(to: upstream, provider: limits) { proxy throws in
            for (fields, status) in [
                ([("Authorization", "Bearer k1")], 200), ([("Authorization", "Bearer  k1")], 429),
                ([("Authorization", "Bearer k1, Bearer k2")], 429),
                ([("Authorization", "Bearer k1"), ("Authorization", "Bearer k3")], 429),
                ([("X-API-Key", "k4"), ("X-API-Key", "k1")], 200),
                ([("X-API-Key", "k4"), ("X-API-Key", "k5")], 429),
                ([("Authorization", "Basic dTprNA==")], 429),
            ] {
                #expect(try proxy.exchange("GET", "/p/x", fields: fields).status == status, "\(fields)")
            }
        }
    }

    @Test(
        "a credential in the query selects a ledger by its decoded value, and a name that only decodes to it selects none"
    )
    func ledgerOfParameter() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let limits = "limits: [{ requests: 1, per: 60s, by: query key }], max_wait: 0s"
        try withProxy(to: upstream, provider: limits) { proxy throws in
            for (target, status) in [
                ("/p?key=x", 200), ("/p?k%65y=x", 429), ("/p?a;key=%78", 429), ("/p?key%3Dx", 200),
                ("/p", 429), ("/p?a%26key=y", 429),
                ("/p?a%3Bkey=y", 429), ("/p?key=y", 200),
            ] {
                #expect(try proxy.exchange("GET", target).status == status, "\(target)")
            }
        }
    }

    @Test(
        "a credential of a client appears in no problem, page or log",
        arguments: [
            ("Authorization", "KEY"), ("Authorization", "Custom KEY"),
            ("Authorization", "Token token=\"KEY\""),
            ("Authorization", "GenieKey KEY"), ("Authorization", "Hawk id=\"x\", mac=\"KEY\""),
            ("X_API_Key", "KEY"),
            ("X-Auth-Token", "KEY"), ("Private-Token", "KEY"), ("api-key", "KEY"), ("DPoP", "KEY"),
            ("Cookie", "a=b; session=KEY"),
        ])
    func ownOfClient(name: String, value: String) throws {
        let key = "zq81hhg73kkfuyeqppxmw"
        let upstream = try ScriptedUpstream { exchange in
            let ok = exchange.request.target == "/ok"
            try exchange.respond(
                .status(
                    ok ? 200 : 456, fields: [("X-Request-Id", "id-\(key)")],
                    body: #"{"message":"The key \#(key) is wrong","a":"\#(key)"}"#))
        }
        try withProxy(to: upstream, provider: "upstream_body: on, quarantine: off") { proxy throws in
            for path in ["/p/x", "/p/ok"] {
                _ = try proxy.exchange(
                    "GET", path, fields: [(name, value.replacingOccurrences(of: "KEY", with: key))])
            }
            let fields = [(name, value.replacingOccurrences(of: "KEY", with: key))]
            let response = try proxy.exchange("GET", "/p/x?access_token=\(key)", fields: fields)
            #expect(response.problem["detail"] == "The key [redacted] is wrong", "\(response.text)")
            #expect(!response.text.contains(key))
            for page in ["/-/unmapped", "/-/limits", "/-/", "/metrics"] {
                #expect(try !proxy.exchange("GET", page).text.contains(key), "\(page)")
            }
            try eventually("the access log") { proxy.log.exchanges.count >= 3 }
            #expect(!proxy.log.text.contains(key), "\(proxy.log.text)")
        }
    }

    @Test(
        "a client's credential field that differs only in '_' and '-' is not forwarded together with Weir's own",
        arguments: ["X_API_Key", "X-API_Key", "x_api-key", "X-API-KEY"])
    func twins(name: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        for held in [true, false] {
            let more = held ? "credential: '\(Self.secret)'" : ""
            try withProxy(to: upstream, provider: more) { proxy throws in
                #expect(
                    try proxy.exchange("GET", "/p/x", fields: [(name, "theirs"), ("X-API-Key", "second")])
                        .status == 200)
                let request = try #require(upstream.requests.last)
                let values = request.fields.all.filter {
                    $0.name.lowercased().replacingOccurrences(of: "_", with: "-") == "x-api-key"
                }
                #expect(values.map(\.value) == (held ? [] : ["theirs"]))
                #expect(request.fields["Authorization"] == (held ? "Bearer \(Self.secret)" : nil))
            }
        }
    }
}
