-- One request at a time per connection.
dofile("common.lua")
