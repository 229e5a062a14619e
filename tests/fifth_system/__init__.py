"""A payment system of another distribution: all of it is in this folder, which is found when it is
on `sys.path`. `tiny_api` is generated: `victor-spec generate tests/fifth_system/tiny.yaml --out
tests/fifth_system`.
"""
