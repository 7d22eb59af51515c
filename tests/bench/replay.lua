-- SPDX-License-Identifier: Apache-2.0
-- replay.lua: wrk sends the requests of a file in turn: each `once`, or over and over.
-- arguments: FILE once|again
-- The file has, for each request, a line with its length and then its bytes.
local requests, once = {}, false
local sent = -1   -- wrk asks for one request before it begins, and does not send it

function init(arguments)
    local file = assert(io.open(arguments[1], "rb"))
    for length in file:lines() do
        requests[#requests + 1] = file:read(tonumber(length))
    end
    file:close()
    once = arguments[2] == "once"
end

function request()
    sent = sent + 1
    if once and sent > #requests then
        wrk.thread:stop()
    end
    return requests[math.max(sent - 1, 0) % #requests + 1]
end
