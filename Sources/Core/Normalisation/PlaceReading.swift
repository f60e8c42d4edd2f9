internal import Wire

/// The context in which a place is evaluated.
struct PlaceContext {
    /// The body, or a JSON text within it.
    var json: JSONDocument?
    /// The value of it at which pointers and paths begin.
    var root = 0
    /// The response's fields.
    var fields: FieldBlock
    /// The message found by the profile's places.
    var message: Text?
    /// The text of the body.
    var text: Text
    /// The request, and the rule's patterns, whose segments have names.
    var request: RequestFacts?
    var patterns: [RequestPattern] = []

    /// The same context for another JSON text or another value of it.
    func within(_ json: JSONDocument?, from root: Int = 0) -> PlaceContext {
        var context = self
        (context.json, context.root) = (json, root)
        return context
    }
}

extension ValuePlace {
    /// A result of a place.
    enum Found {
        /// A value of JSON.
        case node(Int, JSONDocument)
        /// Any other text, or a part of one.
        case text(Text)

        /// The text of it; `nil` for objects, arrays and `null`.
        var text: Text? {
            switch self {
            case .node(let node, let json): json.scalarText(node)
            case .text(let text): text
            }
        }

        /// Whether it is more than `null`, `false` or empty.
        var isSomething: Bool {
            switch self {
            case .node(let node, let json): json.isSomething(node)
            case .text(let text): !text.isEmpty
            }
        }
    }

    /// Calls `visit` with the results in order, until it returns true.
    ///
    /// - Returns: whether it did.
    @discardableResult
    func find(in context: PlaceContext, _ visit: (Found) -> Bool) -> Bool {
        guard let details else {
            guard let json = context.json, let node = json.value(at: pointer, from: context.root) else {
                return false
            }
            return visit(.node(node, json))
        }
        switch details.source {
        case .pointer(let pointer):
            guard let json = context.json, let node = json.value(at: pointer, from: context.root) else {
                return false
            }
            return take(.node(node, json), details, context, visit)
        case .path(let path):
            guard let json = context.json else { return false }
            return path.nodes(in: json, from: context.root).contains {
                take(.node($0, json), details, context, visit)
            }
        case .header(let name): return take(context.fields.text(name), details, context, visit)
        case .message: return take(context.message, details, context, visit)
        case .text: return take(context.text, details, context, visit)
        case .requestStep(let name):
            guard let path = context.request?.path else { return false }
            for pattern in context.patterns {
                if let step = pattern.step(named: name, of: path) {
                    return take(step, details, context, visit)
                }
            }
            return false
        }
    }

    private func take(
        _ text: Text?, _ details: Details, _ context: PlaceContext, _ visit: (Found) -> Bool
    ) -> Bool {
        guard let text else { return false }
        return take(.text(text), details, context, visit)
    }

    /// Extracts the wanted part of a result.
    private func take(
        _ found: Found, _ details: Details, _ context: PlaceContext, _ visit: (Found) -> Bool
    ) -> Bool {
        var found = found
        if let match = details.match {
            guard let part = found.text.flatMap(match.capture) else { return false }
            found = .text(part)
        }
        guard let then = details.then else { return visit(found) }
        guard let inner = found.text.flatMap({ JSONDocument(Array($0.bytes)) }) else { return false }
        return then.find(in: context.within(inner), visit)
    }

    /// The first non-blank text at the place.
    func text(in context: PlaceContext) -> Text? {
        var result: Text?
        find(in: context) { found in
            guard let text = found.text, !BodyReading.isBlank(text) else { return false }
            result = text
            return true
        }
        return result
    }
}

extension JSONDocument {
    /// Whether a value is more than `null`, `false` or empty.
    func isSomething(_ node: Int) -> Bool {
        switch kind(node) {
        case .null, .false: false
        case .object, .array: !isEmpty(node)
        case .string: string(node)?.isEmpty == false
        case .true, .number: true
        }
    }
}
