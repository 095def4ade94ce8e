-- Several requests at a time per connection, in one write.
dofile("common.lua")

local batch

function init(args)
  batch = string.rep(wrk.format(), tonumber(args[1]))
end

function request()
  return batch
end
