/// A regular expression as a program for all of its matches at once (Thompson's construction).
struct PatternProgram: Sendable {
    /// The most instructions; a text of the greatest length then takes a bounded time.
    private static let sizeLimit = 2000

    private enum Instruction: Sendable {
        /// The next scalar must be in the set with this number.
        case one(Int)
        /// The place must be like this.
        case anchor(PatternAnchor)
        /// Goes on at two places, of which the first is preferred.
        case split(Int, Int)
        case jump(Int)
        /// The group that captures begins, or ends.
        case groupStart
        case groupEnd
        case match
    }

    private var instructions: [Instruction] = []
    private var sets: [ScalarSet] = []
    private var hasGroup = false

    /// - Throws: if the pattern is too large.
    init(_ pattern: PatternNode) throws(PatternError) {
        guard Self.size(of: pattern) < Self.sizeLimit else {
            throw PatternError(
                reason:
                    "it is too large: more than \(Self.sizeLimit) steps, of which each round of a repetition takes its own; use smaller "
                    + "bounds",
                position: nil)
        }
        append(pattern)
        instructions.append(.match)
    }

    /// How many instructions a pattern takes; more than the limit counts as one more than it.
    private static func size(of node: PatternNode) -> Int {
        let size: Int
        switch node {
        case .empty: size = 0
        case .one, .anchor: size = 1
        case .sequence(let nodes): size = nodes.reduce(0) { $0 + Self.size(of: $1) }
        case .alternatives(let nodes): size = nodes.reduce(0) { $0 + Self.size(of: $1) + 2 }
        case .repeated(let node, let least, let most, _):
            size = (Self.size(of: node) + 2) * max(most ?? least + 1, 1)
        case .captured(let node): size = Self.size(of: node) + 2
        }
        return min(size, sizeLimit + 1)
    }

    private mutating func append(_ node: PatternNode) {
        switch node {
        case .empty: break
        case .one(let set):
            // The rounds of a repetition share one.
            if sets.last != set { sets.append(set) }
            instructions.append(.one(sets.count - 1))
        case .anchor(let anchor): instructions.append(.anchor(anchor))
        case .sequence(let nodes): for node in nodes { append(node) }
        case .alternatives(let nodes): append(alternatives: nodes)
        case .repeated(let node, let least, let most, let isLazy):
            for _ in 0..<least { append(node) }
            guard let most else { return append(endless: node, isLazy: isLazy) }
            var splits: [Int] = []
            for _ in least..<max(most, least) {
                splits.append(instructions.count)
                instructions.append(.match)
                append(node)
            }
            for split in splits { instructions[split] = fork(split, end: instructions.count, isLazy) }
        case .captured(let node):
            hasGroup = true
            instructions.append(.groupStart)
            append(node)
            instructions.append(.groupEnd)
        }
    }

    private mutating func append(alternatives nodes: [PatternNode]) {
        var jumps: [Int] = []
        for (index, node) in nodes.enumerated() {
            guard index + 1 < nodes.count else {
                append(node)
                break
            }
            let split = instructions.count
            instructions.append(.match)
            append(node)
            jumps.append(instructions.count)
            instructions.append(.match)
            instructions[split] = .split(split + 1, instructions.count)
        }
        for jump in jumps { instructions[jump] = .jump(instructions.count) }
    }

    private mutating func append(endless node: PatternNode, isLazy: Bool) {
        let split = instructions.count
        instructions.append(.match)
        append(node)
        instructions.append(.jump(split))
        instructions[split] = fork(split, end: instructions.count, isLazy)
    }

    /// The choice between one more round, which begins behind `split`, and the end of the repetition.
    private func fork(_ split: Int, end: Int, _ isLazy: Bool) -> Instruction {
        isLazy ? .split(end, split + 1) : .split(split + 1, end)
    }

    // MARK: Running

    /// Whether something in the text matches.
    func isFound(in text: Substring.UnicodeScalarView) -> Bool {
        var run = Run(size: instructions.count)
        var previous: Unicode.Scalar?
        var index = text.startIndex
        while true {
            let next = index < text.endIndex ? text[index] : nil
            // A match may begin at each place.
            run.pending.append(0)
            if advance(&run, between: previous, and: next) { return true }
            guard let next else { return false }
            for place in run.places {
                if case .one(let set) = instructions[place], sets[set].contains(next) {
                    run.pending.append(place + 1)
                }
            }
            previous = next
            index = text.index(after: index)
        }
    }

    /// Whether something in the text matches, or all of it.
    ///
    /// - Parameter steps: reduced by the steps that it takes, about one for each instruction at each scalar; negative if they were too
    ///   few, and then the result means nothing.
    func matches(_ text: String.UnicodeScalarView, whole isWhole: Bool, steps: inout Int) -> Bool {
        steps -= instructions.count >> 4
        guard steps >= 0 else { return false }
        var run = Run(size: instructions.count)
        run.mustEnd = isWhole
        run.pending.append(0)
        var previous: Unicode.Scalar?
        var index = text.startIndex
        while true {
            let next = index < text.endIndex ? text[index] : nil
            if advance(&run, between: previous, and: next) { return true }
            steps -= 1 + run.taken
            run.taken = 0
            guard let next, steps >= 0 else { return false }
            for place in run.places {
                guard case .one(let set) = instructions[place] else { continue }
                // A class of many characters is looked through one by one.
                steps -= sets[set].ranges.count >> 3
                if sets[set].contains(next) { run.pending.append(place + 1) }
            }
            if isWhole {
                if run.pending.isEmpty { return false }
            } else {
                // A match may begin at each place.
                run.pending.append(0)
            }
            previous = next
            index = text.index(after: index)
        }
    }

