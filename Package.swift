// swift-tools-version: 6.2
import PackageDescription

// How often exchanges take each branch and call, as `Benchmarks/profile` has counted: code is inlined by it, and what they do not run
// is moved out of the way of what they do. Functions that have changed since are compiled as if it were not there. Where it is counted,
// former counts are left aside; older compilers have no such option.
#if compiler(>=6.3)
    let usesCounts = Context.environment["WEIR_COUNTS_EXCHANGES"] == nil
#else
    let usesCounts = false
#endif
let counts = ["-Xfrontend", "-ir-profile-use=\(Context.packageDirectory)/Sources/weir/exchanges.profdata"]
let countOptions = [
    "no-pgo-warn-mismatch", "static-func-full-module-prefix=false", "enable-split-machine-functions",
].flatMap { ["-Xllvm", "-\($0)"] }
let countedExchanges = usesCounts ? counts + countOptions : []

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // Exclusivity is checked in debug builds, which the tests run; on the data path the checks cost as much as the work. Small
    // modules keep the arrows honest; generics and spans that cross them are specialised all the same. Each function is a section of
    // its own, so that the linker can move it.
    .unsafeFlags(
        ["-enforce-exclusivity=unchecked", "-cross-module-optimization", "-Xfrontend", "-function-sections"]
            + countedExchanges,
        .when(configuration: .release)),
]

// What an exchange runs lies side by side, in a third of the pages over which it was scattered. `Benchmarks/order` wrote the list; a
// name in it that is gone changes nothing.
let functionOrder = LinkerSetting.unsafeFlags(
    [
        "-use-ld=lld", "-Xlinker", "--no-warn-symbol-ordering", "-Xlinker",
        "--symbol-ordering-file=\(Context.packageDirectory)/Sources/weir/function-order.txt",
    ], .when(configuration: .release))

