extension Problem {
    /// Writes the problem as JSON behind what is in `output`, members in the order of the contract.
    public func encode(into output: inout [UInt8], as format: ProblemFormat) {
        let index = Int(code.rawValue)
        output.reserveCapacity(output.count + 1024)
        output.append(contentsOf: format.heads[index])
        JSONWriter.integer(status, into: &output)
        output.append(contentsOf: #","detail":"#.utf8)
        if let detail, !detail.isEmpty {
            JSONWriter.string(detail, into: &output)
        } else {
            output.append(contentsOf: format.details[index])
        }
        output.append(contentsOf: #","instance":"/-/requests/"#.utf8)
        PercentEncoding.segment(requestID, into: &output)
        output.append(contentsOf: format.kinds[index])
        if let provider {
            output.append(contentsOf: #","provider":"#.utf8)
            JSONWriter.string(provider, into: &output)
        }
        output.append(contentsOf: isRetryable ? #","retryable":true"#.utf8 : #","retryable":false"#.utf8)
        if let retryAfter {
            output.append(contentsOf: #","retry_after":"#.utf8)
            JSONWriter.seconds(retryAfter, into: &output)
        }
        output.append(contentsOf: #","effect":""#.utf8)
        output.append(contentsOf: effect.rawValue.utf8)
        output.append(0x22)
        encodeOptionalMembers(into: &output)
        output.append(0x7D)
    }

    private func encodeOptionalMembers(into output: inout [UInt8]) {
        encodeFields(into: &output)
        if let limit {
            output.append(contentsOf: #","limit":"#.utf8)
            limit.encode(into: &output)
        }
        if let upstream {
            output.append(contentsOf: #","upstream":"#.utf8)
            upstream.encode(into: &output)
        }
        if attempts > 0 {
            output.append(contentsOf: #","attempts":"#.utf8)
            JSONWriter.integer(attempts, into: &output)
        }
        if waited > 0 {
            output.append(contentsOf: #","waited":"#.utf8)
            JSONWriter.seconds(waited, into: &output)
        }
        output.append(contentsOf: #","request_id":"#.utf8)
        JSONWriter.string(requestID, into: &output)
        if !isMapped { output.append(contentsOf: #","mapped":false"#.utf8) }
        for member in kept {
            output.append(0x2C)
            JSONWriter.string(member.name, into: &output)
            output.append(0x3A)
            output.append(contentsOf: member.value.bytes)
        }
    }

    private func encodeFields(into output: inout [UInt8]) {
        guard !fields.isEmpty else { return }
        output.append(contentsOf: #","fields":"#.utf8)
        var separator: UInt8 = 0x5B
        for field in fields {
            output.append(separator)
            field.encode(into: &output)
            separator = 0x2C
        }
        output.append(0x5D)
    }
}
