"""Calls and entries side by side with raw httpx, other clients and code by hand: `make bench`.

`__main__` has the rows and the page; `worker` measures one client in a process of its own, and
`durable` one way to send what is stored. `server` answers both.
"""
