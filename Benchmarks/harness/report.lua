-- For wrk: a body of so many bytes if one is wanted, and one line of JSON in the end. Times are in microseconds.
function init(arguments)
    local size = tonumber(arguments[1])
    if size then
        wrk.method, wrk.body = "POST", string.rep("x", size)
        wrk.headers["Content-Type"] = "application/octet-stream"
    end
end

function done(summary, latency)
    local failures = summary.errors
    print(string.format(
        '{"seconds":%.6f,"requests":%d,"bytes":%d,"errors":%d,"refused":%d,"p50":%.1f,"p99":%.1f,"p999":%.1f}',
        summary.duration / 1e6, summary.requests, summary.bytes,
        failures.connect + failures.read + failures.write + failures.timeout, failures.status,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
