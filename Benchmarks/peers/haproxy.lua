-- HAProxy: an action that answers in place of the provider.
local problem = require "problem"

core.register_action("problem", { "http-res" }, function(exchange, provider)
    local status = exchange.f:status()
    local reply = exchange:reply { status = status }
    reply:add_header("content-type", "application/problem+json")
    reply:set_body(problem(provider, status, exchange.f:res_body() or ""))
    exchange:done(reply)
end, 1)
