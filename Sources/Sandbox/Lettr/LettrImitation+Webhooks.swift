extension LettrImitation {
    func listWebhooks(_ request: ImitationRequest) -> ImitationResponse {
        Self.success(200, "Webhooks retrieved successfully.", ["webhooks": .array(webhooks.all)])
    }

    mutating func createWebhook(_ request: ImitationRequest) -> ImitationResponse {
        let body = request.json
        var errors = LettrValidation()
        let name = errors.required("name", in: body)
        let url = errors.required("url", in: body, maximum: 2048)
        if !url.isEmpty, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
            errors.add("url", "The url field must be a valid URL.")
        }
        let type = errors.required("auth_type", in: body)
        if !type.isEmpty, !["none", "basic", "oauth2"].contains(type) {
            errors.add("auth_type", "The selected auth type is invalid.")
        }
        let mode = errors.required("events_mode", in: body)
        if !mode.isEmpty, mode != "all", mode != "selected" {
            errors.add("events_mode", "The selected events mode is invalid.")
        }
        if mode == "selected", body["events"].isBlank {
            errors.add("events", "The events field is required when events mode is selected.")
        }
        if let refusal = errors.refusal { return refusal }
        guard !webhooks.all.contains(where: { $0["url"].text == url }) else {
            return Self.error(
                409, "resource_already_exists", "A webhook with this target URL already exists.")
        }
        let id = "webhook-" + identifiers.uuid()
        let webhook: JSONValue = [
            "id": .string(id), "name": .string(name), "url": .string(url), "enabled": true,
            "event_types": mode == "all" ? nil : body["events"], "auth_type": .string(type),
            "has_auth_credentials": .boolean(type != "none"), "last_successful_at": nil,
            "last_failure_at": nil, "last_status": nil,
        ]
        webhooks[id] = webhook
        return Self.success(201, "Webhook created successfully.", webhook)
    }

    func webhook(_ request: ImitationRequest) -> ImitationResponse {
        guard let webhook = webhooks[request.capture(0)] else { return Self.noWebhook }
        return Self.success(200, "Webhook retrieved successfully.", webhook)
    }

    mutating func updateWebhook(_ request: ImitationRequest) -> ImitationResponse {
        guard var webhook = webhooks[request.capture(0)] else { return Self.noWebhook }
        let body = request.json
        for (name, member) in [
            ("name", "name"), ("url", "url"), ("target", "url"), ("auth_type", "auth_type"),
            ("events", "event_types"), ("active", "enabled"),
        ] where body[name] != .null {
            webhook[member] = body[name]
        }
        webhooks[request.capture(0)] = webhook
        return Self.success(200, "Webhook updated successfully.", webhook)
    }

    mutating func deleteWebhook(_ request: ImitationRequest) -> ImitationResponse {
        guard webhooks[request.capture(0)] != nil else { return Self.noWebhook }
        webhooks[request.capture(0)] = nil
        return .json(200, ["message": "Webhook deleted successfully."])
    }

    private static let noWebhook = error(404, "not_found", "Webhook not found.")
}
