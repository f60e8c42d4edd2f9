import Core
import Testing

@Suite("Exposition format")
struct ExpositionFormatTests {
    @Test(
        "OpenMetrics is sent only if Accept names it and does not prefer plain text",
        arguments: [
            (nil, ExpositionFormat.prometheusText),
            ("", .prometheusText),
            ("*/*", .prometheusText),
            ("text/plain", .prometheusText),
            ("application/json", .prometheusText),
            ("application/openmetrics-text", .openMetrics),
            ("Application/OpenMetrics-Text; Version=1.0.0", .openMetrics),
            ("application/openmetrics-text;version=\"1.0.0\";charset=utf-8", .openMetrics),
            ("application/openmetrics-text;version=0.0.1", .prometheusText),
            ("application/openmetrics-text;q=0", .prometheusText),
            ("application/openmetrics-text;q=0.0", .prometheusText),
            ("application/openmetrics-text;q=0.4,text/plain;q=0.5", .prometheusText),
            ("application/openmetrics-text;q=0.5,text/plain;q=0.5", .openMetrics),
            ("application/openmetrics-text;q=0.5,text/plain;q=0.45", .openMetrics),
            ("application/openmetrics-text;q=nonsense", .prometheusText),
            ("application/openmetrics-text;q=0.5x", .prometheusText),
            (",;,=;q", .prometheusText),
            (
                "application/openmetrics-text;version=1.0.0,"
                    + "application/openmetrics-text;version=0.0.1;q=0.75,"
                    + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                .openMetrics
            ),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", .prometheusText),
        ] as [(String?, ExpositionFormat)])
    func negotiation(accept: String?, format: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == format)
    }

    @Test("the content types are the registered ones, to the letter")
    func contentTypes() {
        #expect(ExpositionFormat.prometheusText.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(
            ExpositionFormat.openMetrics.contentType
                == "application/openmetrics-text; version=1.0.0; charset=utf-8")
    }
}
