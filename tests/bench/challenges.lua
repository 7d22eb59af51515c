-- SPDX-License-Identifier: Apache-2.0
-- challenges.lua: wrk fetches pages until so many of their challenges stand in a file, one a line. arguments: FILE COUNT
local path, wanted, found, out

function init(arguments)
    path, wanted, found = arguments[1], tonumber(arguments[2]), 0
    out = assert(io.open(path .. ".new", "w"))
end

function response(status, headers, body)
    local challenge = out and body:match('name="challenge" value="([^"]+)"')
    if challenge then
        out:write(challenge, "\n")
        found = found + 1
        if found == wanted then
            out:close()
            out = nil
            os.rename(path .. ".new", path)
            wrk.thread:stop()
        end
    end
end
