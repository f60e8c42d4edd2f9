/// The routes of a simulated provider, in order: the first one that matches handles the request.
struct RouteTable<Imitation>: Sendable {
    typealias Answer = @Sendable (inout Imitation, ImitationRequest) -> ImitationResponse

    /// The result of a lookup.
    enum Match {
        /// The handler, and the segments that match the route's `*`.
        case answer(Answer, captures: [String])
        /// The path exists with other methods.
        case otherMethods([String])
        /// The path does not exist.
        case unknown
    }

    private struct Route: Sendable {
        var method: String
        var steps: [Substring]
        var answer: Answer
    }

    private let routes: [Route]

    /// Routes such as `GET /emails/*`; a `*` matches one segment of the path.
    init(_ routes: KeyValuePairs<String, Answer>) {
        self.routes = routes.compactMap { pattern, answer in
            let words = pattern.split(separator: " ")
            guard words.count == 2 else { return nil }
            return Route(method: String(words[0]), steps: words[1].split(separator: "/"), answer: answer)
        }
    }

    /// Finds the route; HEAD is handled like GET.
    func match(_ method: String, _ steps: [String]) -> Match {
        var others: [String] = []
        for route in routes {
            guard let captures = Self.captures(of: steps, in: route.steps) else { continue }
            if route.method == method || (method == "HEAD" && route.method == "GET") {
                return .answer(route.answer, captures: captures)
            }
            others.append(route.method)
        }
        return others.isEmpty ? .unknown : .otherMethods(others)
    }

    private static func captures(of steps: [String], in pattern: [Substring]) -> [String]? {
        guard steps.count == pattern.count else { return nil }
        var captures: [String] = []
        for (step, wanted) in zip(steps, pattern) {
            if wanted == "*" {
                captures.append(step)
            } else if step != wanted {
                return nil
            }
        }
        return captures
    }
}
