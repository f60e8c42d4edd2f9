internal import BuiltIn
internal import Configuration
internal import ContentCoding
internal import HTTPWire
internal import ProxyCore
internal import TestSupport

/// What stays the same from input to input.
private enum Subject {
    static let normalizers: [ErrorNormalizer] = {
        do {
            return try ProfileReader.builtIn(BuiltIn.profiles).map {
                ErrorNormalizer(profile: $0, bodyLimit: 256)
            }
        } catch {
            fatalError("the built-in profiles are wrong: \(error)")
        }
    }()
    static let schema: JSONSchema = {
        guard let schema = JSONSchema(BuiltIn.problemSchema) else { fatalError("the schema is not JSON") }
        return schema
    }()
    static let format = ProblemFormat()
    static let codings = ["identity", "gzip", "deflate", "br"]
}

/// One answer: a byte each for the status, the coding and the length of `Retry-After`, then that field, then
/// the body.
///
/// Every profile must make a valid problem of it, or leave it alone if it is no error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNormaliser(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard count > 3 else { return 0 }
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    let status = 200 + Int(input[0]) * 2 + Int(input[1] >> 7)
    let fieldEnd = min(3 + Int(input[2] & 31), input.count)
    var fields = FieldBlock()
    fields.append(name: Array("Content-Type".utf8).span, value: Array(input[3..<fieldEnd]).span)
    fields.append(name: Array("Retry-After".utf8).span, value: Array(input[3..<fieldEnd]).span)
    fields.append(name: Array("X-RateLimit-Reset".utf8).span, value: Array(input[3..<fieldEnd]).span)
    let coding = Subject.codings[Int(input[1] & 3)]
    let body = ContentDecoder.decode(Array(input[fieldEnd...]), coding: coding, limit: 65_536)
    let answer = ProviderAnswer(
        status: status, fields: fields, body: body.bytes, isTruncated: body.isTruncated)
    let facts = RequestFacts(method: "POST", path: "/emails")
    for normalizer in Subject.normalizers {
        guard let error = normalizer.normalize(answer, of: facts, at: 1_795_132_800) else {
            precondition(status < 400, "an error passed untouched")
            continue
        }
        var output: [UInt8] = []
        Problem(error, provider: "p", requestID: "r").encode(into: &output, as: Subject.format)
        let errors = Subject.schema.errors(in: output)
        precondition(errors.isEmpty, "\(errors)")
    }
    return 0
}
