-- Each request has a cookie and a traceparent of its own, as those of browsers behind a tracing proxy have.
dofile("common.lua")

local count = 0

function request()
  count = count + 1
  wrk.headers["Cookie"] = string.format("session=%032x; theme=dark", count)
  wrk.headers["traceparent"] = string.format("00-%032x-%016x-01", count, count)
  return wrk.format()
end
