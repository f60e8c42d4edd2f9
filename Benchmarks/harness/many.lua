-- For wrk: requests that differ. Arguments: how many paths `/p0/ok` and so on, how many keys; `once` and a number to use each key in
-- its turn, from there on.
local paths, keys, number, once = 1, 1, 0, false

function init(arguments)
    paths, keys, once = tonumber(arguments[1]), tonumber(arguments[2]), arguments[3] == "once"
    number = tonumber(arguments[4]) or 0
end

function request()
    number = number + 1
    local key = once and number % keys or math.random(0, keys - 1)
    local path = "/p" .. number % paths .. wrk.path
    return wrk.format("GET", path, { Host = "localhost", Authorization = "Bearer key_" .. key })
end

function done(summary, latency)
    local failures = summary.errors
    print(string.format(
        '{"seconds":%.6f,"requests":%d,"errors":%d,"refused":%d}', summary.duration / 1e6, summary.requests,
        failures.connect + failures.read + failures.write + failures.timeout, failures.status))
end
