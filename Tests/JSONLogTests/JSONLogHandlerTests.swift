import Foundation
import JSONLog
import Logging
import Testing

@Suite("JSON log lines")
struct JSONLogHandlerTests {
    @Test("a line begins with time, level and message, and its metadata is sorted by key")
    func line() throws {
        let lines = try Sink.lines { logger in
            logger[metadataKey: "worker"] = "2"
            logger.notice("listening", metadata: ["port": "8080", "address": "127.0.0.1"])
        }
        let expected =
            #"{"time":"2026-01-31T12:00:00.007Z","level":"notice","message":"listening","#
            + #""address":"127.0.0.1","port":"8080","worker":"2"}"#
        #expect(lines == [expected])
    }

    @Test("members keep the order in which they were given, and stand before other metadata")
    func members() throws {
        let lines = try Sink.lines { logger in
            logger[metadataKey: "a"] = "b"
            var members = JSONMembers()
            members.append("request_id", "r1")
            members.append("provider", "lemlist")
            members.append("status", 429)
            members.append("queue", secondsOf: 1_500_000_000)
            members.append("own", secondsOf: 42_900)
            members.append("upstream", secondsOf: 0)
            members.append("mapped", false)
            members.append("load", 0.5)
            let path: [UInt8] = Array("/a\"b/".utf8) + [0xFF, 0x00]
            members.append("path", bytes: path.span)
            logger.info("exchange", metadata: members.metadata)
        }
        let expected =
            #"{"time":"2026-01-31T12:00:00.007Z","level":"info","message":"exchange","request_id":"r1","#
            + #""provider":"lemlist","status":429,"queue":1.5,"own":0.000042,"upstream":0,"mapped":false,"#
            + #""load":0.5,"path":"/a\"b/\#u{FFFD}\u0000","a":"b"}"#
        #expect(lines == [expected])
    }

    @Test("numbers and truth values of the metadata stay what they are, at any depth")
    func types() throws {
        let lines = try Sink.lines { logger in
            logger.info(
                "m",
                metadata: [
                    "array": .array([.stringConvertible(1), "two", .stringConvertible(true)]),
                    "bool": .stringConvertible(false), "double": .stringConvertible(-2.5e-7),
                    "float": .stringConvertible(Float(0.25)), "int": .stringConvertible(Int.min),
                    "map": ["b": .stringConvertible(UInt64.max), "a": .stringConvertible(UInt8(7))],
                    "nan": .stringConvertible(Double.nan), "other": .stringConvertible(["x"]),
                ])
        }
        let members =
            #""array":[1,"two",true],"bool":false,"double":-2.5e-07,"float":0.25,"int":-9223372036854775808,"#
            + #""map":{"a":7,"b":18446744073709551615},"nan":"nan","other":"[\"x\"]"}"#
        #expect(lines.count == 1)
        #expect(lines[0].hasSuffix(members))
        _ = try Sink.object(lines[0])
    }

    @Test("no text breaks the line, moves a terminal's cursor, or makes the JSON invalid")
    func escaping() throws {
        var text = ""
        for value: UInt32 in Array(0...0x100) + [0x2027, 0x2028, 0x2029, 0x202A, 0xFEFF, 0xFFFF, 0x1F600] {
            if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
        }
        let lines = try Sink.lines { logger in
            logger.info("\(text)", metadata: ["\(text)": .array([.string(text)])])
        }
        try #require(lines.count == 1)
        let hidden = lines[0].unicodeScalars.filter {
            $0.properties.generalCategory == .control || $0.value == 0x2028 || $0.value == 0x2029
        }
        #expect(hidden.isEmpty)
        let object = try Sink.object(lines[0])
        #expect(object["message"] as? String == text)
        #expect(object[text] as? [String] == [text])
    }

    @Test("metadata cannot pretend to be the time, the level or the message")
    func takenNames() throws {
        let lines = try Sink.lines { $0.error("m", metadata: ["level": "info", "time": "now"]) }
        #expect(lines.count == 1)
        #expect(lines[0].hasSuffix(#""level":"error","message":"m","level_":"info","time_":"now"}"#))
    }

