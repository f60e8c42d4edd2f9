import Foundation
import Testing
import Wire

@testable import Core

@Suite("secrets that a provider repeats")
struct SecretRedactorTests {
    private static let secret = "sk-Te5t/key+42_=&"

    private static func redacted(_ text: String, secret: String = secret, prefixes: [Text] = []) -> String {
        let bytes = Array(text.utf8)
        let redactor = SecretRedactor(secrets: [Array(secret.utf8)], prefixes: prefixes)
        return String(decoding: redactor.redacted(bytes) ?? bytes, as: UTF8.self)
    }

    private static func mayContain(_ text: String, _ redactor: SecretRedactor) -> Bool {
        redactor.mayContain(Array(text.utf8).span)
    }

    @Test("are hidden in each encoding, wherever they stand", arguments: SecretEncoding.all.map(\.name))
    func encodings(_ name: String) throws {
        let encode = try #require(SecretEncoding.all.first { $0.name == name }?.encode)
        for secret in [
            Self.secret, "plainkey", "a b c d e f", "%41%42%43xyz-12", "aaaaaaaa",
            "key-with-dashes_0123456789",
        ] {
            let encoded = encode(secret)
            for (before, after) in [
                ("", ""), ("Key ", " is wrong"), (#"{"a":""#, #""}"#), ("(", ")"), ("x: ", "\n"),
            ] {
                let text = Self.redacted(before + encoded + after, secret: secret)
                #expect(text.contains("[redacted]"), "\(name) of \(secret) in \(before)")
                #expect(text.hasPrefix(before.prefix(1)) && text.hasSuffix(after.suffix(1)), "\(text)")
                #expect(!text.contains(secret.dropFirst(2).dropLast(2)), "\(text)")
                #expect(text.utf8.count <= before.utf8.count + after.utf8.count + 80, "\(text)")
            }
        }
    }

    @Test("are hidden in one encoding within another one", arguments: SecretEncoding.outer.map(\.name))
    func layers(_ name: String) throws {
        let outer = try #require(SecretEncoding.outer.first { $0.name == name }?.encode)
        for secret in [Self.secret, "plainkey", "sk_live_0123456789abcdef", "aaaaaaaa"] {
            for (inner, encode) in SecretEncoding.inner {
                let encoded = outer(encode(secret))
                let text = Self.redacted("x {\(encoded)} y", secret: secret)
                #expect(text.contains("[redacted]"), "\(name) of \(inner) of \(secret)")
                #expect(text.hasPrefix("x {") && text.hasSuffix("} y"), "\(text)")
                #expect(
                    !text.contains(encoded.dropFirst(8).dropLast(8)),
                    "\(name) of \(inner) of \(secret): \(text)")
            }
        }
    }

    @Test("what is no secret stays as it is, byte for byte")
    func others() {
        for text in [
            "", "a", "Nothing here.",
            "100% of {\"a\":\"\\u00e9\\n\\/\"} &amp; =3D &nosuch; &#xZZ; %zz %u12 \\u12", "sk-Te5t/key",
            "\\", "%", "&", "=", "&;", "&#;", "&#x;", "\\u", "=\r\n", String(repeating: "\\", count: 99),
            "&#99999999999999;",
            "\u{E9}\u{1F600}", "%ff%fe", "\\ud83d\\ude00",
        ] {
            #expect(Self.redacted(text) == text)
        }
        #expect(Self.redacted("short is short", secret: "short") == "short is short")
    }

    @Test("what is left of JSON is JSON")
    func validJSON() {
        for secret in ["nabcdefgh", "/abcdefgh/", "abcdefg\\", "\"quoted\"", "u0041bcdefgh", "abcdefgh"] {
            let escaped = secret.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(
                of: "\"", with: "\\\"")
            for before in ["", "\\n", "\\\\", "\\\"", "\\u0041", "\\\\\\n"] {
                for after in ["", "\\n", "\\\\", "\\\"", "\\u0041"] {
                    for spelling in [escaped, escaped.replacingOccurrences(of: "/", with: "\\/")] {
                        let json = #"{"message":"\#(before)\#(spelling)\#(after)","code":"c"}"#
                        let text = Self.redacted(json, secret: secret)
                        #expect(text.contains("[redacted]"), "\(json)")
                        #expect(JSONDocument(Array(text.utf8)) != nil, "\(json) became \(text)")
                    }
                }
            }
        }
    }

