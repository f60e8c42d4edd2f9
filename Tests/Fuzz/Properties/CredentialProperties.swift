internal import Core
internal import Wire

/// A target on the first line, then fields, a line each: `name: value`.
///
/// The credential is found the same way twice, its ledger is its own, and what Weir injects is what is then found.
enum CredentialProperties {
    private static let places: [CredentialPlace] = [
        .basicPassword, .bearer, .header("X-API-Key"), .query("key"),
    ]

    private static let method = Array("GET".utf8)

    static func check(_ input: [UInt8]) {
        var lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        let target = lines.removeFirst()
        let fields = lines.prefix(64).map { line -> (name: [UInt8], value: [UInt8]) in
            let colon = line.firstIndex(of: 0x3A) ?? line.endIndex
            let value = Array(line[min(colon + 1, line.endIndex)...])
            return (Array(line[..<colon]), Array(value[value.span.trimmedRange]))
        }
        let reader = CredentialReader(places: places, injected: nil, isShared: false)
        let found = credential(reader, target, fields)
        expect(found == credential(reader, target, fields), "two readings differ")
        let key = reader.key(target: target.span) { body in
            for field in fields { body(field.name.span, field.value.span) }
        }
        expect((key == .none) == (found == nil), "a credential without a ledger")
        if let found { checkInjection(of: String(decoding: found, as: UTF8.self), target, fields) }
        for field in fields {
            if let decoded = Base64.decode(field.value.span) {
                expect(decoded.count <= field.value.count, "base 64 made bytes of nothing")
            }
        }
    }

    /// Of what Weir holds, a provider must read just that, in whatever place it looks, whatever the client sent besides.
    private static func checkInjection(
        of secret: String, _ target: [UInt8], _ fields: [(name: [UInt8], value: [UInt8])]
    ) {
        guard secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !target.contains(0x23) else { return }
        for place in places {
            let weir = CredentialReader(
                places: places, injected: secret, injections: [CredentialInjection(place)], isShared: false)
            var sent = fields.filter { weir.fieldIndex($0.name.span) == nil }
            weir.forEachInjectedField(method: method.span, path: target.span) {
                sent.append(($0.name, $0.value))
            }
            var address = target
            weir.adjust(target: &address, method: method.span, path: target.span)
            let provider = CredentialReader(places: [place], injected: nil, isShared: false)
            expect(
                credential(provider, address, sent) == Array(secret.utf8),
                "the provider reads another credential")
            let others = CredentialReader(
                places: places.filter { $0 != place }, injected: nil, isShared: false)
            let second = credential(others, address, sent)
            expect(
                second == nil || place == .bearer || place == .basicPassword, "a second credential is sent")
        }
    }

    private static func credential(
        _ reader: CredentialReader, _ target: [UInt8], _ fields: [(name: [UInt8], value: [UInt8])]
    ) -> [UInt8]? {
        reader.credential(target: target.span) { body in
            for field in fields { body(field.name.span, field.value.span) }
        }
    }
}
