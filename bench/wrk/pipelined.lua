-- Sixteen requests at a time per connection, in one write.
dofile("common.lua")

local batch

function init()
  batch = string.rep(wrk.format(), 16)
end

function request()
  return batch
end
