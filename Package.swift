// swift-tools-version: 6.2
import PackageDescription

// `swift build -c release` is a plain build: exclusivity is checked, and any compiler from 6.2 on will do. `Release/build` sets WEIR_TUNED=1:
// see Release/README.md for what that adds and gains. It is for one compiler, since each newer one may read the profile and these
// options in another way.
let isTuned = Context.environment["WEIR_TUNED"] == "1"
#if !compiler(>=6.3) || compiler(>=6.4)
    if isTuned { fatalError("WEIR_TUNED=1 needs Swift 6.3. Build without it, or see Release/README.md.") }
#endif

// Where exchanges are counted (Benchmarks/profile), former counts are left aside.
let countsExchanges = Context.environment["WEIR_COUNTS_EXCHANGES"] == "1"
let profile = ["-Xfrontend", "-ir-profile-use=\(Context.packageDirectory)/Release/exchanges.profdata"]
let profileOptions = [
    "no-pgo-warn-mismatch", "static-func-full-module-prefix=false", "enable-split-machine-functions",
].flatMap { ["-Xllvm", "-\($0)"] }
let tunedOptions =
    // On the data path, checks of exclusivity cost as much as the work; debug builds, which the tests run, and plain releases have them.
    ["-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections"]
    + (countsExchanges ? [] : profile + profileOptions)

var settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // Generic code and spans are specialised across modules. Without it, an exchange runs twice as many instructions.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]
if isTuned { settings.append(.unsafeFlags(tunedOptions, .when(configuration: .release))) }

