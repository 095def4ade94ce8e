-- Each thread sends its share of requests and not one more, so that none is cut by wrk's end, and says when it has all answers.
local threads = {}

function setup(thread)
  thread:set("share", tonumber(os.getenv("SHARE")))
  table.insert(threads, thread)
end

function init()
  granted, answered = 0, 0
end

-- Asked before each request, in milliseconds.
function delay()
  if granted >= share then return 3600000 end
  granted = granted + 1
  return 0
end

function request()
  return wrk.format("GET", "/" .. granted)
end

function response()
  answered = answered + 1
  if answered == share then
    io.write("finished\n")
    io.flush()
  end
end

function done(summary)
  local total = 0
  for _, thread in ipairs(threads) do total = total + thread:get("answered") end
  local errors = summary.errors
  io.write(string.format('{"answered":%d,"errors":%d}\n', total,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
