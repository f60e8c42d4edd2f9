extension JSONDocument {
    /// The elements of an array, in order; nothing for any other value.
    public func forEachElement(of node: Int, _ body: (Int) -> Void) {
        guard nodes[node].kind == .array, var child = firstChild(node) else { return }
        while true {
            body(child)
            guard let next = sibling(child, in: node) else { return }
            child = next
        }
    }

    /// The members of an object, in order, repeated ones included; nothing for any other value.
    public func forEachMember(of node: Int, _ body: (_ name: Int, _ value: Int) -> Void) {
        guard nodes[node].kind == .object, var name = firstChild(node) else { return }
        while true {
            body(name, name + 1)
            guard let next = sibling(name + 1, in: node) else { return }
            name = next
        }
    }

    /// The value of an object's member; the last of several with that name.
    public func member(_ wanted: Text, of node: Int) -> Int? {
        guard nodes[node].kind == .object, var name = firstChild(node) else { return nil }
        var found: Int?
        while true {
            if isName(name, wanted) { found = name + 1 }
            guard let next = sibling(name + 1, in: node) else { return found }
            name = next
        }
    }

    /// The element of an array, from 0.
    public func element(_ wanted: Int, of node: Int) -> Int? {
        guard nodes[node].kind == .array, var child = firstChild(node) else { return nil }
        for _ in 0..<wanted {
            guard let next = sibling(child, in: node) else { return nil }
            child = next
        }
        return child
    }

    /// The value that a JSON Pointer leads to.
    public func value(at pointer: JSONPointer) -> Int? {
        var node = root
        for step in pointer.steps {
            switch nodes[node].kind {
            case .object:
                guard let value = member(step.name, of: node) else { return nil }
                node = value
            case .array:
                guard let index = step.index, let value = element(index, of: node) else { return nil }
                node = value
            default: return nil
            }
        }
        return node
    }

    private func isName(_ name: Int, _ wanted: Text) -> Bool {
        let node = nodes[name]
        if node.hasEscapes { return string(name) == wanted }
        let length = Int(node.end - node.start)
        let wanted = wanted.bytes.span
        guard length == wanted.count else { return false }
        for index in 0..<length where bytes[Int(node.start) + index] != wanted[index] { return false }
        return true
    }
}
