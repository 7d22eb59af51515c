-- SPDX-License-Identifier: Apache-2.0
-- challenges.lua: wrk fetches pages until a file has a number of their hidden fields, one a line.
-- arguments: FILE COUNT NAME (of the fields)
local path, wanted, found, out, field

function init(arguments)
    path, wanted, found = arguments[1], tonumber(arguments[2]), 0
    field = 'name="' .. arguments[3] .. '" value="([^"]+)"'
    out = assert(io.open(path .. ".new", "w"))
end

function response(status, headers, body)
    local challenge = out and body:match(field)
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
