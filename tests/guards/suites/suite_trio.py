import trio
from paying import create_awaited


def test_an_awaited_call_runs_in_trio():
    assert trio.run(create_awaited).id == "from-the-provider"
