import BuiltIn
import Core
import Glibc
import TestSupport
import Testing

@testable import Configuration

@Suite("weir profile show, page and test --watch", .blocking)
struct ProfileToolTests {
    /// What profiles must have in common to be equal, but for where their rules are from.
    private func expectSame(_ one: Profile, _ other: Profile) {
        #expect(
            one.upstream == other.upstream && one.variables == other.variables && one.hosts == other.hosts)
        #expect(one.credentialPlaces == other.credentialPlaces)
        #expect(one.credentialInjections == other.credentialInjections)
        #expect(one.credentialUser == other.credentialUser && one.secretPrefixes == other.secretPrefixes)
        #expect(one.errors == other.errors && one.limits == other.limits)
        #expect(one.tiers == other.tiers && one.tier == other.tier)
        #expect(one.quotaRequests == other.quotaRequests && one.idempotency == other.idempotency)
        #expect(one.probe?.path == other.probe?.path)
        #expect((one.probe?.account == nil) == (other.probe?.account == nil))
        #expect(one.requestDefaults.map(\.name) == other.requestDefaults.map(\.name))
        #expect(one.requestIDFields == other.requestIDFields && one.rateFields == other.rateFields)
        #expect(one.kept == other.kept && one.waits.count == other.waits.count)
        #expect(one.repeats.count == other.repeats.count)
        let parts = { (reading: BodyReading) in
            [
                reading.message.count, reading.code.count, reading.codeFields.count, reading.fields.count,
                reading.requestID.count,
            ]
        }
        #expect(parts(one.reading) == parts(other.reading))
        let rules = { (profile: Profile) in
            profile.rules.map {
                "\($0.name) \($0.when.statuses.ranges) \($0.isSuccess) \($0.result) \($0.isTransient as Any) "
                    + "\($0.effect as Any) \($0.status as Any) \($0.pause as Any) \($0.limitName as Any) "
                    + "\($0.isMapped) \($0.waits?.count as Any) \($0.repeats?.count as Any)"
            }
        }
        #expect(rules(one) == rules(other))
    }

    @Test("what show prints reads back to the same profile", arguments: BuiltIn.profileNames)
    func roundTrip(name: String) throws {
        let generic = try ProfileReader.read(
            text: BuiltIn.profile(named: "generic") ?? "", file: "generic.yaml", generic: nil)
        let original =
            name == "generic"
            ? generic
            : try ProfileReader.read(
                text: BuiltIn.profile(named: name) ?? "", file: "\(name).yaml", generic: generic)
        let recorded = try ProfileReader.read(
            text: BuiltIn.profileWithCases(named: name) ?? "", file: "cases.yaml", generic: nil
        ).cases
        for arguments in [["profile", "show", name], ["profile", "show", name, "--json"]] {
            let outcome = try CommandLine.run(arguments)
            #expect(outcome.code == 0)
            let read = try ProfileReader.read(
                text: outcome.output, file: "shown.yaml", generic: name == "generic" ? nil : generic)
            expectSame(read, original)
            let (one, other) = (ErrorNormalizer(profile: read), ErrorNormalizer(profile: original))
            for recorded in recorded {
                #expect(
                    recorded.run(with: one, decode: { body, _ in body })
                        == recorded.run(with: other, decode: { body, _ in body }), "\(recorded.id)")
            }
        }
    }

    @Test("show summarises limits, credential and errors, and keeps references to secrets unresolved")
    func summary() throws {
        let outcome = try CommandLine.run("profile", "show", "stripe")
        #expect(outcome.output.contains("# limits of the tier live (default): 100 per 1s"))
        #expect(outcome.output.contains("# credential: bearer or basic user; sent as bearer"))
        #expect(outcome.output.contains("# errors: merged"))
        let folder = try TemporaryDirectory()
        let file = try folder.write("name: mine\nrequest_defaults: { X-A: '${SHOWN_KEY}' }", to: "mine.yaml")
        let own = try CommandLine.run(["profile", "show", file], environment: ["SHOWN_KEY": "s3cret-value"])
        #expect(own.code == 0 && own.output.contains("${SHOWN_KEY}") && !own.output.contains("s3cret-value"))
    }

    @Test("a profile that inherits nothing has no rules of generic")
    func inheritsNothing() throws {
        let profile = try ProfileReader.read(
            text: "name: mine\ninherit: no", file: "mine.yaml",
            generic: try ProfileReader.builtIn(BuiltIn.profiles).first { $0.name == "generic" })
        #expect(profile.rules.isEmpty && profile.reading.message.isEmpty && profile.waits.isEmpty)
    }

    @Test("show reports an unknown name, a missing file and a faulty file like test does")
    func faults() throws {
        #expect(try CommandLine.run("profile", "show", "strip").code == 64)
        #expect(try CommandLine.run("profile", "show", "/nonexistent.yaml").code == 1)
        #expect(try CommandLine.run("profile", "page", "strip").code == 64)
        let folder = try TemporaryDirectory()
        let file = try folder.write("name: mine\nrulez: []", to: "mine.yaml")
        let outcome = try CommandLine.run("profile", "show", file)
        #expect(outcome.code == 1 && outcome.errorOutput.hasPrefix("\(file):2:1: rulez: unknown key"))
    }

    @Test("the cases of a profile file may be in a file beside it")
    func casesBeside() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            "name: mine\nrules: [{ name: r, when: { status: 461 }, is: gone }]", to: "mine.yaml")
        #expect(try CommandLine.run("profile", "test", file).code == 1)
        let cases = try folder.write(
            "cases: [{ id: a, name: n, status: 461, expect: { code: gone, transient: no } }]",
            to: "mine.cases.yaml")
        #expect(try CommandLine.run("profile", "test", file).code == 0)
        _ = try folder.write("cases:\n  - { id: a, statuz: 461 }", to: "mine.cases.yaml")
        let outcome = try CommandLine.run("profile", "test", file)
        #expect(outcome.code == 1 && outcome.errorOutput.hasPrefix("\(cases):2:"))
    }

    @Test(
        "test --watch tests again when the profile or its cases are written or replaced, and SIGINT ends it with 0"
    )
    func watch() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("name: mine", to: "mine.yaml")
        let watch = try CommandLine.start("profile", "test", file, "--watch")
        func runs(_ mark: String) -> Int {
            watch.output.split(separator: "\n").count { $0.contains(mark) }
        }
        try eventually("a first run", within: .seconds(30)) { runs("passed; waiting") == 1 }
        _ = try folder.write("name: mine\nrulez: 1", to: "mine.yaml")
        try eventually("a failed run", within: .seconds(30)) { runs("FAILED; waiting") >= 1 }
        #expect(watch.errorOutput.contains("rulez: unknown key"))
        // An editor writes another file and renames it.
        let other = try folder.write("name: mine\n", to: "mine.yaml~")
        #expect(unsafe rename(other, file) == 0)
        try eventually("a run of the replaced file", within: .seconds(30)) { runs("passed; waiting") >= 2 }
        _ = try folder.write(
            "cases: [{ id: a, name: n, status: 404, expect: { code: gone, transient: no } }]",
            to: "mine.cases.yaml")
        try eventually("a run with the new cases", within: .seconds(30)) {
            watch.output.contains("should be gone")
        }
        watch.send(.interrupt)
        #expect(try watch.waitForExit() == .code(0))
    }

    @Test("--watch without a file is a usage error")
    func watchWithoutFile() throws {
        #expect(try CommandLine.run("profile", "test", "--watch").code == 64)
        #expect(try CommandLine.run("profile", "test", "stripe", "--watch").code == 64)
    }
}
