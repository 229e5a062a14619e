"""A payment system of another distribution: all of it is in this folder, which is found when it is
on `sys.path`. `make setup` makes `tiny_api` of `tiny.yaml` and the settings beside it.
"""
