"""A believable month for a first-time visitor: people at work with Claude Code, bad cases included.

What is sent has the shape of real captures: the same events, attributes, scopes and types, in the same order.
Everything follows from a seed and the end of the month, so that one data set can be made again.
"""
