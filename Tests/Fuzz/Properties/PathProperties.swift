internal import Core

/// A JSONPath on the first line, then a JSON text.
///
/// The path is parsed, or its mistake has a place in it. Printing it gives an equal path, which selects the same. An evaluation exceeds
/// none of its limits, and its first node is the one that is found alone. What is no JSON has a place as well.
enum PathProperties {
    static func check(_ input: [UInt8]) {
        let end = input.firstIndex(of: 0x0A) ?? input.endIndex
        let text = String(decoding: input[..<end], as: UTF8.self)
        let body = Array(input[end...].dropFirst())
        let document = JSONDocument(body)
        checkMistake(of: body, isJSON: document != nil)
        let path: JSONPath
        do {
            path = try JSONPath(parsing: text)
        } catch {
            expect((0...text.unicodeScalars.count).contains(error.offset), "a mistake outside of the path")
            expect(!error.message.isEmpty, "a mistake without a message")
            let isOneLine = !error.description.utf8.contains { $0 < 0x20 || $0 == 0x7F }
            expect(isOneLine, "a mistake of several lines: \(error)")
            return
        }
        let printed = path.description
        guard let again = try? JSONPath(parsing: printed) else { fatalError("\(printed) is no path") }
        expect(again == path && again.description == printed, "\(printed) is another path than \(text)")
        guard let document else { return }
        let result = path.evaluate(in: document)
        expect(result == again.evaluate(in: document), "a printed path selects something else")
        expect((0...JSONPath.stepLimit).contains(result.steps), "more steps than the limit: \(result.steps)")
        expect(result.nodes.count <= JSONPath.resultLimit, "more nodes than the limit")
        expect(result.isComplete || result.nodes.isEmpty, "a part of a result")
        expect(!path.isSingular || result.nodes.count <= 1, "a singular path selects several nodes")
        let first = path.firstNode(in: document)
        if result.isComplete { expect(first == result.nodes.first, "the first node alone is another one") }
        for node in result.nodes.prefix(100) {
            var written: [UInt8] = []
            document.writeCompactly(node, into: &written)
            expect(JSONDocument(written) != nil, "a selected value is no JSON")
        }
    }

    private static func checkMistake(of body: [UInt8], isJSON: Bool) {
        let mistake = JSONMistake(in: body)
        expect((mistake == nil) == isJSON, "a text is JSON and has a mistake, or neither")
        guard let mistake else { return }
        expect((0...body.count).contains(mistake.offset), "a mistake outside of the text")
        expect(!mistake.message.isEmpty, "a mistake without a message")
    }
}
