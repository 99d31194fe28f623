"""The parametric BipedalWalker: a two- or four-legged walker on a track that a task vector describes."""
