internal import Wire

/// The keys of the last request, which are those of the next one as well if both carry the same `Authorization`: an app has one credential.
///
/// Holds that credential, in one thread's memory, and shows it to nobody.
public struct LedgerKeyMemo {
    private let reader: LedgerKeyReader
    private var authorization: [UInt8] = []
    private var keys: SIMD4<UInt64>?

    /// Remembers what `reader` finds.
    public init(_ reader: LedgerKeyReader) { self.reader = reader }

    /// The same as ``LedgerKeyReader/keys(target:forEachField:)``.
    public mutating func keys(
        target: Span<UInt8>, forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> SIMD4<UInt64> {
        if reader.readsOtherFields || reader.readsQuery && target.index(of: 0x3F, from: 0) < target.count {
            return reader.keys(target: target, forEachField: forEachField)
        }
        var count = 0
        var isSame = false
        forEachField { name, value in
            guard name.equalsIgnoringCase("authorization") else { return }
            count += 1
            isSame = value.equals(authorization.span)
        }
        if isSame, count == 1, let keys { return keys }
        let found = reader.keys(target: target, forEachField: forEachField)
        keys = nil
        // Of several it may be any that counts.
        guard count == 1 else { return found }
        authorization.removeAll(keepingCapacity: true)
        forEachField { name, value in
            if name.equalsIgnoringCase("authorization") { authorization.append(value) }
        }
        keys = found
        return found
    }
}
