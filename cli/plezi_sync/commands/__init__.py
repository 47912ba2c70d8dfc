"""The commands, one module for each or for a group; `plezi_sync.application` finds them."""
