/// The routes of an imitation, in order: the first that fits a request answers it.
struct RouteTable<Imitation>: Sendable {
    typealias Answer = @Sendable (inout Imitation, ImitationRequest) -> ImitationResponse

    /// What the table says about a request.
    enum Match {
        /// It is answered by this, and these steps stand where the route has a `*`.
        case answer(Answer, captures: [String])
        /// The path has other methods.
        case otherMethods([String])
        /// There is no such path.
        case unknown
    }

    private struct Route: Sendable {
        var method: String
        var steps: [Substring]
        var answer: Answer
    }

    private let routes: [Route]

    /// Routes such as `GET /emails/*`; a `*` is any one step of the path.
    init(_ routes: KeyValuePairs<String, Answer>) {
        self.routes = routes.compactMap { pattern, answer in
            let words = pattern.split(separator: " ")
            guard words.count == 2 else { return nil }
            return Route(method: String(words[0]), steps: words[1].split(separator: "/"), answer: answer)
        }
    }

    /// Finds the route; HEAD is answered as GET.
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
