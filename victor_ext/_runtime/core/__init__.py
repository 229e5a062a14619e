"""What all other rooms of the runtime stand on: time, locks, checks of arguments, JSON, the
response that was read.
"""
