/// What must hold of a response: all of these.
public struct Conditions: Sendable {
    /// The statuses that count.
    public var statuses = StatusSet.errors
    /// The requests that count; empty: all.
    public var requests: [RequestPattern] = []
    /// The kinds of body that count; empty: all.
    public var kinds: [BodyKind] = []
    /// What the `Content-Type` must be.
    public var contentType: TextTest?
    /// What header fields must be, each of them.
    public var headers: [(name: Text, test: TextTest)] = []
    /// What the provider's code must be.
    public var code: TextTest?
    /// What the message must be.
    public var message: TextTest?
    /// What the text of the body must be.
    public var text: TextTest?
    /// What values must be, each of them.
    public var values: [ValueTest] = []
    /// Where something must be, in one of several places: a value that is neither `null`, `false` nor empty.
    public var present: [ValuePlace] = []
    /// Where no such value may be, in none of several places.
    public var absent: [ValuePlace] = []
    /// Whether the body must say something about fields; `nil`: that does not matter.
    public var hasFields: Bool?
    /// Whether the fields of the provider's own count must say that nothing is left; `nil`: that does not matter.
    public var isUsedUp: Bool?

    /// Every error.
    public init() {}

    /// Whether one of the conditions looks at the body.
    var looksAtBody: Bool {
        !kinds.isEmpty || code != nil || message != nil || text != nil || hasFields != nil
            || values.contains { $0.place.looksAtBody } || present.contains { $0.looksAtBody }
            || absent.contains { $0.looksAtBody }
    }

    /// Whether nothing but the status matters.
    public var areOnlyStatuses: Bool {
        !looksAtBody && requests.isEmpty && contentType == nil && headers.isEmpty && values.isEmpty
            && present.isEmpty && absent.isEmpty && isUsedUp == nil
    }
}

/// Conditions as they are compared with responses.
///
/// An object, so that they can be handed round without copying their many parts.
public final class ConditionSet: Sendable {
    /// The conditions.
    public let conditions: Conditions
    /// Whether one of them looks at the body.
    let looksAtBody: Bool
    /// Whether some can be checked when only the head of the response is there.
    let looksAtHead: Bool
    /// Whether one of the places is a header field.
    let looksAtHeadPlaces: Bool
    /// Those of the values that are in the head, and the others.
    let headValues: [ValueTest]
    let bodyValues: [ValueTest]

    /// Prepares conditions.
    public init(_ conditions: Conditions) {
        self.conditions = conditions
        looksAtBody = conditions.looksAtBody
        headValues = conditions.values.filter { $0.place.header != nil }
        bodyValues = conditions.values.filter { $0.place.header == nil }
        looksAtHeadPlaces =
            !headValues.isEmpty || conditions.present.contains { $0.header != nil }
            || conditions.absent.contains { $0.header != nil }
        looksAtHead = looksAtHeadPlaces || conditions.contentType != nil || !conditions.headers.isEmpty
    }
}
