internal import Wire
internal import Core

extension Fault {
    /// What a client is told whose bytes are no request that can be passed on.
    init(_ fault: RequestFault, limits: RequestInspection.Limits) {
        let code: ProblemCode =
            switch fault {
            case .targetTooLong: .uriTooLong
            case .fieldsTooLarge: .headersTooLarge
            case .lengthTooLarge, .chunkTooLarge: .requestTooLarge
            default: .badClientRequest
            }
        self.init(code, detail: Text(Self.detail(of: fault, limits: limits)))
        if fault == .version { status = 505 }
    }

    private static func detail(of fault: RequestFault, limits: RequestInspection.Limits) -> String {
        switch fault {
        case .requestLine: "The request does not begin with a line such as GET /path HTTP/1.1."
        case .version: "The only versions that are spoken are HTTP/1.1 and HTTP/1.0."
        case .targetTooLong: "The request target has more than \(limits.target) bytes."
        case .fieldsTooLarge:
            "The fields have more than \(limits.fieldBytes) bytes, or are more than \(limits.fieldCount)."
        case .lineEnd: "A line of the request does not end with CR LF."
        case .fieldName: "A field has no name, no colon behind it, or a character that a name must not have."
        case .fieldValue: "A field value contains a control character."
        case .folding: "A field is folded, or begins with a blank."
        case .length: "Content-Length is not a number."
        case .lengthTooLarge, .chunkTooLarge: "The body has more than \(limits.body) bytes."
        case .lengths: "Content-Length is given twice, differently."
        case .coding: "The only Transfer-Encoding that is read is chunked, once."
        case .lengthAndCoding: "Content-Length and Transfer-Encoding exclude each other."
        case .codingInHTTP10: "HTTP/1.0 knows no Transfer-Encoding."
        case .chunkSize: "A chunk does not begin with its size and CR LF."
        case .chunkExtension: "A chunk's extension is too long, or contains a control character."
        case .chunkEnd: "A chunk is not as long as its size says."
        }
    }
}