// The functions of an exchange lie side by side. A name in the list that is gone changes nothing.
let functionOrder = LinkerSetting.unsafeFlags(
    [
        "-Xlinker", "--no-warn-symbol-ordering", "-Xlinker",
        "--symbol-ordering-file=\(Context.packageDirectory)/Release/function-order.txt",
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

let package = Package(
    name: "weir",
    products: [.executable(name: "weir", targets: ["weir"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C, one door each.
        .systemLibrary(name: "CEpoll", path: "Sources/C/CEpoll"),
        .systemLibrary(
            name: "CCurl", path: "Sources/C/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CMicroHTTPD", path: "Sources/C/CMicroHTTPD", linkerSettings: microHTTPDLinking),
        .systemLibrary(
            name: "CGnuTLS", path: "Sources/C/CGnuTLS", pkgConfig: "gnutls",
            providers: [.apt(["libgnutls28-dev"])]),
        .target(name: "CFrames", path: "Sources/C/CFrames"),
        .target(
            name: "CYAML", path: "Sources/C/CYAML", linkerSettings: [.linkedLibrary(":libyaml.a")]),
        // The arguments of main().
        .target(name: "CLoader", path: "Sources/C/CLoader"),
        // The files of Config/ that are part of the program.
        .target(name: "CBuiltIn", path: "Sources/C/CBuiltIn"),
        .systemLibrary(
            name: "CMimalloc", path: "Sources/C/CMimalloc", providers: [.apt(["libmimalloc-dev"])]),
        .systemLibrary(
            name: "CZlib", path: "Sources/C/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CBrotli", path: "Sources/C/CBrotli", pkgConfig: "libbrotlidec",
            providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(
            name: "CZstd", path: "Sources/C/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // Safe Swift over C, and the vocabulary they share.
        .target(name: "Wire", swiftSettings: settings),
        .target(name: "Locking", swiftSettings: settings),
        .target(name: "Loop", dependencies: ["CEpoll", "Locking"], swiftSettings: settings),
        .target(
            name: "Upstream", dependencies: ["CCurl", "CFrames", "Loop", "Wire"], swiftSettings: settings),
        .target(
            name: "Downstream",
            dependencies: ["CGnuTLS", "CMicroHTTPD", "Loop", "Wire", "Locking"],
            swiftSettings: settings),
        .target(
            name: "ContentCoding", dependencies: ["CZlib", "CBrotli", "CZstd", "Wire"],
            swiftSettings: settings),

        .target(name: "Redis", dependencies: ["Loop", "Upstream"], swiftSettings: settings),

        .target(name: "JSONLog", dependencies: [logging], swiftSettings: settings),

        // Decisions.
        .target(
            name: "Core", dependencies: ["Wire", "Locking"],
            resources: [.embedInCode("SharedLedger/ledger.lua")], swiftSettings: settings),
        .target(name: "Configuration", dependencies: ["CYAML", "Core"], swiftSettings: settings),
        .target(
            name: "BuiltIn", dependencies: ["CBuiltIn"], path: "Config",
            exclude: ["weir.yaml", "Profiles", "Schemas"], sources: ["BuiltIn.swift"], swiftSettings: settings
        ),

        // Effects.
        .target(
            name: "Engine",
            dependencies: [
                "Loop", "Upstream", "Downstream", "ContentCoding", "JSONLog", "Locking", "Core", "Redis",
                "Wire", logging,
            ],
            swiftSettings: settings),
        .target(
            name: "Sandbox",
            dependencies: ["Loop", "Locking", "Downstream", "Core", "Wire"],
            swiftSettings: settings),
        .executableTarget(
            name: "weir",
            dependencies: [
                "CLoader", "CMimalloc", "Engine", "Core", "Configuration", "BuiltIn", "Sandbox",
                "ContentCoding", "Loop", "JSONLog", "Locking", "Wire", argumentParser, logging,
            ],
            swiftSettings: settings, linkerSettings: isTuned ? [functionOrder] : []),

        .target(
            name: "TestSupport", dependencies: ["CGnuTLS", "Locking"], path: "Tests/TestSupport",
            swiftSettings: settings),
        .testTarget(
            name: "LockingTests", dependencies: ["Locking", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "WireTests", dependencies: ["Wire"], swiftSettings: settings),
        // What holds for any bytes: the fuzzer looks for those for which it does not, a test replays its corpus.
        .target(
            name: "FuzzProperties",
            dependencies: [
                "BuiltIn", "Configuration", "ContentCoding", "Upstream", "Wire", "Core", "Redis",
                "TestSupport",
            ],
            path: "Tests/Fuzz/Properties", swiftSettings: settings),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzProperties"], swiftSettings: settings),
        .testTarget(
            name: "CoreTests",
            dependencies: [
                "Core", "Configuration", "BuiltIn", "ContentCoding", "Wire", "Locking", "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ContentCodingTests", dependencies: ["ContentCoding", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "JSONLogTests", dependencies: ["JSONLog", "Locking", logging], swiftSettings: settings),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Core", "Configuration", "BuiltIn"],
            swiftSettings: settings),
        .testTarget(
            name: "LoopTests", dependencies: ["Loop", "CEpoll"], swiftSettings: settings),
        .testTarget(
            name: "UpstreamTests", dependencies: ["CCurl", "Loop", "Upstream", "Wire", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DownstreamTests",
            dependencies: ["CEpoll", "CMicroHTTPD", "Loop", "Locking", "Downstream", "Wire", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Engine", "Core", "Configuration", "BuiltIn", "ContentCoding", "Loop", "Upstream", "Wire",
                "Locking", "TestSupport", "weir", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SandboxTests",
            dependencies: ["Sandbox", "Core", "Configuration", "BuiltIn", "Wire", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["BuiltIn", "Configuration", "Core", "TestSupport", "weir"],
            swiftSettings: settings),
        .testTarget(
            name: "DocumentationTests",
            dependencies: ["Core", "Configuration", "BuiltIn", "TestSupport", "weir"],
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
            dependencies: ["CAllocations", "BuiltIn", "Configuration", "Upstream", "Wire", "Core"],
            path: "Benchmarks/Micro/Program", swiftSettings: settings),
    ]
}
