import Core
import Testing

@Suite("Field problems")
struct FieldProblemTests {
    private func fields(_ body: String, status: Int = 422) throws -> [String] {
        try NormalizerFixture("generic", status, body).error().fields.map { field in
            "\(field.field)|\(field.code.rawValue)|\(field.detail?.string ?? "-")"
        }
    }

    @Test(
        "every shape of a list of fields is read",
        arguments: [
            (
                #"{"errors":{"to":["bad","short"],"cc":"x"}}"#,
                ["to|invalid|bad", "to|invalid|short", "cc|invalid|x"]
            ),
            (#"{"errors":{"a":{"0":{"name":["required"]}}}}"#, ["a.0.name|required|required"]),
            (
                #"{"errors":{"to":[1,null,"bad",true,{"message":"m"},["x"]]}}"#,
                ["to|invalid|1", "to|invalid|bad", "to|invalid|true", "to|invalid|m"]
            ),
            (
                #"{"errors":[{"field":"a","message":"m"},{"path":["b",0],"msg":"n"},{"message":"no field"},7]}"#,
                ["a|invalid|m", "b.0|invalid|n"]
            ),
            (#"{"errors":[{"source":{"pointer":"/data/x"},"detail":"d"}]}"#, ["/data/x|invalid|d"]),
            (#"{"error":{"message":"m","param":"to"}}"#, ["to|invalid|m"]),
            (
                #"{"error":{"details":[{"field":"to[0]","message":"Invalid email address format"}]}}"#,
                ["to[0]|invalid_format|Invalid email address format"]
            ),
            (
                #"{"invalid-params":[{"name":"age","reason":"must be positive"}]}"#,
                ["age|out_of_range|must be positive"]
            ),
            (#"{"errors":[]}"#, []), (#"{"errors":null}"#, []), (#"{"errors":{}}"#, []),
            (#"{"errors":7}"#, []),
        ])
    func shapes(body: String, expected: [String]) throws { #expect(try fields(body) == expected) }

    @Test(
        "a sentence tells what is wrong",
        arguments: [
            ("The from field is required.", "required"),
            ("At least one recipient email address is required.", "required"),
            ("The to.0 must be a valid email address.", "invalid_format"), ("required", "required"),
            ("The attachments.0.data field must be a valid base64 string.", "invalid_format"),
            ("The to field must not have more than 50 items.", "too_long"), ("too short", "too_short"),
            ("The name must not be greater than 255 characters.", "too_long"),
            ("The per_page parameter must be an integer.", "invalid_type"),
            ("The per_page parameter must not exceed 100.", "out_of_range"),
            ("The scheduled delivery time must be in the future.", "out_of_range"),
            ("The json and html fields are mutually exclusive. Provide only one.", "not_allowed"),
            ("The json field prohibits html from being present.", "not_allowed"),
            ("The provided JSON is not valid.", "invalid_format"),
            ("The from parameter must be a valid date.", "invalid_format"),
            ("The domain must be a valid domain name (e.g., example.com).", "invalid_format"),
            ("The email has already been taken.", "duplicate"),
            ("The selected type is invalid.", "not_allowed"),
            ("The list does not exist.", "not_found"), ("Unknown field.", "unknown_field"),
            ("The password must be at least 8 characters.", "too_short"), ("Whatever.", "invalid"),
            ("The to field must be an array.", "invalid_type"), ("The webhook ID is required.", "required"),
            ("Either html or json content is required.", "required"),
            ("Domain 'x.com' is not verified", "invalid"),
        ])
    func sentences(text: String, code: String) throws {
        #expect(try fields(#"{"errors":{"f":["\#(text)"]}}"#) == ["f|\(code)|\(text)"])
    }

    @Test("no body makes more than a hundred")
    func bounded() throws {
        let many = (0..<500).map { #""f\#($0)":["x","y"]"# }.joined(separator: ",")
        #expect(try fields("{\"errors\":{\(many)}}").count == 100)
    }
}
