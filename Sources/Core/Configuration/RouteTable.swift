/// Finds the provider whose mount a path begins with; the longest mount wins.
///
/// A trie of bytes in one array: a look-up allocates nothing and reads each byte of the path once at most.
public struct RouteTable: Sendable {
    /// Where a path leads.
    public struct Route: Hashable, Sendable {
        /// The provider's index, as given to the table.
        public var provider: Int
        /// Where the rest begins, which goes to the provider: it is empty, or begins with `/` or `?`.
        public var restOffset: Int
    }

    private struct Node {
        var byte: UInt8
        /// The provider whose mount ends here, or -1.
        var provider: Int32 = -1
        /// The first of the nodes that go on from here, or -1.
        var child: Int32 = -1
        /// The next node that goes on from the same place, or -1.
        var sibling: Int32 = -1
    }

    private var nodes = [Node(byte: 0)]

    /// A table of these mounts, each with its provider's index.
    ///
    /// - Precondition: no mount stands there twice.
    public init(_ mounts: [(mount: MountPath, provider: Int)]) {
        for (mount, provider) in mounts {
            var node = 0
            // `/` takes everything, so it is the empty prefix, and the rest is the whole path.
            for byte in mount.path == "/" ? "".utf8 : mount.path.utf8 {
                node = child(of: node, for: byte) ?? addChild(to: node, for: byte)
            }
            precondition(nodes[node].provider < 0, "the mount \(mount) stands in the table twice")
            nodes[node].provider = Int32(provider)
        }
    }

    /// The provider that a path, with or without its query, leads to; `nil` if none has a mount there.
    ///
    /// Bytes are compared as they are: `/lemlist` takes `/lemlist`, `/lemlist/x` and `/lemlist?x=1`, not
    /// `/lemlistx`, `/Lemlist` or `/%6Cemlist`.
    public func route(_ path: Span<UInt8>) -> Route? {
        guard path.count > 0, path[0] == UInt8(ascii: "/") else { return nil }
        var best: Route?
        var node = 0
        for offset in 0..<path.count {
            let byte = path[offset]
            if nodes[node].provider >= 0, byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") {
                best = Route(provider: Int(nodes[node].provider), restOffset: offset)
            }
            guard let next = child(of: node, for: byte) else { return best }
            node = next
        }
        return nodes[node].provider >= 0
            ? Route(provider: Int(nodes[node].provider), restOffset: path.count) : best
    }

    private func child(of node: Int, for byte: UInt8) -> Int? {
        var candidate = nodes[node].child
        while candidate >= 0 {
            if nodes[Int(candidate)].byte == byte { return Int(candidate) }
            candidate = nodes[Int(candidate)].sibling
        }
        return nil
    }

    private mutating func addChild(to node: Int, for byte: UInt8) -> Int {
        let index = nodes.count
        nodes.append(Node(byte: byte, sibling: nodes[node].child))
        nodes[node].child = Int32(index)
        return index
    }
}
