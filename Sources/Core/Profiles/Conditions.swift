/// Conditions of a response, all of which must be met.
public struct Conditions: Sendable {
    /// The statuses that match.
    public var statuses = StatusSet.errors
    /// The requests that match; empty: all.
    public var requests: [RequestPattern] = []
    /// The kinds of body that match; empty: all.
    public var kinds: [BodyKind] = []
    /// The required `Content-Type`.
    public var contentType: TextTest?
    /// The required header fields.
    public var headers: [(name: Text, test: TextTest)] = []
    /// The required code of the provider.
    public var code: TextTest?
    /// The required message.
    public var message: TextTest?
    /// The required text of the body.
    public var text: TextTest?
    /// The required values.
    public var values: [ValueTest] = []
    /// Places of which at least one must have a value that is neither `null`, `false` nor empty.
    public var present: [ValuePlace] = []
    /// Places of which none may have such a value.
    public var absent: [ValuePlace] = []
    /// Whether the body must contain field problems; `nil`: irrelevant.
    public var hasFields: Bool?
    /// Whether the fields of the provider's own count must report that nothing is left; `nil`: irrelevant.
    public var isUsedUp: Bool?

    /// Every error.
    public init() {}

    /// Whether one of the conditions depends on the body.
    var looksAtBody: Bool {
        !kinds.isEmpty || code != nil || message != nil || text != nil || hasFields != nil
            || values.contains { $0.place.looksAtBody } || present.contains { $0.looksAtBody }
            || absent.contains { $0.looksAtBody }
    }

    /// Whether only the status matters.
    public var areOnlyStatuses: Bool {
        !looksAtBody && requests.isEmpty && contentType == nil && headers.isEmpty && values.isEmpty
            && present.isEmpty && absent.isEmpty && isUsedUp == nil
    }
}

/// Conditions, prepared for comparison with responses.
///
/// An object, so that it can be passed around without copying its many parts.
public final class ConditionSet: Sendable {
    /// The conditions.
    public let conditions: Conditions
    /// Whether one of them depends on the body.
    let looksAtBody: Bool
    /// Whether some can be checked when only the head of the response has arrived.
    let looksAtHead: Bool
    /// Whether one of the places is a header field.
    let looksAtHeadPlaces: Bool
    /// The value conditions on the head, and the others.
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
