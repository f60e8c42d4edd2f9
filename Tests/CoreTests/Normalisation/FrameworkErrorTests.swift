import Configuration
import Core
import TestSupport
import Testing
import Wire

@Suite("Errors of frameworks")
struct FrameworkErrorTests {
    private func fields(_ body: String, status: Int) throws -> [String] {
        try NormalizerFixture("generic", status, body).error().fields.map { field in
            "\(field.field)|\(field.code.rawValue)|\(field.detail?.string ?? "-")"
        }
    }

    // swift-format-ignore
    private static let shapes: [(framework: String, status: Int, body: String, fields: [String])] = [
            ("FastAPI", 422, ##"{"detail": [{"loc": ["body", "email"], "msg": "field required", "type": "missing"}]}"##, [##"email|required|field required"##]),
            ("FastAPI", 422, ##"{"detail": [{"type": "missing", "loc": ["body", "email"], "msg": "Field required", "input": {"a": 1}, "url": "https://errors.pydantic.dev/2.5/v/missing"}, {"type": "int_parsing", "loc": ["query", "limit"], "msg": "Input should be a valid integer, unable to parse string as an integer", "input": "x"}]}"##, [##"email|required|Field required"##, ##"limit|invalid_type|Input should be a valid integer, unable to parse string as an integer"##]),
            ("FastAPI", 422, ##"{"detail": [{"loc": ["body", "items", 0, "qty"], "msg": "ensure this value is greater than 0", "type": "value_error.number.not_gt", "ctx": {"limit_value": 0}}, {"loc": ["body", "email"], "msg": "value is not a valid email address", "type": "value_error.email"}]}"##, [##"items.0.qty|out_of_range|ensure this value is greater than 0"##, ##"email|invalid_format|value is not a valid email address"##]),
            ("FastAPI", 400, ##"{"detail": "Inactive user"}"##, []),
            ("FastAPI", 422, ##"{"detail": [{"type": "json_invalid", "loc": ["body", 17], "msg": "JSON decode error", "input": {}, "ctx": {"error": "Expecting value"}}]}"##, [##"body|invalid_format|JSON decode error"##]),
            ("FastAPI", 422, ##"{"detail": [{"loc": ["body", "name"], "msg": "String should have at least 3 characters", "type": "string_too_short"}, {"loc": ["body", "x"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}, {"loc": ["body", "kind"], "msg": "Input should be 'a' or 'b'", "type": "literal_error"}, {"loc": ["body"], "msg": "Field required", "type": "missing"}]}"##, [##"name|too_short|String should have at least 3 characters"##, ##"x|unknown_field|Extra inputs are not permitted"##, ##"kind|not_allowed|Input should be 'a' or 'b'"##, ##"body|required|Field required"##]),
            ("Symfony", 422, ##"{"violations": [{"propertyPath": "code", "message": "This value should not be blank."}]}"##, [##"code|required|This value should not be blank."##]),
            ("Symfony", 422, ##"{"type": "https://symfony.com/errors/validation", "title": "Validation Failed", "status": 422, "detail": "name: This value is too short.", "violations": [{"propertyPath": "address.street", "title": "This value is too short. It should have 3 characters or more.", "template": "x y", "parameters": {"{{ limit }}": "3"}, "type": "urn:uuid:9ff3fdc4-b214-49db-8718-39c315e33d45"}]}"##, [##"address.street|too_short|This value is too short. It should have 3 characters or more."##]),
            ("Symfony", 400, ##"{"@context": "/contexts/ConstraintViolationList", "@type": "ConstraintViolationList", "hydra:title": "An error occurred", "hydra:description": "email: This value is not a valid email address.", "violations": [{"propertyPath": "email", "message": "This value is not a valid email address.", "code": "bd79c0ab-ddba-46cc-a703-a7a4b08de310"}]}"##, [##"email|invalid_format|This value is not a valid email address."##]),
            ("Symfony", 400, ##"{"code": 400, "message": "Validation Failed", "errors": {"children": {"name": {"errors": ["This value should not be blank."]}, "email": {}}}}"##, [##"name|required|This value should not be blank."##]),
            ("Spring", 400, ##"{"timestamp": "2026-11-30T10:00:00.000+00:00", "status": 400, "error": "Bad Request", "message": "Validation failed for object='user'. Error count: 1", "errors": [{"codes": ["NotBlank.user.name", "NotBlank"], "arguments": [{"codes": ["user.name", "name"], "defaultMessage": "name", "code": "name"}], "defaultMessage": "must not be blank", "objectName": "user", "field": "name", "rejectedValue": "", "bindingFailure": false, "code": "NotBlank"}], "path": "/users"}"##, [##"name|required|must not be blank"##]),
            ("Spring", 400, ##"{"title": "Constraint Violation", "status": 400, "violations": [{"field": "create.user.age", "message": "must be greater than or equal to 18"}]}"##, [##"create.user.age|out_of_range|must be greater than or equal to 18"##]),
            ("Spring", 400, ##"{"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "Invalid request content.", "instance": "/users", "errors": [{"field": "email", "defaultMessage": "must be a well-formed email address", "code": "Email"}, {"field": "size", "defaultMessage": "size must be between 1 and 5", "code": "Size"}]}"##, [##"email|invalid_format|must be a well-formed email address"##, ##"size|out_of_range|size must be between 1 and 5"##]),
            ("Spring", 400, ##"{"fieldErrors": [{"objectName": "user", "field": "login", "message": "NotNull"}], "message": "error.validation"}"##, [##"login|required|NotNull"##]),
            ("ASP.NET", 400, ##"{"type": "https://tools.ietf.org/html/rfc9110#section-15.5.1", "title": "One or more validation errors occurred.", "status": 400, "errors": {"Name": ["The Name field is required."], "Age": ["The field Age must be between 1 and 120."]}, "traceId": "00-x"}"##, [##"Name|required|The Name field is required."##, ##"Age|out_of_range|The field Age must be between 1 and 120."##]),
            ("ASP.NET", 400, ##"{"title": "One or more validation errors occurred.", "status": 400, "errors": {"$.quantity": ["The JSON value could not be converted to System.Int32. Path: $.quantity | LineNumber: 0 | BytePositionInLine: 17."], "order": ["The order field is required."]}}"##, [##"$.quantity|invalid_type|The JSON value could not be converted to System.Int32. Path: $.quantity | LineNumber: 0 | BytePositionInLine: 17."##, ##"order|required|The order field is required."##]),
            ("ASP.NET", 400, ##"{"Message": "The request is invalid.", "ModelState": {"model.Name": ["The Name field is required."]}}"##, [##"model.Name|required|The Name field is required."##]),
            ("ASP.NET", 400, ##"{"Name": ["The Name field is required."]}"##, [##"Name|required|The Name field is required."##]),
            ("ASP.NET", 400, ##"{"title": "One or more validation errors occurred.", "errors": {"": ["A non-empty request body is required."]}}"##, []),
            ("ASP.NET", 400, ##"[{"propertyName": "Name", "errorMessage": "'Name' must not be empty.", "attemptedValue": "", "errorCode": "NotEmptyValidator"}]"##, [##"Name|required|'Name' must not be empty."##]),
            ("Rails", 422, ##"{"errors": {"name": ["can't be blank"], "email": ["has already been taken", "is invalid"]}}"##, [##"name|required|can't be blank"##, ##"email|duplicate|has already been taken"##, ##"email|invalid|is invalid"##]),
            ("Rails", 422, ##"{"errors": ["Name can't be blank", "Email is invalid"]}"##, []),
            ("Rails", 422, ##"{"status": "error", "errors": {"email": ["has already been taken"], "full_messages": ["Email has already been taken"]}}"##, [##"email|duplicate|has already been taken"##]),
            ("Rails", 422, ##"{"full_messages": ["Name can't be blank"]}"##, []),
            ("Rails", 422, ##"{"name": ["can't be blank"]}"##, [##"name|required|can't be blank"##]),
            ("Django REST", 400, ##"{"non_field_errors": ["Unable to log in with provided credentials."]}"##, []),
            ("Django REST", 401, ##"{"detail": "Authentication credentials were not provided."}"##, []),
            ("Django REST", 400, ##"[{"name": ["This field may not be blank."]}, {}]"##, [##"0.name|required|This field may not be blank."##]),
            ("Django REST", 400, ##"{"type": "validation_error", "errors": [{"code": "required", "detail": "This field is required.", "attr": "name"}]}"##, [##"name|required|This field is required."##]),
            ("Django REST", 400, ##"{"email": ["Enter a valid email address."], "non_field_errors": ["Passwords differ or so."], "title": ["Ensure this field has no more than 100 characters."]}"##, [##"email|invalid_format|Enter a valid email address."##, ##"title|too_long|Ensure this field has no more than 100 characters."##]),
            ("Django REST", 400, ##"["You can only do this once."]"##, []),
            ("JSON:API", 422, ##"{"errors": [{"status": "422", "source": {"pointer": "/data/attributes/firstName"}, "title": "Invalid Attribute", "detail": "First name must contain at least two characters."}]}"##, [##"/data/attributes/firstName|invalid|First name must contain at least two characters."##]),
            ("JSON:API", 400, ##"{"errors": [{"source": {"parameter": "include"}, "title": "Invalid Query Parameter", "detail": "The resource does not have an `author` relationship path."}]}"##, [##"include|invalid|The resource does not have an `author` relationship path."##]),
            ("GitHub", 422, ##"{"message": "Validation Failed", "errors": [{"resource": "Issue", "field": "title", "code": "missing_field"}]}"##, [##"title|required|-"##]),
            ("Google", 400, ##"{"error": {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "X"}, {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "message.foo", "description": "Cannot find field."}]}]}}"##, [##"message.foo|invalid|Cannot find field."##]),
            ("Google", 400, ##"{"error": {"errors": [{"domain": "global", "reason": "required", "message": "Required", "locationType": "parameter", "location": "resource.start"}], "code": 400, "message": "Required"}}"##, [##"resource.start|required|Required"##]),
            ("Zod", 400, ##"{"error": {"issues": [{"code": "invalid_type", "expected": "string", "received": "undefined", "path": ["user", "email"], "message": "Required"}], "name": "ZodError"}}"##, [##"user.email|required|Required"##]),
            ("Zod", 400, ##"{"success": false, "issues": [{"code": "too_small", "minimum": 5, "type": "string", "inclusive": true, "path": ["name"], "message": "String must contain at least 5 character(s)"}, {"code": "too_big", "maximum": 5, "type": "number", "path": ["n"], "message": "Number must be less than or equal to 5"}, {"code": "unrecognized_keys", "keys": ["foo"], "path": [], "message": "Unrecognized key(s) in object: 'foo'"}]}"##, [##"name|too_short|String must contain at least 5 character(s)"##, ##"n|out_of_range|Number must be less than or equal to 5"##, ##"foo|unknown_field|Unrecognized key(s) in object: 'foo'"##]),
            ("Zod", 400, ##"{"errors": {"formErrors": [], "fieldErrors": {"email": ["Required"]}}}"##, [##"email|required|Required"##]),
            ("Zod", 400, ##"[{"code": "invalid_type", "expected": "string", "received": "number", "path": ["a"], "message": "Expected string, received number"}]"##, [##"a|invalid_type|Expected string, received number"##]),
            ("Zod", 400, ##"{"errors": {"_errors": [], "email": {"_errors": ["Invalid email"]}}}"##, [##"email|invalid_format|Invalid email"##]),
            ("Zod", 400, ##"{"error": {"issues": [{"expected": "string", "code": "invalid_type", "path": ["email"], "message": "Invalid input: expected string, received undefined"}]}}"##, [##"email|required|Invalid input: expected string, received undefined"##]),
            ("Joi", 400, ##"{"message": "\"email\" is required", "details": [{"message": "\"email\" is required", "path": ["email"], "type": "any.required", "context": {"label": "email", "key": "email"}}]}"##, [##"email|required|"email" is required"##]),
            ("Joi", 400, ##"{"statusCode": 400, "error": "Bad Request", "message": "celebrate request validation failed", "validation": {"body": {"source": "body", "keys": ["email"], "message": "\"email\" is required"}}}"##, [##"email|required|"email" is required"##]),
            ("Joi", 400, ##"{"statusCode": 400, "error": "Bad Request", "message": "\"name\" is not allowed to be empty", "validation": {"source": "payload", "keys": ["name"]}}"##, [##"name|required|"name" is not allowed to be empty"##]),
            ("express-validator", 400, ##"{"errors": [{"value": "x", "msg": "Invalid value", "param": "email", "location": "body"}]}"##, [##"email|invalid|Invalid value"##]),
            ("express-validator", 400, ##"{"errors": [{"type": "field", "value": "x", "msg": "must be an email", "path": "email", "location": "body"}]}"##, [##"email|invalid_format|must be an email"##]),
            ("JSON Schema", 400, ##"{"errors": [{"instancePath": "/email", "schemaPath": "#/properties/email/format", "keyword": "format", "params": {"format": "email"}, "message": "must match format \"email\""}, {"instancePath": "", "schemaPath": "#/required", "keyword": "required", "params": {"missingProperty": "name"}, "message": "must have required property 'name'"}, {"instancePath": "/items/0", "keyword": "additionalProperties", "params": {"additionalProperty": "foo"}, "message": "must NOT have additional properties"}]}"##, [##"/email|invalid_format|must match format "email""##, ##"/name|required|must have required property 'name'"##, ##"/items/0/foo|unknown_field|must NOT have additional properties"##]),
            ("class-validator", 400, ##"{"statusCode": 400, "message": ["email must be an email", "each value in tags must be a string", "property foo should not exist", "items.0.name should not be empty"], "error": "Bad Request"}"##, [##"email|invalid_format|email must be an email"##, ##"tags|invalid_type|each value in tags must be a string"##, ##"foo|unknown_field|property foo should not exist"##, ##"items.0.name|required|items.0.name should not be empty"##]),
            ("class-validator", 400, ##"[{"property": "email", "value": "x", "children": [], "constraints": {"isEmail": "email must be an email"}}, {"property": "address", "children": [{"property": "city", "constraints": {"isNotEmpty": "city should not be empty"}, "children": []}]}]"##, [##"email|invalid_format|email must be an email"##, ##"address.city|required|city should not be empty"##]),
            ("array at the root", 400, ##"[{"field": "to", "message": "required"}]"##, [##"to|required|required"##]),
            ("array at the root", 422, ##"[{"field": "to", "message": "required"}]"##, [##"to|required|required"##]),
            ("Django REST", 400, ##"{"name": ["This field is required."], "age": ["A valid integer is required."]}"##, [##"name|required|This field is required."##, ##"age|invalid_type|A valid integer is required."##]),
            ("Django REST", 400, ##"{"profile": {"age": ["A valid number is required."]}, "items": [{}, {"qty": ["Ensure this value is greater than or equal to 1."]}]}"##, [##"profile.age|invalid_type|A valid number is required."##, ##"items.1.qty|out_of_range|Ensure this value is greater than or equal to 1."##]),
            ("yup", 400, ##"{"name":"ValidationError","errors":["email must be a valid email","age is a required field"],"inner":[{"name":"ValidationError","path":"email","message":"email must be a valid email","type":"email","errors":["email must be a valid email"],"inner":[]},{"path":"age","message":"age is a required field","type":"required"}],"message":"2 errors occurred"}"##, [##"email|invalid_format|email must be a valid email"##, ##"age|required|age is a required field"##]),
            ("yup", 400, ##"{"name":"ValidationError","path":"email","type":"email","errors":["email must be a valid email"],"inner":[],"message":"email must be a valid email"}"##, [##"email|invalid_format|email must be a valid email"##]),
            ("Zod as a text", 400, ##"{"error":{"name":"ZodError","message":"[\n {\"code\":\"invalid_type\",\"expected\":\"string\",\"received\":\"undefined\",\"path\":[\"email\"],\"message\":\"Required\"}\n]"}}"##, [##"email|required|Required"##]),
            ("Zod as a text", 400, ##"{"message":"[{\"code\":\"too_small\",\"minimum\":1,\"type\":\"string\",\"path\":[\"a\",0,\"b\"],\"message\":\"String must contain at least 1 character(s)\"}]"}"##, [##"a.0.b|too_short|String must contain at least 1 character(s)"##]),
            ("Zod, flattened", 400, ##"{"formErrors":[],"fieldErrors":{"email":["Invalid email"]}}"##, [##"email|invalid_format|Invalid email"##]),
            ("Zod, flattened", 400, ##"{"error":{"formErrors":["One of a or b is required"],"fieldErrors":{}}}"##, []),
            ("Zod, as a tree", 400, ##"{"errors":[],"properties":{"email":{"errors":["Invalid email"]},"address":{"errors":[],"properties":{"zip":{"errors":["Required"]}}}}}"##, [##"email|invalid_format|Invalid email"##, ##"address.zip|required|Required"##]),
            ("Zod, formatted", 400, ##"{"_errors":[],"email":{"_errors":["Invalid email"]}}"##, [##"email|invalid_format|Invalid email"##]),
            ("class-validator in NestJS", 400, ##"{"message":[{"property":"address","children":[{"property":"zip","constraints":{"isNotEmpty":"zip should not be empty"},"children":[]}]}],"error":"Bad Request"}"##, [##"address.zip|required|zip should not be empty"##]),
            ("JSON:API", 400, ##"{"errors":[{"source":{"header":"X-Version"},"title":"Bad header","detail":"The version is unknown"},{"source":{"parameter":"page[size]"},"detail":"must be positive"},{"source":{"pointer":""},"detail":"The whole is wrong"}]}"##, [##"X-Version|not_found|The version is unknown"##, ##"page[size]|out_of_range|must be positive"##]),
            ("Symfony", 422, ##"{"violations":[{"propertyPath":"data.email","message":"This value is not a valid email address."},{"propertyPath":"","message":"The form is wrong"}]}"##, [##"data.email|invalid_format|This value is not a valid email address."##]),
            ("Laravel", 422, ##"{"message":"The given data was invalid.","errors":{"user.emails.0":["The user.emails.0 must be a valid email address."]}}"##, [##"user.emails.0|invalid_format|The user.emails.0 must be a valid email address."##]),
            ("Joi", 400, ##"{"error":"Bad Request","message":"m m","details":[{"message":"\"a.b\" must be a string","path":["a","b"],"type":"string.base"}]}"##, [##"a.b|invalid_type|"a.b" must be a string"##]),
            ("RFC 9457", 400, ##"{"title":"Your request is not valid.","detail":"d d","errors":[{"detail":"must be a positive integer","pointer":"#/age"},{"detail":"must be green","pointer":"#/profile/color"}]}"##, [##"#/age|out_of_range|must be a positive integer"##, ##"#/profile/color|invalid|must be green"##]),
            ("RFC 9457", 400, ##"{"type":"https://x/validation","title":"Not valid","invalid-params":[{"name":"age","reason":"must be a positive integer"}]}"##, [##"age|out_of_range|must be a positive integer"##]),
            ("Stripe", 400, ##"{"error":{"type":"invalid_request_error","param":"amount","message":"Invalid integer: x","code":"parameter_invalid_integer"}}"##, [##"amount|invalid_type|Invalid integer: x"##]),
            ("pydantic 2", 422, ##"{"detail":[{"type":"string_too_short","loc":["query","q"],"msg":"String should have at least 3 characters","ctx":{"min_length":3}}]}"##, [##"q|too_short|String should have at least 3 characters"##]),
            ("Kubernetes", 422, ##"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Pod \"x\" is invalid: spec.containers: Required value","reason":"Invalid","details":{"name":"x","kind":"Pod","causes":[{"reason":"FieldValueRequired","message":"Required value","field":"spec.containers"}]},"code":422}"##, [##"spec.containers|required|Required value"##]),
            ("GraphQL", 400, ##"{"errors":[{"message":"Validation failed for the field [createUser].","extensions":{"validation":{"input.email":["The email must be a valid email address."]},"category":"validation"},"path":["createUser"]}]}"##, [##"input.email|invalid_format|The email must be a valid email address."##]),
            ("Django REST", 400, ##"{"message":["This field is required."]}"##, [##"message|required|This field is required."##]),
            ("Django REST", 400, ##"{"detail":["This field is required."]}"##, [##"detail|required|This field is required."##]),
            ("Django REST", 400, ##"{"error":["This field is required."]}"##, [##"error|required|This field is required."##]),
            ("Django REST", 400, ##"{"status":["This field is required."]}"##, [##"status|required|This field is required."##]),
            ("Django REST", 400, ##"{"code":["This field is required."]}"##, [##"code|required|This field is required."##]),
            ("Django REST", 400, ##"{"type":["This field is required."]}"##, [##"type|required|This field is required."##]),
            ("Django REST", 400, ##"{"title":["This field is required."]}"##, [##"title|required|This field is required."##]),
            ("Django REST", 400, ##"{"errors":["This field is required."]}"##, [##"errors|required|This field is required."##]),
            ("Django REST", 400, ##"{"details":["This field is required."]}"##, [##"details|required|This field is required."##]),
            ("Django REST", 400, ##"{"messages":["This field is required."]}"##, [##"messages|required|This field is required."##]),
            ("Django REST", 400, ##"{"fields":["This field is required."]}"##, [##"fields|required|This field is required."##]),
            ("Django REST", 400, ##"{"message":["This field is required."],"email":["Enter a valid email address."]}"##, [##"message|required|This field is required."##, ##"email|invalid_format|Enter a valid email address."##]),
            ("Rails", 422, ##"{"errors":{"message":["is required"],"type":["is not included in the list"],"code":["has already been taken"]}}"##, [##"message|required|is required"##, ##"type|invalid|is not included in the list"##, ##"code|duplicate|has already been taken"##]),
            ("GitHub", 422, ##"{"message": "Validation Failed", "errors": [{"resource": "Label", "field": "name", "code": "already_exists"}, {"resource": "Issue", "field": "milestone", "code": "missing"}, {"resource": "Issue", "field": "body", "code": "invalid"}]}"##, [##"name|duplicate|-"##, ##"milestone|not_found|-"##, ##"body|invalid|-"##]),
    ]

    @Test("the fields that a framework refuses are read", arguments: shapes)
    func reads(framework: String, status: Int, body: String, expected: [String]) throws {
        #expect(try fields(body, status: status) == expected)
        if !expected.isEmpty {
            let error = try NormalizerFixture("generic", status, body).error()
            #expect(error.code == .validationFailed || error.code == .alreadyExists)
            #expect(error.isMapped)
        }
    }

    @Test(
        "the pointer of a field leads to it",
        arguments: [
            (
                ##"{"detail":[{"loc":["body","items",0,"qty"],"msg":"m m","type":"missing"}]}"##,
                "#/items/0/qty"
            ),
            (##"{"errors":{"$.a.b[0]":["is wrong"]}}"##, "#/a/b/0"),
            (##"{"errors":{"$['a'].c":["is wrong"]}}"##, "#/a/c"),
            (##"{"errors":{"[0].name":["is wrong"]}}"##, "#/0/name"),
            (
                ##"{"errors":[{"source":{"pointer":"/data/attributes/x"},"detail":"d"}]}"##,
                "#/data/attributes/x"
            ),
            (
                ##"{"errors":[{"instancePath":"/a~1b/0","keyword":"type","message":"must be string"}]}"##,
                "#/a~1b/0"
            ),
            (
                ##"{"errors":[{"dataPath":".a[0].b","keyword":"type","message":"must be string"}]}"##,
                "#/a/0/b"
            ),
        ] as [(String, String?)])
    func pointers(body: String, pointer: String?) throws {
        let members = try NormalizerFixture("generic", 422, body).members()
        guard case .array(let fields)? = members["fields"], case .object(let field)? = fields.first else {
            #expect(pointer == nil)
            return
        }
        #expect(field["pointer"] == pointer.map { .string($0) })
    }

    @Test(
        "a text with a blank is a message, and never a field or a code",
        arguments: [
            (404, ##"{"errors":"Not Found"}"##, "Not Found"),
            (409, ##"{"message":"duplicate key","details":"Key (a)=(1) already exists."}"##, "duplicate key"),
            (409, ##"{"details":"Key (a)=(1) already exists."}"##, "Key (a)=(1) already exists."),
            (400, ##"{"code":"Not a code"}"##, "Not a code"),
            (404, ##"{"error":{"code":"Not Found"}}"##, "Not Found"),
            (422, ##"{"errors":["Name can't be blank","Email is invalid"]}"##, "Name can't be blank"),
            (422, ##"{"errors":[{"field":"It is wrong","message":"It is wrong"}]}"##, "It is wrong"),
            (400, ##"{"error":{"message":"m m","param":"the whole thing"}}"##, "m m"),
            (400, ##"{"errors":{"Not Found":"x y"}}"##, "x y"),
            (400, ##"{"errors":{"message":"No way","code":"x_y"}}"##, "No way"),
            (400, ##"{"detail":"Inactive user"}"##, "Inactive user"),
            (400, ##"["You may not"]"##, "You may not"),
            (
                400, ##"{"errors":[{"field":"null","message":"authorization required"}]}"##,
                "authorization required"
            ),
            (
                403, ##"{"errors":[{"id":"restricted","code":403,"details":"Your account is restricted"}]}"##,
                "Your account is restricted"
            ),
            (422, ##"{"ErrorCode":300,"Message":"Zero recipients specified"}"##, "Zero recipients specified"),
            (400, ##"{"message":["Something went wrong"],"error":"Bad Request"}"##, "Something went wrong"),
            (400, ##"{"message":"   ","detail":"A b"}"##, "A b"),
        ])
    func sentences(status: Int, body: String, message: String) throws {
        let error = try NormalizerFixture("generic", status, body).error()
        #expect(error.fields == [])
        #expect(error.detail?.string == message)
        #expect(error.upstream.code?.string.contains(" ") != true)
    }

    @Test(
        "an object that names no input yields no fields",
        arguments: [
            ##"{"message":"x","details":{"limit":100}}"##,
            ##"{"message":"x","details":{"limit":"100 per minute","window":"1 minute"}}"##,
            ##"{"message":"x","errors":{"limit":100,"used":true}}"##,
            ##"{"message":"x","errors":{"ids":[1,2]}}"##,
            ##"{"error":{"message":"m","details":{"error_code":"spend_limit"}}}"##,
            ##"{"error":{"message":"m","details":{"reason":"because of that"}}}"##,
            ##"{"message":"x","details":[{"limit":100}]}"##,
            ##"{"message":"x","data":{"name":"is required"}}"##, ##"{"message":"x","detail":{"a":{"b":1}}}"##,
        ], [400, 422, 429])
    func noInput(body: String, status: Int) throws {
        let error = try NormalizerFixture("generic", status, body).error()
        #expect(error.fields == [])
        #expect(error.detail != nil)
    }

    @Test("a body whose fields were read is mapped")
    func fieldsAreKnown() throws {
        let error = try NormalizerFixture("generic", 422, ##"{"errors":{"to":["missing"]}}"##).error()
        #expect(error.isMapped && error.detail == nil && error.upstream.code == nil)
        #expect(try !NormalizerFixture("generic", 422, ##"{"errors":{"to":[]}}"##).error().isMapped)
    }

    @Test(
        "a number is a code",
        arguments: [
            (##"{"code":21610,"message":"unsubscribed"}"##, "21610"),
            (##"{"error":{"code":190,"message":"m"}}"##, "190"),
            (##"{"error_code":10}"##, "10"), (##"{"ErrorCode":300,"Message":"m"}"##, "300"),
            (##"{"errors":[{"code":88}]}"##, "88"),
            (##"{"code":-32601,"message":"m"}"##, "-32601"), (##"[{"code":7,"message":"m"}]"##, "7"),
            (##"{"code":400,"error":"not_so"}"##, "not_so"), (##"{"code":400}"##, nil),
            (##"{"code":"400","message":"m m"}"##, nil),
            (##"{"statusCode":400,"error":{"status":400}}"##, nil),
            (##"{"error":{"status":401,"message":"m m"}}"##, nil), (##"{"code":401}"##, "401"),
            (##"{"errors":[{"status":"400","code":"400"}]}"##, nil), (##"{"status":402}"##, nil),
            (##"{"code":1.5}"##, nil),
            (##"{"code":1e3}"##, nil), (##"{"code":true}"##, nil), (##"{"code":99999999999999999999}"##, nil),
            (##"{"error":{"code":400,"status":"INVALID_ARGUMENT"}}"##, "INVALID_ARGUMENT"),
        ] as [(String, String?)])
    func numericCodes(body: String, code: String?) throws {
        #expect(try NormalizerFixture("generic", 400, body).error().upstream.code?.string == code)
    }

    @Test(
        "a rule matches a code that is a number, as a number and as a text",
        arguments: ["21610", "'21610'", "[1, 21610]", "{ equals: 21610 }"])
    func ruleForNumber(test: String) throws {
        let profile = try ProfileReader.read(
            text:
                "name: x\nread: { code: /code }\nrules: [{ name: r, when: { status: 400, code: \(test) }, is: conflict }]",
            file: "x.yaml", generic: nil)
        let answer = ProviderAnswer(
            status: 400, fields: FieldBlock(), body: Array(##"{"code":21610,"message":"unsubscribed"}"##.utf8)
        )
        let error = ErrorNormalizer(profile: profile).normalize(
            answer, of: RequestFacts(method: "GET", path: "/"), at: 0)
        #expect(error?.code == .conflict)
    }
}
