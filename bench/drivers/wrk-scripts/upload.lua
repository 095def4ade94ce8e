-- A body with Content-Length: its bytes are the first word, what it is the second.
dofile("common.lua")

local kinds = {
  bytes = function(size)
    return "application/octet-stream", string.rep("x", size)
  end,
  json = function(size)
    return "application/json", '{"text":"' .. string.rep("x", size - 11) .. '"}'
  end,
  multipart = function(size)
    local start = '--bench\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
      .. "Content-Type: application/octet-stream\r\n\r\n"
    local stop = "\r\n--bench--\r\n"
    return "multipart/form-data; boundary=bench", start .. string.rep("x", size - #start - #stop) .. stop
  end,
}

function init(args)
  local kind, body = kinds[args[2]](tonumber(args[1]))
  wrk.method = "POST"
  wrk.headers["Content-Type"] = kind
  wrk.body = body
end
