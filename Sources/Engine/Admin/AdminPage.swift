/// An answer of Weir's own.
struct AdminPage {
    static let json = "application/json"
    static let html = "text/html; charset=utf-8"

    var status: Int
    var contentType: String
    var body: [UInt8]
    var fields: [(name: String, value: String)] = []

    init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    init(json text: String) { self.init(status: 200, contentType: Self.json, body: Array(text.utf8)) }

    /// A page for people.
    init(title: String, content: String) {
        let text = """
            <!doctype html><html lang="en"><meta charset="utf-8"><title>\(Self.escaped(title))</title>
            <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
            table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left}
            code{font-family:ui-monospace,monospace}</style>
            <h1>\(Self.escaped(title))</h1>
            \(content)
            </html>

            """
        self.init(status: 200, contentType: Self.html, body: Array(text.utf8))
    }

    /// `text` as it may stand in HTML.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
