import Core
import Testing
import Wire

@testable import Sandbox

@Suite("Recorded cases on demand")
struct CaseBookTests {
    @Test("every recorded case is answered as it was recorded, without a key")
    func allCases() throws {
        for profile in try Asking.profiles() {
            for (index, recorded) in profile.cases.enumerated() {
                var lettr = LettrImitation(cases: CaseBook([profile]))
                let request = Asking.request(
                    "GET", "/any", [("X-Sandbox-Case", recorded.id)], at: Int64(index))
                let response = lettr.answer(request)
                #expect(response.status == recorded.status, "\(recorded.id)")
                #expect(response.body == recorded.body, "\(recorded.id)")
                #expect(
                    response.field("Content-Type") == recorded.fields.first("Content-Type"), "\(recorded.id)")
                #expect(!response.isRefusal)
            }
        }
    }

    @Test("an unknown id says where the ids are listed")
    func unknownID() throws {
        var lemlist = LemlistImitation(cases: try Asking.cases("lemlist"))
        let response = lemlist.answer(Asking.request("GET", "/team", [("X-Sandbox-Case", "none")], at: 0))
        #expect(response.status == 404)
        #expect(response.text.contains("/-/sandbox/cases"))
    }

    @Test("recorded responses count for the rate limit")
    func areCounted() throws {
        var lettr = LettrImitation(cases: try Asking.cases("lettr"))
        let answers = (0..<4).map { _ in
            lettr.answer(Asking.request("GET", "/", [("X-Sandbox-Case", "lettr-002")], at: 0))
        }
        #expect(answers.map(\.status) == [401, 401, 401, 429])
        #expect(answers.map(\.isRefusal) == [false, false, false, true])
    }
}
