internal import Wire

extension JSONDocument {
    /// The elements of an array, in order; nothing for any other value.
    public func forEachElement(of node: Int, _ body: (Int) -> Void) {
        guard nodes[node].kind == .array else { return }
        let end = Int(nodes[node].next)
        var child = node + 1
        while child < end {
            body(child)
            child = Int(nodes[child].next)
        }
    }

    /// The members of an object, in order, repeated ones included; nothing for any other value.
    public func forEachMember(of node: Int, _ body: (_ name: Int, _ value: Int) -> Void) {
        guard nodes[node].kind == .object else { return }
        let end = Int(nodes[node].next)
        var name = node + 1
        while name < end {
            body(name, name + 1)
            name = Int(nodes[name + 1].next)
        }
    }

    /// The value of an object's member; the last of several with that name.
    public func member(_ wanted: Text, of node: Int) -> Int? {
        let nodes = nodes.span
        guard nodes[node].kind == .object else { return nil }
        let end = Int(nodes[node].next)
        var found: Int?
        var name = node + 1
        while name < end {
            if isName(nodes[name], wanted) { found = name + 1 }
            name = Int(nodes[name + 1].next)
        }
        return found
    }

    /// The names of an object's members, see ``NameSet``; of any other value none.
    func names(of node: Int) -> UInt64 {
        var names: UInt64 = 0
        forEachMember(of: node) { name, _ in
            let name = nodes[name]
            names |= name.hasEscapes ? .max : NameSet.bit(bytes[Int(name.start)..<Int(name.end)])
        }
        return names
    }

    /// The element of an array, from 0.
    public func element(_ wanted: Int, of node: Int) -> Int? {
        guard nodes[node].kind == .array else { return nil }
        let end = Int(nodes[node].next)
        var child = node + 1
        for _ in 0..<wanted {
            guard child < end else { return nil }
            child = Int(nodes[child].next)
        }
        return child < end ? child : nil
    }

    /// The value that a JSON Pointer leads to.
    public func value(at pointer: JSONPointer) -> Int? {
        guard pointer.rootBit & rootNames != 0 || pointer.steps.isEmpty else { return nil }
        let steps = pointer.steps.span
        var node = root
        for index in 0..<steps.count {
            switch nodes[node].kind {
            case .object:
                guard let value = member(steps[index].name, of: node) else { return nil }
                node = value
            case .array:
                guard let place = steps[index].index, let value = element(place, of: node) else {
                    return nil
                }
                node = value
            default: return nil
            }
        }
        return node
    }

    private func isName(_ node: Node, _ wanted: Text) -> Bool {
        if node.hasEscapes { return text(node) == wanted }
        guard Int(node.end - node.start) == wanted.count else { return false }
        let name = bytes.span.extracting(Int(node.start)..<Int(node.end))
        return name.equals(wanted.storage.span.extracting(wanted.range))
    }
}
