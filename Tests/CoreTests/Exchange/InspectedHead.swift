import Wire

@testable import Core

/// The head of a request, given to an inspection as the engine does it.
struct InspectedHead {
    var method = "GET"
    var target = "/p/things"
    var fields: [(String, String)] = [("Host", "weir.test")]
    var isHTTP10 = false
    var limits = RequestInspection.Limits(target: 100, fieldBytes: 500, fieldCount: 10, body: 1000)

    /// A sound GET with more fields.
    init(_ more: (String, String)...) { fields += more }

    /// A head with these fields and no others.
    init(only fields: [(String, String)], isHTTP10: Bool = false) {
        self.fields = fields
        self.isHTTP10 = isHTTP10
    }

    /// What the inspection finds.
    var inspection: RequestInspection {
        var inspection = RequestInspection(pseudonym: Array("weir-1".utf8))
        inspection.take(method: Array(method.utf8).span)
        for (name, value) in fields {
            inspection.take(name: Array(name.utf8).span, value: Array(value.utf8).span)
        }
        inspection.finish(
            method: Array(method.utf8).span, target: Array(target.utf8).span, isHTTP10: isHTTP10,
            fieldBytes: fields.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count },
            fieldCount: fields.count, limits: limits)
        return inspection
    }

    /// The fault, as code and status; `nil` for a sound head.
    var fault: String? { inspection.fault.map { "\($0.code.name) \($0.status)" } }
}