// libmicrohttpd is part of the program, and the linker binds these calls of its to the functions of CMicroHTTPD/hooks.c.
let hookedFunctions = [
    "recv", "__recv_chk", "send", "sendmsg", "epoll_wait", "epoll_ctl", "gnutls_record_recv",
    "gnutls_record_send", "gnutls_handshake",
]
let microHTTPDLinking: [LinkerSetting] = [
    .linkedLibrary(":libmicrohttpd.a"), .linkedLibrary("gnutls"),
    .unsafeFlags(["-use-ld=lld"] + hookedFunctions.flatMap { ["-Xlinker", "--wrap=\($0)"] }),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "weir",
    products: [.executable(name: "weir", targets: ["weir"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C, one door each.
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CMicroHTTPD", linkerSettings: microHTTPDLinking),
        .systemLibrary(name: "CGnuTLS", pkgConfig: "gnutls", providers: [.apt(["libgnutls28-dev"])]),
        .target(name: "CFrames"),
        // The arguments of main().
        .target(name: "CLoader"),
        .systemLibrary(name: "CMimalloc", providers: [.apt(["libmimalloc-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // Safe Swift over C, and the vocabulary they share.
        .target(name: "HTTPWire", swiftSettings: settings),
        .target(name: "Locking", swiftSettings: settings),
        .target(name: "EventLoop", dependencies: ["CEpoll", "Locking"], swiftSettings: settings),
        .target(name: "HTTPTransfer", dependencies: ["HTTPWire"], swiftSettings: settings),
        .target(
            name: "Curl", dependencies: ["CCurl", "CFrames", "HTTPTransfer", "HTTPWire"],
            swiftSettings: settings),
        .target(
            name: "HTTP1Client", dependencies: ["Curl", "EventLoop", "HTTPTransfer", "HTTPWire"],
            swiftSettings: settings),
        .target(
            name: "MicroHTTPD",
            dependencies: ["CGnuTLS", "CMicroHTTPD", "EventLoop", "HTTPWire", "Locking"],
            swiftSettings: settings),
        .target(name: "ContentCoding", dependencies: ["CZlib", "CBrotli", "CZstd"], swiftSettings: settings),

        .target(name: "RedisClient", dependencies: ["EventLoop"], swiftSettings: settings),

        .target(name: "JSONLog", dependencies: [logging], swiftSettings: settings),

        // Decisions.
        .target(
            name: "ProxyCore", dependencies: ["HTTPWire", "Locking"],
            resources: [.embedInCode("SharedLedger/ledger.lua")], swiftSettings: settings),
        .target(name: "Configuration", dependencies: ["ProxyCore", yams], swiftSettings: settings),
        .target(
            name: "BuiltIn", path: "Config", exclude: ["weir.yaml"], sources: ["BuiltIn.swift"],
            resources: [
                .embedInCode("Profiles/generic.yaml"), .embedInCode("Profiles/lemlist.yaml"),
                .embedInCode("Profiles/lettr.yaml"), .embedInCode("Schemas/problem.schema.json"),
                .embedInCode("Schemas/configuration.schema.json"),
            ],
            swiftSettings: settings),

        // Effects.
        .target(
            name: "ProxyEngine",
            dependencies: [
                "EventLoop", "Curl", "HTTP1Client", "HTTPTransfer", "MicroHTTPD", "ContentCoding", "JSONLog",
                "Locking", "ProxyCore", "RedisClient", "HTTPWire", logging,
            ],
            swiftSettings: settings),
        .target(
            name: "Sandbox",
            dependencies: ["EventLoop", "Locking", "MicroHTTPD", "ProxyCore", "HTTPWire"],
            swiftSettings: settings),
        .executableTarget(
            name: "weir",
            dependencies: [
                "CLoader", "CMimalloc",
                "ProxyEngine", "ProxyCore", "Configuration", "BuiltIn", "Sandbox", "ContentCoding",
                "EventLoop", "JSONLog", "Locking", "HTTPWire", argumentParser, logging,
            ],
            exclude: ["exchanges.profdata", "function-order.txt"], swiftSettings: settings,
            linkerSettings: [functionOrder]),

        .target(
            name: "TestSupport", dependencies: ["CGnuTLS", "Locking"], path: "Tests/TestSupport",
            swiftSettings: settings),
        .testTarget(
            name: "LockingTests", dependencies: ["Locking", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire"], swiftSettings: settings),
        // What holds for any bytes: the fuzzer looks for those for which it does not, a test replays its corpus.
        .target(
            name: "FuzzProperties",
            dependencies: [
                "BuiltIn", "Configuration", "ContentCoding", "HTTP1Client", "HTTPTransfer", "HTTPWire",
                "ProxyCore", "RedisClient", "TestSupport",
            ],
            path: "Tests/Fuzz/Properties", swiftSettings: settings),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzProperties"], swiftSettings: settings),
        .testTarget(
            name: "ProxyCoreTests",
            dependencies: [
                "ProxyCore", "Configuration", "BuiltIn", "ContentCoding", "HTTPWire", "Locking",
                "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ContentCodingTests", dependencies: ["ContentCoding", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "JSONLogTests", dependencies: ["JSONLog", "Locking", logging], swiftSettings: settings),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["ProxyCore", "Configuration", "BuiltIn"],
            swiftSettings: settings),
        .testTarget(
            name: "EventLoopTests", dependencies: ["EventLoop", "CEpoll"], swiftSettings: settings),
        .testTarget(
            name: "HTTP1ClientTests",
            dependencies: ["Curl", "EventLoop", "HTTP1Client", "HTTPTransfer", "HTTPWire", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "CurlTests",
            dependencies: ["Curl", "CCurl", "EventLoop", "HTTPTransfer", "HTTPWire", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "MicroHTTPDTests",
            dependencies: [
                "CEpoll", "CMicroHTTPD", "EventLoop", "Locking", "MicroHTTPD", "HTTPWire", "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ProxyEngineTests",
            dependencies: [
                "ProxyEngine", "ProxyCore", "Configuration", "BuiltIn", "ContentCoding", "EventLoop",
                "HTTPWire", "Locking",
                "TestSupport", "weir", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SandboxTests",
            dependencies: ["Sandbox", "ProxyCore", "Configuration", "BuiltIn", "HTTPWire", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "CommandLineTests", dependencies: ["TestSupport", "weir"], swiftSettings: settings),
        .testTarget(
            name: "DocumentationTests",
            dependencies: ["ProxyCore", "Configuration", "BuiltIn", "TestSupport", "weir"],
            swiftSettings: settings),
        .testTarget(
            name: "TestSupportTests", dependencies: ["Locking", "TestSupport", "weir"],
            swiftSettings: settings),
    ]
)

// The names of the test targets to build, with blanks between; all, unless given. Scripts/test-sanitized leaves out what it does not run.
if let names = Context.environment["WEIR_TESTS"]?.split(separator: " ") {
    package.targets.removeAll { $0.type == .test && !names.contains(Substring($0.name)) }
}

// Only Scripts/fuzz builds it: its entry point comes from the fuzzer.
if Context.environment["WEIR_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzProperties"], path: "Tests/Fuzz/Fuzzer",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
}

// Only Benchmarks/micro builds it: how long single steps take, and what they allocate.
if Context.environment["WEIR_BENCHMARKS"] != nil {
    package.targets += [
        .target(name: "CAllocations", path: "Benchmarks/Micro/CAllocations"),
        .executableTarget(
            name: "micro",
            dependencies: [
                "CAllocations", "BuiltIn", "Configuration", "HTTP1Client", "HTTPTransfer", "HTTPWire",
                "ProxyCore",
            ],
            path: "Benchmarks/Micro/Program", swiftSettings: settings),
    ]
}
