/// What the recorded cases of a profile reach: its rules, and the places in which it looks.
public struct ProfileCoverage {
    /// A rule that no case has reached.
    public struct MissedRule: Sendable, Equatable {
        /// The rule's place in the list of the file, from 0.
        public var index: Int
        /// The rule's name.
        public var name: String
        /// The name of a rule before it after which it can never decide; `nil` if there is none.
        public var hiddenBy: String?
    }

    private struct Watch {
        var label: String
        /// Whether the place finds something in a response for which a rule has decided.
        var finds: (AnswerReading, _ rule: Int) -> Bool
    }

    private let normalizer: ErrorNormalizer
    private let own: Profile
    private var reached: [Bool]
    private var watches: [Watch] = []

    /// Watches a profile.
    ///
    /// - Parameters:
    ///   - own: the profile as its file has it, without what `generic` adds.
    ///   - normalizer: of the complete profile, whose rules begin with the file's own.
    public init(of own: Profile, normalizer: ErrorNormalizer) {
        self.own = own
        self.normalizer = normalizer
        reached = Array(repeating: false, count: own.rules.count)
        let reading = own.reading
        watch(reading.message, as: "read.message")
        watch(reading.code, as: "read.code")
        watch(reading.requestID, as: "read.request_id")
        watch(own.repeats, as: "repeat")
        for (index, name) in reading.codeFields.enumerated() {
            add("read.code_headers[\(index)]") { reading, _ in reading.answer.fields.text(name) != nil }
        }
        for (index, place) in reading.fields.enumerated() {
            let phrases = normalizer.profile.fieldPhrases
            add("read.fields[\(index)]") { reading, _ in reading.finds(place, phrases) }
        }
        watch(own.waits, as: "waits", of: nil)
        for (index, rule) in own.rules.enumerated() {
            watch(rule.waits ?? [], as: "rules[\(index)].waits", of: index)
        }
    }

    private mutating func add(_ label: String, _ finds: @escaping (AnswerReading, Int) -> Bool) {
        watches.append(Watch(label: label, finds: finds))
    }

    private mutating func watch(_ places: [ValuePlace], as key: String) {
        for (index, place) in places.enumerated() {
            add("\(key)[\(index)]") { reading, _ in place.find(in: reading.context()) { $0.isSomething } }
        }
    }

    private mutating func watch(_ waits: [WaitSource], as key: String, of rule: Int?) {
        let rate = normalizer.rate
        for (index, wait) in waits.enumerated() {
            add("\(key)[\(index)]") { reading, decided in
                guard rule == nil || rule == decided else { return false }
                return WaitReading(reading, rate: rate, clock: ProfileCase.clock).seconds([wait]) != nil
            }
        }
    }

    /// Takes a case.
    ///
    /// - Parameter answer: the case's, its content codings taken off.
    public mutating func add(_ recorded: ProfileCase, _ answer: ProviderAnswer) {
        let facts = RequestFacts(method: recorded.request.method, path: recorded.request.path)
        guard let (reading, entry) = normalizer.decide(answer, of: facts) else { return }
        if reached.indices.contains(entry.index) { reached[entry.index] = true }
        watches.removeAll { $0.finds(reading, entry.index) }
    }

    /// How many of the profile's own rules a case has reached.
    public var reachedCount: Int { reached.count { $0 } }

    /// The rules that no case has reached.
    public var missedRules: [MissedRule] {
        reached.indices.filter { !reached[$0] }.map { index in
            MissedRule(index: index, name: own.rules[index].name, hiddenBy: ruleHiding(index))
        }
    }

    /// The keys of the places that found nothing in any case.
    public var silentPlaces: [String] { watches.map(\.label) }

    /// A rule before this one with which all of its statuses are decided.
    private func ruleHiding(_ index: Int) -> String? {
        var left = Set(StatusSet.possible.filter(own.rules[index].when.statuses.contains))
        for rule in own.rules[..<index] where rule.when.areOnlyStatuses {
            left = left.filter { !rule.when.statuses.contains($0) }
            if left.isEmpty { return rule.name }
        }
        return nil
    }
}
