internal import Core

extension ProfileReader {
    /// The keys of each mapping of a profile.
    enum Keys {
        static let profile = [
            "name", "inherit", "upstream", "variables", "hosts", "credential", "errors", "limits", "tiers",
            "tier",
            "quota_requests", "request_defaults",
            "idempotency", "probe", "request_id", "waits", "repeat", "rate_fields", "read", "keep",
            "field_phrases",
            "rules",
            "cases",
        ]
        static let credential = ["found_in", "sent_as", "user", "secrets_begin_with"]
        static let prefixedField = ["header", "prefix"]
        static let routedPlace = ["as", "routes"]
        static let variableSource = ["from", "match"]
        static let idempotency = ["header", "requests"]
        static let probe = ["request", "account"]
        static let rateFields = ["limit", "remaining", "reset", "used", "state", "policy"]
        static let read = ["inherit", "message", "code", "code_headers", "fields", "request_id"]
        static let fields = ["each", "map", "names", "from", "name", "message", "code", "when"]
        static let place = PlaceParts.keys
        static let time = place + ["unit"]
        static let fieldName = place + ["drop"]
        static let fieldCode = place + ["means"]
        /// Of these, a wait has one.
        static let waitKinds = ["header", "milliseconds", "reset", "body", "at", "from", "seconds", "need"]
        static let wait = waitKinds + ["have", "rate", "match", "unit", "then", "on", "when"]
        static let rule = [
            "name", "when", "is", "transient", "repeat", "effect", "answer_with", "pause", "limit", "waits",
            "mapped",
        ]
        static let conditions = [
            "status", "request", "content", "content_type", "header", "code", "message", "text", "value",
            "has",
            "lacks", "fields", "used_up",
        ]
        /// What fields there are depends on those of a part.
        static let partConditions = conditions.filter { $0 != "fields" }
        static let test = ["equals", "starts_with", "contains", "ends_with", "matches"]
        static let header = ["name"] + test
        static let value = place + test + ["in", "less", "more"]
        static let profileCase = [
            "id", "name", "request", "status", "headers", "body", "body_base64", "everywhere", "expect",
            "source",
            "confidence",
        ]
        static let expectation = ["code", "transient", "fields", "retry_after", "effect", "status"]
        static let expectedField = ["field", "detail"]

        /// All of them, by the name of their definition in the JSON Schema.
        static let definitions: [String: [String]] = [
            "profile": profile, "credential": credential, "prefixedField": prefixedField,
            "routedPlace": routedPlace, "variableSource": variableSource, "idempotency": idempotency,
            "probe": probe, "rateFields": rateFields,
            "read": read, "fieldMapping": fields, "placeMapping": place, "timeMapping": time,
            "nameMapping": fieldName, "codeMapping": fieldCode, "wait": wait, "rule": rule,
            "conditions": conditions, "partConditions": partConditions, "testMapping": test, "header": header,
            "value": value, "case": profileCase, "expectation": expectation, "expectedField": expectedField,
            "phrases": FieldProblemCode.allCases.map(\.rawValue),
        ]
    }
}
