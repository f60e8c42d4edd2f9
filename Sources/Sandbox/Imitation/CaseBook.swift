internal import Core
internal import Wire

/// The recorded responses, which can be requested by id with the request field ``fieldName``.
struct CaseBook: Sendable {
    /// The request field with the id of a case.
    static let fieldName = "X-Sandbox-Case"
    /// The path that lists the ids.
    static let listPath = "/-/sandbox/cases"

    /// Fields of the connection or the framing, which the server writes itself.
    private static let framingFields: Set<String> = [
        "connection", "content-length", "keep-alive", "transfer-encoding", "upgrade", "trailer",
    ]

    private var cases: [String: ProfileCase] = [:]
    /// The ids, in the order of the profiles.
    private(set) var ids: [String] = []

    /// The cases of these profiles; for duplicate ids, the first one counts.
    init(_ profiles: [Profile]) {
        for recorded in profiles.flatMap(\.cases) where cases[recorded.id] == nil {
            cases[recorded.id] = recorded
            ids.append(recorded.id)
        }
    }

    /// The recorded response that a request asks for; `nil` if it asks for none.
    func answer(to request: ImitationRequest) -> ImitationResponse? {
        guard let id = request.field(Self.fieldName) else { return nil }
        guard let recorded = cases[id] else {
            let hint = "No recorded case has the id '\(id)'. GET \(Self.listPath) lists them."
            return .json(404, ["message": .string(hint)])
        }
        // A server can only send final statuses.
        var response = ImitationResponse(max(200, min(recorded.status, 999)), type: nil, body: recorded.body)
        recorded.fields.forEach { name, value in
            guard !Self.framingFields.contains(name.string.lowercased()) else { return }
            response.fields.append(name: name, value: value)
        }
        return response
    }

    /// The list of all cases.
    var list: JSONValue {
        .array(
            ids.compactMap { cases[$0] }.map { recorded in
                [
                    "id": .string(recorded.id), "name": .string(recorded.name),
                    "request": "\(recorded.request.method) \(recorded.request.path)",
                    "status": .integer(recorded.status),
                ]
            })
    }
}
