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

    /// The response that a request asks for; `nil` if it asks for none.
    func answer(to request: ImitationRequest) -> ImitationResponse? {
        if let requested = request.requested { return requested }
        return request.isUnasked ? nil : request.field(Self.fieldName).map(response)
    }

    /// The response that a behaviour asks for; `nil` if it asks for none.
    func answer(to behaviour: SandboxBehaviour) -> ImitationResponse? {
        if let id = behaviour.recorded { return response(id) }
        guard behaviour.status != nil || behaviour.code != nil else { return nil }
        let found = ids.first { id in
            guard let recorded = cases[id] else { return false }
            if let code = behaviour.code {
                return recorded.expectation?.code == code
                    && (behaviour.status ?? recorded.status) == recorded.status
            }
            // A recorded error may have the status 200.
            return recorded.status == behaviour.status
                && (recorded.expectation == nil) == (recorded.status < 400)
        }
        if let found { return response(found) }
        if let status = behaviour.status, behaviour.code == nil {
            guard status != 204, status != 304 else { return .empty(status) }
            return .json(status, ["message": .string("Weir's sandbox was asked for the status \(status).")])
        }
        let status = behaviour.status.map { " and the status \($0)" } ?? ""
        let hint = "No recorded case has the code '\(behaviour.code?.name ?? "")'\(status)."
        return .json(404, ["message": .string("\(hint) GET \(Self.listPath) lists them.")])
    }

    /// The recorded response with this id.
    private func response(_ id: String) -> ImitationResponse {
        guard let recorded = cases[id] else {
            let shown = String(String.UnicodeScalarView(id.unicodeScalars.prefix(80)))
            let hint = "No recorded case has the id '\(shown)'. GET \(Self.listPath) lists them."
            return .json(404, ["message": .string(hint)])
        }
        return Self.response(recorded)
    }

    /// The response as it was recorded.
    static func response(_ recorded: ProfileCase) -> ImitationResponse {
        // A server can only send final statuses.
        var response = ImitationResponse(max(200, min(recorded.status, 999)), type: nil, body: recorded.body)
        recorded.fields.forEach { name, value in
            guard !framingFields.contains(name.string.lowercased()) else { return }
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
                    "code": recorded.expectation.map { .string($0.code.name) } ?? .null,
                ]
            })
    }
}
