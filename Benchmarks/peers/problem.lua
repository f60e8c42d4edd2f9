-- The body of a provider's error as a problem (RFC 9457), for the peers that speak Lua.
local json = require "cjson.safe"

local titles = {
    [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found", [409] = "Conflict",
    [422] = "Unprocessable Content", [429] = "Too Many Requests", [500] = "Internal Server Error", [503] = "Service Unavailable",
}
local codes = { validation_error = "validation_failed", ["Bad team"] = "permission_denied" }

local function fields(errors)
    local result = {}
    for name, sentences in pairs(errors) do
        for _, sentence in ipairs(type(sentences) == "table" and sentences or { sentences }) do
            result[#result + 1] = { field = name, detail = sentence }
        end
    end
    return #result > 0 and result or nil
end

return function(provider, status, body)
    local problem = { title = titles[status] or "Error", status = status, provider = provider }
    local answer = json.decode(body)
    if type(answer) == "table" then
        problem.detail = answer.message
        problem.code = codes[answer.error_code] or answer.error_code
        problem.fields = type(answer.errors) == "table" and fields(answer.errors) or nil
    elseif #body <= 1000 and body:sub(1, 1) ~= "<" then
        problem.detail, problem.code = body, codes[body]
    end
    problem.code = problem.code or (status == 429 and "rate_limited") or (status >= 500 and "provider_error") or "invalid_request"
    problem.type = "/-/errors/" .. problem.code
    return json.encode(problem)
end
