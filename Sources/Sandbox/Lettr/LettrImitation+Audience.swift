extension LettrImitation {
    func listContacts(_ request: ImitationRequest) -> ImitationResponse {
        var found = contacts.all
        if let status = request.parameter("status") { found = found.filter { $0["status"].text == status } }
        if let search = request.parameter("search") {
            found = found.filter { $0["email"].text?.contains(search) ?? false }
        }
        return page(found, as: "contacts", "Contacts retrieved successfully.", request)
    }

    mutating func createContact(_ request: ImitationRequest) -> ImitationResponse {
        let body = request.json
        var errors = LettrValidation()
        let email = errors.required("email", in: body)
        if !email.isEmpty, !EmailAddress.isValid(email) {
            errors.add("email", "The email must be a valid email address.")
        }
        var memberships: [JSONValue] = []
        if let id = body["list_id"].text {
            if let list = lists[id] {
                memberships = [["id": list["id"], "name": list["name"]]]
            } else {
                errors.add("list_id", "The selected list id is invalid.")
            }
        }
        if let refusal = errors.refusal { return refusal }
        guard !hasContact(email) else { return Self.contactExists }
        let id = identifiers.uuid()
        let contact: JSONValue = [
            "id": .string(id), "email": .string(email),
            "status": body["double_opt_in"] == .null ? "subscribed" : "unverified",
            "properties": body["properties"] == .null ? [:] : body["properties"],
            "created_at": .string(CivilTime.iso8601(request.arrival.wall)), "lists": .array(memberships),
            "topics": [],
        ]
        contacts[id] = contact
        return Self.success(201, "Contact created successfully.", contact)
    }

    func contact(_ request: ImitationRequest) -> ImitationResponse {
        guard let contact = contacts[request.capture(0)] else { return Self.noContact }
        return Self.success(200, "Contact retrieved successfully.", contact)
    }

    mutating func updateContact(_ request: ImitationRequest) -> ImitationResponse {
        guard var contact = contacts[request.capture(0)] else { return Self.noContact }
        let body = request.json
        var errors = LettrValidation()
        if let email = body["email"].text, email != contact["email"].text {
            if !EmailAddress.isValid(email) {
                errors.add("email", "The email must be a valid email address.")
            }
            if let refusal = errors.refusal { return refusal }
            guard !hasContact(email) else { return Self.contactExists }
        }
        for name in ["email", "status", "properties"] where body[name] != .null { contact[name] = body[name] }
        contacts[request.capture(0)] = contact
        return Self.success(200, "Contact updated successfully.", contact)
    }

    mutating func deleteContact(_ request: ImitationRequest) -> ImitationResponse {
        guard contacts[request.capture(0)] != nil else { return Self.noContact }
        contacts[request.capture(0)] = nil
        return .empty(204)
    }

    func listLists(_ request: ImitationRequest) -> ImitationResponse {
        page(lists.all.map(counted), as: "lists", "Lists retrieved successfully.", request)
    }

    mutating func createList(_ request: ImitationRequest) -> ImitationResponse {
        var errors = LettrValidation()
        let name = errors.required("name", in: request.json)
        if let refusal = errors.refusal { return refusal }
        let list: JSONValue = ["id": .string(identifiers.uuid()), "name": .string(name), "contacts_count": 0]
        lists[list["id"].text ?? ""] = list
        return Self.success(201, "List created successfully.", list)
    }

    func list(_ request: ImitationRequest) -> ImitationResponse {
        guard let list = lists[request.capture(0)] else { return Self.noList }
        return Self.success(200, "List retrieved successfully.", counted(list))
    }

    mutating func deleteList(_ request: ImitationRequest) -> ImitationResponse {
        guard lists[request.capture(0)] != nil else { return Self.noList }
        lists[request.capture(0)] = nil
        return .empty(204)
    }

    private func hasContact(_ email: String) -> Bool {
        contacts.all.contains { $0["email"].text?.lowercased() == email.lowercased() }
    }

    /// A list with its current number of contacts.
    private func counted(_ list: JSONValue) -> JSONValue {
        var list = list
        let members = contacts.all.filter { contact in
            contact["lists"].elements?.contains { $0["id"] == list["id"] } ?? false
        }
        list["contacts_count"] = .integer(members.count)
        return list
    }

    private static let contactExists = error(
        409, "resource_already_exists", "A contact with this email already exists.")
    private static let noContact = error(404, "not_found", "Contact not found.")
    private static let noList = error(404, "not_found", "List not found.")
}
