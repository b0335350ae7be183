"""A module that its package loads twice."""


def take(loaded):
    left = len(loaded)
    return left
