import Core
import TestSupport
import Testing
import Wire

@Suite("Message and code of an error")
struct MarkupErrorTests {
    /// Status, body, then what the problem has: code, detail, the provider's code.
    private static let errors: [(Int, String, ProblemCode, String?, String?)] = [
        (
            403,
            "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
            .permissionDenied, "Access Denied", "AccessDenied"
        ),
        (
            400,
            "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message>"
                + "</Error></Errors></Response>", .rateLimited, "Request limit exceeded.",
            "RequestLimitExceeded"
        ),
        (
            400,
            "<ErrorResponse xmlns=\"x\"><MessageId>7</MessageId><message lang=\"en\">A &amp; B differ</message></ErrorResponse>",
            .invalidRequest, "A & B differ", nil
        ),
        (
            500,
            "<soap:Envelope><soap:Body><soap:Fault><faultstring>No such account</faultstring></soap:Fault></soap:Body>"
                + "</soap:Envelope>", .providerError, "No such account", nil
        ),
        (
            404, "<error><code>404</code><message>No such user</message></error>", .notFound, "No such user",
            nil
        ),
        (400, "<Error><Message>This sentence is cut o", .invalidRequest, nil, nil),
        (400, "<Error><Message></Message><Code/></Error>", .invalidRequest, nil, nil),
        (
            404,
            #"{"@type":"hydra:Error","hydra:title":"An error occurred","hydra:description":"No such book"}"#,
            .notFound, "No such book", nil
        ),
        (400, #"{"error_code":100,"error_msg":"Bad parameter"}"#, .invalidRequest, "Bad parameter", "100"),
        (400, #"{"errno":5,"errmsg":"Bad thing"}"#, .invalidRequest, "Bad thing", "5"),
        (400, #"{"errcode":40013,"errmsg":"bad appid"}"#, .invalidRequest, "bad appid", "40013"),
    ]

    @Test("in XML, or under less usual names, is in the problem", arguments: errors.indices)
    func read(index: Int) throws {
        let (status, body, code, detail, upstreamCode) = Self.errors[index]
        let error = try NormalizerFixture("generic", status, body).error()
        #expect(error.code == code, "\(body)")
        #expect(error.detail?.string == detail, "\(body)")
        #expect(error.upstream.code?.string == upstreamCode, "\(body)")
        #expect(error.isMapped, "\(body)")
    }
}
