import Testing

@testable import Sandbox

@Suite("Spellings of the providers")
struct SpellingTests {
    @Test(
        "a date is spelled as JavaScript does in Paris, in summer and in winter",
        arguments: [
            (1_789_178_869_000, "Sat Sep 12 2026 04:07:49 GMT+0200 (Central European Summer Time)"),
            (1_613_462_562_000, "Tue Feb 16 2021 09:02:42 GMT+0100 (Central European Standard Time)"),
            // The last seconds before the clocks change, and the first behind.
            (1_774_745_999_000, "Sun Mar 29 2026 01:59:59 GMT+0100 (Central European Standard Time)"),
            (1_774_746_000_000, "Sun Mar 29 2026 03:00:00 GMT+0200 (Central European Summer Time)"),
            (1_792_889_999_000, "Sun Oct 25 2026 02:59:59 GMT+0200 (Central European Summer Time)"),
            (1_792_890_000_000, "Sun Oct 25 2026 02:00:00 GMT+0100 (Central European Standard Time)"),
        ])
    func javaScriptDate(milliseconds: Int64, spelling: String) {
        #expect(CivilTime.javaScript(milliseconds) == spelling)
    }

    @Test("a moment is spelled and read again")
    func internetDate() {
        for milliseconds in [0, 951_782_400_000, 1_709_164_800_000, 4_102_444_799_000] as [Int64] {
            let spelling = CivilTime.iso8601(milliseconds)
            #expect(CivilTime.milliseconds(parsing: spelling) == milliseconds, "\(spelling)")
        }
        #expect(CivilTime.iso8601(951_782_400_123) == "2000-02-29T00:00:00.123Z")
        #expect(CivilTime.milliseconds(parsing: "2000-02-29T02:00:00+02:00") == 951_782_400_000)
        #expect(CivilTime.milliseconds(parsing: "2000-02-29T00:00:00") == 951_782_400_000)
    }

    @Test(
        "what is no date is not read as one",
        arguments: [
            "", "tomorrow", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01 is not a date",
            "2026-01-01T00:00:00+9",
        ])
    func noDate(text: String) {
        #expect(CivilTime.milliseconds(parsing: text) == nil)
    }

    @Test("addresses and host names are told from other texts")
    func addresses() {
        for text in ["a@example.com", "first.last+tag@mail.example.co.uk"] {
            #expect(EmailAddress.isValid(text))
        }
        for text in [
            "", "a", "@example.com", "a@", "a@b", "a@b@example.com", "a b@example.com", "a@-x.com",
            "a@x..com",
        ] {
            #expect(!EmailAddress.isValid(text), "\(text)")
        }
    }

    @Test("percent-encoding is undone once, and a broken one stands for itself")
    func percentEncoding() {
        #expect(PercentDecoding.decode("john%40example.com") == "john@example.com")
        #expect(PercentDecoding.decode("100%25%2541+%4%zz") == "100%%41+%4%zz")
        #expect(PercentDecoding.decode("a+b", plusIsBlank: true) == "a b")
    }

    @Test("JSON is written as it was read")
    func json() throws {
        let text = #"{"a":[1,-2.50,true,null,{}],"b\"":"é\n"}"#
        #expect(try #require(JSONValue(parsing: Array(text.utf8))).bytes == Array(text.utf8))
        #expect(JSONValue(parsing: Array("{".utf8)) == nil)
    }
}
