internal import Core
internal import Wire

/// Lines: a request line, and a field each.
///
/// What is accepted is unambiguous: written again as Weir forwards it, it is accepted again and means the same; and nothing that is
/// forwarded has a byte in it with which a line could be ended, or a field that frames or routes the message.
enum RequestProperties {
    private struct Field {
        var name: [UInt8]
        var value: [UInt8]
    }

    private static let limits = RequestInspection.Limits(
        target: 8192, fieldBytes: 12_288, fieldCount: 100, body: 1 << 26)
    private static let pseudonym = Array("weir-0123456789abcdef".utf8)

    static func check(_ input: [UInt8]) {
        var lines = input.split(separator: 0x0A, omittingEmptySubsequences: false)
        // An empty line would end the head.
        if lines.count > 1, lines.last?.isEmpty == true { lines.removeLast() }
        let words = lines.removeFirst().split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3 else { return }
        let (method, target) = (Array(words[0]), Array(words[1]))
        let isHTTP10 = words[2].elementsEqual("HTTP/1.0".utf8)
        let fields = lines.prefix(200).map { line in
            let colon = line.firstIndex(of: 0x3A) ?? line.endIndex
            return Field(
                name: Array(line[..<colon]), value: trimmed(Array(line[min(colon + 1, line.endIndex)...])))
        }
        // What the scanner stops never reaches the inspection.
        guard !lines.contains(where: \.isEmpty), passesScanner(lines: input) else { return }
        let first = inspect(method, target, isHTTP10, fields)
        guard let path = first.path else {
            expect(
                first.inspection.fault != nil || first.inspection.isForServer,
                "a target was refused without a word")
            return
        }
        guard first.inspection.fault == nil else { return }
        expect(path < target.count && target[path] == 0x2F, "a path does not begin with a slash")
        expectCleanTarget(target)
        let sent = forwarded(fields, first.inspection)
        let again = inspect(method, Array(target[path...]), isHTTP10, sent)
        expect(again.inspection.fault == nil, "what was forwarded would be refused")
        expect(again.path == 0, "the forwarded target begins elsewhere")
        expect(again.inspection.framing == first.inspection.framing, "the framing has changed")
        expect(forwarded(sent, again.inspection).count == sent.count, "a second proxy drops a field")
    }

    /// Whether the head that these lines make comes through the scanner, in whatever pieces, and unchanged a second time.
    private static func passesScanner(lines: [UInt8]) -> Bool {
        var head: [UInt8] = []
        for byte in lines { head += byte == 0x0A ? [0x0D, 0x0A] : [byte] }
        head += lines.last == 0x0A ? [0x0D, 0x0A] : [0x0D, 0x0A, 0x0D, 0x0A]
        return ScannerProperties.passes(head)
    }

    private static func inspect(
        _ method: [UInt8], _ target: [UInt8], _ isHTTP10: Bool, _ fields: [Field]
    ) -> (inspection: RequestInspection, path: Int?) {
        var inspection = RequestInspection(pseudonym: pseudonym)
        inspection.take(method: method.span)
        for field in fields { inspection.take(name: field.name.span, value: field.value.span) }
        let path = RequestTarget.pathOffset(in: target.span, &inspection) { authority in
            fields.contains { field in
                field.name.span.equalsIgnoringCase("host") && authority.equalsIgnoringCase(field.value.span)
            }
        }
        inspection.finish(
            method: method.span, target: target.span, isHTTP10: isHTTP10,
            fieldBytes: fields.reduce(0) { $0 + $1.name.count + $1.value.count }, fieldCount: fields.count,
            limits: limits)
        return (inspection, path)
    }

    /// The fields as a provider gets them, with the ones that libcurl writes.
    private static func forwarded(_ fields: [Field], _ inspection: RequestInspection) -> [Field] {
        var sent = [Field(name: Array("Host".utf8), value: Array("provider.example".utf8))]
        switch inspection.framing {
        case .none: break
        case .length(let length):
            sent.append(Field(name: Array("Content-Length".utf8), value: Array("\(length)".utf8)))
        case .chunked:
            sent.append(Field(name: Array("Transfer-Encoding".utf8), value: Array("chunked".utf8)))
        }
        for field in fields {
            expectClean(field)
            guard
                FieldRules.crosses(field.name.span, as: .request, connection: inspection.connectionFields)
            else { continue }
            switch FieldRules.request(field.name.span) {
            case .forward, .credential: sent.append(field)
            case .drop: break
            case .hops:
                if let hops = inspection.hopsLeft {
                    expect(hops >= 0, "fewer hops than none")
                    sent.append(Field(name: field.name, value: Array("\(max(0, hops - 1))".utf8)))
                } else {
                    sent.append(field)
                }
            case .preference:
                guard let rest = FieldRules.preferenceForProvider(field.value.span) else { break }
                expect(
                    FieldRules.preferenceForProvider(rest.span) == rest, "a preference for a wait is left")
                sent.append(Field(name: field.name, value: rest))
            }
        }
        return sent
    }

    private static func expectClean(_ field: Field) {
        expect(field.name.span.isToken, "a name is no token")
        expect(field.value.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }, "a value has a control")
        expect(trimmed(field.value) == field.value, "a value has blanks around it")
    }

    private static func expectCleanTarget(_ target: [UInt8]) {
        expect(target.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x23 }, "a target has a stray byte")
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] { Array(bytes[bytes.span.trimmedRange]) }
}
