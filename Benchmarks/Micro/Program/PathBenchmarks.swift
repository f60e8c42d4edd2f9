internal import Core

/// Values in the body of an error, by JSONPath and by JSON Pointer.
enum PathBenchmarks {
    private static let body = #"""
        {"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.",
        "status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[
        {"quotaMetric":"generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaValue":"15"}]},
        {"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"Learn more","url":"https://ai.google.dev/limits"}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37s"}]}}
        """#

    private static let paths = [
        "$.error.details[?@['@type']=='type.googleapis.com/google.rpc.RetryInfo'].retryDelay",
        "$.error.details[*].violations[*].quotaMetric", "$.error.message", "$.errors[*].message",
        "$..retryDelay",
        "$.error.details[?search(@['@type'], 'Retry.*')].retryDelay",
    ]

    static func run(_ measure: Measure) throws {
        guard let document = JSONDocument(Array(body.utf8)) else { fatalError("the body is no JSON") }
        measure.heading("a value of an error's body, \(body.utf8.count) bytes")
        measure("the body parsed") { keep(JSONDocument(Array(body.utf8))) }
        if let pointer = JSONPointer("/error/message") {
            measure("`/error/message`") { keep(document.value(at: pointer)) }
        }
        for text in paths {
            let path = try JSONPath(parsing: text)
            measure("`\(text)`, the first") { keep(path.firstNode(in: document)) }
        }
        let path = try JSONPath(parsing: paths[1])
        measure("`\(paths[1])`, all") { keep(path.nodes(in: document)) }
    }
}
