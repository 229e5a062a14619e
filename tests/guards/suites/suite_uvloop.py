import uvloop
from paying import create_awaited


def test_an_awaited_call_runs_in_uvloop():
    assert uvloop.run(create_awaited()).id == "from-the-provider"
