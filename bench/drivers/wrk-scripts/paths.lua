-- The paths of the command line in turn.
dofile("common.lua")

local requests = {}
local nextOne = 0

function init(args)
  for index = 1, #args do
    requests[index] = wrk.format("GET", args[index])
  end
end

function request()
  nextOne = nextOne % #requests + 1
  return requests[nextOne]
end
