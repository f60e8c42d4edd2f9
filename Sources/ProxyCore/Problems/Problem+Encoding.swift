internal import HTTPWire

extension Problem {
    /// Writes the problem as JSON behind what is in `output`, members in the order of the contract.
    public func encode(into output: inout [UInt8], as format: ProblemFormat) {
        let index = Int(code.rawValue)
        output.reserveCapacity(output.count + 1024)
        output.append(contentsOf: format.heads[index])
        JSONWriter.integer(status, into: &output)
        output.append(literal: #","detail":"#)
        if let detail, !detail.isEmpty {
            JSONWriter.string(detail, into: &output)
        } else {
            output.append(contentsOf: format.details[index])
        }
        output.append(literal: #","instance":"/-/requests/"#)
        PercentEncoding.segment(requestID, into: &output)
        output.append(contentsOf: format.kinds[index])
        if let provider {
            output.append(literal: #","provider":"#)
            JSONWriter.string(provider, into: &output)
        }
        output.append(contentsOf: isRetryable ? #","retryable":true"#.utf8 : #","retryable":false"#.utf8)
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

    private func encodeOptionalMembers(into output: inout [UInt8]) {
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
        if !isMapped { output.append(literal: #","mapped":false"#) }
        for member in kept {
            output.append(0x2C)
            JSONWriter.string(member.name, into: &output)
            output.append(0x3A)
            output.append(member.value)
        }
    }

    private func encodeFields(into output: inout [UInt8]) {
        guard !fields.isEmpty else { return }
        output.append(literal: #","fields":"#)
        var separator: UInt8 = 0x5B
        for field in fields {
            output.append(separator)
            field.encode(into: &output)
            separator = 0x2C
        }
        output.append(0x5D)
    }
}