    @Test(
        "a token behind the name of a scheme is hidden, whosever it is",
        arguments: [
            ("Basic OnNlY3JldC1rZXk=", "Basic [redacted]"),
            ("basic dXNlcjpwYXNz is wrong", "basic [redacted] is wrong"),
            ("BASIC dXNlcjpw", "BASIC [redacted]"),
            ("Invalid 'Basic OmtleQ=='.", "Invalid 'Basic [redacted]'."),
            ("Bearer abcDEF123", "Bearer [redacted]"),
            ("bearer eyJhbGciOiJIUzI1NiJ9.e30.abc_-x", "bearer [redacted]"),
            ("Authorization: Bearer secretsecret", "Authorization: Bearer [redacted]"),
            (#"{"got":"Bearer sk_live_1234"}"#, #"{"got":"Bearer [redacted]"}"#),
            ("Bearer  k3y4", "Bearer  [redacted]"),
            ("Bearer%20abcDEF123", "Bearer%20[redacted]"), ("Bearer+abcDEF123&x", "Bearer+[redacted]&x"),
            (#"Bearer \"abcDEF123\""#, #"Bearer \"[redacted]\""#),
            ("Bearer &quot;abcDEF123&quot;", "Bearer &quot;[redacted]&quot;"),
            ("Token 0123456789abcdef", "Token [redacted]"), ("ApiKey aB3dE5gH", "ApiKey [redacted]"),
            ("Bearer token abc, Bearer abcDEF123", "Bearer token abc, Bearer [redacted]"),
            ("Basic\\u0020OnNlY3JldC1rZXk=", "Basic\\u0020[redacted]"),
            ("Bearer: abcDEF123", "Bearer: [redacted]"),
            ("Digest 0123456789abcdef", "Digest [redacted]"),
            ("Basic Bearer abcDEF123", "Basic Bearer [redacted]"),
            ("Bearer\nabcDEF123", "Bearer\n[redacted]"), ("Bearer\r\n\tabcDEF123", "Bearer\r\n\t[redacted]"),
            ("Bearer\u{A0}abcDEF123", "Bearer\u{A0}[redacted]"),
            ("Bearer\u{202F}abcDEF123", "Bearer\u{202F}[redacted]"),
            ("Bearer [abcDEF123]", "Bearer [[redacted]]"), ("Bearer (abcDEF123)", "Bearer ([redacted])"),
            ("Bearer <abcDEF123>", "Bearer <[redacted]>"), ("Bearer {abcDEF123}", "Bearer {[redacted]}"),
            ("Bearer \u{201C}abcDEF123\u{201D}", "Bearer \u{201C}[redacted]\u{201D}"),
            ("Bearer **abcDEF123**", "Bearer **[redacted]**"), ("Bearer[abcDEF123]", "Bearer[[redacted]]"),
            (#"{"m":"Bearer\nabcDEF123"}"#, #"{"m":"Bearer\n[redacted]"}"#),
            ("Bearer&nbsp;abcDEF123", "Bearer&nbsp;[redacted]"),
            ("X-API-Key: abcDEF123", "X-API-Key: [redacted]"),
            ("x_api_key=abcDEF123", "x_api_key=[redacted]"),
            ("DPoP eyJ0eXAiOiJkcG9w.e30.x1", "DPoP [redacted]"), ("OAuth ya29abcDEF", "OAuth [redacted]"),
            ("JWT eyJ0eXAiOiJKV1QifQ.e30.x", "JWT [redacted]"),
            ("Negotiate YIIKhgYGKwYBBQUC", "Negotiate [redacted]"),
            ("NTLM TlRMTVNTUAABAAAA", "NTLM [redacted]"), ("SSWS 00QCjAl4MlV-WPXM", "SSWS [redacted]"),
            (#"Token token="abcDEF123""#, #"Token token="[redacted]""#),
            ("Token token=secretkey", "Token token=[redacted]"),
            ("Authorization: abcDEF123", "Authorization: [redacted]"),
            ("API key abcDEF123", "API key [redacted]"),
        ])
    func schemes(_ text: String, _ expected: String) {
        #expect(Self.redacted(text) == expected)
    }

    @Test(
        "a sentence about a scheme stays whole",
        arguments: [
            "Bearer token is missing", "Basic authentication required", "Bearer authentication is required.",
            "Bearer realm=\"api\", error=\"invalid_token\"", "Use Basic auth", "Basic plan only",
            "Basic subscription needed",
            "Token expired", "Token is invalid", "The token has expired", "Basic Only",
            "Basic operation not permitted",
            "Digest mismatch", "Bearer access_token required", "Basic information", "bearer", "Basic",
            "Bearer.", "a Bearer",
            "Bearer realm=\\\"x\\\"", "Bearer tokens/keys only", "token: missing", "Basic validation failed",
            "Basic Authentication-Failed",
            "tokens 12345678", "Basically 0123456789abcdef is fine", "WWW-Authenticate: Basic realm=\"x\"",
            "Token expired at 12:30",
            "Bearer authorization_uri=\"https://a.test\"", "Basic configuration error", "digest algorithm",
            "ApiKey not found", "Bearer instruments unsupported", "Basic plan required", "Token expired",
            "Unexpected token: identifier", "The X-API-Key header is missing", "X-API-Key: required",
            "OAuth application disabled",
            "JWT malformed", "jwt signature mismatch", "Negotiate authentication failed",
            "DPoP proof required",
            "Authorization: missing", "Authorization header required", "authorization failed",
            "Bearer certificates are not accepted",
            "Token (expired)", "API key required", "Invalid API key provided", "Basic [plan]",
        ])
    func sentences(_ text: String) {
        #expect(Self.redacted(text) == text)
    }

    @Test("what begins as the provider's secrets do is hidden, also behind escapes")
    func prefixes() {
        #expect(Self.redacted("Key lttr_abcdefgh1!", prefixes: ["lttr_"]) == "Key [redacted]!")
        #expect(Self.redacted("Key lttr_short", prefixes: ["lttr_"]) == "Key lttr_short")
        #expect(Self.redacted(#"Key lttr\u005fabcdefgh1!"#, prefixes: ["lttr_"]) == "Key [redacted]!")
    }

    @Test("the quick look never says that a secret is not there which is")
    func quickLook() {
        let redactor = SecretRedactor(secrets: [Array(Self.secret.utf8)], findsSchemes: false)
        for (name, encode) in SecretEncoding.all {
            #expect(Self.mayContain("x \(encode(Self.secret)) y", redactor), "\(name)")
            #expect(Self.mayContain(encode(Self.secret), redactor), "\(name)")
        }
        for text in ["", "a", "ab", "Mon, 30 Nov 2026 17:42:54 GMT", "application/json; charset=utf-8"] {
            #expect(!Self.mayContain(text, redactor))
        }
        #expect(redactor.redacted(Array("Bearer abcDEF123".utf8)) == nil)
    }

    @Test(
        "the time grows with the text, not with the text times the secret",
        arguments: [
            "aaaa", "ab", "\\/", "%25", "Basic ", "bearer+", "&#47;", "&", "\\", "Bearer a", "=3D", "sk_",
            "%2525252525",
        ])
    func linear(_ unit: String) {
        func cost(_ size: Int) -> Int {
            let text = Array(String(repeating: unit, count: size / unit.utf8.count).utf8)
            let secret = Array(String(repeating: unit, count: size / 4 / unit.utf8.count).utf8) + [0x21]
            let start = Self.threadNanoseconds
            let redactor = SecretRedactor(secrets: [secret], prefixes: ["sk_", "s"])
            _ = redactor.redacted(text)
            return Self.threadNanoseconds - start
        }
        // Quadratic, the longer one would take 64 times as long. A busy processor makes a run slower, never faster.
        var (short, long) = (Int.max, Int.max)
        for _ in 0..<10 {
            short = min(short, cost(8 << 10))
            long = min(long, cost(64 << 10))
            if long < max(short, 2_000_000) * 24 { return }
        }
        Issue.record("\(short) and \(long) ns")
    }

    /// The processor's time of this thread: other tests run meanwhile.
    private static var threadNanoseconds: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    @Test("the beginning of a secret is hidden where the end of a text was cut off")
    func cutOff() {
        let secret = Array("live_0a1b2c3d4e5f6071829".utf8)
        let redactor = SecretRedactor(secrets: [secret])
        let digits = Array("0123456789abcdef".utf8)
        let hexadecimal = secret.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        for spelling in [secret, hexadecimal, Base64.encode(secret)] {
            for length in SecretRedactor.shortestSecret..<spelling.count - 1 {
                let text = Array("bad key ".utf8) + spelling.prefix(length)
                let hidden = redactor.redacted(text, isCut: true)
                #expect(hidden == Array("bad key [redacted]".utf8), "\(length) of \(spelling.count)")
            }
        }
        #expect(redactor.redacted(Array("bad key live_0a1b".utf8)) == nil)
        #expect(redactor.redacted(Array("bad key live_0a".utf8), isCut: true) == nil)
    }
}

/// The encodings in which a provider could repeat a credential.
enum SecretEncoding {
    /// Each encoding of a text, by its name.
    static let all: [(name: String, encode: @Sendable (String) -> String)] = [
        ("plain", { $0 }), ("upper case", { $0.uppercased() }), ("lower case", { $0.lowercased() }),
        ("base 64", { Data($0.utf8).base64EncodedString() }),
        ("base 64 of :key", { Data(":\($0)".utf8).base64EncodedString() }),
        ("base 64 of user:key", { Data("user:\($0)".utf8).base64EncodedString() }),
        ("base 64 of key:", { Data("\($0):".utf8).base64EncodedString() }),
        (
            "base 64 for URLs",
            {
                Data("ab\($0)".utf8).base64EncodedString().replacingOccurrences(of: "+", with: "-")
                    .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
            }
        ),
        (
            "base 64 within more",
            { Data(#"{"a":[1],"key":"\#($0)","more":true}"#.utf8).base64EncodedString() }
        ),
        ("percent-encoded", { percent($0, all: false) }),
        ("percent-encoded whole", { percent($0, all: true) }),
        ("percent-encoded in lower case", { percent($0, all: true).lowercased() }),
        ("percent-encoded twice", { percent(percent($0, all: true), all: false) }),
        ("form-encoded", { percent($0, all: false).replacingOccurrences(of: "%20", with: "+") }),
        ("hexadecimal", { $0.utf8.map { String(format: "%02x", $0) }.joined() }),
        ("hexadecimal in upper case", { $0.utf8.map { String(format: "%02X", $0) }.joined() }),
        ("JSON escapes", { $0.utf8.map { String(format: "\\u%04x", $0) }.joined() }),
        ("JSON escapes in upper case", { $0.utf8.map { String(format: "\\u%04X", $0) }.joined() }),
        (
            "JSON escapes of some",
            { text in
                text.enumerated().map {
                    $0 % 3 == 1 ? String(format: "\\u%04x", $1.asciiValue ?? 0) : "\($1)"
                }.joined()
            }
        ),
        ("JSON with escaped slashes", { $0.replacingOccurrences(of: "/", with: "\\/") }),
        (
            "JSON within JSON",
            {
                $0.replacingOccurrences(of: "/", with: "\\\\\\/").replacingOccurrences(
                    of: "+", with: "\\\\u002b")
            }
        ),
        (
            "HTML",
            { $0.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "/", with: "&#47;") }
        ),
        ("HTML by number", { $0.utf8.map { "&#\($0);" }.joined() }),
        ("HTML by hexadecimal number", { $0.utf8.map { String(format: "&#x%X;", $0) }.joined() }),
        (
            "HTML by name",
            { $0.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "+", with: "&plus;") }
        ),
        (
            "quoted-printable",
            { $0.replacingOccurrences(of: "=", with: "=3D").replacingOccurrences(of: "/", with: "=2F") }
        ),
        (
            "percent-encoded in HTML in JSON",
            { percent($0, all: false).replacingOccurrences(of: "%", with: "\\u0026#37;") }
        ),
        ("escape() of JavaScript", { $0.utf8.map { String(format: "%%u%04X", $0) }.joined() }),
        ("an escape of a string", { $0.utf8.map { String(format: "\\x%02x", $0) }.joined() }),
        ("base 64 in lines", { lines(Data($0.utf8).base64EncodedString(), "\r\n") }),
        ("base 64 in lines of JSON", { lines(Data("u:\($0)".utf8).base64EncodedString(), "\\n") }),
        ("base 64 with blanks", { lines(Data($0.utf8).base64EncodedString(), " ") }),
        ("quoted-printable in lines", { lines($0.replacingOccurrences(of: "=", with: "=3D"), "=\n") }),
        ("quoted-printable in lines of JSON", { lines($0, "=\\r\\n") }),
        ("quoted-printable whole", { $0.utf8.map { String(format: "=%02X", $0) }.joined() }),
        ("base 32", { base32($0) }), ("base 32 in lower case", { base32($0).lowercased() }),
        ("base 32 without padding", { base32("ab:\($0)").replacingOccurrences(of: "=", with: "") }),
        ("base 32 in lines", { lines(base32($0), "\n") }),
        ("hexadecimal with colons", { $0.utf8.map { String(format: "%02x", $0) }.joined(separator: ":") }),
        ("hexadecimal with blanks", { $0.utf8.map { String(format: "%02X", $0) }.joined(separator: " ") }),
        ("hexadecimal with 0x", { $0.utf8.map { String(format: "0x%02x", $0) }.joined(separator: ", ") }),
        ("decimal numbers", { $0.utf8.map { "\($0)" }.joined(separator: ", ") }),
        ("HTML by number without semicolons", { $0.utf8.map { "&#\($0)" }.joined() }),
        (
            "HTML by hexadecimal number without semicolons",
            { $0.utf8.map { String(format: "&#x%x", $0) }.joined() }
        ),
        ("HTML by name without semicolons", { $0.replacingOccurrences(of: "&", with: "&amp") }),
        ("octal escapes", { $0.utf8.map { String(format: "\\%03o", $0) }.joined() }),
        ("escapes with braces", { $0.utf8.map { String(format: "\\u{%x}", $0) }.joined() }),
        ("escapes of eight digits", { $0.utf8.map { String(format: "\\U%08x", $0) }.joined() }),
        ("HTML with zeros", { $0.utf8.map { String(format: "&#%010d;", $0) }.joined() }),
        ("percent-encoded three times", { percent(percent(percent($0, all: true), all: false), all: false) }),
    ]

    /// Encodings that make one text of another one, for any two in a row.
    static let inner: [(name: String, encode: @Sendable (String) -> String)] = all.filter {
        [
            "base 64", "base 64 of :key", "base 64 for URLs", "base 32", "base 32 in lower case",
            "hexadecimal",
            "hexadecimal in upper case", "percent-encoded",
        ].contains($0.name)
    }

    /// Encodings of such a text.
    static let outer: [(name: String, encode: @Sendable (String) -> String)] = all.filter {
        [
            "base 64", "base 64 of user:key", "base 64 in lines", "base 64 in lines of JSON", "base 32",
            "base 32 in lower case",
            "hexadecimal", "hexadecimal with colons", "percent-encoded whole", "percent-encoded twice",
            "JSON escapes",
            "HTML by number", "HTML by number without semicolons", "quoted-printable in lines",
            "quoted-printable whole",
            "an escape of a string",
        ].contains($0.name)
    }

    private static func lines(_ text: String, _ end: String) -> String {
        stride(from: 0, to: text.utf8.count, by: 5).map { start in
            String(decoding: Array(text.utf8)[start..<min(start + 5, text.utf8.count)], as: UTF8.self)
        }.joined(separator: end)
    }

    private static func base32(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let bits = text.utf8.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        var result = stride(from: 0, to: bits.count, by: 5).map { start in
            let group = bits[start..<min(start + 5, bits.count)]
            return alphabet[group.reduce(0) { $0 << 1 | Int($1) } << (5 - group.count)]
        }
        while result.count % 8 > 0 { result.append("=") }
        return String(result)
    }

    private static func percent(_ text: String, all: Bool) -> String {
        text.utf8.map { byte in
            let isPlain = Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
            return !all && isPlain ? String(Unicode.Scalar(byte)) : String(format: "%%%02X", byte)
        }.joined()
    }
}
