extension LettrImitation {
    /// The initial template.
    static let sampleTemplate: JSONValue = [
        "id": 1, "name": "Welcome Email", "slug": "welcome-email", "project_id": 1, "folder_id": 10,
        "active_version": 1, "versions_count": 1, "html": "<p>Hello {{FIRST_NAME}}</p>",
        "merge_tags": [["key": "FIRST_NAME", "required": true]], "created_at": "2026-01-15T10:00:00+00:00",
        "updated_at": "2026-01-20T14:30:00+00:00",
    ]

    func listTemplates(_ request: ImitationRequest) -> ImitationResponse {
        page(templates.all, as: "templates", "Templates retrieved successfully.", request)
    }

    mutating func createTemplate(_ request: ImitationRequest) -> ImitationResponse {
        let body = request.json
        var errors = LettrValidation()
        let name = errors.required("name", in: body)
        if body["html"].isBlank, body["json"].isBlank {
            errors.add("html", "Either html or json content is required.")
        } else if !body["html"].isBlank, !body["json"].isBlank {
            errors.add("json", "The json and html fields are mutually exclusive. Provide only one.")
        }
        if let refusal = errors.refusal { return refusal }
        let slug = makeSlug(name)
        let now = JSONValue.string(CivilTime.offset8601(request.arrival.wall))
        let template: JSONValue = [
            "id": .integer(templates.count + 1), "name": .string(name), "slug": .string(slug),
            "project_id": body["project_id"] == .null ? 1 : body["project_id"],
            "folder_id": body["folder_id"] == .null ? 10 : body["folder_id"], "active_version": 1,
            "versions_count": 1, "html": body["html"], "json": body["json"], "merge_tags": [],
            "created_at": now, "updated_at": now,
        ]
        templates[slug] = template
        return Self.success(201, "Template created successfully.", template)
    }

    func template(_ request: ImitationRequest) -> ImitationResponse {
        guard let template = templates[request.capture(0)] else { return Self.noTemplate(request) }
        return Self.success(200, "Template retrieved successfully.", template)
    }

    mutating func updateTemplate(_ request: ImitationRequest) -> ImitationResponse {
        guard var template = templates[request.capture(0)] else { return Self.noTemplate(request) }
        for name in ["name", "html", "json"] where request.json[name] != .null {
            template[name] = request.json[name]
        }
        template["updated_at"] = .string(CivilTime.offset8601(request.arrival.wall))
        templates[request.capture(0)] = template
        return Self.success(200, "Template updated successfully.", template)
    }

    mutating func deleteTemplate(_ request: ImitationRequest) -> ImitationResponse {
        guard templates[request.capture(0)] != nil else { return Self.noTemplate(request) }
        templates[request.capture(0)] = nil
        return .json(200, ["message": "Template deleted successfully."])
    }

    func mergeTags(_ request: ImitationRequest) -> ImitationResponse {
        guard let template = templates[request.capture(0)] else { return Self.noTemplate(request) }
        let data: JSONValue = [
            "project_id": template["project_id"], "template_slug": template["slug"],
            "version": template["active_version"], "merge_tags": template["merge_tags"],
        ]
        return Self.success(200, "Merge tags retrieved successfully.", data)
    }

    /// The only path of the API with another error format.
    func templateHTML(_ request: ImitationRequest) -> ImitationResponse {
        guard let template = templates[request.parameter("slug") ?? ""] else {
            return .json(404, ["success": false, "message": "Template not found."])
        }
        let data: JSONValue = [
            "html": template["html"], "merge_tags": template["merge_tags"], "subject": template["name"],
        ]
        return .json(200, ["success": true, "data": data])
    }

    /// Lower-case letters and digits separated by hyphens, followed by a number if another template has that name.
    private func makeSlug(_ name: String) -> String {
        let words = name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        let plain = words.isEmpty ? "template" : words.joined(separator: "-")
        var slug = plain
        var number = 1
        while templates[slug] != nil {
            number += 1
            slug = "\(plain)-\(number)"
        }
        return slug
    }

    private static func noTemplate(_ request: ImitationRequest) -> ImitationResponse {
        error(404, "not_found", "Template with slug '\(request.capture(0))' was not found.")
    }
}
