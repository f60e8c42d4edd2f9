internal import Core
internal import Wire

/// A value of `traceparent`, or a response of a collector.
///
/// A trace that is read is written as it was, apart from its version, its flags and what a later version adds; no response rejects a number of
/// spans that differs between two readings.
enum TraceProperties {
    static func check(_ input: [UInt8]) {
        if let context = TraceContext(traceparent: input.span) {
            guard let parent = context.parent else { fatalError("a trace without its caller's span") }
            var written: [UInt8] = []
            context.appendTraceparent(span: parent, to: &written)
            expect(written.count == 55, "a traceparent of another length")
            expect(written[2..<53] == input[2..<53], "other ids")
            expect(TraceContext(traceparent: written.span) == context, "another trace")
        }
        expect(
            TraceExport.rejectedSpans(in: input) == TraceExport.rejectedSpans(in: input),
            "two readings differ")
    }
}
