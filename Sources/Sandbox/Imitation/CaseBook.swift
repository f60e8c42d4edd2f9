internal import Core
internal import Wire

/// The recorded answers that can be asked for by their ids, with the request field ``fieldName``.
struct CaseBook: Sendable {
    /// The request field that names a case.
    static let fieldName = "X-Sandbox-Case"
    /// Where the ids are listed.
    static let listPath = "/-/sandbox/cases"

    /// Fields that belong to the connection or to the framing, which is the server's own.
    private static let framingFields: Set<String> = [
        "connection", "content-length", "keep-alive", "transfer-encoding", "upgrade", "trailer",
    ]

    private var cases: [String: ProfileCase] = [:]
    /// The ids, in the order of the profiles.
    private(set) var ids: [String] = []

    /// The cases of these profiles; of two with the same id, the first counts.
    init(_ profiles: [Profile]) {
        for recorded in profiles.flatMap(\.cases) where cases[recorded.id] == nil {
            cases[recorded.id] = recorded
            ids.append(recorded.id)
        }
    }

    /// The answer that a request asks for, as it was recorded; `nil` if it asks for none.
    func answer(to request: ImitationRequest) -> ImitationResponse? {
        guard let id = request.field(Self.fieldName) else { return nil }
        guard let recorded = cases[id] else {
            let hint = "No recorded case has the id '\(id)'. GET \(Self.listPath) lists them."
            return .json(404, ["message": .string(hint)])
        }
        // A server cannot send what is no final status.
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
