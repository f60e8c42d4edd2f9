internal import Core

/// The pages for a problem's `type`: what each code means and what to do.
enum ErrorCatalogue {
    static func index(asHTML: Bool, of service: ProxyService) -> AdminPage {
        if asHTML {
            let rows = ProblemCode.allCases.map { code in
                "<tr><td><a href=\"/-/errors/\(code.name)\"><code>\(code.name)</code></a></td>"
                    + "<td>\(code.origin.rawValue)</td><td>\(AdminPage.escaped(code.documentation))</td></tr>"
            }
            return AdminPage(
                title: "Error codes",
                content:
                    "<table><tr><th>code</th><th>origin</th><th>meaning</th></tr>\(rows.joined())</table>")
        }
        let entries = ProblemCode.allCases.map { json(of: $0, in: service) }
        return AdminPage(json: "[\(entries.joined(separator: ","))]")
    }

    static func page(of code: ProblemCode, asHTML: Bool, in service: ProxyService) -> AdminPage {
        guard asHTML else { return AdminPage(json: json(of: code, in: service)) }
        return AdminPage(
            title: code.title,
            content: """
                <p>\(AdminPage.escaped(code.documentation))</p>
                <table><tr><th>code</th><td><code>\(code.name)</code></td></tr>
                <tr><th>origin</th><td>\(code.origin.rawValue)</td></tr>
                <tr><th>status, where Weir chooses it</th><td>\(code.status)</td></tr>
                <tr><th>may pass by itself</th><td>\(code.isTransient ? "yes" : "no")</td></tr>
                <tr><th>side effect, unless a rule knows better</th><td><code>\(code.effect.rawValue)</code></td></tr>
                </table><p><a href="/-/errors">All codes</a></p>
                """)
    }

    private static func json(of code: ProblemCode, in service: ProxyService) -> String {
        var text: [UInt8] = []
        func add(_ literal: String) { text += Array(literal.utf8) }
        add(#"{"code":"\#(code.name)","type":"#)
        JSONWriter.string("\(service.configuration.typeBase)/\(code.name)", into: &text)
        add(#","origin":"\#(code.origin.rawValue)","title":"#)
        JSONWriter.string(code.title, into: &text)
        add(
            #","status":\#(code.status),"transient":\#(code.isTransient),"effect":"\#(code.effect.rawValue)","#
        )
        add(#""documentation":"#)
        JSONWriter.string(code.documentation, into: &text)
        add("}")
        return String(decoding: text, as: UTF8.self)
    }
}
