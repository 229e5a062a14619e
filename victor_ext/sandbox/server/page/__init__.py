"""The sandbox's page: `/` shows what happens as it happens, `/docs` the control API.

The server renders all of it. The page's script puts rendered fragments where they belong, and sends control commands.
"""
