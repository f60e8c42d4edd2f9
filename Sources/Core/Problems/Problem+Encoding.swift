public import Wire

extension Problem {
    /// Appends the problem as JSON to `output`, with the members in the documented order.
    public func encode(into output: inout some ByteSink & ~Copyable, as format: ProblemFormat) {
        let index = Int(code.rawValue)
        output.append(format.heads[index])
        JSONWriter.integer(status, into: &output)
        output.append(literal: #","detail":"#)
        if let detail, !detail.isEmpty {
            JSONWriter.string(detail, into: &output)
        } else {
            output.append(format.details[index])
        }
        output.append(literal: #","instance":"/-/requests/"#)
        PercentEncoding.segment(requestID, into: &output)
        output.append(format.kinds[index])
        if let provider {
            output.append(literal: #","provider":"#)
            JSONWriter.string(provider, into: &output)
        }
        output.append(literal: isRetryable ? #","retryable":true"# : #","retryable":false"#)
        if let retryAfter {
            output.append(literal: #","retry_after":"#)
            JSONWriter.seconds(retryAfter, into: &output)
        }
        output.append(literal: #","effect":""#)
        output.append(effect.rawValue.utf8.span)
        output.append(0x22)
        encodeOptionalMembers(into: &output)
        output.append(0x7D)
    }

    private func encodeOptionalMembers(into output: inout some ByteSink & ~Copyable) {
        encodeFields(into: &output)
        if let limit {
            output.append(literal: #","limit":"#)
            limit.encode(into: &output)
        }
        if let upstream {
            output.append(literal: #","upstream":"#)
            upstream.encode(into: &output)
        }
        if attempts > 0 {
            output.append(literal: #","attempts":"#)
            JSONWriter.integer(attempts, into: &output)
        }
        if waited > 0 {
            output.append(literal: #","waited":"#)
            JSONWriter.seconds(waited, into: &output)
        }
        output.append(literal: #","request_id":"#)
        JSONWriter.string(requestID, into: &output)
        if let trace {
            output.append(literal: #","trace_id":""#)
            trace.append(to: &output)
            output.append(0x22)
        }
        if !isMapped { output.append(literal: #","mapped":false"#) }
        // A span borrows its elements; an array would copy each.
        let kept = kept.span
        for index in 0..<kept.count { kept[index].encode(into: &output) }
    }

    private func encodeFields(into output: inout some ByteSink & ~Copyable) {
        guard !fields.isEmpty else { return }
        output.append(literal: #","fields":"#)
        let fields = fields.span
        for index in 0..<fields.count {
            output.append(index == 0 ? 0x5B : 0x2C)
            fields[index].encode(into: &output)
        }
        output.append(0x5D)
    }
}
