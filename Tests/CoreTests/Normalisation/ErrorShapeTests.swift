import Core
import Testing

@Suite("shapes of errors that are no JSON problem")
struct ErrorShapeTests {
    @Test("a form of an error is read as its names and values")
    func form() throws {
        let body =
            "error=invalid_grant&error_description=The+code+has%20expired.&error_uri=https%3A%2F%2Fa%2Fe"
        let error = try NormalizerFixture("generic", 400, body).error()
        #expect(error.code == .unauthenticated)
        #expect(error.upstream.code?.string == "invalid_grant")
        #expect(error.upstream.message?.string == "The code has expired.")
    }

    @Test(
        "a text that is no form of an error stays a text",
        arguments: [
            "a=b", "error", "error=", "=x", "error=1 and more", "error=a&&b=c", "a&error=b", "x=1&errors=2",
        ])
    func noForm(_ body: String) throws {
        #expect(try NormalizerFixture("generic", 400, body).error().upstream.code == nil)
    }

    @Test("the fields of a failure in the form of JSend are read")
    func jsend() throws {
        let body = #"{"status": "fail", "data": {"email": "must be a valid email address"}}"#
        let error = try NormalizerFixture("generic", 400, body).error()
        #expect(error.code == .validationFailed && error.fields.map(\.field.string) == ["email"])
    }

    @Test("a number under error is a code, unless it is the status")
    func numericError() throws {
        func code(_ number: Int) throws -> String? {
            let body = #"{"error": \#(number), "message": "It failed badly."}"#
            return try NormalizerFixture("generic", 400, body).error().upstream.code?.string
        }
        #expect(try code(1001) == "1001")
        #expect(try code(400) == nil)
    }

    @Test(
        "a code in a field of a gateway is read",
        arguments: [
            ("X-Mashery-Error-Code", "ERR_403_DEVELOPER_OVER_QPS", ProblemCode.rateLimited),
            ("X-Mashery-Error-Code", "ERR_403_DEVELOPER_OVER_RATE", .quotaExceeded),
            ("X-Apigee-Fault-Code", "policies.ratelimit.SpikeArrestViolation", .rateLimited),
            ("X-Api-Error-Code", "account_suspended", .accountBlocked),
        ])
    func headerCodes(_ field: String, _ value: String, _ code: ProblemCode) throws {
        let error = try NormalizerFixture("generic", 403, "no", fields: [(field, value)]).error()
        #expect(error.code == code && error.upstream.code?.string == value)
    }

    @Test(
        "Google's name of a quota says whether it counts by the day",
        arguments: [("PerDay", ProblemCode.quotaExceeded), ("PerMinute", .rateLimited)])
    func quotaName(_ period: String, _ code: ProblemCode) throws {
        let body = """
            {"error": {"code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED", "details": [\
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "GenerateRequests\(period)PerModel"}]}, \
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}]}}
            """
        #expect(try NormalizerFixture("generic", 429, body).error().code == code)
    }
}
