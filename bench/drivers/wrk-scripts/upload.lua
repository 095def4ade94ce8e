-- A body with Content-Length: its bytes are the first word.
dofile("common.lua")

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/octet-stream"
  wrk.body = string.rep("x", tonumber(args[1]))
end
