internal import ContentCoding
internal import Core
internal import Wire

/// One answer: a byte each for the status, the coding and the length of `Retry-After`, then that field, then the body.
///
/// Every profile must make a valid problem of it, or leave it alone if it is no error.
enum NormaliserProperties {
    private static let codings = ["identity", "gzip", "deflate", "br"]

    static func check(_ input: [UInt8]) {
        guard input.count > 3 else { return }
        let status = 200 + Int(input[0]) * 2 + Int(input[1] >> 7)
        let fieldEnd = min(3 + Int(input[2] & 31), input.count)
        let value = Array(input[3..<fieldEnd])
        var fields = FieldBlock()
        for name in ["Content-Type", "Retry-After", "X-RateLimit-Reset"] {
            fields.append(name: Array(name.utf8).span, value: value.span)
        }
        let coding = codings[Int(input[1] & 3)]
        let body = ContentDecoder.decode(Array(input[fieldEnd...]), coding: coding, limit: 65_536)
        let answer = ProviderAnswer(
            status: status, fields: fields, body: body.bytes, isTruncated: body.isTruncated)
        let facts = RequestFacts(method: "POST", path: "/emails")
        for normalizer in BuiltInSubjects.normalizers {
            if let error = normalizer.normalize(answer, of: facts, at: 1_795_132_800) {
                BuiltInSubjects.expectValid(error)
            } else {
                expect(status < 400, "an error passed untouched")
            }
        }
    }
}
