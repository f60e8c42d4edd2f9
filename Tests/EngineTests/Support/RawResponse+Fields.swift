import TestSupport

extension RawResponse {
    /// A part of `Server-Timing`, in milliseconds; not a number if it is missing.
    func timing(_ part: String) -> Double {
        let parts = (fields["Server-Timing"] ?? "").split(separator: ", ")
        let value = parts.first { $0.hasPrefix("\(part);dur=") }?.split(separator: "=").last
        return value.flatMap { Double($0) } ?? .nan
    }

    /// Whether a client can take it for the provider's whole 200.
    var isWholeSuccess: Bool { status == 200 && isComplete }

    /// The problem's `code`, or nothing.
    var code: String { problem["code"] ?? "" }

    /// The problem's `retry_after` in seconds; not a number if it is missing.
    var retryAfter: Double { problem["retry_after"].flatMap { Double($0) } ?? .nan }
}
