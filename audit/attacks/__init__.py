"""Attacks on the evidence of this installation, carried out and taken back: is each of them refused, or seen?"""