    @Test("the nearer metadata wins, and an error is a member of its own")
    func precedence() throws {
        struct Oops: Error, CustomStringConvertible { let description = "oops" }
        let lines = try Sink.lines { logger in
            logger[metadataKey: "k"] = "logger"
            logger.error("m", error: Oops(), metadata: ["k": "event"])
        }
        #expect(lines.count == 1)
        #expect(lines[0].hasSuffix(#""error":"oops","k":"event"}"#))
    }

    @Test("a text that is too long is cut between two characters, and the line says so")
    func longText() throws {
        let lines = try Sink.lines { $0.info("\(String(repeating: "é\n", count: 50_000))") }
        try #require(lines.count == 1)
        #expect(lines[0].utf8.count < 16_384)
        let object = try Sink.object(lines[0])
        #expect(object["truncated"] as? Bool == true)
        #expect((object["message"] as? String)?.hasSuffix("…") == true)
    }

    @Test("a line is never longer than 16 KiB, stays valid JSON, and says that members were left out")
    func longLine() throws {
        let lines = try Sink.lines { logger in
            var metadata: Logger.Metadata = [:]
            for index in 0..<50 { metadata["k\(index)"] = .string(String(repeating: "x", count: 1000)) }
            metadata["list"] = .array(Array(repeating: "y", count: 100_000))
            metadata["z"] = .stringConvertible(1)
            logger.info("m", metadata: metadata)
        }
        try #require(lines.count == 1)
        #expect(lines[0].utf8.count < 16_384)
        let object = try Sink.object(lines[0])
        #expect(object["truncated"] as? Bool == true)
        #expect(object["z"] as? Int == 1)
        #expect(object["k0"] != nil)
    }

    @Test("members that are too long are left out one by one, and the line that takes them says so")
    func longMembers() throws {
        let lines = try Sink.lines { logger in
            var members = JSONMembers()
            let long = [UInt8](repeating: 0xFF, count: 100_000)
            for index in 0..<9 { members.append("k\(index)", bytes: long.span) }
            members.append("status", 200)
            #expect(members.isTruncated)
            logger.info("exchange", metadata: members.metadata)
        }
        try #require(lines.count == 1)
        let object = try Sink.object(lines[0])
        #expect(object["truncated"] as? Bool == true)
        #expect(object["status"] as? Int == 200)
        #expect(object["k0"] != nil)
        #expect(object["k8"] == nil)
    }

    @Test("metadata that lies too deep is cut off")
    func depth() throws {
        var value: Logger.MetadataValue = "bottom"
        for _ in 0..<1000 { value = .array([value]) }
        let lines = try Sink.lines { $0.info("m", metadata: ["deep": value]) }
        try #require(lines.count == 1)
        #expect(lines[0].hasSuffix(#""deep":[[[[[[[[null]]]]]]]],"truncated":true}"#))
    }

    @Test(
        "times are those of the calendar",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_999, "2000-02-29T00:00:00.999Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"), (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_798_761_599_000, "2026-12-31T23:59:59.000Z"), (.max, "9999-12-31T23:59:59.999Z"),
            (.min, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func times(milliseconds: Int64, text: String) throws {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd)
        Logger(label: "test") { _ in JSONLogHandler(writer: writer) { milliseconds } }.info("m")
        writer.shutdown(within: .seconds(10))
        #expect(try Sink.object(sink.lines()[0])["time"] as? String == text)
    }

    @Test("what is below the level is not written")
    func level() throws {
        let lines = try Sink.lines(level: .warning) { logger in
            logger.info("quiet")
            logger.warning("loud")
        }
        #expect(lines.count == 1)
    }

    @Test("a switch changes the level of loggers that exist, unless they have a level of their own")
    func levelSwitch() throws {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd, delay: .zero)
        let level = LogLevelSwitch(.info)
        let logger = Logger(label: "test") { _ in JSONLogHandler(writer: writer, level: level) }
        var own = logger
        own.logLevel = .error
        logger.debug("hidden")
        level.level = .debug
        logger.debug("shown")
        own.warning("hidden")
        level.level = .critical
        logger.error("hidden")
        own.error("own")
        writer.shutdown(within: .seconds(10))
        let messages = try sink.lines().map { try Sink.object($0)["message"] as? String }
        #expect(messages == ["shown", "own"])
    }
}
