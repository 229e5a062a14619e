import uvloop
from paying import create_awaited


def test_it_runs_in_uvloop():
    assert uvloop.run(create_awaited()).id == "from-the-provider"
