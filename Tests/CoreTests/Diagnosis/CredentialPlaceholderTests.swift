import Core
import Testing

@Suite("placeholders of credentials")
struct CredentialPlaceholderTests {
    @Test(
        "a text that stands for a key in examples is a placeholder",
        arguments: [
            "YOUR_API_KEY", "your-api-key", "<your key>", "<API_KEY>", "changeme", "change-me", "CHANGE_ME",
            "xxx",
            "sk-xxxxxxxx", "lttr_XXXXXXXXXXXXXXXX", "000000", "api_key", "secret", "${API_KEY}", "$API_KEY",
            "{{token}}", "replace-me", "insert_your_token_here", "placeholder", "test", "...", "********",
            "null",
            "re_your_api_key_here",
        ])
    func placeholders(_ text: String) {
        #expect(CredentialPlaceholder.matches(text))
    }

    @Test(
        "a text that may be a key is none",
        arguments: [
            "k", "sk-live-4f9a8b7c6d5e", "lttr_0123456789abcdef", "a1b2c3d4", "hunter22",
            "test_4eC39HqLyjWDarjtT1zdp7dc",
            "user:pa55word", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "aaab", "12345678", "good",
            String(repeating: "x", count: 300),
        ])
    func keys(_ text: String) {
        #expect(!CredentialPlaceholder.matches(text))
    }
}
