"""Adaptation to a stream: how fast a teacher of moving averages follows, how much is learnt, and when to start over."""
