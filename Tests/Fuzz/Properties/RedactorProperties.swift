internal import Core
internal import Wire

/// A secret on the first line, then a text.
///
/// The text is searched without a trap. Where the secret is in it as it is, it is not in what is left, and neither is it where its own
/// spellings are added. A text is never longer than its marks allow.
enum RedactorProperties {
    static func check(_ input: [UInt8]) {
        let end = input.firstIndex(of: 0x0A) ?? input.endIndex
        let secret = Array(input[..<end].prefix(512))
        let text = Array(input[end...].dropFirst().prefix(8192))
        for findsSchemes in [true, false] {
            let redactor = SecretRedactor(secrets: [secret], prefixes: ["sk_"], findsSchemes: findsSchemes)
            for isCut in [false, true] {
                let redacted = redactor.redacted(text, isCut: isCut)
                expect(redacted != text, "a change that changes nothing")
                if let redacted {
                    expect(redactor.mayContain(text.span), "the quick look missed something")
                    let mark = SecretRedactor.mark.count
                    expect(redacted.count <= text.count * (mark + 1), "the text grew")
                }
            }
            guard secret.count >= SecretRedactor.shortestSecret, secret.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else {
                continue
            }
            let digits = Array("0123456789abcdef".utf8)
            let hexadecimal = secret.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
            var encoded: [UInt8] = []
            PercentEncoding.segment(Text(secret), into: &encoded)
            for spelling in [secret, hexadecimal, encoded] {
                let left = redactor.redacted(text + spelling)
                expect(left != nil, "a spelling was not found: \(spelling)")
                expect(!ends(left ?? [], with: spelling), "a spelling is left: \(spelling)")
            }
        }
    }

    private static func ends(_ text: [UInt8], with end: [UInt8]) -> Bool {
        text.count >= end.count && text.suffix(end.count).elementsEqual(end)
    }
}