    /// The state of one run: each instruction is at most once in it.
    private struct Run {
        /// Where to go on from; instructions of all kinds.
        var pending: [Int] = []
        /// The instructions that wait for the next scalar.
        var places: [Int] = []
        /// The round in which an instruction was seen last.
        var seen: [UInt32]
        var round: UInt32 = 0
        /// Whether a match ends with the text.
        var mustEnd = false
        /// The instructions that were followed.
        var taken = 0

        init(size: Int) { seen = Array(repeating: 0, count: size) }
    }

    /// Follows all that needs no scalar; `true` at the end of the pattern.
    private func advance(_ run: inout Run, between previous: Unicode.Scalar?, and next: Unicode.Scalar?)
        -> Bool
    {
        run.round += 1
        run.places.removeAll(keepingCapacity: true)
        while let place = run.pending.popLast() {
            guard run.seen[place] != run.round else { continue }
            run.seen[place] = run.round
            run.taken += 1
            switch instructions[place] {
            case .match:
                if !run.mustEnd || next == nil { return true }
            case .one: run.places.append(place)
            case .jump(let target): run.pending.append(target)
            case .groupStart, .groupEnd: run.pending.append(place + 1)
            case .split(let first, let second):
                run.pending.append(second)
                run.pending.append(first)
            case .anchor(let anchor):
                if Self.holds(anchor, between: previous, and: next) { run.pending.append(place + 1) }
            }
        }
        return false
    }

    // MARK: Capturing

    /// One way through the pattern: where it goes on, and where the match and the group began and ended.
    private struct Thread {
        var place: Int
        var start: String.Index
        var groupStart: String.Index?
        var groupEnd: String.Index?
    }

    /// Where the first match is, or its group, if the pattern has one that captures.
    ///
    /// All ways are followed at once, those first that a backtracking engine would try first (Pike's construction): at each scalar an
    /// instruction is in at most one of them.
    func firstMatch(in text: Substring.UnicodeScalarView) -> Range<String.Index>? {
        var waiting: [Thread] = []
        var next: [Thread] = []
        var stack: [Thread] = []
        var seen = [UInt32](repeating: 0, count: instructions.count)
        var round: UInt32 = 0
        var found: Range<String.Index>??
        var previous: Unicode.Scalar?
        var index = text.startIndex
        while true {
            let scalar = index < text.endIndex ? text[index] : nil
            // Only before anything is found, a match may begin here, after all that began before.
            if found == nil { next.append(Thread(place: 0, start: index)) }
            round += 1
            waiting.removeAll(keepingCapacity: true)
            search: for thread in next {
                stack.append(thread)
                while var thread = stack.popLast() {
                    guard seen[thread.place] != round else { continue }
                    seen[thread.place] = round
                    switch instructions[thread.place] {
                    case .match:
                        found = .some(range(of: thread, end: index))
                        // Whatever is left would be tried later.
                        stack.removeAll(keepingCapacity: true)
                        break search
                    case .one: waiting.append(thread)
                    case .jump(let target):
                        thread.place = target
                        stack.append(thread)
                    case .split(let first, let second):
                        thread.place = second
                        stack.append(thread)
                        thread.place = first
                        stack.append(thread)
                    case .groupStart:
                        (thread.groupStart, thread.groupEnd) = (index, nil)
                        thread.place += 1
                        stack.append(thread)
                    case .groupEnd:
                        thread.groupEnd = index
                        thread.place += 1
                        stack.append(thread)
                    case .anchor(let anchor):
                        guard Self.holds(anchor, between: previous, and: scalar) else { continue }
                        thread.place += 1
                        stack.append(thread)
                    }
                }
            }
            next.removeAll(keepingCapacity: true)
            guard let scalar, found == nil || !waiting.isEmpty else { return found ?? nil }
            let end = text.index(after: index)
            for var thread in waiting {
                guard case .one(let set) = instructions[thread.place], sets[set].contains(scalar) else {
                    continue
                }
                thread.place += 1
                next.append(thread)
            }
            previous = scalar
            index = end
        }
    }

    private func range(of thread: Thread, end: String.Index) -> Range<String.Index>? {
        guard hasGroup else { return thread.start..<end }
        guard let start = thread.groupStart, let end = thread.groupEnd else { return nil }
        return start..<end
    }

    private static func holds(
        _ anchor: PatternAnchor, between previous: Unicode.Scalar?, and next: Unicode.Scalar?
    ) -> Bool {
        switch anchor {
        case .textStart: return previous == nil
        case .textEnd: return next == nil
        case .lineStart: return previous.map(isLineEnd) ?? true
        case .lineEnd: return next.map(isLineEnd) ?? true
        case .wordEdge: return isWord(previous) != isWord(next)
        case .noWordEdge: return isWord(previous) == isWord(next)
        }
    }

    private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool { !ScalarSet.dot.contains(scalar) }

    private static func isWord(_ scalar: Unicode.Scalar?) -> Bool {
        guard let scalar else { return false }
        return ScalarSet.Category.word.contains(scalar)
    }
}
