internal import FuzzProperties
internal import Glibc

/// The subject that `WEIR_FUZZ_TARGET` names.
private let subject: FuzzSubject = {
    let name = unsafe getenv("WEIR_FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
    guard let subject = FuzzSubject(rawValue: name) else {
        fatalError("WEIR_FUZZ_TARGET is none of \(FuzzSubject.allCases.map(\.rawValue)): “\(name)”")
    }
    return subject
}()

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    subject.check(unsafe Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}
